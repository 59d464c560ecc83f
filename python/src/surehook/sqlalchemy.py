"""SQLAlchemy: a dedup store in the database of a session, whose work it commits together with the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from surehook import ApplicationStore, ApplicationTransaction

__all__ = ["AsyncSessionStore", "AsyncSessionTransaction", "SessionStore", "SessionTransaction", "messages"]

#: The table. ``messages.create(engine)`` makes it; ``messages.to_metadata(Base.metadata)`` adds it to yours.
messages = Table(
    "surehook_messages",
    MetaData(),
    Column("key", String(64), primary_key=True),
    Column("value", LargeBinary(), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

Runs = Session | Connection


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
            return _load(connection, key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """In a transaction of its own."""
        with self._engine().begin() as connection:
            return _replace(connection, key, old, new, expires_at)

    def begin(self) -> SessionTransaction:
        """The session's transaction."""
        return SessionTransaction(self._session())

    def remove_expired(self) -> int:
        """Remove the rows that nobody needs any more, and say how many; once a day is enough."""
        with self._engine().begin() as connection:
            return _remove_expired(connection)

    def _engine(self) -> Engine:
        return self._session().get_bind().engine


class SessionTransaction(ApplicationTransaction):
    """The transaction of one session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def load(self, key: str) -> bytes | None:
        """Beside the handler's work."""
        return _load(self.session, key)

    def replace(self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
        """Beside the handler's work."""
        return _replace(self.session, key, old, new, expires_at)

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


class AsyncSessionStore(ApplicationStore):
    """``dedup=AsyncSessionStore(async_sessionmaker(engine))``, for async handlers of an ASGI application.

    A handler's session is ``delivery.transaction.session``. It must not commit: ``finish_async`` does.
    """

    kind = "sqlalchemy"

    def __init__(self, session: async_sessionmaker[AsyncSession]) -> None:
        self._session = session

    async def load(self, key: str) -> bytes | None:
        """In a transaction of its own."""
        async with self._session.begin() as session:
            return await session.run_sync(_load, key)

    async def replace(
        self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None
    ) -> bool:
        """In a transaction of its own."""
        async with self._session.begin() as session:
            return await session.run_sync(_replace, key, old, new, expires_at)

    async def begin(self) -> AsyncSessionTransaction:
        """The transaction of a new session."""
        return AsyncSessionTransaction(self._session())

    async def remove_expired(self) -> int:
        """Remove the rows that nobody needs any more, and say how many; once a day is enough."""
        async with self._session.begin() as session:
            return await session.run_sync(_remove_expired)


class AsyncSessionTransaction(ApplicationTransaction):
    """The transaction of one async session."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def load(self, key: str) -> bytes | None:
        """Beside the handler's work."""
        return await self.session.run_sync(_load, key)

    async def replace(
        self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None
    ) -> bool:
        """Beside the handler's work."""
        return await self.session.run_sync(_replace, key, old, new, expires_at)

    async def commit(self) -> None:
        """Commit the handler's work and its answer."""
        try:
            await self.session.commit()
        finally:
            await self.session.close()

    async def rollback(self) -> None:
        """Undo the handler's work."""
        await self.session.close()


def _load(runs: Runs, key: str) -> bytes | None:
    return runs.execute(select(messages.c.value).where(messages.c.key == key)).scalar_one_or_none()


def _replace(runs: Runs, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
    row = (messages.c.key == key) & (messages.c.value == old)
    statement: Any
    if old is None:
        statement = _insert_unless_there(runs, key=key, value=new, expires_at=expires_at)
    elif new is None:
        statement = delete(messages).where(row)
    else:
        statement = update(messages).where(row).values(value=new, expires_at=expires_at)
    changed: Any = runs.execute(statement)
    return bool(changed.rowcount == 1)


def _insert_unless_there(runs: Runs, **values: Any) -> Any:
    bind = runs.get_bind() if isinstance(runs, Session) else runs
    if bind.dialect.name == "postgresql":
        return postgresql.insert(messages).values(values).on_conflict_do_nothing()
    if bind.dialect.name == "sqlite":
        return sqlite.insert(messages).values(values).on_conflict_do_nothing()
    return mysql.insert(messages).values(values).prefix_with("IGNORE")


def _remove_expired(runs: Runs) -> int:
    removed: Any = runs.execute(delete(messages).where(messages.c.expires_at < datetime.now(timezone.utc)))
    return int(removed.rowcount)
