"""What an endpoint takes of an ASGI request. Its body is read once, and given again to who comes after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from surehook import MissingBody

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Body = bytes | MissingBody

#: A body begins to come right behind its headers. One of which nothing comes for so long was taken by
#: another reader: after that, a server says nothing until the sender hangs up.
FIRST_PART_SECONDS = 10.0


def target(scope: Scope) -> str:
    """The path with its query, percent-encoded as it came; servers may leave out the raw path."""
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).partition(b"?")[0]
    query = scope.get("query_string") or b""
    return (path + b"?" + query if query else path).decode("utf-8", "replace")


async def read_body(scope: Scope, receive: Receive, limit: int) -> Body:
    """All of it, or why it is not there."""
    body = bytearray()
    message = await _first_part(receive)
    while message is not None:
        if message["type"] == "http.disconnect":
            return MissingBody.INCOMPLETE
        body += message.get("body", b"")
        if len(body) > limit:
            return MissingBody.TOO_LARGE
        if not message.get("more_body", False):
            return bytes(body) if body or not _announced(scope) else MissingBody.UNAVAILABLE
        message = await receive()
    return MissingBody.UNAVAILABLE


def replay(body: Body, receive: Receive) -> Receive:
    """A ``receive`` that gives the buffered body first, then what the server says (a disconnect)."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return pending.pop() if pending else await receive()

    return given


def _announced(scope: Scope) -> bool:
    """Whether the headers promise a body: one that is empty all the same was read by somebody else."""
    return any(
        name.lower() == b"content-length" and value.strip(b"0 ") != b"" for name, value in scope["headers"]
    )


async def _first_part(receive: Receive) -> Message | None:
    """The first message, or None where none comes in time."""
    import asyncio  # not at the top: who imports the package may have no use for it, and it takes a while

    try:
        task = asyncio.current_task()
    except RuntimeError:  # an event loop of another kind
        task = None
    if task is None:
        return await receive()
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        task.cancel()

    alarm = asyncio.get_running_loop().call_later(FIRST_PART_SECONDS, give_up)
    try:
        return await receive()
    except asyncio.CancelledError:
        if not late or _cancelled_by_others_too(task):
            raise
        return None
    finally:
        alarm.cancel()


def _cancelled_by_others_too(task: Any) -> bool:
    """Takes our own request back. Python 3.10 does not count them."""
    return hasattr(task, "uncancel") and task.uncancel() > 0
