"""A request of Django's, as an endpoint takes it."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest

from surehook import Endpoint, MissingBody

_BODY_ADVICE = (
    "Django: request.read(), a multipart request.POST, or request.data of the REST framework took the body "
    "before this view, and keep nothing of it. Let request.body come first, or put the decorator around "
    "Hooks.as_view()."
)


def location(request: HttpRequest) -> dict[str, Any]:
    """Those arguments of ``begin`` that are there before the body is."""
    path, query = quote(request.path), request.META.get("QUERY_STRING", "")
    return {
        "method": request.method,
        "path": f"{path}?{query}" if query else path,
        "headers": _headers(request),
    }


def arrival(request: HttpRequest, endpoint: Endpoint) -> dict[str, Any]:
    """All arguments of ``begin``."""
    plain = getattr(request, "_request", request)  # the REST framework has one around Django's
    return {
        **location(request),
        "body": _raw_body(plain, endpoint.max_body_bytes),
        "request": request,
        "body_advice": _BODY_ADVICE,
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
        try:
            body = _read(request, limit + 1)
        except OSError:  # Django's UnreadablePostError, or what a server raises of a chunked body
            return MissingBody.INCOMPLETE
        if isinstance(body, MissingBody):
            return body
        request._body, request._stream = body, BytesIO(body)
    return MissingBody.TOO_LARGE if len(request._body) > limit else request._body


def _read(request: Any, limit: int) -> bytes | MissingBody:
    if request._read_started and not _rewound(request):  # a parser was here before
        return MissingBody.UNAVAILABLE
    body: bytes = _stream(request).read(limit)
    if len(body) == limit:
        return MissingBody.TOO_LARGE
    return body if len(body) >= _announced(request) else MissingBody.INCOMPLETE


def _announced(request: Any) -> int:
    """The length that the headers promise. When a sender hangs up, some servers just end the body."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0


def _rewound(request: Any) -> bool:
    """Under ASGI Django keeps the body in a file, which may be read again."""
    try:
        return hasattr(request, "scope") and request._stream.seek(0) == 0
    except (AttributeError, OSError, ValueError):  # no file, or one that is closed
        return False


def _stream(request: Any) -> Any:
    """Where the body comes from. Under WSGI Django itself reads nothing of one that is chunked."""
    unknown = "CONTENT_LENGTH" not in request.META and request.META.get("wsgi.input_terminated")
    return request.META["wsgi.input"] if unknown else request


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as the bytes on the wire: WSGI and ASGI have them as Latin-1."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
