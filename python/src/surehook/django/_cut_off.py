"""A sender that hangs up before its body is whole. Under ASGI no view is called then: Django is watched."""

from __future__ import annotations

import functools
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from surehook import Endpoint, MissingBody
from surehook.django._request import location

#: Under this name a guarded view has its endpoint; whatever wraps a view in the usual way takes it over.
ENDPOINT = "surehook_endpoint"


class _Watch:
    """A ``receive`` that notes whether the sender hung up in the middle of the body."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._whole = False
        self.cut_off = False

    async def __call__(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.cut_off = not self._whole
        elif not message.get("more_body", False):
            self._whole = True
        return message


def watch_handler() -> None:
    """Record what is cut off from now on. Called with each decorated view, and done with the first."""
    original = ASGIHandler.handle
    if hasattr(original, ENDPOINT):
        return

    @functools.wraps(original)
    async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
        watch = _Watch(receive)
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
