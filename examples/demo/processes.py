"""The processes of the demo: each is started with its output in a file and ended on every way out."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

READY_WITHIN_SECONDS = 30
END_WITHIN_SECONDS = 5
EXAMPLES = Path(__file__).resolve().parents[1]
WEBHOOK_PATH = "/api/webhooks/clerk"
#: Of nobody's account: the demo signs with it, and the applications check with it.
DEMO_SECRET = "whsec_ZGVtby1zZWNyZXQtb2YtdGhlLWRlbW8tc3Rvcnk="


@dataclass(frozen=True)
class Collector:
    url: str
    #: The two variables that point an application at it.
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Application:
    number: int
    name: str
    url: str
    database: Path
    environment: Mapping[str, str]

    def break_users(self) -> None:
        """What a bad migration can do: from now on no user can be written."""
        self._execute(
            "CREATE TRIGGER bad_migration BEFORE INSERT ON users "
            "BEGIN SELECT RAISE(ABORT, 'users.country may not be null'); END"
        )

    def mend_users(self) -> None:
        self._execute("DROP TRIGGER bad_migration")

    def _execute(self, statement: str) -> None:
        with (
            contextlib.closing(
                sqlite3.connect(self.database, timeout=10)
            ) as connection,
            connection,
        ):
            connection.execute(statement)


def start_collector(
    stack: contextlib.ExitStack, surehook: str, room: Path
) -> Collector:
    """`surehook dev` on a free port; what it prints says where it is."""
    log = room / "collector.log"
    process = start(
        stack,
        [surehook, "dev", "--port", "0", "--data-dir", str(room / "collector")],
        log,
        {},
    )

    def environment() -> dict[str, str] | None:
        pairs = [
            line.strip().split("=", 1)
            for line in log.read_text().splitlines()
            if line.strip().startswith("SUREHOOK_")
        ]
        return dict(pairs) if len(pairs) == 2 else None

    found = wait_for("the collector", process, log, environment)
    return Collector(url=found["SUREHOOK_ENDPOINT"], environment=found)


def start_fastapi(
    stack: contextlib.ExitStack, number: int, room: Path, collector: Collector
) -> Application:
    command = [
        ".venv/bin/uvicorn",
        "app:app",
        "--app-dir",
        str(EXAMPLES / "fastapi"),
        "--port",
        "{port}",
    ]
    return start_application(stack, number, "FastAPI", command, room, collector)


def start_express(
    stack: contextlib.ExitStack, number: int, room: Path, collector: Collector
) -> Application:
    return start_application(
        stack,
        number,
        "Express",
        ["node", str(EXAMPLES / "express" / "app.mjs")],
        room,
        collector,
    )


def start_application(
    stack: contextlib.ExitStack,
    number: int,
    name: str,
    command: list[str],
    room: Path,
    collector: Collector,
) -> Application:
    """Starts one of the examples on a free port, with a database of its own."""
    port = free_port()
    log, database = room / f"{name}.log", room / f"{name}.db"
    environment = {
        **os.environ,
        **collector.environment,
        "CLERK_WEBHOOK_SIGNING_SECRET": DEMO_SECRET,
        "DATABASE_PATH": str(database),
        "PORT": str(port),
    }
    process = start(
        stack, [part.format(port=port) for part in command], log, environment
    )
    wait_for(name, process, log, lambda: answers(port) or None)
    return Application(
        number, name, f"http://127.0.0.1:{port}{WEBHOOK_PATH}", database, environment
    )


def start(
    stack: contextlib.ExitStack,
    command: list[str],
    log: Path,
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Starts a process in a group of its own, so that Ctrl-C reaches the demo first and the demo ends it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment or None,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.callback(end, process)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, and sees to it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(
    name: str,
    process: subprocess.Popen[bytes],
    log: Path,
    condition: Callable[[], T | None],
) -> T:
    """Asks again until there is an answer; the process's own words when there will be none."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while (found := condition()) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(
                f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}"
            )
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=1),
    ):
        return True
    return False
