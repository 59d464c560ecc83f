"""A dedup store in a table of the Django project, whose row changes in the transaction of the view."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction

from surehook import ApplicationStore, ApplicationTransaction, ConfigurationError

#: So long a statement waits for the lock of a row: as long as a store on the other side of a network has.
LOCK_TIMEOUT = "250ms"


class ModelStore(ApplicationStore):
    """``dedup=ModelStore()``, with ``"surehook.django"`` in ``INSTALLED_APPS`` and its migration run.

    The decorator opens ``transaction.atomic()`` around the view: what the view writes and the answer that is
    remembered are committed together. ``ATOMIC_REQUESTS`` does not count for the view.
    """

    kind = "django"

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using

    def load(self, key: str) -> bytes | None:
        """The value of a row."""
        value = self._rows().filter(key=key).values_list("value", flat=True).first()
        return None if value is None else bytes(value)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """Insert, update or delete one row."""
        with self._bounded():
            if old is None:
                return self._insert(key, new, expires_at)
            row = self._rows().filter(key=key, value=old)
            changed = row.delete()[0] if new is None else row.update(value=new, expires_at=expires_at)
            return bool(changed == 1)

    def begin(self) -> ApplicationTransaction:
        """Open the outermost ``atomic`` block."""
        return _Atomic(self)

    def outside_of_other_transactions(self, view: Any) -> Any:
        """The view without ``ATOMIC_REQUESTS``: others have to see its claim before it begins."""
        if iscoroutinefunction(view):
            fault = "transaction.atomic() does not work in async code: a ModelStore needs a sync view"
            raise ConfigurationError(fault, code="invalid_option")
        return transaction.non_atomic_requests(using=self.using)(view)

    def remove_expired(self) -> int:
        """Remove the rows that nobody needs any more, and say how many; once a day is enough."""
        return int(self._rows().filter(expires_at__lt=datetime.now(timezone.utc)).delete()[0])

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        """Let statements wait for the lock of a row no longer than other stores may take.

        Only Postgres waits without a bound. Afterwards the view's own setting counts again, for what its
        commit has to wait for. A statement that fails ends the transaction, and the setting with it.
        """
        connection = connections[self.using]
        if connection.vendor != "postgresql":
            yield
            return
        with contextlib.ExitStack() as stack:
            if not connection.in_atomic_block:  # the setting is one of a transaction
                stack.enter_context(transaction.atomic(self.using))
            cursor = stack.enter_context(connection.cursor())
            cursor.execute("SELECT current_setting('lock_timeout')")
            (before,) = cursor.fetchone()
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            yield
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])

    def _insert(self, key: str, new: bytes | None, expires_at: datetime | None) -> bool:
        try:
            with transaction.atomic(self.using):  # in a transaction, a savepoint that the error ends with
                self._rows().create(key=key, value=new, expires_at=expires_at)
        except IntegrityError:
            return False
        return True

    def _rows(self) -> Any:
        return apps.get_model("surehook", "Message")._default_manager.using(self.using)


class _Atomic(ApplicationTransaction):
    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._atomic = transaction.atomic(store.using, durable=True)
        self._atomic.__enter__()

    def flush(self) -> None:
        self._require_sound()
        with connections[self._store.using].cursor() as cursor:
            cursor.execute(
                "SELECT 1"
            )  # raises where the view broke its transaction in a way that Django did not see

    def load(self, key: str) -> bytes | None:
        return self._store.load(key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        return self._store.replace(key, old, new, expires_at)

    def commit(self) -> None:
        try:
            self._require_sound()
        except transaction.TransactionManagementError:
            self.rollback()
            raise
        self._atomic.__exit__(None, None, None)

    def _require_sound(self) -> None:
        """Raise where Django would roll back without a word."""
        if connections[self._store.using].needs_rollback:
            raise transaction.TransactionManagementError("the view marked its transaction to be rolled back")

    def rollback(self) -> None:
        transaction.set_rollback(True, self._store.using)
        self._atomic.__exit__(None, None, None)
