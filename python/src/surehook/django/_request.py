"""A request of Django's, as an endpoint takes it."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest

from surehook import Endpoint, MissingBody


def arrival(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """The arguments of ``begin``."""
    path, query = quote(request.path), request.META.get("QUERY_STRING", "")
    return {
        "method": request.method,
        "path": f"{path}?{query}" if query else path,
        "headers": _headers(request),
        "body": _raw_body(request, endpoint.max_body_bytes),
        "request": request,
    }


def _headers(request: Any) -> list[tuple[bytes, bytes]]:
    """As they came, which only ASGI tells: WSGI joins those that came twice."""
    if hasattr(request, "scope"):
        return request.scope["headers"]  # type: ignore[no-any-return]
    return encoded(request.headers.items())


def _raw_body(request: Any, limit: int) -> bytes | MissingBody:
    """The bytes, which ``request.body`` has from then on as if Django had read them.

    Django's own limit, ``DATA_UPLOAD_MAX_MEMORY_SIZE``, gives way to the endpoint's.
    """
    if not hasattr(request, "_body"):
        if request._read_started:  # a form parser was here before
            return MissingBody.UNAVAILABLE
        body = _stream(request).read(limit + 1)
        if len(body) > limit:
            return MissingBody.TOO_LARGE
        request._body, request._stream = body, BytesIO(body)
    return MissingBody.TOO_LARGE if len(request._body) > limit else request._body


def _stream(request: Any) -> Any:
    """Where the body comes from. Under WSGI Django itself reads nothing of one that is chunked."""
    unknown = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    return request.META["wsgi.input"] if unknown else request


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the bytes on the wire: WSGI and ASGI have them as Latin-1."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
