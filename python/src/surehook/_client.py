"""The one client of this process: start it, flush it, end it, and hand its notices to ``logging``."""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from surehook import _native
from surehook.errors import from_native

EXIT_SECONDS = 2.0

_logger = logging.getLogger("surehook")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_ADAPTERS = ("django", "fastapi", "flask")


@dataclass(frozen=True)
class Stats:
    """What became of the attempts of this process: recorded = stored + dropped + queued."""

    recorded: int
    stored: int
    dropped: Mapping[str, int]
    queued: int


def init(api_key: str | None = None, endpoint: str | None = None) -> None:
    """Start sending what happens to webhooks to a collector.

    ``api_key`` and ``endpoint`` fall back to ``SUREHOOK_API_KEY`` and ``SUREHOOK_ENDPOINT``, then to the
    collector on this machine, ``http://127.0.0.1:4600``. Without a key webhooks are still verified and
    de-duplicated; nothing is sent. Calling it again replaces the client; the old one is flushed.

    Raises ConfigurationError when the endpoint is not a URL.
    """
    try:
        _native.init(api_key, endpoint, f"CPython {sys.version.split()[0]}", _framework())
    except _native.NativeError as error:
        raise from_native(error) from None
    finally:
        log_notices()


def flush(timeout: float = EXIT_SECONDS) -> bool:
    """Wait at most ``timeout`` seconds until everything recorded is stored. True: nothing is left."""
    done = _native.flush(timeout)
    log_notices()
    return done


def shutdown(timeout: float = EXIT_SECONDS) -> bool:
    """Flush, then stop sending. Runs by itself when the process exits normally."""
    done = _native.shutdown(timeout)
    log_notices()
    return done


def stats() -> Stats:
    """The counts of this process since it started."""
    recorded, stored, dropped, queued = _native.stats()
    return Stats(recorded=recorded, stored=stored, dropped=dropped, queued=queued)


def log_notices() -> None:
    """Log what the SDK had to say since the last call."""
    for level, text in _native.take_notices():
        _logger.log(_LEVELS[level], "%s", text)


def _framework() -> str | None:
    """The framework whose adapter is in use, with its version."""
    from importlib import metadata  # not at the top: it takes longer to import than all of Surehook

    for name in _ADAPTERS:
        if f"surehook.{name}" in sys.modules:
            return f"{name} {metadata.version(name)}"
    return None


atexit.register(_native.stop_waker)
atexit.register(shutdown)
