"""SQLAlchemy: a dedup store in the database of a session, whose work it commits together with the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from surehook import ApplicationStore, ApplicationTransaction
from surehook.sqlalchemy import _statements
from surehook.sqlalchemy._statements import messages

__all__ = ["SessionStore", "SessionTransaction", "messages"]


class SessionStore(ApplicationStore):
    """``dedup=SessionStore(db.session)``, or with a ``sessionmaker``: whatever gives a handler its session.

    It is ``delivery.transaction.session``, and with a ``scoped_session`` the one that the
    handler has anyway. It must not commit: ``finish`` does.
    """

    kind = "sqlalchemy"

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def load(self, key: str) -> bytes | None:
        """In a transaction of its own."""
        with self._engine().begin() as connection:
            return _statements.load(connection, key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """In a transaction of its own."""
        with self._engine().begin() as connection:
            return _statements.replace(connection, key, old, new, expires_at)

    def begin(self) -> SessionTransaction:
        """The session's transaction."""
        return SessionTransaction(self._session())

    def remove_expired(self) -> int:
        """Remove the rows that nobody needs any more, and say how many; once a day is enough."""
        with self._engine().begin() as connection:
            return _statements.remove_expired(connection)

    def _engine(self) -> Engine:
        return self._session().get_bind().engine


class SessionTransaction(ApplicationTransaction):
    """The transaction of one session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def load(self, key: str) -> bytes | None:
        """Beside the handler's work."""
        return _statements.load(self.session, key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """Beside the handler's work."""
        return _statements.replace(self.session, key, old, new, expires_at)

    def commit(self) -> None:
        """Commit the handler's work and its answer."""
        try:
            self.session.commit()
        except BaseException:
            self.session.rollback()
            raise

    def rollback(self) -> None:
        """Undo the handler's work."""
        self.session.rollback()
