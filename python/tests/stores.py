"""Real dedup stores: Redis and Postgres on free loopback ports, with temporary data directories."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

#: The password of every server; it must never be seen anywhere.
PASSWORD = "canary-pass/word"
IN_URL = "canary-pass%2Fword"


def redis_server() -> contextlib.AbstractContextManager[int]:
    """A Redis server with a password; the port."""
    program = find("redis-server")
    port = free_port()
    settings = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--requirepass", PASSWORD]
    return _serving([program, *settings], "Ready to accept connections", None, port)


@contextlib.contextmanager
def postgres_server() -> Iterator[int]:
    """A Postgres server with the user and the database `surehook`; the port."""
    initdb = find("initdb").resolve()  # a link to it is not where the server is that it belongs to
    user = "postgres" if os.getuid() == 0 else None  # Postgres refuses to run as root
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder, "password")
        password.write_text(PASSWORD)
        if user is not None:
            owner = pwd.getpwnam(user)
            for path in (folder, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        init = [initdb, "-U", "surehook", "--auth=scram-sha-256", "--no-sync", "-D", f"{folder}/data"]
        subprocess.run(
            [*init, "--pwfile", password], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        port = free_port()
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "lc_messages=C")
        serve = [initdb.with_name("postgres"), "-D", f"{folder}/data", "-p", str(port)]
        serve += [part for setting in settings for part in ("-c", setting)]
        with _serving(serve, "database system is ready to accept connections", user, port):
            yield port


def redis_url(port: int) -> str:
    return f"redis://:{IN_URL}@127.0.0.1:{port}/0"


def postgres_url(port: int, database: str = "postgres") -> str:
    return f"postgres://surehook:{IN_URL}@127.0.0.1:{port}/{database}"


def find(name: str) -> Path:
    """The program; without it the tests that need it fail in CI, and are skipped elsewhere, loudly."""
    debian = ":".join(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{debian}")
    if found is None:
        missing = f"{name} is missing, so what needs it is NOT tested: scripts/doctor servers"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return Path(found)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def _serving(command: list[str | Path], ready: str, user: str | None, port: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, user=user, text=True
        )
        try:
            before = []
            while ready not in (line := process.stdout.readline()):
                assert line, before
                before.append(line)
            # Somebody has to read on, or the server waits for a reader some day.
            reader = threading.Thread(target=process.stdout.read, daemon=True)
            reader.start()
            yield port
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            process.stdout.close()
