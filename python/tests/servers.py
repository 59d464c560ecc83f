"""Real servers in processes of their own, on ports that the kernel chose."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from signing import SECRET

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
ROOT = HERE.parent.parent
#: One client for all tests, as making one takes a while. A connection for each request, as many as it takes:
#: a pool that closes idle ones may close what another thread was just given.
HTTP = httpx.Client(timeout=30, headers={"connection": "close"}, limits=httpx.Limits())


@dataclass
class Server:
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as its operator would, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)

    def said(self) -> str:
        return self.log.read_text()


def listener() -> socket.socket:
    """A socket that listens already: a request sent now waits for the server to come up."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


@contextlib.contextmanager
def running(command: list[str], log: Path, env: dict[str, str], cwd: Path) -> Iterator[Server]:
    """Run a command in which `{fd}` stands for the listening socket, or `{port}` where it opens its own."""
    own = any("{port}" in part for part in command)
    with listener() as sock:
        fd, port = sock.fileno(), sock.getsockname()[1]
        if own:
            sock.close()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [part.replace("{fd}", str(fd)).replace("{port}", str(port)) for part in command],
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=() if own else (fd,),
                cwd=cwd,
                env=environment(env),
            )
        server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        if own:
            _wait_for(server, port)
        yield server
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()
        process.kill()
        process.wait()


def _wait_for(server: Server, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)  # between two looks, never instead of one
    raise AssertionError(server.said())


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Our own environment without any setting of Surehook or Clerk, plus `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SUREHOOK_", "CLERK_", "SVIX_"))}
    return {**kept, "CLERK_WEBHOOK_SIGNING_SECRET": SECRET, **extra}


def uvicorn(app: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--fd", "{fd}", "--log-level", "debug"]


def hypercorn(app: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "hypercorn", app, "--bind", "fd://{fd}", "--log-level", "debug", *options]


def daphne(app: str) -> list[str]:
    return [sys.executable, "-m", "daphne", "--fd", "{fd}", "--verbosity", "1", app]


def granian(app: str, interface: str, *options: str) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", "{port}"]
    return [str(BIN / "granian"), "--interface", interface, *where, *options, app]


def waitress(app: str) -> list[str]:
    return [str(BIN / "waitress-serve"), "--listen", "127.0.0.1:{port}", "--threads", "32", app]


def gunicorn(app: str, worker: str = "gthread") -> list[str]:
    options = ["--worker-class", worker, "--bind", "fd://{fd}", "--log-level", "debug"]
    threads = ["--threads", "32"] if worker == "gthread" else []
    return [sys.executable, "-m", "gunicorn", app, *options, *threads, "--no-control-socket"]
