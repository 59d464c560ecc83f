"""The application's own tables, and what each Clerk event does to them."""

import os
import sqlite3
from contextlib import closing
from typing import Any

DATABASE = os.environ.get("DATABASE_PATH", "users.db")

TABLES = """
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT);
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS organizations (
    id TEXT PRIMARY KEY, name TEXT, owner TEXT NOT NULL REFERENCES users (id)
);
"""

STATEMENTS = {
    "user.created": "INSERT INTO users (id, email) VALUES (:id, :email)",
    "user.updated": "UPDATE users SET email = :email WHERE id = :id",
    "user.deleted": "DELETE FROM users WHERE id = :id",
    "session.created": "INSERT INTO sessions (id, user_id) VALUES (:id, :user_id)",
    "organization.created": "INSERT INTO organizations (id, name, owner) VALUES (:id, :name, :created_by)",
}


def apply_event(event: dict[str, Any]) -> None:
    """Write what an event says; types that this application has no use for are let pass."""
    statement = STATEMENTS.get(event["type"])
    if statement is None:
        return
    row = event["data"] | {"email": primary_email(event["data"])}
    values = {
        name: value
        for name, value in row.items()
        if not isinstance(value, (dict, list))
    }
    with closing(sqlite3.connect(DATABASE, timeout=5)) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute(statement, values)


def primary_email(data: dict[str, Any]) -> str | None:
    """The user's main e-mail address."""
    addresses = {
        address["id"]: address["email_address"]
        for address in data.get("email_addresses", [])
    }
    return addresses.get(
        data.get("primary_email_address_id"), next(iter(addresses.values()), None)
    )


with closing(sqlite3.connect(DATABASE, timeout=5)) as database:
    database.executescript(TABLES)
