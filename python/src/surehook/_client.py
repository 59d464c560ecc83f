"""The one client of this process: start it, flush it, end it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from surehook import _native
from surehook._before_send import BeforeSend, serve
from surehook._exit import EXIT_SECONDS
from surehook._notices import log_notices
from surehook._service import package
from surehook.errors import from_native

_ADAPTERS = ("django", "fastapi", "flask")


@dataclass(frozen=True)
class Stats:
    """What became of the attempts of this process: recorded = stored + summarised + dropped + queued.

    Summarised are refused requests that the collector has as a number.
    """

    recorded: int
    stored: int
    summarised: int
    dropped: Mapping[str, int]
    queued: int


def init(
    api_key: str | None = None,
    endpoint: str | None = None,
    *,
    spool_dir: str | os.PathLike[str] | None = None,
    spool_max_attempts: int | None = None,
    spool_max_bytes: int | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    before_send: BeforeSend | None = None,
    service: str | None = None,
) -> None:
    """Start sending what happens to webhooks to a collector.

    ``api_key`` and ``endpoint`` fall back to ``SUREHOOK_API_KEY`` and ``SUREHOOK_ENDPOINT``, then to the
    collector on this machine, ``http://127.0.0.1:4600``. Without a key webhooks are still verified and
    de-duplicated; nothing is sent. Calling it again replaces the client; the old one is flushed.

    ``spool_dir`` is a directory that keeps attempts until the collector has them, over the end of the process
    and however it ends: ``spool_max_attempts`` (10,000) and ``spool_max_bytes`` (50 MiB) at most for each
    process. ``ca_file`` holds certificate authorities (PEM) to trust beside the system's.

    ``before_send`` gets each attempt as a dict in the form of the wire before it is sent, on a thread of its
    own. What it returns is sent; with None nothing is, and the attempt is counted as dropped, as it is when
    it raises or returns what is no attempt. While it hangs nothing is sent; webhooks are handled.

    ``service`` is what the application is called, so that the dashboard tells it from others, and so does a
    dedup store that it shares with them. By default ``SUREHOOK_SERVICE``, then ``OTEL_SERVICE_NAME``, then
    the project's name or the platform's.

    Raises ConfigurationError when the endpoint is not a URL, ``ca_file`` holds no certificates, or the
    directory cannot be written to.
    """
    if before_send is not None and not callable(before_send):
        raise TypeError(f"before_send must be a function, not {type(before_send).__name__}")
    try:
        _native.init(
            api_key=api_key,
            endpoint=endpoint,
            runtime=f"CPython {sys.version.split()[0]}",
            framework=_framework(),
            spool_dir=_path("spool_dir", spool_dir),
            spool_max_attempts=spool_max_attempts,
            spool_max_bytes=spool_max_bytes,
            ca_file=_path("ca_file", ca_file),
            before_send=before_send,
            serve=serve,
            service=service,
            package=package(),
        )
    except (_native.NativeError, UnicodeEncodeError) as error:
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
    recorded, stored, summarised, dropped, queued = _native.stats()
    return Stats(recorded=recorded, stored=stored, summarised=summarised, dropped=dropped, queued=queued)


def _path(option: str, given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(f"the option {option} must be str or a path, not {type(given).__name__}")
    return os.fsdecode(given)


def _framework() -> str | None:
    """The framework whose adapter is in use, with its version."""
    from importlib import metadata  # not at the top: it takes longer to import than all of Surehook

    for name in _ADAPTERS:
        if f"surehook.{name}" in sys.modules:
            return f"{name} {metadata.version(name)}"
    return None
