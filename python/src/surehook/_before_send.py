"""The user's ``before_send``: how it is called, and what is said when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from surehook import _native
from surehook._failure import type_name

#: An attempt in the form of the wire to what is sent instead of it, or to None: then it is not sent.
BeforeSend = Callable[[dict[str, Any]], "dict[str, Any] | None"]

_FAILED = "before_send failed with %s: the attempt is dropped; further ones of this kind are not logged"

_logger = logging.getLogger("surehook")
_said: set[str] = set()


def serve(attempts: _native.Attempts, function: BeforeSend) -> None:
    """Ask the function for one attempt after the other, until there will be no more."""
    while (attempt := attempts.take()) is not None:
        try:
            attempts.answer(function(attempt))
        except BaseException as error:  # SystemExit too: it would end this thread, and telemetry with it
            _complain(error)


def _complain(error: BaseException) -> None:
    """Log the first of each kind; there may be thousands of attempts."""
    kind = type_name(error)
    if kind not in _said:
        _said.add(kind)
        _logger.error(_FAILED, kind, exc_info=error)
