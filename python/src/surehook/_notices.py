"""What the SDK has to say, handed to ``logging``."""

from __future__ import annotations

import logging

from surehook import _native

_logger = logging.getLogger("surehook")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def log_notices() -> None:
    """Log what the SDK had to say since the last call."""
    for level, text in _native.take_notices():
        _logger.log(_LEVELS[level], "%s", text)
