"""Waiting for what a store on the other side of a network, or another attempt, has to be heard for first."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar

from surehook import _native

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


def wait(begun: T | _native.Pending[T]) -> T:
    """What it comes to; waits on this thread, while others run."""
    return begun.wait() if isinstance(begun, _native.Pending) else begun


async def wait_async(begun: T | _native.Pending[T]) -> T:
    """What it comes to; other tasks of the event loop run meanwhile.

    A task that is cancelled here leaves a delivery that nobody takes: it counts as abandoned.
    """
    if not isinstance(begun, _native.Pending):
        return begun
    import asyncio  # not at the top: Flask has no use for it, and it takes a while

    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(found: T) -> None:
        if not future.cancelled():
            future.set_result(found)

    begun.then(functools.partial(loop.call_soon_threadsafe, resolve))
    return await future
