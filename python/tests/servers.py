"""Real servers in processes of their own, on ports that the kernel chose."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
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
    """Run a command in which `{fd}` stands for the listening socket."""
    with listener() as sock:
        fd = sock.fileno()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [part.replace("{fd}", str(fd)) for part in command],
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(fd,),
                cwd=cwd,
                env=environment(env),
            )
        server = Server(f"http://127.0.0.1:{sock.getsockname()[1]}", process, log)
    try:
        yield server
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()
        process.kill()
        process.wait()


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Our own environment without any setting of Surehook or Clerk, plus `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SUREHOOK_", "CLERK_", "SVIX_"))}
    return {**kept, "CLERK_WEBHOOK_SIGNING_SECRET": SECRET, **extra}


def uvicorn(app: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--fd", "{fd}", "--log-level", "debug"]


def gunicorn(app: str) -> list[str]:
    options = ["--worker-class", "gthread", "--threads", "32", "--bind", "fd://{fd}", "--log-level", "debug"]
    return [sys.executable, "-m", "gunicorn", app, *options, "--no-control-socket"]
