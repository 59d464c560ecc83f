"""Any ASGI application behind a webhook endpoint, and a middleware that guards one by path.

Nothing here depends on a framework. FastAPI and Starlette users import from ``surehook.fastapi``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from surehook import Answer, Endpoint, EndpointOptions, flush_before_exit, run_apart
from surehook._asgi_body import Body, Message, Receive, Scope, read_body, replay, target
from surehook._asgi_response import App, HeldResponse, Send, send_answer
from surehook._asgi_sender import Sender

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Guard", "WebhookMiddleware"]

BODY_ADVICE = "put WebhookMiddleware outside of the middleware that reads the body"


class Guard:
    """An ASGI application that runs ``app`` only for requests its endpoint lets through.

    ``body`` is what somebody has read already, ``body_advice`` what to do about one that is gone.
    """

    def __init__(
        self,
        app: App,
        endpoint: Endpoint,
        request_type: Callable[[Scope, Receive], Any] | None = None,
        *,
        body: Body | None = None,
        body_advice: str = BODY_ADVICE,
    ) -> None:
        self._app = app
        self._endpoint = endpoint
        self._request_type = request_type or (lambda scope, receive: scope)
        self._body = body
        self._body_advice = body_advice

    def begin_to_serve(self) -> None:
        """Log what is missing, before the first request is refused for it."""
        self._endpoint.begin_to_serve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = self._body
        if body is None:
            body = await read_body(scope, receive, self._endpoint.max_body_bytes)
        decision = await self._endpoint.begin_async(
            method=scope["method"],
            path=target(scope),
            headers=scope["headers"],
            body=body,
            request=self._request_type(scope, replay(body, receive)),
            body_advice=self._body_advice,
        )
        if isinstance(decision, Answer):
            await send_answer(decision, send)
            return
        response = HeldResponse(decision, send)
        sender = Sender(receive, decision, response)
        await run_apart(self._handle(scope, replay(body, sender.receive), response, sender), sender.leave)

    async def _handle(self, scope: Scope, receive: Receive, response: HeldResponse, sender: Sender) -> None:
        sender.listen()
        with response.delivery.current():
            try:
                await self._app(scope, receive, response)
                response.require_end()
            except BaseException as error:
                await response.delivery.fail_async(error)
                raise
            finally:
                sender.stop()


class WebhookMiddleware:
    """Guards the requests to ``path`` (one or several, exact); everything else passes untouched.

    app.add_middleware(WebhookMiddleware, path="/api/webhooks/clerk", provider="clerk")
    """

    request_type: Callable[[Scope, Receive], Any] | None = None
    body_advice = f"ASGI: {BODY_ADVICE}"

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
        own, endpoint = type(self), Endpoint(**options)
        endpoint.require_no_thread_of_its_own()
        self._guard = Guard(_uncompressed(app), endpoint, own.request_type, body_advice=own.body_advice)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard the requests that are webhooks, pass on everything else."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, _serving(send, self._guard.begin_to_serve))
        elif scope["type"] == "http" and self._guards(scope):
            await self._guard(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _guards(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in self._paths and scope["method"] in self._methods


def _uncompressed(app: App) -> App:
    """An answer is stored as the handler made it: a middleware behind this one would compress it before."""

    async def asked_for_no_compression(scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await app(scope, receive, send)

    return asked_for_no_compression


def _serving(send: Send, begin: Callable[[], None]) -> Send:
    """The start of a server is the moment to say what is missing.

    And servers that end on a signal skip ``atexit``: what is queued leaves with the last lifespan message.
    """

    async def tell(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            begin()
        if message["type"] == "lifespan.shutdown.complete":
            flush_before_exit()
        await send(message)

    return tell
