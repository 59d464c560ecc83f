"""The handle on the delivery that is being handled, and the answer that goes out instead of a handler's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from surehook import _native
from surehook._failure import failure
from surehook._notices import log_notices
from surehook._step import Step
from surehook._tracing import Trace
from surehook._waiting import settled
from surehook.errors import from_native

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    """What to send to the provider instead of running the handler."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Delivery:
    """One delivery of a webhook, verified and claimed: mark what the handler did with it.

    Handlers use the properties, ``step``, ``processed``, ``failed`` and ``defer``. Adapters end every
    delivery with ``finish`` or ``fail``; both may be called again without effect.
    """

    __slots__ = ("_native", "_trace")

    def __init__(self, native: _native.Delivery, trace: Trace | None = None) -> None:
        self._native = native
        self._trace = trace
        if trace is not None:
            trace.tell(native.attributes)

    @property
    def message_id(self) -> str | None:
        """The provider's id of the message: the same over retries. None only where verification is off."""
        return self._native.message_id

    @property
    def sender(self) -> str | None:
        """Whose secret verified the message, where the function that gave it says so."""
        return self._native.sender

    @property
    def event_type(self) -> str | None:
        """What happened, e.g. ``user.created``."""
        return self._native.event_type

    @property
    def entity_id(self) -> str | None:
        """Whom it happened to: ``data.id``."""
        return self._native.entity_id

    @property
    def form(self) -> Any:
        """What the form holds that the provider sent, where the body is one.

        A dict, with a list for a name that comes several times; or its ``payload`` as JSON, where that is all
        (GitHub, Slack). None for every other body.
        """
        return self._native.form

    @property
    def transaction(self) -> Any:
        """The transaction in which the handler runs, where the store is one in the application's database."""
        return None

    def step(self, name: str) -> Step:
        """Say that a named piece of the work is done; or ``with delivery.step(name):`` do it.

        As a block it records duration and error, and counts as done when that ends without an exception.
        """
        return Step(self._native, name)

    def processed(self) -> None:
        """Say that the work is done. The first mark wins."""
        self._native.processed()

    def failed(self, reason: str, **metadata: Any) -> None:
        """Say that the work could not be done: the provider's retry runs the handler again.

        The values help to understand why. What JSON does not have is told by its text.
        """
        self._native.failed(reason, metadata)

    def defer(self, deadline: float | timedelta) -> str:
        """Say that the work goes on after the answer, and get the token that ``surehook.deferred`` takes.

        Not marked there within ``deadline``, in seconds, it is a silent drop. Tell the steps that are done
        here before. Raises ConfigurationError for less than a second and more than 7 days, and when the
        delivery has ended.
        """
        seconds = deadline.total_seconds() if isinstance(deadline, timedelta) else deadline
        try:
            return self._native.defer(seconds)
        except _native.NativeError as error:
            raise from_native(error) from None

    def sender_left(self) -> None:
        """For adapters: the sender closed the connection, and the handler runs on.

        How it ends is what counts; the record says that nobody got the answer.
        """
        self._native.sender_left()

    def finish(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """End the delivery with the handler's answer; ``body`` is None when it was not captured.

        Returns the answer to send instead, where there is one. Waits for a remote store, at most
        250 ms, while other threads run.
        """
        ended = self._native.finish(status, headers, body)
        instead = ended.wait() if isinstance(ended, _native.Pending) else ended
        return self._ended(instead)

    async def finish_async(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """The same for an event loop, which it never blocks."""
        ended = self._native.finish(status, headers, body)
        instead = await settled(ended) if isinstance(ended, _native.Pending) else ended
        return self._ended(instead)

    def fail(self, error: BaseException) -> None:
        """End the delivery with the exception that the handler raised."""
        self._native.fail(failure(error))
        self._end_trace()
        log_notices()

    async def fail_async(self, error: BaseException) -> None:
        """The same for an event loop."""
        self.fail(error)

    @contextlib.contextmanager
    def current(self) -> Iterator[Delivery]:
        """Make this the delivery that ``current_delivery()`` finds inside the block."""
        token = _current.set(self)
        try:
            if self._trace is None:
                yield self
            else:
                with self._trace.current():
                    yield self
        finally:
            _current.reset(token)

    def _ended(self, instead: _native._AnswerParts | None) -> Answer | None:
        self._end_trace()
        log_notices()
        return None if instead is None else Answer(*instead[:3])

    def _end_trace(self) -> None:
        """What it came to is told once: the delivery may end in several ways, one after the other."""
        trace, self._trace = self._trace, None
        if trace is not None:
            trace.end(self._native.attributes)

    def __repr__(self) -> str:
        return f"<Delivery {self.message_id} {self.event_type}>"


def current_delivery() -> Delivery | None:
    """The delivery that is being handled here, or None outside a monitored handler."""
    return _current.get()


_current: ContextVar[Delivery | None] = ContextVar("surehook_delivery", default=None)


def answered(parts: _native._AnswerParts, trace: Trace | None) -> Answer:
    """The public answer, whose trace has ended."""
    if trace is not None:
        trace.end(lambda: parts[3])
    return Answer(*parts[:3])
