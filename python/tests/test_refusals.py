"""A refusal: one answer for every reason, one line in the log, and no work for what is too large."""

import base64
import json
import logging
import time

import pytest
from servers import HTTP, ROOT
from signing import OTHER_SECRET, SECRET, event, signed

import surehook
from surehook import Endpoint

CODES = json.loads((ROOT / "tests" / "contract" / "codes.json").read_text())["reason_codes"]
FORM = {"content-type": "application/x-www-form-urlencoded"}


def without(name: str, body: str) -> dict[str, str]:
    return {own: value for own, value in signed(body).items() if own != name}


def twice(name: str, body: str) -> list[tuple[str, str]]:
    headers = signed(body)
    return [*headers.items(), (name, headers[name])]


ED25519 = f"v1a,{base64.b64encode(bytes(64)).decode()}"
#: For each reason: the guard, and headers that are refused for it.
REASONS = {
    "missing_header": ("clerk", lambda body: without("svix-signature", body)),
    "duplicate_header": ("clerk", lambda body: twice("svix-id", body)),
    "mixed_header_family": ("clerk", lambda body: signed(body) | signed(body, family="webhook")),
    "malformed_message_id": ("clerk", lambda body: signed(body, message_id="msg.1")),
    "malformed_timestamp": ("clerk", lambda body: signed(body) | {"svix-timestamp": "yesterday"}),
    "timestamp_too_old": ("clerk", lambda body: signed(body, at=time.time() - 1000)),
    "timestamp_too_new": ("clerk", lambda body: signed(body, at=time.time() + 1000)),
    "malformed_signature": ("clerk", lambda body: signed(body) | {"svix-signature": "v1 v1,"}),
    "too_many_signatures": ("clerk", lambda body: signed(body) | {"svix-signature": "v1,x " * 98 + "v1,x"}),
    "no_supported_version": ("clerk", lambda body: signed(body) | {"svix-signature": ED25519}),
    "signature_mismatch": ("clerk", lambda body: signed(body, secret=OTHER_SECRET)),
    "verifier_error": ("judged", lambda body: {"x-verdict": "raise"}),
}

#: No 401, or not of these applications.
ELSEWHERE = {"body_unavailable", "body_too_large", "secret_invalid", "secret_missing", "secret_unknown"}


def answered(schemes, guard: str, body: str, headers) -> tuple[int, list[tuple[str, str]], bytes]:
    """The whole answer, but for the server's clock."""
    answer = HTTP.post(schemes.url(guard), content=body, headers=headers)
    return answer.status_code, [pair for pair in answer.headers.items() if pair[0] != "date"], answer.content


def test_the_401_is_the_same_for_every_reason_and_the_log_tells_them_apart(schemes):
    body = event()
    answers = {code: answered(schemes, guard, body, made(body)) for code, (guard, made) in REASONS.items()}
    replayed = signed(body)
    assert answered(schemes, "once", body, replayed)[0] == 200
    answers["replayed"] = answered(schemes, "once", body, replayed)
    if "flask" in schemes.server.log.parent.name:  # an ASGI application has the body, or the sender is gone
        answers["body_unavailable"] = answered(schemes, "consumed", "a=1", signed("a=1") | FORM)
    joined = {"duplicate_header"} if schemes.wsgi else set()
    told = set(answers) - joined  # WSGI joins them: what comes out is no id
    assert set(answers) >= set(CODES) - ELSEWHERE
    (answer,) = {(status, tuple(headers), content) for status, headers, content in answers.values()}
    assert (answer[0], answer[2]) == (401, b'{"error":"invalid webhook signature"}')
    said = schemes.server.said()
    assert {code for code in CODES if f"rejected a request: {code}: " in said} >= told


def test_headers_over_their_limits_are_refused_before_any_signature_is_checked(schemes):
    body = event()
    good = signed(body)
    flood = " ".join(["v1," + base64.b64encode(b"x" * 32).decode()] * 70)
    for signature in (f"{good['svix-signature']} {flood}", f"{flood} {good['svix-signature']}"):
        assert answered(schemes, "clerk", body, good | {"svix-signature": signature})[0] == 401


def test_a_body_over_the_limit_is_refused_whoever_signed_it(schemes):
    body = event(filler="x" * 10_000)
    for headers in (signed(body), signed(body, secret=OTHER_SECRET), {}):
        status, _, content = answered(schemes, "clerk", body, headers)
        assert (status, content) == (413, b'{"error":"payload too large"}')


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def begin(endpoint: Endpoint, body: str, headers: dict[str, str]) -> surehook.Answer | surehook.Delivery:
    return endpoint.begin(method="POST", path="/", headers=raw(headers), body=body.encode())


def diagnosed(endpoint: Endpoint, body: str, headers: dict[str, str], lines) -> str:
    """The line of a diagnosed refusal. A process diagnoses five a second, and other tests have theirs."""
    while True:
        begin(endpoint, body, headers)
        if " Found: " in lines()[-1]:
            return lines()[-1]


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.WARNING, logger="surehook")

    def look() -> list[str]:
        texts = (record.getMessage() for record in caplog.records if record.name == "surehook")
        return [text for text in texts if "telemetry is off" not in text]

    return look


def test_the_log_says_in_one_line_what_was_found_and_what_mends_it(lines):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name="one line")
    body = event()
    compact = json.dumps(json.loads(body), separators=(",", ":"))
    line = diagnosed(endpoint, compact, signed(body), lines)
    assert line.startswith("one line: rejected a request: signature_mismatch: ")
    assert "body_reserialized (proved): " in line
    assert "await request.body() in FastAPI" in line
    assert line.endswith("/docs/diagnostics/body_reserialized.md")
    assert len(line.splitlines()) == 1


def test_a_refusal_without_a_finding_links_to_its_code(lines):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name="no finding")
    begin(endpoint, event(), signed(event(), secret=OTHER_SECRET) | {"svix-id": "msg_1"})
    (line,) = lines()
    assert "Found" not in line
    assert line.endswith("/docs/diagnostics/signature_mismatch.md")


@pytest.mark.parametrize(
    ("usual", "verdict"), [(-280, "the clock of this machine is off"), (0, "held back or replayed")]
)
def test_recent_good_requests_tell_a_wrong_clock_from_a_replay(lines, usual, verdict):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=f"drift {usual}")
    body = event()
    for _ in range(3):
        assert isinstance(begin(endpoint, body, signed(body, at=time.time() + usual)), surehook.Delivery)
    line = diagnosed(endpoint, body, signed(body, at=time.time() - 310), lines)
    assert "clock_skew (proved)" in line
    assert verdict in line


def test_the_secret_of_another_endpoint_is_found_by_the_name_of_that_endpoint(lines):
    own = Endpoint(provider="clerk", signature_secret=SECRET, name="sign-ups")
    other = Endpoint(provider="clerk", signature_secret=OTHER_SECRET, name="billing")
    body = event()
    assert 'of the endpoint "billing"' in diagnosed(own, body, signed(body, secret=OTHER_SECRET), lines)
    assert other.name == "billing"
    with pytest.raises(surehook.WebhookVerificationError) as caught:
        surehook.Webhook(SECRET).verify(body, signed(body, secret=OTHER_SECRET), diagnose=True)
    assert caught.value.diagnosis.finding == "secret_of_another_endpoint"
    assert caught.value.docs.endswith("/secret_of_another_endpoint.md")
