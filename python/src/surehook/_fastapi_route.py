"""The route that runs a monitored FastAPI handler once its request is verified."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from surehook import Delivery, current_delivery

#: What a route carries over to the one that runs the handler. Dependencies of the route itself ran already.
_CARRIED = (
    "status_code",
    "response_model",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "response_class",
    "strict_content_type",
    "form_limits",
)


class RouteFactory:
    """Builds the handler's own route once for each route that it was put on."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            raise TypeError("a webhook handler must return its answer, not yield it")
        self._handler = _injected(_recorded(handler))
        self._built: dict[int, tuple[APIRoute, ASGIApp]] = {}

    def __call__(self, request: Request) -> ASGIApp:
        outer: APIRoute = request.scope["route"]
        if id(outer) not in self._built:
            self._built[id(outer)] = (outer, self._build(outer, request.app))
        return self._built[id(outer)][1]

    def _build(self, outer: APIRoute, app: Any) -> ASGIApp:
        carried = {name: getattr(outer, name) for name in _CARRIED if hasattr(outer, name)}
        inner = APIRoute(outer.path, self._handler, dependency_overrides_provider=app, **carried)

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            await inner.app(dict(scope), receive, send)  # a copy: each route keeps its own exit stacks there

        return run


def _recorded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, whose exceptions are seen before an exception handler of the application hides them."""
    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return await handler(*args, **kwargs)
            except Exception as error:
                if (delivery := _failed(error)) is not None:
                    await delivery.fail_async(error)
                raise

    else:

        @functools.wraps(handler)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return handler(*args, **kwargs)
            except Exception as error:
                if (delivery := _failed(error)) is not None:
                    delivery.fail(error)
                raise

    return run


def _failed(error: Exception) -> Delivery | None:
    """The delivery that an error ends. An HTTPException is an answer: its status says how it went."""
    return None if isinstance(error, HTTPException) else current_delivery()


async def _delivery() -> Delivery | None:
    return current_delivery()


def _injected(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, whose parameter ``delivery`` FastAPI fills in like any dependency."""
    signature = inspect.signature(handler)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "delivery"]
    if "delivery" in signature.parameters:
        dependency = Annotated[Any, Depends(_delivery)]
        parameters.append(
            inspect.Parameter("delivery", inspect.Parameter.KEYWORD_ONLY, annotation=dependency)
        )
    handler.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return handler
