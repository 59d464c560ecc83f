"""Django: a decorator for one view, sync or async, and an application that starts Surehook with the settings.

INSTALLED_APPS = [..., "surehook.django"]
SUREHOOK = {"api_key": "shk_...", "endpoint": "https://collector.example.com"}
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from surehook import (
    STORED_BODY_LIMIT,
    Answer,
    ConfigurationError,
    Delivery,
    Endpoint,
    EndpointOptions,
    run_apart,
)
from surehook.django._checks import watch
from surehook.django._request import arrival, encoded
from surehook.django._senders import ENDPOINT, sender_left, watch_handler
from surehook.django.store import ModelStore

if TYPE_CHECKING:
    from typing_extensions import Unpack

View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["ModelStore", "with_webhook_monitoring"]


def with_webhook_monitoring(**options: Unpack[EndpointOptions]) -> Callable[[View], View]:
    """Verify, de-duplicate and watch the webhooks of one view. It needs no ``csrf_exempt`` beside it.

    The view may be sync or async, and is a class with ``with_webhook_monitoring(...)(Hooks.as_view())``. A
    parameter named ``delivery`` gets the delivery's handle. Raises ConfigurationError for an option that
    cannot be used; without a secret ``manage.py check`` warns, and the view answers 503.
    """
    endpoint = Endpoint(**options)
    watch(endpoint)
    store = options.get("dedup")

    def decorate(view: View) -> View:
        is_async = iscoroutinefunction(view)
        if endpoint.is_async and not is_async:
            fault = "a sync view cannot await its signature_verifier or its store"
            raise ConfigurationError(fault, code="invalid_option")
        if is_async:
            endpoint.require_no_thread_of_its_own()
        guarded = (_async_view if is_async else _sync_view)(view, endpoint)
        if isinstance(store, ModelStore):
            guarded = store.outside_of_other_transactions(guarded)
        guarded.csrf_exempt = True  # a provider has no cookie, and signs instead
        setattr(guarded, ENDPOINT, endpoint)
        watch_handler()
        return guarded  # type: ignore[no-any-return]

    return decorate


def _sync_view(view: Any, endpoint: Endpoint) -> Any:
    wants_delivery = "delivery" in inspect.signature(view).parameters

    @functools.wraps(view)
    def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        decision = endpoint.begin(**arrival(request, endpoint))
        if isinstance(decision, Answer):
            return _response(decision)
        if wants_delivery:
            named["delivery"] = decision
        with decision.current():
            try:
                response = _whole(view(request, *arguments, **named), request)
                answer = decision.finish(**_departure(response, request, decision))
            except BaseException as error:
                decision.fail(error)
                raise
        return response if answer is None else _response(answer)

    return guarded


def _async_view(view: Any, endpoint: Endpoint) -> Any:
    wants_delivery = "delivery" in inspect.signature(view).parameters

    @functools.wraps(view)
    async def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        decision = await endpoint.begin_async(**arrival(request, endpoint))
        if isinstance(decision, Answer):
            return _response(decision)
        if wants_delivery:
            named["delivery"] = decision
        handling = functools.partial(view, request, *arguments, **named)
        return await run_apart(_handled(handling, request, decision), decision.sender_left)

    return guarded


async def _handled(handling: Callable[[], Any], request: HttpRequest, delivery: Delivery) -> HttpResponseBase:
    with delivery.current():
        try:
            response = _whole(await handling(), request)
            answer = await delivery.finish_async(**_departure(response, request, delivery))
        except BaseException as error:
            await delivery.fail_async(error)
            raise
    return response if answer is None else _response(answer)


def _whole(response: Any, request: Any) -> HttpResponseBase:
    """The answer with its bytes: what a template raises is the delivery's failure too."""
    if not isinstance(response, HttpResponseBase):
        raise TypeError(f"the view returned {type(response).__name__}, not an HttpResponse")
    if hasattr(request, "accepted_renderer") and not hasattr(response, "accepted_renderer"):
        # A method of a view of the REST framework, which says only afterwards how its answers are rendered.
        response.accepted_renderer = request.accepted_renderer  # type: ignore[attr-defined]
        response.accepted_media_type = request.accepted_media_type  # type: ignore[attr-defined]
        response.renderer_context = request.parser_context  # type: ignore[attr-defined]
    render = getattr(response, "render", None)
    return response if render is None else render()


def _departure(response: Any, request: HttpRequest, delivery: Delivery) -> dict[str, Any]:
    """The arguments of ``finish``, when the delivery knows whether anybody gets the answer."""
    if sender_left(request):
        delivery.sender_left()
    body = None if response.streaming or len(response.content) > STORED_BODY_LIMIT else response.content
    return {"status": response.status_code, "headers": encoded(response.items()), "body": body}


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response["content-type"]
    for name, value in answer.headers:
        response[name] = value
    if answer.status not in (204, 304):  # these have no body, and so no length
        response["content-length"] = str(len(answer.body))
    return response
