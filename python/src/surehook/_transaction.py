"""A delivery in a transaction of the application's: its work and its answer are committed together.

What has to be asked of the database is written once, as steps; they are run on this thread, or awaited.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from surehook import _native
from surehook._application_store import ApplicationStore, ApplicationTransaction
from surehook._delivery import Answer, Delivery, Headers, answered
from surehook._failure import failure, text
from surehook._notices import log_notices
from surehook._tracing import Trace
from surehook.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
#: Functions to be called with their arguments; what each returned or raised comes back.
Steps = Generator[tuple[Any, ...], Any, T]

_logger = logging.getLogger("surehook")
#: Tasks that run steps: an event loop forgets a task that nobody else holds.
_running: set[asyncio.Task[Any]] = set()

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def begin_in_transaction(
    begun: _native._Decision | _native.Question[_native._Decision],
    store: ApplicationStore,
    trace: Trace | None,
) -> Steps[Answer | Delivery]:
    """Claim the message outside of any transaction; then begin the one in which its handler runs."""
    decision = yield from _answered(begun, store)
    log_notices()
    if isinstance(decision, tuple):
        return answered(decision, trace)
    delivery = TransactionDelivery(decision, store, trace)
    yield from delivery.begin()
    return delivery


class TransactionDelivery(Delivery):
    """A delivery whose handler's work is committed by ``finish``, or rolled back by it or by ``fail``."""

    __slots__ = ("_open", "_store", "_transaction")

    def __init__(self, native: _native.Delivery, store: ApplicationStore, trace: Trace | None) -> None:
        super().__init__(native, trace)
        self._store = store
        self._transaction: ApplicationTransaction | None = None
        self._open = False

    @property
    def transaction(self) -> Any:
        """The transaction in which the handler runs."""
        return self._transaction

    def finish(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """End the delivery and its transaction with the handler's answer."""
        return run(self._finish(status, headers, body))

    async def finish_async(self, *, status: int, headers: Headers, body: bytes | None) -> Answer | None:
        """The same for an event loop."""
        return await run_async(self._finish(status, headers, body))

    def fail(self, error: BaseException) -> None:
        """Roll back, and give the message back for the provider's retry."""
        run(self._fail(error))

    async def fail_async(self, error: BaseException) -> None:
        """The same for an event loop."""
        await run_async(self._fail(error))

    def begin(self) -> Steps[None]:
        """Begin the transaction. Where that raises, the message is given back."""
        try:
            self._transaction = yield (self._store.begin,)
            self._open = True
        except BaseException as error:
            yield from self._fail(error)
            raise

    def _finish(self, status: int, headers: Headers, body: bytes | None) -> Steps[Answer | None]:
        if self._open and self._transaction is not None and _native.may_commit(status):
            yield (self._transaction.flush,)
        ended = self._native.finish(status, headers, body)
        if ended is None or self._transaction is None:
            return None  # it ended before
        settled = yield from _answered(ended, self._transaction)
        commit, instead = settled.verdict()
        self._open = False
        try:
            yield (self._transaction.commit if commit else self._transaction.rollback,)
        except BaseException as error:
            yield from _answered(settled.rolled_back(text(error)), self._store)
            raise
        if commit:
            settled.committed()
        else:
            yield from _answered(settled.rolled_back(None), self._store)
        return self._ended(instead)

    def _fail(self, error: BaseException) -> Steps[None]:
        try:
            if self._open and self._transaction is not None:
                self._open = False
                yield (self._transaction.rollback,)
        finally:
            yield from _answered(self._native.fail(failure(error)), self._store)
            self._end_trace()
            log_notices()


def _answered(asked: Any, statements: ApplicationStore | ApplicationTransaction) -> Steps[Any]:
    """What a question comes to when its statements were run; anything else is no question."""
    while isinstance(asked, _native.Question):
        try:
            match asked.operation():
                case (key,):
                    asked = asked.loaded((yield statements.load, key))
                case (key, old, new, expires_at):
                    at = None if expires_at is None else _EPOCH + timedelta(microseconds=expires_at)
                    asked = asked.replaced((yield statements.replace, key, old, new, at))
        except Exception as error:  # whatever the database has to say
            asked = asked.failed(text(error))
    return asked


def run(steps: Steps[T]) -> T:
    """Run the steps on this thread."""
    try:
        function, *arguments = next(steps)
        while True:
            try:
                if inspect.iscoroutinefunction(function):
                    raise ConfigurationError("an async store needs an async handler", code="invalid_option")
                found = function(*arguments)
            except BaseException as error:
                function, *arguments = steps.throw(error)
            else:
                function, *arguments = steps.send(found)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def run_async(steps: Steps[T]) -> T:
    """Run the steps beside the event loop, to their end.

    Whoever waits may be cancelled: a sender that hangs up, a time-out, a scope. Steps that end halfway would
    keep a connection for good, so they run in a task of their own, and only the waiting ends.
    """
    import asyncio  # not at the top: Flask and Django have no use for it, and it takes a while

    task = asyncio.get_running_loop().create_task(_steps_async(steps))
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.cancelled():
            task.add_done_callback(_given_up)
        raise


def _given_up(task: asyncio.Task[Any]) -> None:
    """Nobody waits for what the steps came to: give a message back that was just claimed."""
    import asyncio

    if task.cancelled():
        return
    if (error := task.exception()) is not None:
        _logger.error("a delivery that nobody waits for did not end well", exc_info=error)
    elif isinstance(delivery := task.result(), TransactionDelivery):
        ending = task.get_loop().create_task(
            delivery.fail_async(asyncio.CancelledError("nobody waited for it"))
        )
        _running.add(ending)
        ending.add_done_callback(_running.discard)


async def _steps_async(steps: Steps[T]) -> T:
    """The steps that are not async run on a thread of their own."""
    try:
        function, *arguments = next(steps)
        while True:
            try:
                found = await _called(function, arguments)
            except BaseException as error:
                function, *arguments = steps.throw(error)
            else:
                function, *arguments = steps.send(found)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _called(function: Callable[..., Any], arguments: list[Any]) -> Any:
    import asyncio  # not at the top: Flask and Django have no use for it, and it takes a while

    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    return await asyncio.to_thread(function, *arguments)
