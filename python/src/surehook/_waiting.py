"""Waits in an event loop for a store on the other side of a network, or for another attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from surehook import _native

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


async def settled(pending: _native.Pending[T]) -> T:
    """What it comes to; other tasks of the event loop run meanwhile.

    A task that is cancelled here leaves a delivery that nobody takes: it counts as abandoned.
    """
    import asyncio  # not at the top: Flask has no use for it, and it takes a while

    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def resolve(found: T) -> None:
        if not future.cancelled():
            future.set_result(found)

    pending.then(lambda found: loop.call_soon_threadsafe(resolve, found))
    return await future
