"""SQLAlchemy: a dedup store in the database of a session, whose work it commits together with the answer."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from sqlalchemy.util import ThreadLocalRegistry

from surehook import ApplicationStore, ApplicationTransaction, ConfigurationError
from surehook.sqlalchemy import _statements
from surehook.sqlalchemy._statements import messages

__all__ = ["SessionStore", "SessionTransaction", "messages"]

#: Under this name a session knows the delivery that has it.
_OWNER = "surehook"


class SessionStore(ApplicationStore):
    """``dedup=SessionStore(db.session)``, or with a ``sessionmaker``: whatever gives a handler its session.

    It is ``delivery.transaction.session``, and with a ``scoped_session`` the one that the
    handler has anyway. It must not commit: ``finish`` does.

    A ``scoped_session`` of threads is refused where handlers share them (FastAPI, async views): deliveries
    would share a session, and commit each other's work.
    """

    kind = "sqlalchemy"

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session
        registry = getattr(session, "registry", None)  # of a scoped_session: what tells its sessions apart
        self.is_thread_bound = isinstance(registry, ThreadLocalRegistry)

    def load(self, key: str) -> bytes | None:
        """In a transaction of its own."""
        with self._engine().begin() as connection:
            return _statements.load(connection, key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """In a transaction of its own."""
        with self._engine().begin() as connection:
            return _statements.replace(connection, key, old, new, expires_at)

    def begin(self) -> SessionTransaction:
        """The session's transaction; no two deliveries have the same."""
        session = self._session()
        owner = session.info.get(_OWNER)
        if owner is not None and owner() is not None:
            fault = "its function returns the session of another delivery that is being handled"
            raise ConfigurationError(f"dedup=SessionStore(...): {fault}", code="invalid_option")
        return SessionTransaction(session)

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
        session.info[_OWNER] = weakref.ref(self)

    def flush(self) -> None:
        """Raise what the handler's work comes to, as the handler's error."""
        _statements.flush(self.session)

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
        finally:
            self.session.info.pop(_OWNER, None)

    def rollback(self) -> None:
        """Undo the handler's work."""
        try:
            self.session.rollback()
        finally:
            self.session.info.pop(_OWNER, None)
