"""Flask and FastAPI with a store in the database of an SQLAlchemy session."""

import asyncio
import contextlib
import os

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from flask import Flask, request
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker
from work import INSERT, OPTIONS, TAKEN, row, status

import surehook
from surehook import fastapi, flask
from surehook.sqlalchemy import SessionStore, messages
from surehook.sqlalchemy.asyncio import AsyncSessionStore

surehook.init()
engine = create_engine(os.environ["DATABASE"])


@event.listens_for(engine, "connect")
def check_foreign_keys(connection, _):
    if engine.dialect.name == "sqlite":
        connection.execute("PRAGMA foreign_keys = ON")


messages.create(engine, checkfirst=True)


class Base(DeclarativeBase):
    pass


class Name(Base):
    __tablename__ = "names"
    name: Mapped[str] = mapped_column(primary_key=True)


def leave_pending(session, do: str) -> None:
    """What the session sends to the database later, when it is flushed."""
    if do.startswith("violate"):
        session.add(Name(name=TAKEN))


app = Flask(__name__)
session = scoped_session(sessionmaker(engine))


@app.post("/hooks")
@flask.with_webhook_monitoring(dedup=SessionStore(session), **OPTIONS)
def hooks(delivery: surehook.Delivery):
    do = request.get_json()["data"]["do"]
    session.execute(text(INSERT), row(delivery.message_id, do))
    leave_pending(session, do)
    if do == "violate and catch":
        with contextlib.suppress(IntegrityError):  # and go on, in a transaction that is broken
            session.flush()
    return f"handled {delivery.message_id}", status(delivery, do)


@app.teardown_appcontext
def end_session(_):
    session.remove()


@app.get("/pid")
def pid():
    return [os.getpid()]


asgi = FastAPI()


@asgi.post("/hooks")
@fastapi.with_webhook_monitoring(dedup=SessionStore(sessionmaker(engine)), **OPTIONS)
def sync_hooks(event: dict, delivery: surehook.Delivery):
    do = event["data"]["do"]
    delivery.transaction.session.execute(text(INSERT), row(delivery.message_id, do))
    leave_pending(delivery.transaction.session, do)
    if do == "stream orphan":
        return StreamingResponse(b"x" * 1000 for _ in range(100))
    return Response(f"handled {delivery.message_id}", status(delivery, do))


async_asgi = FastAPI()

if engine.dialect.name == "postgresql":
    sessions = async_sessionmaker(create_async_engine(engine.url))

    @async_asgi.post("/hooks")
    @fastapi.with_webhook_monitoring(dedup=AsyncSessionStore(sessions), **OPTIONS)
    async def async_hooks(request: Request, delivery: surehook.Delivery):
        do = (await request.json())["data"]["do"]
        values = await asyncio.to_thread(row, delivery.message_id, do)
        await delivery.transaction.session.execute(text(INSERT), values)
        leave_pending(delivery.transaction.session, do)
        return Response(f"handled {delivery.message_id}", status(delivery, do))


@asgi.get("/pid")
@async_asgi.get("/pid")
async def async_pid():
    return os.getpid()
