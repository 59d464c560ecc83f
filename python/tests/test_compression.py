"""Compressing middleware: what is stored is what the handler answered, and replays decode to the same."""

import pytest
from conftest import APPS
from servers import HTTP, gunicorn, running, uvicorn
from signing import event, new_id, signed

ANSWER = b"answer " * 300
FASTAPI, DJANGO = uvicorn("compressing_fastapi:app"), gunicorn("compressing_django:wsgi")
INSIDE = {"INSIDE": "1"}
CASES = {
    "fastapi": (FASTAPI, {}, ["/decorated", "/middleware"]),
    "fastapi, compressed inside": (FASTAPI, INSIDE, ["/decorated", "/middleware"]),
    "flask": (gunicorn("compressing_flask:app"), {}, ["/decorated"]),
    "django": (DJANGO, {}, ["/decorated", "/later"]),
    "django asgi": (uvicorn("compressing_django:asgi"), {}, ["/decorated", "/later"]),
}


def post(url: str, message_id: str, encoding: str):
    body = event()
    headers = signed(body, message_id=message_id) | {"accept-encoding": encoding}
    return HTTP.post(url, content=body, headers=headers)


@pytest.mark.parametrize("kind", CASES)
def test_a_replay_decodes_to_the_same_bytes_whoever_asks(tmp_path, kind):
    command, env, paths = CASES[kind]
    with running(command, tmp_path / "log", env, APPS) as server:
        for path in paths:
            for first_asks, retry_asks in (("gzip", "gzip"), ("gzip", "identity"), ("identity", "gzip")):
                message_id = new_id()
                first = post(f"{server.url}{path}", message_id, first_asks)
                retry = post(f"{server.url}{path}", message_id, retry_asks)
                assert retry.headers["idempotent-replayed"] == "true"
                for answer in (first, retry):
                    assert (answer.status_code, answer.content) == (201, ANSWER)
                    assert answer.headers["content-type"].startswith("text/x-answer")
                if retry_asks == "identity":
                    assert "content-encoding" not in retry.headers
                if first_asks == retry_asks == "gzip" and not env and path != "/middleware":
                    assert first.headers["content-encoding"] == retry.headers["content-encoding"] == "gzip"


def test_a_handler_that_compresses_by_itself_is_replayed_with_its_own_bytes(tmp_path):
    """Inside of the wrapper it is the handler's answer, with the header that says so."""
    with running(DJANGO, tmp_path / "log", INSIDE, APPS) as server:
        message_id = new_id()
        first, retry = (post(f"{server.url}/inside", message_id, "gzip") for _ in range(2))
        assert first.headers["content-encoding"] == retry.headers["content-encoding"] == "gzip"
        assert first.content == retry.content == ANSWER
