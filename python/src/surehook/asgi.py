"""Any ASGI application behind a webhook endpoint, and a middleware that guards one by path.

Nothing here depends on a framework. FastAPI and Starlette users import from ``surehook.fastapi``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from surehook import Answer, Endpoint, EndpointOptions, MissingBody, flush_before_exit
from surehook._asgi_response import App, HeldResponse, Message, Receive, Scope, Send, send_answer

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Guard", "WebhookMiddleware"]


class Guard:
    """An ASGI application that runs ``app`` only for requests its endpoint lets through."""

    def __init__(
        self, app: App, endpoint: Endpoint, request_type: Callable[[Scope, Receive], Any] | None = None
    ) -> None:
        self._app = app
        self._endpoint = endpoint
        self._request_type = request_type or (lambda scope, receive: scope)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await _read_body(receive, self._endpoint.max_body_bytes)
        if body is None:
            return  # the sender hung up: nobody to answer
        decision = await self._endpoint.begin_async(
            method=scope["method"],
            path=_target(scope),
            headers=scope["headers"],
            body=body,
            request=self._request_type(scope, _replay(body, receive)),
        )
        if isinstance(decision, Answer):
            await send_answer(decision, send)
            return
        response = HeldResponse(decision, send)
        with decision.current():
            try:
                await self._app(scope, _replay(body, receive), response)
                response.require_end()
            except BaseException as error:
                await decision.fail_async(error)
                raise


class WebhookMiddleware:
    """Guards the requests to ``path`` (one or several, exact); everything else passes untouched.

    app.add_middleware(WebhookMiddleware, path="/api/webhooks/clerk", provider="clerk")
    """

    request_type: Callable[[Scope, Receive], Any] | None = None

    def __init__(
        self,
        app: App,
        *,
        path: str | Iterable[str],
        methods: Iterable[str] = ("POST",),
        **options: Unpack[EndpointOptions],
    ) -> None:
        self._app = app
        self._paths = frozenset([path] if isinstance(path, str) else path)
        self._methods = frozenset(method.upper() for method in methods)
        self._guard = Guard(app, Endpoint(**options), type(self).request_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard the requests that are webhooks, pass on everything else."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, _flushing(send))
        elif scope["type"] == "http" and self._guards(scope):
            await self._guard(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _guards(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in self._paths and scope["method"] in self._methods


def _target(scope: Scope) -> str:
    """The path with its query, percent-encoded as it came; servers may leave out the raw path."""
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).partition(b"?")[0]
    query = scope.get("query_string") or b""
    return (path + b"?" + query if query else path).decode("utf-8", "replace")


async def _read_body(receive: Receive, limit: int) -> bytes | MissingBody | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            return MissingBody.TOO_LARGE
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes | MissingBody, receive: Receive) -> Receive:
    """A ``receive`` that gives the buffered body first, then what the server says (a disconnect)."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _flushing(send: Send) -> Send:
    """Servers that end on a signal skip ``atexit``: what is queued leaves with the last lifespan message."""

    async def flush_first(message: Message) -> None:
        if message["type"] == "lifespan.shutdown.complete":
            flush_before_exit()
        await send(message)

    return flush_first
