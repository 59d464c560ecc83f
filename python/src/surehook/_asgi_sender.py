"""The sender of an ASGI request while its handler runs: is it still there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from surehook import Delivery
from surehook._asgi_body import Message, Receive
from surehook._asgi_response import HeldResponse

if TYPE_CHECKING:
    import asyncio

#: Nobody hangs up earlier, and a handler that has ended by then needs no task that listens.
LISTEN_AFTER_SECONDS = 0.02


class Sender:
    """Hears the server say that the sender hung up. The application does not: that must not end its work."""

    def __init__(self, receive: Receive, delivery: Delivery, response: HeldResponse) -> None:
        self._receive = receive
        self._delivery = delivery
        self._response = response
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._listening: asyncio.Task[Any] | None = None
        self._over: asyncio.Event | None = None

    def listen(self) -> None:
        """Begin, soon; the server is asked by one task alone."""
        import asyncio  # not at the top: it takes a while

        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # an event loop of another kind
            return
        self._alarm = self._loop.call_later(LISTEN_AFTER_SECONDS, self._begin)

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        if not self._response.ended:
            self._delivery.sender_left()
        self._response.drop()
        self.stop()

    def stop(self) -> None:
        """There is no more to be heard."""
        for begun in (self._alarm, self._listening):
            if begun is not None:
                begun.cancel()

    async def receive(self) -> Message:
        """For the application when it has its body: that it is over, once the answer is complete."""
        if self._loop is None:
            return await self._receive()
        if not self._response.ended:
            await self._wait_for_the_end()
        return {"type": "http.disconnect"}

    async def _wait_for_the_end(self) -> None:
        if self._over is None:
            import asyncio  # not at the top: it takes a while

            self._over = asyncio.Event()
            self._response.at_end(self._over.set)
        await self._over.wait()

    def _begin(self) -> None:
        if self._loop is not None:
            self._listening = self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            message = await self._receive()
        except Exception:  # of a server or a middleware: nothing is known of the sender then
            return
        if message["type"] == "http.disconnect" and not self._response.ended:
            self._delivery.sender_left()
