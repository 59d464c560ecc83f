"""Handlers that take longer than their senders wait, and write down when they begin and when they end."""

import asyncio
import os
import time
from pathlib import Path

FOLDER = Path(os.environ["PATIENCE"])
OPTIONS = {"provider": "clerk", "name": "patience", "dedup": os.environ.get("DEDUP")}


def note(what: str, message_id: str) -> None:
    with (FOLDER / "runs").open("a") as runs:
        runs.write(f"{what} {message_id}\n")


def is_open() -> bool:
    return (FOLDER / "open").exists()


async def work_later(message_id: str) -> str:
    note("start", message_id)
    while not is_open():
        await asyncio.sleep(0.005)  # between two looks
    note("end", message_id)
    return f"done {message_id}"


def work(message_id: str) -> str:
    note("start", message_id)
    while not is_open():
        time.sleep(0.005)  # between two looks
    note("end", message_id)
    return f"done {message_id}"


async def brief_later(message_id: str) -> str:
    note("start", message_id)
    await asyncio.sleep(0.2)
    note("end", message_id)
    return f"done {message_id}"


def brief(message_id: str) -> str:
    note("start", message_id)
    time.sleep(0.2)
    note("end", message_id)
    return f"done {message_id}"
