"""The table of handled messages, and the statements on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

#: The table. ``messages.create(engine)`` makes it; ``messages.to_metadata(Base.metadata)`` adds it to yours.
messages = Table(
    "surehook_messages",
    MetaData(),
    Column("key", String(64), primary_key=True),
    Column("value", LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

Runs = Session | Connection

#: So long a statement waits for the lock of a row: as long as a store on the other side of a network has.
LOCK_TIMEOUT = "250ms"


def flush(session: Session) -> None:
    """Send what is pending in a session, and raise where its transaction is broken already."""
    session.flush()
    session.execute(select(1))


def load(runs: Runs, key: str) -> bytes | None:
    """The value of a key."""
    row = messages.c.key == key
    found: bytes | None = _executed(runs, select(messages.c.value).where(row)).scalar_one_or_none()
    return found


def replace(runs: Runs, key: str, old: bytes | None, new: bytes | None, expires_at: datetime | None) -> bool:
    """Insert, update or delete one row, and say whether it was as it should be."""
    row = (messages.c.key == key) & (messages.c.value == old)
    statement: Any
    if old is None:
        statement = _insert_unless_there(runs, key=key, value=new, expires_at=expires_at)
    elif new is None:
        statement = delete(messages).where(row)
    else:
        statement = update(messages).where(row).values(value=new, expires_at=expires_at)
    with _bounded(runs):
        changed = _executed(runs, statement, preserve_rowcount=True)  # of an INSERT too
    return bool(changed.rowcount == 1)


def _executed(runs: Runs, statement: Any, **options: Any) -> Any:
    """Run a statement of ours, and none of the application's before it: what those raise is not ours."""
    with runs.no_autoflush if isinstance(runs, Session) else contextlib.nullcontext():
        return runs.execute(statement, execution_options=options)


@contextlib.contextmanager
def _bounded(runs: Runs) -> Iterator[None]:
    """Let a statement wait for the lock of a row no longer than other stores may take.

    Only Postgres waits without a bound. Afterwards the handler's own setting counts again, for what its
    commit has to wait for. A statement that fails ends the transaction, and the setting with it.
    """
    if _bind(runs).dialect.name != "postgresql":
        yield
        return
    setting = text("SELECT set_config('lock_timeout', :value, true)")
    before = _executed(runs, text("SELECT current_setting('lock_timeout')")).scalar_one()
    _executed(runs, setting.bindparams(value=LOCK_TIMEOUT))
    yield
    _executed(runs, setting.bindparams(value=before))


def _bind(runs: Runs) -> Any:
    return runs.get_bind() if isinstance(runs, Session) else runs


def _insert_unless_there(runs: Runs, **values: Any) -> Any:
    bind = _bind(runs)
    if bind.dialect.name == "postgresql":
        return postgresql.insert(messages).values(values).on_conflict_do_nothing()
    if bind.dialect.name == "sqlite":
        return sqlite.insert(messages).values(values).on_conflict_do_nothing()
    return mysql.insert(messages).values(values).prefix_with("IGNORE")


def remove_expired(runs: Runs) -> int:
    """Remove the rows that nobody needs any more, and say how many."""
    removed: Any = runs.execute(delete(messages).where(messages.c.expires_at < datetime.now(timezone.utc)))
    return int(removed.rowcount)
