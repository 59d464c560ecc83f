"""Which worker of its server this process is: gunicorn's, uvicorn's, or a child of multiprocessing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

#: How many workers there are, where that is known, and which of them this is, from 1.
Workers = tuple[int | None, int]


def workers() -> Workers | None:
    """What can be told of this process; None where nothing says that it has siblings."""
    servers = servers_below(sys._getframe())
    for name, told in _TOLD_BY.items():
        if name in servers:
            try:
                return told(servers[name])
            except AttributeError:  # another version of the server
                return None
    number = _number()
    return None if number is None else (None, number)


def servers_below(frame: FrameType | None) -> dict[str, Any]:
    """The objects of servers whose methods are on the stack: who loads or runs the application."""
    found: dict[str, Any] = {}
    while frame is not None:
        caller = frame.f_locals.get("self")
        for base in type(caller).__mro__:
            found.setdefault(f"{base.__module__}.{base.__qualname__}", caller)
        frame = frame.f_back
    return found


def _number() -> int | None:
    """The how-manieth child of multiprocessing this process is; None for one that it did not start."""
    process = sys.modules.get("multiprocessing.process")
    identity = process.current_process()._identity if process is not None else ()
    return identity[-1] if identity else None


#: The nearest comes first: a worker of gunicorn has the arbiter below it, which it was forked from.
_TOLD_BY: dict[str, Callable[[Any], Workers]] = {
    "gunicorn.workers.base.Worker": lambda worker: (worker.cfg.workers, worker.age),
    "gunicorn.arbiter.Arbiter": lambda arbiter: (arbiter.cfg.workers, 1),  # with --preload
    "uvicorn.server.Server": lambda server: (
        1 if server.config.reload else server.config.workers,
        _number() or 1,
    ),
}
