"""The ends of a process that ``atexit`` does not see: what is queued has to leave before them.

uvicorn ends on the signal that stopped it, a child of multiprocessing and a worker of Celery without running
the functions of ``atexit``. Nobody imports them here; where they are, they are found.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from surehook import _native
from surehook._apart import wait_for_those_left
from surehook._notices import log_notices

#: By how much the end of a process may be delayed.
EXIT_SECONDS = 2.0
#: Calls that are further apart than this do not belong to the same end.
_ONE_END_SECONDS = 30.0


class _Budget:
    """What is left of the time for which the end of a process may be delayed, however many ask for it."""

    def __init__(self) -> None:
        self._deadline = float("-inf")

    def seconds(self) -> float:
        """From the first call on, ``EXIT_SECONDS`` for all."""
        now = time.monotonic()
        if now > self._deadline + _ONE_END_SECONDS:
            self._deadline = now + EXIT_SECONDS
        return max(0.0, self._deadline - now)


_budget = _Budget()
#: Keeps the registration of a function after a fork alive.
_anchor = _Budget()
#: Whether a server was looked for in this process.
_looked = False
#: The mark of a function that flushes after what it wraps.
_FLUSHES = "surehook_flushes"


def flush_before_exit() -> None:
    """Send what is queued because the process is about to end. All calls at one end take 2 s at most.

    For servers of your own that end a process without running the functions of ``atexit``.
    """
    _native.flush(_budget.seconds())
    log_notices()


def _shutdown() -> None:
    """The last call: what is left of the time, and then the end of the sender."""
    with contextlib.suppress(KeyboardInterrupt):  # who presses Ctrl-C now wants to wait no longer
        _native.shutdown(_budget.seconds())
    log_notices()


def watch_server() -> None:
    """Flush when the server that runs this process ends. Called with each event, and done with the first."""
    global _looked
    if _looked:
        return
    _looked = True
    uvicorn = sys.modules.get("uvicorn.server")
    server = getattr(uvicorn, "Server", None)
    if server is not None and not hasattr(server.shutdown, _FLUSHES):
        # The class: its instances are run by `uvicorn.run`, `await server.serve()` or a worker of gunicorn.
        server.shutdown = _flushing(server.shutdown)


def _flushing(shutdown: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(shutdown)
    async def flush_after(server: Any, *arguments: Any, **named: Any) -> None:
        try:
            await shutdown(server, *arguments, **named)
            await wait_for_those_left(
                is_enough=lambda: server.force_exit, timeout=server.config.timeout_graceful_shutdown
            )
        finally:
            flush_before_exit()

    setattr(flush_after, _FLUSHES, True)
    return flush_after


def _watch_child() -> None:
    """Flush at the end of this process where it is a child that ends by ``os._exit``."""
    global _looked
    _looked = False
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        # A child forgets what it inherited when it begins, so it is registered then.
        util.register_after_fork(_anchor, _finalize)
        if sys.modules["multiprocessing.process"].parent_process() is not None:
            _finalize()
    if (signals := sys.modules.get("celery.signals")) is not None:
        signals.worker_process_shutdown.connect(_at_end_of_worker, weak=False)


def _finalize(*_: object) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, flush_before_exit, exitpriority=-100)


def _at_end_of_worker(**_: object) -> None:
    flush_before_exit()


atexit.register(_native.stop_waker)
atexit.register(_shutdown)
_watch_child()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watch_child)
