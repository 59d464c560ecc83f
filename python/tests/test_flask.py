"""What only Flask has: its return values, abort, async views, views with arguments."""

import pytest
from servers import HTTP
from signing import event, new_id, signed

KEPT = [
    "str",
    "bytes",
    "dict",
    "list",
    "status",
    "headers",
    "pairs",
    "response",
    "made",
    "nothing",
    "wsgi",
    "abort_response",
]
NOT_KEPT = ["abort_teapot", "redirect", "generator"]


@pytest.mark.parametrize("kind", [*KEPT, *NOT_KEPT])
def test_every_legal_return_value_is_answered_as_without_the_wrapper(flask_server, kind):
    body = event()
    bare = HTTP.post(f"{flask_server.url}/bare/{kind}")
    wrapped = HTTP.post(f"{flask_server.url}/returns/{kind}", content=body, headers=signed(body))
    assert (wrapped.status_code, wrapped.content) == (bare.status_code, bare.content)
    for answer in (bare, wrapped):
        answer.headers.pop("date", None)
    assert wrapped.headers == bare.headers


@pytest.mark.parametrize("kind", KEPT)
def test_every_kept_return_value_is_replayed_byte_for_byte(flask_server, kind):
    body, message_id = event(), new_id()
    url = f"{flask_server.url}/returns/{kind}"
    first = HTTP.post(url, content=body, headers=signed(body, message_id=message_id))
    retry = HTTP.post(url, content=body, headers=signed(body, message_id=message_id))
    assert (retry.status_code, retry.content) == (first.status_code, first.content)
    assert retry.headers.get("content-type") == first.headers.get("content-type")
    assert retry.headers["idempotent-replayed"] == "true"


def test_a_view_that_returns_nothing_fails_as_without_the_wrapper(flask_server):
    body, message_id = event(), new_id()
    for run in (1, 2):
        headers = signed(body, message_id=message_id)
        assert (
            HTTP.post(f"{flask_server.url}/hooks/nothing-returned", content=body, headers=headers).status_code
            == 500
        )
        assert HTTP.get(f"{flask_server.url}/runs").json()[message_id] == run


def test_an_async_view_works(flask_server):
    body = event()
    answer = HTTP.post(f"{flask_server.url}/hooks/async", content=body, headers=signed(body))
    assert answer.json() == {"run": 1}


def test_a_body_that_a_form_parser_took_is_refused_with_its_reason(flask_server):
    body = "a=1&b=2"
    headers = signed(body) | {"content-type": "application/x-www-form-urlencoded"}
    assert HTTP.post(f"{flask_server.url}/hooks/consumed", content=body, headers=headers).status_code == 401
    assert "body_unavailable" in flask_server.said()


def test_init_app_registers_the_extension(flask_server):
    assert HTTP.get(f"{flask_server.url}/pid").json()[1] is True
