"""Many signed deliveries at a time: over HTTP on kept connections, or straight into an ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from signing import event, signed

AT_A_TIME = 200


@dataclass(frozen=True)
class Message:
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


Deliver = Callable[[Message], Awaitable[Reply]]
Connect = Callable[[], contextlib.AbstractAsyncContextManager[Deliver]]


def message(message_id: str) -> Message:
    body = event(entity=message_id)
    return Message(body.encode(), signed(body, message_id=message_id))


async def storm(deliveries: Iterable[Message], connect: Connect) -> list[Reply]:
    """Send them all, `AT_A_TIME`, and return the replies in the order of what was sent."""
    waiting = iter(enumerate(deliveries))
    replies: dict[int, Reply] = {}

    async def sender() -> None:
        async with connect() as deliver:
            for index, sent in waiting:  # shared: each sender takes the next one
                replies[index] = await deliver(sent)

    await asyncio.gather(*(sender() for _ in range(AT_A_TIME)))
    return [replies[index] for index in range(len(replies))]


def over_http(url: str) -> Connect:
    """Connections of their own to a server, one for each sender."""
    parts = urlsplit(url)

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Deliver]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

        async def deliver(sent: Message) -> Reply:
            lines = [f"POST {parts.path} HTTP/1.1", "host: test", f"content-length: {len(sent.body)}"]
            lines += [f"{name}: {value}" for name, value in sent.headers.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + sent.body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            body = await reader.readexactly(int(headers["content-length"]))
            return Reply(int(head[0].split()[1]), headers, body)

        yield deliver
        writer.close()
        await writer.wait_closed()

    return connect


def into(app) -> Connect:
    """Straight into an ASGI application, with no server between."""

    async def deliver(sent: Message) -> Reply:
        return await call(app, sent)

    return lambda: contextlib.nullcontext(deliver)


async def call(app, sent: Message) -> Reply:
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    answered = []

    async def receive():
        return {"type": "http.request", "body": sent.body}

    async def send(part):
        answered.append(part)

    await app(scope, receive, send)
    start, *parts = answered
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], headers, b"".join(part.get("body", b"") for part in parts))
