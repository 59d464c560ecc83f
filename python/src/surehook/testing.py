"""For the tests of an application: see what it records, send it signed requests, stop the clock.

    from surehook import testing

    def test_a_new_user_gets_a_profile(client):
        secret = os.environ["CLERK_WEBHOOK_SIGNING_SECRET"]
        request = testing.signed("clerk", {"type": "user.created", "data": {"id": "user_1"}}, secret=secret)
        with testing.capture() as captured:
            client.post("/api/webhooks/clerk", content=request.body, headers=request.headers)
        assert captured.one()["outcome"] == "processed"

Nothing imports this module; applications in production have no use for it.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from surehook import _native
from surehook._before_send import BeforeSend, serve
from surehook._notices import log_notices
from surehook._scheme import SchemeLike, scheme_json
from surehook.errors import ConfigurationError, from_native

__all__ = ["Captured", "Frozen", "SignedRequest", "capture", "frozen", "secret", "signed"]

_FORM = "application/x-www-form-urlencoded"
_MICROSECONDS = 1_000_000


class Captured:
    """What is recorded inside of ``capture()``: the very attempts that a collector would get."""

    def __init__(self, native: _native.Capture) -> None:
        self._native = native

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """All of them in the form of the wire (``tests/contract/batch.v1.schema.json``), oldest first."""
        return self._native.attempts()

    def one(self) -> dict[str, Any]:
        """The only attempt. Raises AssertionError, which lists them, when there is none or more than one."""
        attempts = self.attempts
        if len(attempts) != 1:
            listed = "".join(f"\n  {_line(attempt)}" for attempt in attempts)
            raise AssertionError(f"{len(attempts)} attempts were recorded, not one{listed}")
        return attempts[0]

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self._native.clear()


@contextlib.contextmanager
def capture(*, before_send: BeforeSend | None = None) -> Iterator[Captured]:
    """Keep what is recorded in memory instead of sending it, whatever ``surehook.init`` is told meanwhile.

    It holds for the whole process, until the end of the block. ``before_send`` is asked as it is in ``init``;
    by default that of ``init`` is.
    """
    native = _native.Capture(before_send, serve)
    try:
        yield Captured(native)
    finally:
        native.end()
        log_notices()


@dataclass(frozen=True)
class SignedRequest:
    """A request as its provider would send it."""

    method: str
    #: As it was given; ``/`` where it was not. Twilio's JSON bodies add their hash to its query.
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path of the URL with its query: what test clients are given."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def signed(
    provider: str | SchemeLike,
    body: Mapping[str, Any] | list[Any] | str | bytes,
    *,
    secret: str,
    message_id: str | None = None,
    timestamp: float | datetime | None = None,
    method: str = "POST",
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> SignedRequest:
    """A request that the provider, or one with a scheme of your own, would send and sign.

    ``secret`` is the endpoint's; of a provider with a key pair, the private key: ``whsk_...``, an Ed25519
    seed in hexadecimal, or a P-256 key as PKCS #8 DER in base64. A body that is no str and no bytes is
    encoded as JSON. The id, the time and the signature are put into it where the provider has them there, the
    id only if it has none; any other body is sent as it is. ``timestamp`` is the time of signing, by default
    now, by the SDK's clock. ``url`` is the endpoint's public URL, which some providers sign.

    Raises ConfigurationError for an unknown provider and a secret that cannot sign.
    """
    own = None if isinstance(provider, str) else scheme_json(provider, None)
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    sent.setdefault("content-type", _content_type(raw))
    base, _, query = (url or "/").partition("?")
    try:
        query, added, raw = _native.sign(
            provider=provider if isinstance(provider, str) else "",
            scheme=own,
            secret=secret,
            method=method,
            url=base,
            query=query,
            headers=sent,
            message_id=message_id or f"msg_{secrets.token_hex(12)}",
            timestamp=_native.now() if timestamp is None else _microseconds(timestamp),
            body=raw,
        )
    except _native.NativeError as error:
        raise from_native(error) from None
    return SignedRequest(method, f"{base}?{query}" if query else base, sent | dict(added), raw)


def secret(provider: str | SchemeLike) -> str:
    """A fresh secret of the form that the provider's have.

    Raises ConfigurationError for an unknown provider, and for one that signs with a key pair.
    """
    own = None if isinstance(provider, str) else scheme_json(provider, None)
    try:
        return _native.new_secret(provider if isinstance(provider, str) else "", own, secrets.token_bytes(24))
    except _native.NativeError as error:
        raise from_native(error) from None


class Frozen:
    """A clock that stands still."""

    def __init__(self, at: int) -> None:
        self._at = at
        _native.freeze(at)

    @property
    def now(self) -> datetime:
        """The time at which it stands."""
        return datetime.fromtimestamp(self._at / _MICROSECONDS, tz=timezone.utc)

    def tick(self, seconds: float) -> None:
        """Move it on, or back."""
        self._at += round(seconds * _MICROSECONDS)
        _native.freeze(self._at)


@contextlib.contextmanager
def frozen(at: float | datetime | None = None) -> Iterator[Frozen]:
    """Stop the SDK's clock at a time, by default now, until the end of the block.

    It is the clock by which signatures are too old, messages are remembered and attempts are dated; those of
    Redis, Postgres and Python go on. ``at`` is a datetime (without a zone: the local one) or Unix seconds.
    """
    global _frozen
    before, clock = _frozen, Frozen(_native.now() if at is None else _microseconds(at))
    _frozen = clock
    try:
        yield clock
    finally:
        _frozen = before
        _native.freeze(None if before is None else before._at)


_frozen: Frozen | None = None


def _microseconds(at: float | datetime) -> int:
    seconds = at.timestamp() if isinstance(at, datetime) else at
    try:
        return round(seconds * _MICROSECONDS)
    except (TypeError, ValueError, OverflowError):
        fault = "a time is a datetime or seconds since 1970"
        raise ConfigurationError(fault, code="invalid_option") from None


def _content_type(body: bytes) -> str:
    """The type that the body looks like."""
    try:
        json.loads(body)
    except ValueError:
        form = b"=" in body and not body.translate(None, _OF_FORMS)
        return _FORM if form else "application/octet-stream"
    return "application/json"


_OF_FORMS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=&%+-._*"


def _line(attempt: dict[str, Any]) -> str:
    told = (attempt.get(name) for name in ("endpoint", "event_type", "message_id", "outcome", "status"))
    return " ".join(str(value) for value in told if value is not None)
