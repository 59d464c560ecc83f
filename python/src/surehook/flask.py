"""Flask: a decorator for one view, and an extension that reads the application's configuration."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from surehook import (
    STORED_BODY_LIMIT,
    Answer,
    ConfigurationError,
    Delivery,
    Endpoint,
    EndpointOptions,
    init,
)
from surehook._flask_request import arrival, encoded
from surehook._wsgi import sender_left

if TYPE_CHECKING:
    from typing_extensions import Unpack

View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["Surehook", "with_webhook_monitoring"]

_SETTINGS = "api_key endpoint spool_dir spool_max_attempts spool_max_bytes ca_file before_send"


class Surehook:
    """Starts Surehook with ``SUREHOOK_API_KEY``, ``SUREHOOK_SPOOL_DIR``, ... of the application's settings.

    There is one for each argument of ``surehook.init``, and what is not there is as it is for that.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Start with the configuration of ``app``."""
        init(**{name: app.config.get(f"SUREHOOK_{name.upper()}") for name in _SETTINGS.split()})
        app.extensions["surehook"] = self


def with_webhook_monitoring(**options: Unpack[EndpointOptions]) -> Callable[[View], View]:
    """Verify, de-duplicate and watch the webhooks of one view. Stands below ``@app.post(...)``.

    The view may return whatever Flask takes; a parameter named ``delivery`` gets the delivery's handle.
    Raises ConfigurationError for an option that cannot be used; without a secret it answers 503.
    """
    endpoint = Endpoint(**options)
    if endpoint.is_async:
        raise ConfigurationError(
            "Flask cannot await: signature_verifier and store must not be async", code="invalid_option"
        )

    def decorate(view: View) -> View:
        if inspect.iscoroutinefunction(view):  # Flask runs it on another thread
            endpoint.require_no_thread_of_its_own()
        wants_delivery = "delivery" in inspect.signature(view).parameters

        @functools.wraps(view)
        def guarded(**arguments: Any) -> Response:
            decision = endpoint.begin(**arrival(request, endpoint))
            if isinstance(decision, Answer):
                return _response(decision)
            if wants_delivery:
                arguments["delivery"] = decision
            return _run(view, arguments, decision)

        return guarded  # type: ignore[return-value]

    return decorate


def _run(view: Callable[..., Any], arguments: dict[str, Any], delivery: Delivery) -> Response:
    with delivery.current():
        try:
            response = _call(view, arguments)
            if sender_left(request.environ):
                delivery.sender_left()
            answer = delivery.finish(
                status=response.status_code,
                headers=encoded(response.headers),
                body=_captured(response),
            )
        except BaseException as error:
            delivery.fail(error)
            raise
    return response if answer is None else _response(answer)


def _call(view: Callable[..., Any], arguments: dict[str, Any]) -> Response:
    """What the application would answer, through its own rules for return values and ``abort``."""
    try:
        returned = current_app.ensure_sync(view)(**arguments)
    except HTTPException as error:
        returned = current_app.handle_user_exception(error)
    if isinstance(returned, HTTPException):
        returned = returned.get_response()
    return current_app.make_response(returned)


def _captured(response: Response) -> bytes | None:
    """The bytes of the answer, unless it is streamed or too long to be stored."""
    if response.is_streamed or (response.calculate_content_length() or 0) > STORED_BODY_LIMIT:
        return None
    return response.get_data()


def _response(answer: Answer) -> Response:
    response = current_app.response_class(answer.body, status=answer.status)
    response.headers.clear()
    response.headers.extend(answer.headers)
    if answer.status not in (204, 304):  # these have no body, and so no length
        response.content_length = len(answer.body)
    return response
