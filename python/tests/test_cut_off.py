"""A sender that hangs up in the middle of its body leaves a record, and runs no handler."""

import socket
from urllib.parse import urlsplit

import pytest
from conftest import APPS, eventually
from servers import granian, gunicorn, hypercorn, running, uvicorn
from signing import event, signed

ASGI, DJANGO = "readers_fastapi:app", "readers_django:asgi"
SERVERS = {
    "fastapi uvicorn": (uvicorn(ASGI), "/kept/nobody"),
    "fastapi middleware": (uvicorn("fastapi_app:app"), "/middleware/plain"),
    "fastapi uvicorn worker": (gunicorn(ASGI, "uvicorn_worker.UvicornWorker"), "/kept/nobody"),
    "fastapi hypercorn": (hypercorn(ASGI), "/kept/nobody"),
    "fastapi granian": (granian(ASGI, "asgi"), "/kept/nobody"),
    "flask sync": (gunicorn("readers_flask:app", "sync"), "/kept/nobody"),
    "flask gthread": (gunicorn("readers_flask:app"), "/kept/nobody"),
    "django gthread": (gunicorn("readers_django:wsgi"), "/kept/nobody"),
    "django uvicorn": (uvicorn(DJANGO), "/kept/nobody"),
    "django uvicorn async": (uvicorn(DJANGO), "/later/nobody"),
    "django hypercorn": (hypercorn(DJANGO), "/later/nobody"),
}


def send_half(url: str, path: str, *, chunked: bool) -> None:
    """Hang up when the server has the headers and a part of the body."""
    body = event(filler="x" * 1000)
    length = "transfer-encoding: chunked" if chunked else f"content-length: {len(body)}"
    headers = [f"POST {path} HTTP/1.1", "host: test", length]
    headers += [f"{name}: {value}" for name, value in signed(body).items()]
    part = f"200\r\n{body[:0x200]}\r\n" if chunked else body[:0x200]
    with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=20) as sock:
        sock.sendall(("\r\n".join(headers) + "\r\n\r\n" + part).encode())


@pytest.mark.parametrize("kind", SERVERS)
def test_it_is_recorded_and_nothing_runs(recorder, tmp_path, kind):
    command, path = SERVERS[kind]
    with running(command, tmp_path / "log", recorder.env, APPS) as server:
        for chunked in (False, True):
            send_half(server.url, path, chunked=chunked)
        eventually(lambda: len(recorder.attempts) == 2)
    for attempt in recorder.attempts:
        assert (attempt["outcome"], attempt["verification"]["code"]) == ("rejected", "body_unavailable")
