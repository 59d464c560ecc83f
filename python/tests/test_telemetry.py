"""What reaches the real collector, and what a collector that is away costs."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import APPS, eventually
from servers import HTTP, environment, gunicorn, running, uvicorn
from signing import OTHER_SECRET, event, new_id, signed

DELIVERIES = """if True:
    import sys
    import surehook
    from signing import event, new_id, signed

    surehook.init()
    endpoint = surehook.Endpoint(provider="clerk", name="exit")
    for number in range(170):
        body = event(entity=f"user_{number}")
        headers = [(name.encode(), value.encode()) for name, value in signed(body).items()]
        delivery = endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())
        delivery.finish(status=200, headers=[], body=b"ok")
"""


@pytest.mark.parametrize(
    ("ending", "code"), [("", 0), ("    sys.exit(3)", 3), ("    raise RuntimeError('no')", 1)]
)
def test_every_event_arrives_when_the_process_exits_right_after(collector, ending, code):
    command = [sys.executable, "-c", DELIVERIES + ending]
    env = environment(collector.env) | {"PYTHONPATH": str(APPS.parent)}
    assert subprocess.run(command, env=env, stderr=subprocess.PIPE, check=False).returncode == code
    assert collector.attempts() == 170  # a full batch, which leaves at once, and more
    assert collector.outcomes("exit") == {"processed": 170}


SERVERS = {
    "fastapi": (uvicorn("fastapi_app:app"), "/hooks", signal.SIGINT),
    "fastapi-middleware": (uvicorn("fastapi_app:app"), "/middleware", signal.SIGTERM),
    "flask": (gunicorn("flask_app:app"), "/hooks", signal.SIGTERM),
    "django": (gunicorn("django_app:wsgi"), "/hooks", signal.SIGTERM),
    "django-async": (uvicorn("django_app:asgi"), "/async", signal.SIGINT),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_everything_a_server_saw_is_on_the_collector_when_it_has_stopped(collector, tmp_path, kind):
    command, prefix, how = SERVERS[kind]
    with running(command, tmp_path / "log", collector.env, APPS) as server:
        body, message_id = event(), new_id()

        def send(handler, **options):
            HTTP.post(f"{server.url}{prefix}/{handler}", content=body, headers=signed(body, **options))

        for _ in range(100):
            send("plain", message_id=message_id)
        send("plain", secret=OTHER_SECRET)
        send("failing")
        send("refusing")
        server.stop(how)
    assert collector.attempts() == 103, server.said()
    rows = collector.get("/api/overview")["rows"]
    seen = {name: sum(row[name] for row in rows) for name in ("processed", "duplicate", "rejected", "failed")}
    assert seen == {"processed": 1, "duplicate": 99, "rejected": 1, "failed": 2}


@pytest.mark.parametrize("kind", ["fastapi", "flask"])
def test_an_error_is_recorded_with_its_type_and_without_a_secret(collector, tmp_path, kind):
    command, prefix, how = SERVERS[kind]
    with running(command, tmp_path / "log", collector.env, APPS) as server:
        body = event()
        HTTP.post(f"{server.url}{prefix}/failing", content=body, headers=signed(body))
        server.stop(how)
    (message,) = collector.get("/api/messages")["messages"]
    (attempt,) = collector.get(f"/api/messages/{message['id']}")["attempts_list"]
    assert attempt["outcome"] == "failed"
    assert attempt["failure"]["error"]["type"] == "RuntimeError"
    assert attempt["failure"]["error"]["message"] == "the database is away"
    assert attempt["request"]["method"] == "POST"


@pytest.fixture
def silent_collector():
    """It takes connections and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def absent_collector():
    """Nobody listens there: the port is taken, and refuses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("away", ["silent_collector", "absent_collector"])
@pytest.mark.parametrize("kind", ["fastapi", "flask"])
def test_a_collector_that_is_away_costs_a_handler_nothing(request, tmp_path, kind, away):
    command, prefix, how = SERVERS[kind]
    env = {"SUREHOOK_ENDPOINT": request.getfixturevalue(away), "SUREHOOK_API_KEY": "shk_nobody"}
    with running(command, tmp_path / "log", env, APPS) as server:
        eventually(lambda: HTTP.get(f"{server.url}/pid").status_code == 200)
        started = time.monotonic()
        for _ in range(50):
            body = event()
            answer = HTTP.post(f"{server.url}{prefix}/plain", content=body, headers=signed(body))
            assert answer.status_code == 200
        assert time.monotonic() - started < 5, "50 requests take well under a second"
        counts = HTTP.get(f"{server.url}/stats").json()
        assert counts["recorded"] == 50
        assert counts["stored"] + counts["queued"] + sum(counts["dropped"].values()) == 50
        started = time.monotonic()
        server.stop(how)
        assert time.monotonic() - started < 5, "the last flush has 2 s"


def test_without_a_key_webhooks_are_verified_and_the_log_says_once_that_nothing_is_sent(guarded):
    for _ in range(2):
        body = event()
        assert HTTP.post(guarded.url("plain"), content=body, headers=signed(body)).status_code == 200
    assert guarded.server.said().count("telemetry is off") == 1
