"""The handle on the delivery that is being handled, and the answer that goes out instead of a handler's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from surehook import _native
from surehook._client import log_notices
from surehook._waiting import settled

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    """What to send to the provider instead of running the handler."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Delivery:
    """One delivery of a webhook, verified and claimed: mark what the handler did with it.

    Handlers use the properties, ``step``, ``processed`` and ``failed``. Adapters end every delivery with
    ``finish`` or ``fail``; both may be called again without effect.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Delivery) -> None:
        self._native = native

    @property
    def message_id(self) -> str | None:
        """The provider's id of the message: the same over retries. None only where verification is off."""
        return self._native.message_id

    @property
    def event_type(self) -> str | None:
        """What happened, e.g. ``user.created``."""
        return self._native.event_type

    @property
    def entity_id(self) -> str | None:
        """Whom it happened to: ``data.id``."""
        return self._native.entity_id

    @property
    def transaction(self) -> Any:
        """The transaction in which the handler runs, where the store is one in the application's database."""
        return None

    def step(self, name: str) -> None:
        """Say that a named piece of the work is done."""
        self._native.step(name)

    def processed(self) -> None:
        """Say that the work is done. The first mark wins."""
        self._native.processed()

    def failed(self, reason: str) -> None:
        """Say that the work could not be done: the provider's retry runs the handler again."""
        self._native.failed(reason)

    def finish(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """End the delivery with the handler's answer; ``body`` is None when it was not captured.

        Returns the answer to send instead, where there is one. Waits for a remote store, at most
        250 ms, while other threads run.
        """
        ended = self._native.finish(status, headers, body)
        return _public(ended.wait() if isinstance(ended, _native.Pending) else ended)

    async def finish_async(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """The same for an event loop, which it never blocks."""
        ended = self._native.finish(status, headers, body)
        return _public(await settled(ended) if isinstance(ended, _native.Pending) else ended)

    def fail(self, error: BaseException) -> None:
        """End the delivery with the exception that the handler raised."""
        self._native.fail(*failure(error))
        log_notices()

    async def fail_async(self, error: BaseException) -> None:
        """The same for an event loop."""
        self.fail(error)

    @contextlib.contextmanager
    def current(self) -> Iterator[Delivery]:
        """Make this the delivery that ``current_delivery()`` finds inside the block."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    def __repr__(self) -> str:
        return f"<Delivery {self.message_id} {self.event_type}>"


def current_delivery() -> Delivery | None:
    """The delivery that is being handled here, or None outside a monitored handler."""
    return _current.get()


_current: ContextVar[Delivery | None] = ContextVar("surehook_delivery", default=None)


def _public(answer: _native._AnswerParts | None) -> Answer | None:
    log_notices()
    return None if answer is None else Answer(*answer)


def failure(error: BaseException) -> tuple[str, str, str, str | None]:
    """How the handler ended, as the native module takes it: kind, type, text, location."""
    cancelled = type(error).__name__ in ("CancelledError", "GeneratorExit")
    return "cancelled" if cancelled else "raised", _type_name(error), _text(error), _location(error)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a __str__ that raises must not hide the error it belongs to
        return ""


def _location(error: BaseException) -> str | None:
    """Where it was raised, as ``module:function``: stable over edits of the file."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}"
