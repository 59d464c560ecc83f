"""A scheme of the user's own, on its way to the core: the object that a provider is, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from surehook.errors import ConfigurationError

SchemeLike = Mapping[str, Any]


def scheme_json(scheme: SchemeLike | None) -> str | None:
    """The JSON of a scheme. Raises ConfigurationError for values that JSON does not have."""
    if scheme is None:
        return None
    if not isinstance(scheme, Mapping):
        raise TypeError(f"scheme must be a dict, not {type(scheme).__name__}")
    try:
        return json.dumps(dict(scheme), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        message = "the option scheme cannot be used: it holds values that JSON does not have"
        raise ConfigurationError(message, code="invalid_option") from None
