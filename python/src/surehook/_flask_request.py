"""A request of Flask's, as an endpoint takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from surehook import Endpoint, MissingBody

_BODY_ADVICE = (
    "Flask: request.form, request.files, request.values or request.stream took the body, in before_request "
    "or in a wrapper of the application, and keep nothing of it. Let request.get_data() come first: they "
    "work after it too."
)


def arrival(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    """The arguments of ``begin``."""
    path, query = quote(request.path), request.query_string.decode("utf-8", "replace")
    return {
        "method": request.method,
        "path": f"{path}?{query}" if query else path,
        "headers": encoded(request.headers),
        "body": _raw_body(request, endpoint.max_body_bytes),
        "request": request,
        "body_advice": _BODY_ADVICE,
    }


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the bytes on the wire: WSGI writes them as Latin-1."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _raw_body(request: Request, limit: int) -> bytes | MissingBody:
    """The bytes, which Flask keeps for ``get_data()`` and ``get_json()``, before the view and after."""
    limit = min(limit, request.max_content_length or limit)
    request.max_content_length = limit + 1  # Werkzeug cuts a chunked body off at its limit without a word
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        return MissingBody.TOO_LARGE
    except (ClientDisconnected, OSError):
        return MissingBody.INCOMPLETE
    if len(body) > limit:
        return MissingBody.TOO_LARGE
    if len(body) >= (request.content_length or 0):
        return body
    # A form parser was here before; or the sender hung up, at which some servers just end the body.
    return MissingBody.INCOMPLETE if body else MissingBody.UNAVAILABLE
