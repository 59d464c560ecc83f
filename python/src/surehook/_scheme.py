"""A scheme of the user's own, on its way to the core: the object that a provider is, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from surehook.errors import ConfigurationError

SchemeLike = Mapping[str, Any]


def scheme_json(scheme: SchemeLike | None, provider: str | None) -> str | None:
    """The JSON of a scheme, which takes the place of a provider.

    Raises ConfigurationError when both are given, and for values that JSON does not have.
    """
    if scheme is None:
        return None
    if not isinstance(scheme, Mapping):
        raise TypeError(f"scheme must be a dict, not {type(scheme).__name__}")
    if provider is not None:
        raise _wrong("give it or provider, not both: a scheme names its provider itself")
    try:
        return json.dumps(dict(scheme), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise _wrong("it holds values that JSON does not have") from None


def _wrong(fault: str) -> ConfigurationError:
    return ConfigurationError(f"the option scheme cannot be used: {fault}", code="invalid_option")
