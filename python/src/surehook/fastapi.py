"""FastAPI: a decorator for one route, and a middleware by path (which also fits plain Starlette).

FastAPI parses a declared body and runs dependencies before a handler, and turns what the handler returns
into bytes after it. So the decorator gives FastAPI an endpoint that asks for nothing but the request; only a
verified request reaches a second route, built from the handler itself with the settings of the first, and
its finished answer is what is stored and replayed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from surehook import Endpoint, EndpointOptions, MissingBody, asgi
from surehook._asgi_body import read_body
from surehook._fastapi_route import RouteFactory
from surehook._fastapi_start import watch

if TYPE_CHECKING:
    from typing_extensions import Unpack

Handler = TypeVar("Handler", bound=Callable[..., Any])

__all__ = ["WebhookMiddleware", "with_webhook_monitoring"]

_BODY_ADVICE = (
    "FastAPI: a dependency, a middleware or a route class took the body by request.stream() or "
    "request.form(), which keep nothing of it. Let it call `await request.body()` first."
)


class WebhookMiddleware(asgi.WebhookMiddleware):
    """``app.add_middleware(WebhookMiddleware, path="/api/webhooks/clerk", provider="clerk")``"""

    request_type = Request
    body_advice = f"FastAPI, Starlette: {asgi.BODY_ADVICE}"


def with_webhook_monitoring(**options: Unpack[EndpointOptions]) -> Callable[[Handler], Handler]:
    """Verify, de-duplicate and watch the webhooks of one route. Stands below ``@app.post(...)``.

    The handler keeps its parameters: the request, body models, dependencies; one named ``delivery`` gets
    the delivery's handle. Raises ConfigurationError for an option that cannot be used; a missing secret is
    told when the application starts, and the route answers 503 until it is there.
    """
    endpoint = Endpoint(**options)
    endpoint.require_no_thread_of_its_own()
    watch(endpoint)

    def decorate(handler: Handler) -> Handler:
        route_of = RouteFactory(handler)

        async def guarded(request: Request) -> Response:
            app = route_of(request)
            body = await _body(request, endpoint.max_body_bytes)
            guard = asgi.Guard(app, endpoint, Request, body=body, body_advice=_BODY_ADVICE)
            return _GuardedResponse(guard)

        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(guarded, name, getattr(handler, name, None))
        parameter = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
        answer = _return_type(handler)
        guarded.__signature__ = inspect.Signature([parameter], return_annotation=answer)  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


async def _body(request: Request, limit: int) -> bytes | MissingBody:
    """The bytes, also where a dependency, a route class or an error tracker has read them already.

    Starlette keeps on the request what ``body()`` and ``json()`` read; ``stream()`` and ``form()`` do not.
    A route class may have given the request a ``receive`` of its own.
    """
    kept = getattr(request, "_body", None)
    if kept is not None:
        return kept if len(kept) <= limit else MissingBody.TOO_LARGE
    if request._stream_consumed:
        return MissingBody.UNAVAILABLE
    return await read_body(request.scope, request.receive, limit)


class _GuardedResponse(Response):
    """The answer that FastAPI sends is the guarded run of the handler's own route."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _return_type(handler: Callable[..., Any]) -> Any:
    try:
        return get_type_hints(handler, include_extras=True).get("return", inspect.Signature.empty)
    except (NameError, TypeError):
        return inspect.Signature.empty
