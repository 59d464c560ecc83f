"""What a dedup store in the application's own database has to offer."""

from __future__ import annotations

import abc
from collections.abc import Awaitable
from datetime import datetime


class _Statements(abc.ABC):
    """Two statements on one table. Any of the methods may be async."""

    @abc.abstractmethod
    def load(self, key: str) -> bytes | Awaitable[bytes | None] | None:
        """The value of a key: ``SELECT value ... WHERE key = ?``."""

    @abc.abstractmethod
    def replace(
        self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None
    ) -> bool | Awaitable[bool]:
        """Replace the value where it still is ``old``; say whether it was, and do not raise if it was not.

        Without ``old`` insert the row unless there is one (``ON CONFLICT DO NOTHING``). Without ``new``
        delete it. Else ``UPDATE ... SET value = ?, expires_at = ? WHERE key = ? AND value = ?``.
        """


class ApplicationTransaction(_Statements):
    """The transaction in which a handler runs; ``load`` and ``replace`` run in it too."""

    def flush(self) -> Awaitable[None] | None:
        """Carry out what the handler left to be done later, before anything of ours runs in its transaction.

        What this raises is the handler's error: a constraint that is violated, a transaction that it broke.
        """
        return None

    @abc.abstractmethod
    def commit(self) -> Awaitable[None] | None:
        """Commit. Raise where the work does not stand afterwards."""

    @abc.abstractmethod
    def rollback(self) -> Awaitable[None] | None:
        """Undo the work."""


class ApplicationStore(_Statements):
    """Handled messages in a table of the application's own database: ``dedup=MyStore(...)``.

    The table has a key (64 characters), a value (bytes) and the time at which a row may be removed. Here
    ``load`` and ``replace`` run outside of any transaction: what they change is committed when they return.
    """

    #: What the store is called in an attempt's record: 1 to 40 of a-z, 0-9, _ and -.
    kind = "application"
    #: Whether ``begin`` has to run on the handler's own thread: the store is refused where that cannot be.
    is_thread_bound = False

    @abc.abstractmethod
    def begin(self) -> ApplicationTransaction | Awaitable[ApplicationTransaction]:
        """Begin the transaction of one delivery."""
