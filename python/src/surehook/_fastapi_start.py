"""When a FastAPI application starts: the moment to say which of its webhooks have no secret.

A route does not know its application before the first request, so Starlette's own router is listened to.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send

from surehook import Endpoint

_endpoints: WeakSet[Endpoint] = WeakSet()
_lifespan = Router.lifespan


def watch(endpoint: Endpoint) -> None:
    """Have an endpoint say what it lacks when an application starts."""
    _endpoints.add(endpoint)
    Router.lifespan = _told  # type: ignore[method-assign,assignment]


async def _told(router: Any, scope: Scope, receive: Receive, send: Send) -> None:
    async def tell(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            for endpoint in list(_endpoints):
                endpoint.begin_to_serve()
        await send(message)

    await _lifespan(router, scope, receive, tell)
