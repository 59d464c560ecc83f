"""A handler that runs to its end, also when whoever waits for it is told to stop waiting."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_logger = logging.getLogger("surehook")
_NOTHING = object()
#: The handlers that nobody waits for. An event loop alone does not keep its tasks.
_left: set[asyncio.Task[Any]] = set()


async def run_apart(handling: Coroutine[Any, Any, T], on_leave: Callable[[], None]) -> T:
    """Run it in a task of its own, in the same context.

    A cancellation of the caller ends the waiting alone: ``on_leave`` is called, and the task goes on.
    """
    import asyncio  # not at the top: Flask has no use for it, and it takes a while

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # an event loop of another kind
        return await handling
    contexts: list[contextvars.Context] = []

    async def apart() -> T:
        try:
            return await handling
        finally:
            contexts.append(contextvars.copy_context())

    task, ended = loop.create_task(apart()), loop.create_future()

    def tell(_: object) -> None:
        if not ended.done():
            ended.set_result(None)

    task.add_done_callback(tell)
    try:
        await ended
    except BaseException:
        if not task.done():
            _leave(task)
            on_leave()
        raise
    for context in contexts:
        _take_over(context)
    return task.result()


async def wait_for_those_left(is_enough: Callable[[], bool], timeout: float | None) -> None:
    """For the end of a server, which does not know of them: until they have ended, or it is enough."""
    import asyncio

    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    while _left and not is_enough() and (deadline is None or loop.time() < deadline):
        await asyncio.wait(set(_left), timeout=0.1)


def _leave(task: asyncio.Task[Any]) -> None:
    _left.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[Any]) -> None:
    _left.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _logger.error("a handler whose sender had left raised", exc_info=error)


def _take_over(context: contextvars.Context) -> None:
    """What the handler set is set for whoever waited, as if it had run there."""
    for variable, value in context.items():
        if variable.get(_NOTHING) is not value:
            variable.set(value)
