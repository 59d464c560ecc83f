"""A span for each delivery, with the OpenTelemetry API where the application has it.

What a span says is decided by the SDK; here it is handed to the API. The user's tracer never changes what
becomes of a webhook: what it raises is logged once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from surehook._native import __version__
from surehook.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.trace import Span

P = ParamSpec("P")
T = TypeVar("T")

#: Gives (name, value) pairs: nobody asks for those of a span that nobody records.
Attributes = Callable[[], "Iterable[tuple[str, str | int]]"]

_OPTIONS = ("link", "parent", "off")
_CARRIED = (b"traceparent", b"tracestate")

_logger = logging.getLogger("surehook")
_said = False


def tracer(option: object) -> Tracer | None:
    """What makes the spans of an endpoint; None where tracing is off or the API is not there.

    Raises ConfigurationError when ``tracing`` is none of its words.
    """
    if option is not None and option not in _OPTIONS:
        raise ConfigurationError(
            f"the option tracing cannot be used: it must be one of: {', '.join(_OPTIONS)}",
            code="invalid_option",
        )
    if option == "off":
        return None
    try:
        return Tracer(parent=option == "parent")
    except ImportError:
        return None


def _quietly(call: Callable[P, T]) -> Callable[P, T | None]:
    """The method, whose exceptions are logged: the first in full, as there may be one for each webhook."""

    @functools.wraps(call)
    def quiet(*arguments: P.args, **named: P.kwargs) -> T | None:
        try:
            return call(*arguments, **named)
        except Exception:
            _complain()
            return None

    return quiet


def _complain() -> None:
    global _said
    if not _said:
        _said = True
        _logger.warning("a trace could not be told of a webhook; this is logged once", exc_info=True)


class Tracer:
    """Starts the spans of an endpoint."""

    def __init__(self, *, parent: bool) -> None:
        from opentelemetry import context, trace  # not at the top: few applications have it
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._context, self._trace = context, trace
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = trace.get_tracer("surehook", __version__)
        self._parent = parent

    @_quietly
    def start(self, provider: str, headers: Iterable[tuple[bytes, bytes]]) -> Trace:
        """A span below the current one; an incoming ``traceparent`` is linked, or the parent."""
        context, links = self._context.get_current(), []
        remote = self._propagator.extract(_carrier(headers), context)
        told = self._trace.get_current_span(remote).get_span_context()
        if told.is_valid and told.is_remote:
            if self._parent:
                context = remote
            else:
                links = [self._trace.Link(told)]
        span = self._tracer.start_span(
            f"process {provider}", context, kind=self._trace.SpanKind.CONSUMER, links=links
        )
        return Trace(self, span)

    def entered(self, span: Span) -> Any:
        """Make a span the current one; what is returned undoes it."""
        return self._context.attach(self._trace.set_span_in_context(span))

    def left(self, token: Any) -> None:
        """Undo it."""
        self._context.detach(token)

    def failed(self, span: Span) -> None:
        """Say that what the span stands for went wrong."""
        span.set_status(self._trace.StatusCode.ERROR)


class Trace:
    """The span of one delivery."""

    __slots__ = ("_recording", "_span", "_tracer")

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._recording = span.is_recording()

    @_quietly
    def tell(self, attributes: Attributes) -> None:
        """Set attributes."""
        if self._recording:
            told = dict(attributes())
            self._span.set_attributes(told)
            if "error.type" in told:
                self._tracer.failed(self._span)

    @_quietly
    def end(self, attributes: Attributes) -> None:
        """Set the last attributes, and end the span."""
        try:
            self.tell(attributes)
        finally:
            self._span.end()

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Make the span the current one inside the block."""
        token = self._enter()
        try:
            yield
        finally:
            if token is not None:
                self._leave(token)

    @_quietly
    def _enter(self) -> Any:
        return self._tracer.entered(self._span)

    @_quietly
    def _leave(self, token: Any) -> None:
        self._tracer.left(token)


def _carrier(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that carry a trace."""
    return {
        name.lower().decode(): value.decode("latin-1") for name, value in headers if name.lower() in _CARRIED
    }
