"""The sender of an ASGI request while its handler runs: is it still there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from surehook import Delivery
from surehook._asgi_body import Message, Receive
from surehook._asgi_response import HeldResponse

if TYPE_CHECKING:
    import asyncio


class Sender:
    """Hears the server say that the sender hung up. The application does not: that must not end its work."""

    def __init__(self, receive: Receive, delivery: Delivery, response: HeldResponse) -> None:
        self._receive = receive
        self._delivery = delivery
        self._response = response
        self._listening: asyncio.Task[Any] | None = None

    def listen(self) -> None:
        """Begin; the server is asked by one task alone."""
        import asyncio  # not at the top: it takes a while

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # an event loop of another kind
            return
        self._listening = loop.create_task(self._listen())

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        if not self._response.ended:
            self._delivery.sender_left()
        self._response.drop()
        self.stop()

    def stop(self) -> None:
        """There is no more to be heard."""
        if self._listening is not None:
            self._listening.cancel()

    async def receive(self) -> Message:
        """For the application when it has its body: that it is over, once the answer is complete."""
        if self._listening is None:
            return await self._receive()
        if not self._response.ended:
            import asyncio  # not at the top: it takes a while

            over = asyncio.Event()
            self._response.at_end(over.set)
            await over.wait()
        return {"type": "http.disconnect"}

    async def _listen(self) -> None:
        try:
            message = await self._receive()
        except Exception:  # of a server or a middleware: nothing is known of the sender then
            return
        if message["type"] == "http.disconnect" and not self._response.ended:
            self._delivery.sender_left()
