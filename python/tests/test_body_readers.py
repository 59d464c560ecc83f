"""Who reads the body before the wrapper: one that is kept is used, of one that is gone it is said at once."""

import contextlib
import time
from collections.abc import Iterator

import pytest
from conftest import APPS
from servers import HTTP, Server, gunicorn, running, uvicorn
from signing import event, signed

COMMANDS = {
    "fastapi": uvicorn("readers_fastapi:app"),
    "flask": gunicorn("readers_flask:app"),
    "django": gunicorn("readers_django:wsgi"),
    "django-asgi": uvicorn("readers_django:asgi"),
}


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[dict[str, Server]]:
    """The servers that were asked for, by their names; one with Sentry beside each."""
    servers: dict[str, Server] = {}
    with contextlib.ExitStack() as stack:

        def start(name: str) -> Server:
            if name not in servers:
                kind, _, sentry = name.partition("+")
                # Nobody is there: what the tracker sends is lost, what it reads is read.
                env = {"SENTRY_DSN": "http://key@127.0.0.1:9/1"} if sentry else {}
                log = tmp_path_factory.mktemp("readers") / "log"
                servers[name] = stack.enter_context(running(COMMANDS[kind], log, env, APPS))
            return servers[name]

        yield start


JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
PARTS = {"content-type": "multipart/form-data; boundary=x"}
SENT = {
    "json": (event(), JSON),
    "form": ("a=1&b=%C3%A9", FORM),
    "parts": ('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n', PARTS),
}

KEPT = [
    *(
        ("fastapi", f"/kept/{reader}", "json")
        for reader in ("nobody", "reads_body", "reads_json", "has_model", "router/body", "reading/route")
    ),
    ("fastapi", "/kept/replaying/route", "json"),
    ("fastapi", "/kept/middleware-body", "json"),
    ("fastapi", "/kept/reads_body", "form"),
    *(("fastapi+sentry", "/kept/nobody", kind) for kind in SENT),
    ("fastapi+sentry", "/kept/reads_json", "json"),
    *(("flask", f"/kept/{reader}", "json") for reader in ("nobody", "get_data", "data", "get_json", "form")),
    ("flask", "/kept/get_data", "form"),
    ("flask+sentry", "/kept/nobody", "form"),
    ("flask+sentry", "/kept/sentry", "json"),
    *(
        (server, f"/{prefix}/{reader}", kind)
        for server in ("django", "django-asgi")
        for prefix in ("kept", "later")
        for reader, kind in (("nobody", "json"), ("body", "json"), ("POST", "json"), ("POST", "form"))
    ),
    ("django", "/kept/body", "parts"),
    ("django+sentry", "/kept/sentry", "json"),
    ("django+sentry", "/kept/sentry", "form"),
    ("django-asgi+sentry", "/later/sentry", "json"),
    *(("django-asgi", f"/later/{reader}", "parts") for reader in ("POST", "FILES", "read")),
]


@pytest.mark.parametrize(("server", "path", "kind"), KEPT)
def test_a_body_that_somebody_read_and_kept_is_verified_and_handled(started, server, path, kind):
    body, headers = SENT[kind]
    answer = HTTP.post(f"{started(server).url}{path}", content=body, headers=signed(body) | headers)
    assert (answer.status_code, answer.text.strip('"').replace('\\"', '"').replace("\\r\\n", "\r\n")) == (
        200,
        body,
    )


@pytest.mark.parametrize("server", ["django", "django-asgi"])
@pytest.mark.parametrize("path", ["/kept/rest/outside", "/kept/rest/inside", "/kept/rest/inside/data"])
def test_the_rest_framework_parses_what_the_wrapper_has_read(started, server, path):
    body = event()
    answer = HTTP.post(f"{started(server).url}{path}", content=body, headers=signed(body))
    assert answer.status_code == 200
    assert answer.json()["type"] == "user.created"


GONE = [
    ("fastapi", "/kept/reads_stream", "json", "FastAPI"),
    ("fastapi", "/kept/reads_form", "form", "FastAPI"),
    ("fastapi", "/kept/reads_form", "parts", "FastAPI"),
    ("fastapi", "/kept/has_form", "form", "FastAPI"),
    ("fastapi", "/kept/reads_by_itself", "json", "FastAPI"),
    ("fastapi", "/kept/middleware-stream", "json", "FastAPI"),
    ("fastapi", "/kept/behind/middleware-stream", "json", "FastAPI"),
    ("flask", "/kept/form", "form", "Flask"),
    ("flask", "/kept/values", "parts", "Flask"),
    ("flask", "/kept/data", "form", "Flask"),
    ("flask", "/kept/stream", "json", "Flask"),
    ("django", "/kept/read", "json", "Django"),
    ("django", "/later/read", "json", "Django"),
    ("django", "/kept/POST", "parts", "Django"),
    ("django", "/kept/FILES", "parts", "Django"),
    ("django", "/kept/rest/inside/data", "parts", "Django"),
]


@pytest.mark.parametrize(("server", "path", "kind", "advised"), GONE)
def test_a_body_that_is_gone_is_refused_at_once_and_the_log_says_what_to_do(
    started, server, path, kind, advised
):
    body, headers = SENT[kind]
    running_server = started(server)
    begun = time.monotonic()
    answer = HTTP.post(f"{running_server.url}{path}", content=body, headers=signed(body) | headers)
    assert (answer.status_code, answer.content) == (401, b'{"error":"invalid webhook signature"}')
    assert time.monotonic() - begun < 5
    name = path.removeprefix("/").replace("/", "-").replace("kept-behind-middleware-stream", "behind")
    name = name.removeprefix("kept-rest-").removesuffix("-data") if "rest" in name else name
    said = running_server.said()
    assert f"{name}: rejected a request: body_unavailable" in said
    (advice,) = {line for line in said.splitlines() if f"{name}: {advised}" in line}
    assert "Let " in advice or "outside" in advice


def test_what_to_do_is_said_once(started):
    server = started("flask")
    for _ in range(3):
        body, headers = SENT["form"]
        HTTP.post(f"{server.url}/kept/form", content=body, headers=signed(body) | headers)
    assert server.said().count("kept-form: Flask: ") == 1
