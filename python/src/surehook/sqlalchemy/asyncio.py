"""SQLAlchemy with asyncio, for async handlers of an ASGI application."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from surehook import ApplicationStore, ApplicationTransaction, ConfigurationError
from surehook.sqlalchemy import _statements

__all__ = ["AsyncSessionStore", "AsyncSessionTransaction"]


class AsyncSessionStore(ApplicationStore):
    """``dedup=AsyncSessionStore(async_sessionmaker(engine))``.

    A handler's session is ``delivery.transaction.session``. It must not commit: ``finish_async`` does.
    """

    kind = "sqlalchemy"

    def __init__(self, session: async_sessionmaker[AsyncSession]) -> None:
        if not isinstance(session, async_sessionmaker):
            fault = f"{type(session).__name__} would give several deliveries one session"
            raise ConfigurationError(
                f"AsyncSessionStore needs an async_sessionmaker: {fault}", code="invalid_option"
            )
        self._session = session

    async def load(self, key: str) -> bytes | None:
        """In a transaction of its own."""
        async with self._session.begin() as session:
            return await session.run_sync(_statements.load, key)

    async def replace(
        self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None
    ) -> bool:
        """In a transaction of its own."""
        async with self._session.begin() as session:
            return await session.run_sync(_statements.replace, key, old, new, expires_at)

    async def begin(self) -> AsyncSessionTransaction:
        """The transaction of a new session."""
        return AsyncSessionTransaction(self._session())

    async def remove_expired(self) -> int:
        """Remove the rows that nobody needs any more, and say how many; once a day is enough."""
        async with self._session.begin() as session:
            return await session.run_sync(_statements.remove_expired)


class AsyncSessionTransaction(ApplicationTransaction):
    """The transaction of one async session."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def flush(self) -> None:
        """Raise what the handler's work comes to, as the handler's error."""
        await self.session.run_sync(_statements.flush)

    async def load(self, key: str) -> bytes | None:
        """Beside the handler's work."""
        return await self.session.run_sync(_statements.load, key)

    async def replace(
        self, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None
    ) -> bool:
        """Beside the handler's work."""
        return await self.session.run_sync(_statements.replace, key, old, new, expires_at)

    async def commit(self) -> None:
        """Commit the handler's work and its answer."""
        try:
            await self.session.commit()
        finally:
            await self.session.close()

    async def rollback(self) -> None:
        """Undo the handler's work."""
        await self.session.close()
