"""The answer of an ASGI application, held back until the delivery behind it is finished."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from surehook import STORED_BODY_LIMIT, Answer, Delivery
from surehook._asgi_body import Message, Receive, Scope

Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class HeldResponse:
    """A ``send`` that holds the answer back until it is whole, so that ``finish`` can store or replace it.

    One that grows beyond what is ever stored passes through; its delivery still ends with its last byte. In a
    transaction of the application's nothing passes: until that is committed, nobody knows the answer.
    """

    def __init__(self, delivery: Delivery, send: Send) -> None:
        self.delivery = delivery
        #: Whether the answer is complete: all of it was told by the application.
        self.ended = False
        self._send = send
        self._held: list[Message] = []
        self._start: Message = {}
        self._body = bytearray()
        self._captured = True
        self._released = False
        self._tell_end: Callable[[], None] | None = None

    async def __call__(self, message: Message) -> None:
        self._held.append(message)
        kind = message["type"]
        if kind == "http.response.start":
            self._start = message
        elif kind == "http.response.body":
            self._take(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        elif kind == "http.response.pathsend":  # a file that the server sends by itself
            self._captured, self.ended = False, True
        if self.ended:
            try:
                await self._finish()
            finally:
                if self._tell_end is not None:
                    self._tell_end()
        elif not self._captured and self.delivery.transaction is None:
            await self._release()

    def require_end(self) -> None:
        """Raise when the application returned in the middle of its answer."""
        if not self.ended:
            raise RuntimeError("The application returned without completing its answer.")

    def at_end(self, tell: Callable[[], None]) -> None:
        """Call this when the answer was sent."""
        self._tell_end = tell

    def drop(self) -> None:
        """Nobody waits for the answer: send no more of it."""
        self._send = _to_nobody

    def _take(self, chunk: bytes) -> None:
        if self._captured:
            self._body += chunk
            self._captured = len(self._body) <= STORED_BODY_LIMIT

    async def _finish(self) -> None:
        answer = await self.delivery.finish_async(
            status=self._start["status"],
            headers=self._start.get("headers", ()),
            body=bytes(self._body) if self._captured else None,
        )
        if answer is None or self._released:
            await self._release()
        else:
            await send_answer(answer, self._to_sender)

    async def _release(self) -> None:
        self._released = True
        held, self._held = self._held, []
        for message in held:
            await self._to_sender(message)

    async def _to_sender(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:  # how servers of ASGI 2.4 say that the sender has left: that is not the application's
            if not self.ended:
                self.delivery.sender_left()
            self.drop()


async def _to_nobody(_: Message) -> None:
    pass


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer that Surehook gives instead of the application."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status not in (204, 304):  # these have no body, and so no length
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
