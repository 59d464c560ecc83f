"""A sender that hangs up. Before its body is whole, Django under ASGI calls no view: so Django is watched."""

from __future__ import annotations

import functools
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from surehook import Endpoint, MissingBody
from surehook._wsgi import sender_left as wsgi_sender_left
from surehook.django._request import location

#: Under this name a guarded view has its endpoint; whatever wraps a view in the usual way takes it over.
ENDPOINT = "surehook_endpoint"
#: Under this name a request under ASGI has its watch.
_WATCH = "surehook.watch"


class _Watch:
    """A ``receive`` that notes whether the sender hung up, and whether in the middle of the body."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._whole = False
        self.cut_off = False
        self.left = False

    async def __call__(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.left, self.cut_off = True, not self._whole
        elif not message.get("more_body", False):
            self._whole = True
        return message


def sender_left(request: Any) -> bool:
    """Whether nobody waits for the answer any more, as far as the server lets one see."""
    if hasattr(request, "scope"):
        return _WATCH in request.scope and request.scope[_WATCH].left
    return wsgi_sender_left(request.META)


def watch_handler() -> None:
    """Record what is cut off from now on. Called with each decorated view, and done with the first."""
    original = ASGIHandler.handle
    if hasattr(original, ENDPOINT):
        return

    @functools.wraps(original)
    async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
        watch = scope[_WATCH] = _Watch(receive)
        await original(self, scope, watch, send)
        if watch.cut_off:
            await _record(self.request_class(scope, BytesIO()))

    setattr(handle, ENDPOINT, None)
    ASGIHandler.handle = handle  # type: ignore[method-assign]


async def _record(request: HttpRequest) -> None:
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return
    endpoint: Endpoint | None = getattr(view, ENDPOINT, None)
    if endpoint is not None:
        await endpoint.begin_async(**location(request), body=MissingBody.INCOMPLETE)
