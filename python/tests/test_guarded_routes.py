"""What every wrapper owes on a real server: FastAPI (decorator, middleware) on uvicorn, Flask on gunicorn."""

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import WRAPPERS
from servers import HTTP
from signing import OTHER_SECRET, SECRET, event, new_id, signed

REFUSED = b'{"error":"invalid webhook signature"}'
LIMIT = 100_000


def post(url: str, body: str | bytes, headers: dict[str, str]) -> httpx.Response:
    return HTTP.post(url, content=body, headers=headers)


@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_the_body_is_readable_in_the_handler_as_it_was_sent(guarded, family):
    body = event(entity="user_\u00e9", spaced=[1, 2]) + "\n"
    answer = post(guarded.url("plain"), body, signed(body, family=family))
    assert answer.status_code == 200
    assert answer.json() == {
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        "run": 1,
        "entity": "user_\u00e9",
    }


@pytest.mark.parametrize("handler", ["plain", "text"])
def test_a_retry_gets_the_first_answer_byte_for_byte_and_runs_nothing(guarded, handler):
    body, message_id = event(), new_id()
    url = guarded.url(handler)
    first = post(url, body, signed(body, message_id=message_id))
    retry = post(url, body, signed(body, message_id=message_id))
    assert guarded.runs(message_id) == 1
    assert (retry.status_code, retry.content) == (first.status_code, first.content)
    again = {"date", "set-cookie", "connection", "server", "content-length", "transfer-encoding"}
    assert {name: retry.headers.get(name) for name in first.headers if name not in again} == {
        name: value for name, value in first.headers.items() if name not in again
    }
    assert retry.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert "set-cookie" not in retry.headers


def test_200_concurrent_duplicates_run_the_handler_once(guarded):
    """The one that runs the handler is let go only when the other 199 have their answer."""
    body, message_id = event(), new_id()
    url, root = guarded.url("waiting"), guarded.server.url
    HTTP.post(f"{root}/shut")

    def send() -> int:
        return post(url, body, signed(body, message_id=message_id)).status_code

    with ThreadPoolExecutor(200) as pool:
        answers = as_completed([pool.submit(send) for _ in range(200)])
        duplicates = [next(answers).result() for _ in range(199)]
        HTTP.post(f"{root}/open")
        last = next(answers).result()
    assert duplicates == [409] * 199
    assert last == 200
    assert guarded.runs(message_id) == 1
    assert post(url, body, signed(body, message_id=message_id)).json() == {"run": 1}


def test_a_forged_request_is_refused_before_the_handler(guarded):
    body, message_id = event(), new_id()
    answer = post(guarded.url("plain"), body, signed(body, message_id=message_id, secret=OTHER_SECRET))
    assert (answer.status_code, answer.content) == (401, REFUSED)
    assert answer.headers["content-type"] == "application/json"
    assert guarded.runs(message_id) == 0


def stale(body):
    return signed(body, at=1_700_000_000)


def missing(body):
    headers = signed(body)
    del headers["svix-signature"]
    return headers


def mixed(body):
    return signed(body) | signed(body, family="webhook")


MALFORMED = {
    "stale": stale,
    "missing": missing,
    "mixed": mixed,
    "dotted id": lambda body: signed(body, message_id="msg.1"),
    "timestamp of words": lambda body: signed(body) | {"svix-timestamp": "yesterday"},
    "timestamp beyond all": lambda body: signed(body) | {"svix-timestamp": "9" * 400},
    "signature of commas": lambda body: signed(body) | {"svix-signature": ",,, v1 v1, ,v1"},
    "signature prefix": lambda body: signed(body) | {"svix-signature": "v1,"},
    "too many signatures": lambda body: signed(body) | {"svix-signature": "v1,x " * 99 + "v1,x"},
    "latin-1 id": lambda body: signed(body) | {"svix-id": "msg_\u00e9".encode("latin-1")},
    "bytes that are no text": lambda body: signed(body) | {"svix-signature": b"v1,\xff\xfe"},
    "nothing": lambda body: {},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_headers_get_the_same_401(guarded, case):
    body = event()
    answer = post(guarded.url("plain"), body, MALFORMED[case](body))
    assert (answer.status_code, answer.content) == (401, REFUSED)


def test_a_header_sent_twice_is_refused(guarded):
    body = event()
    headers = [*signed(body).items(), ("svix-id", "msg_other")]
    answer = HTTP.post(guarded.url("plain"), content=body, headers=headers)
    assert (answer.status_code, answer.content) == (401, REFUSED)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_gets_413(guarded, chunked):
    body = event(filler="x" * LIMIT)
    headers = signed(body)
    content = (
        (body[start : start + 5000].encode() for start in range(0, len(body), 5000)) if chunked else body
    )
    answer = HTTP.post(guarded.url("plain"), content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"error": "payload too large"})


@pytest.mark.parametrize("guarded", [name for name in WRAPPERS if name != "django-async"], indirect=True)
def test_an_endless_body_is_cut_off_at_the_limit(guarded):
    """Under ASGI Django itself takes a body to its end before any view."""
    parts = urlsplit(guarded.url("plain"))
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
        sock.sendall(f"POST {parts.path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
        for _ in range(LIMIT // 0x1000 + 2):
            sock.sendall(chunk)
        assert b"413" in sock.recv(4096).split(b"\r\n")[0]


def test_a_chunked_body_under_the_limit_is_handled(guarded):
    body = event(filler="x" * 50_000)
    content = (body[start : start + 5000].encode() for start in range(0, len(body), 5000))
    answer = HTTP.post(guarded.url("plain"), content=content, headers=signed(body))
    assert answer.json()["sha256"] == hashlib.sha256(body.encode()).hexdigest()


BODIES = {
    "no UTF-8": b'{"data":{"id":"\xff\xfe"}}',
    "no JSON": b"a=1&b=2",
    "empty": b"",
    "cut JSON": b'{"type":"user.crea',
    "other JSON": b"[1,2,3]",
    "unknown event": b'{"type":"moon.landed","data":{"id":"m1"}}',
    "BOM": b'\xef\xbb\xbf{"type":"user.created"}',
    "NUL": b"\x00" * 40,
}


@pytest.mark.parametrize("case", BODIES)
def test_a_signed_body_reaches_the_handler_whatever_it_holds(guarded, case):
    body = BODIES[case]
    answer = post(guarded.url("plain"), body, signed(body))
    assert answer.status_code == 200, answer.text
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(("handler", "status"), [("failing", 500), ("refusing", 404)])
def test_a_failed_message_is_handled_again_on_retry(guarded, handler, status):
    body, message_id = event(), new_id()
    for run in (1, 2):
        answer = post(guarded.url(handler), body, signed(body, message_id=message_id))
        assert answer.status_code == status
        assert guarded.runs(message_id) == run
        assert "Traceback" not in answer.text
        assert "database" not in answer.text


def test_an_answer_too_long_to_store_streams_and_its_retry_says_so(guarded):
    body, message_id = event(), new_id()
    first = post(guarded.url("streaming"), body, signed(body, message_id=message_id))
    retry = post(guarded.url("streaming"), body, signed(body, message_id=message_id))
    assert first.content == b"x" * 100_000
    assert (retry.status_code, retry.content) == (200, b"")
    assert retry.headers["idempotent-replayed"] == "body-omitted"
    assert guarded.runs(message_id) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_other_routes_are_untouched(guarded, method):
    answer = HTTP.request(method, f"{guarded.server.url}/unguarded", content=b"hello")
    assert answer.json() == {"body": "hello", "delivery": False}


def test_the_log_names_the_reason_and_never_a_secret(guarded):
    body = event()
    post(guarded.url("plain"), body, signed(body, secret=OTHER_SECRET))
    assert "signature_mismatch" in guarded.server.said()
    for secret in (OTHER_SECRET, SECRET):
        assert secret not in guarded.server.said()
        assert secret.removeprefix("whsec_") not in guarded.server.said()
