"""Every server of the docs, every way to start it, every signal: what was recorded arrives."""

import signal
import sys
from signal import SIGINT, SIGQUIT, SIGTERM

import pytest
from conftest import APPS, eventually
from servers import BIN, HTTP, daphne, granian, gunicorn, hypercorn, running, uvicorn, waitress
from signing import event, signed

#: The last of them are recorded less than a second before the end, and would leave later.
EVENTS = 20
FASTAPI, FLASK, DJANGO = "bare_fastapi:app", "ends_flask:app", "django_app:wsgi"
ALL = [SIGTERM, SIGINT, SIGQUIT]
#: Uvicorn's workers go on at the SIGQUIT that gunicorn sends them for SIGINT and SIGQUIT, and a worker that
#: still starts hears no signal at all, until gunicorn kills them: after 30 s, or so many.
KILLED = ["--graceful-timeout", "3"]
RESTARTS = ["--max-requests", "7", "--workers", "2", *KILLED]


def program(way: str) -> list[str]:
    return [sys.executable, "ends.py", way, "{fd}"]


def with_recipe(command: list[str]) -> list[str]:
    """The server with the line that the docs name: by itself it ends at once."""
    return ["/usr/bin/env", "RECIPE=1", *command]


FLASK_RUN = [str(BIN / "flask"), "--app", "ends_flask", "run", "--port", "{port}"]
RUNSERVER = [sys.executable, "ends_django.py", "runserver", "--noreload", "{port}"]

SERVERS = {
    "uvicorn": (uvicorn(FASTAPI), [SIGTERM, SIGINT]),
    "uvicorn --workers": ([*uvicorn(FASTAPI), "--workers", "2"], [SIGTERM, SIGINT]),
    "uvicorn --limit-max-requests": ([*uvicorn(FASTAPI), "--limit-max-requests", str(EVENTS)], [None]),
    "uvicorn middleware": (uvicorn("fastapi_app:app"), [SIGTERM]),
    "uvicorn django": (uvicorn("django_app:asgi"), [SIGTERM, SIGINT]),
    "uvicorn.run": (program("run"), [SIGTERM, SIGINT]),
    "await Server.serve()": (program("serve"), [SIGTERM, SIGINT]),
    "gunicorn sync": (gunicorn(FLASK, "sync"), ALL),
    "gunicorn gthread": (gunicorn(FLASK), ALL),
    "gunicorn --preload": ([*gunicorn(FLASK), "--preload", "--workers", "4", *KILLED], [SIGTERM]),
    "gunicorn django": (gunicorn(DJANGO), [SIGTERM]),
    "gunicorn --max-requests": ([*gunicorn(FLASK), *RESTARTS], [SIGTERM]),
    "gunicorn uvicorn.workers": ([*gunicorn(FASTAPI, "uvicorn.workers.UvicornWorker"), *KILLED], ALL),
    "gunicorn uvicorn-worker": ([*gunicorn(FASTAPI, "uvicorn_worker.UvicornWorker"), *KILLED], ALL),
    "gunicorn uvicorn-worker --max-requests": (
        [*gunicorn(FASTAPI, "uvicorn_worker.UvicornWorker"), *RESTARTS],
        [SIGTERM],
    ),
    "hypercorn": (hypercorn(FASTAPI), [SIGTERM, SIGINT]),
    "hypercorn --workers": (hypercorn(FASTAPI, "--workers", "2"), [SIGTERM, SIGINT]),
    "granian asgi": (granian(FASTAPI, "asgi"), [SIGTERM, SIGINT]),
    "granian wsgi": (granian(FLASK, "wsgi"), [SIGTERM, SIGINT]),
    "daphne": (daphne(FASTAPI), [SIGTERM, SIGINT]),
    "waitress": (waitress(FLASK), [SIGINT]),
    "waitress with the recipe": (with_recipe(waitress(FLASK)), [SIGTERM]),
    "flask run": (FLASK_RUN, [SIGINT]),
    "flask run with the recipe": (with_recipe(FLASK_RUN), [SIGTERM]),
    "runserver": (RUNSERVER, [SIGINT]),
    "runserver with the recipe": (with_recipe(RUNSERVER), [SIGTERM]),
}
ENDS = [(kind, how) for kind, (_, signals) in SERVERS.items() for how in signals]


def named(value: object) -> str:
    return value.name if isinstance(value, signal.Signals) else str(value)


@pytest.mark.parametrize(("kind", "how"), ENDS, ids=named)
def test_every_event_arrives_when_a_server_ends_right_after(recorder, tmp_path, kind, how):
    command, _ = SERVERS[kind]
    path = "/middleware/plain" if "middleware" in kind else "/hooks/plain"
    with running(command, tmp_path / "log", recorder.env, APPS) as server:
        for _ in range(EVENTS):
            body = event()
            assert HTTP.post(f"{server.url}{path}", content=body, headers=signed(body)).is_success
        if how is None:
            server.process.wait(20)
        else:
            server.stop(how)
        # The socket is the test's too: a process that goes on in the background would still serve.
        eventually(lambda: server.process.poll() is not None)
    assert len(recorder.attempts) == EVENTS, server.said()[-2000:]
