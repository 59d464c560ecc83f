"""The work of a delivery that goes on after its answer, in any process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from surehook import _native
from surehook._exit import watch_server
from surehook._failure import failure
from surehook._notices import log_notices
from surehook._step import Step
from surehook.errors import from_native

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class DeferredDelivery:
    """Deferred work, which ends with its first mark: ``processed``, ``failed`` or ``fail``.

    As a block (``with`` or ``async with``) it is processed when the block ends, unless it was marked, and
    failed when that raises. Left without a mark it says nothing: work that is tried again may still be done
    in time.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Deferred) -> None:
        self._native = native

    @property
    def message_id(self) -> str | None:
        """The provider's id of the message."""
        return self._native.message_id

    @property
    def event_type(self) -> str | None:
        """What happened, e.g. ``user.created``."""
        return self._native.event_type

    @property
    def entity_id(self) -> str | None:
        """Whom it happened to: ``data.id``."""
        return self._native.entity_id

    def step(self, name: str) -> Step:
        """Say that a named piece of the work is done; or ``with work.step(name):`` do it."""
        return Step(self._native, name)

    def processed(self) -> None:
        """Say that the work is done. With required steps missing it is a silent drop that names them."""
        self._native.processed()
        log_notices()

    def failed(self, reason: str, **metadata: Any) -> None:
        """Say that the work could not be done; the values help to understand why."""
        self._native.failed(reason, metadata)
        log_notices()

    def fail(self, error: BaseException) -> None:
        """Say that the work ended with an exception."""
        self._native.fail(failure(error))
        log_notices()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.processed()
        else:
            self.fail(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<DeferredDelivery {self.message_id} {self.event_type}>"


def deferred(token: str) -> DeferredDelivery:
    """Take up the work of a token that ``delivery.defer()`` returned, in this process or another.

    The process needs ``surehook.init()``, and no endpoint. Raises ConfigurationError for a text that is no
    token.

    >>> with surehook.deferred(token) as work:
    ...     work.step("send_welcome")
    """
    watch_server()
    try:
        return DeferredDelivery(_native.Deferred(token))
    except (_native.NativeError, UnicodeEncodeError) as error:
        raise from_native(error) from None
    finally:
        log_notices()
