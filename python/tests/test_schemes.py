"""Other providers, schemes and verifiers of the user's own, and handshakes, on real servers."""

import base64
import hmac
import json
import sys
import time

import httpx
import pytest
from servers import HERE, HTTP
from signing import new_id

import surehook
from surehook import ConfigurationError, Endpoint
from surehook.flask import with_webhook_monitoring

sys.path.insert(0, str(HERE / "apps"))

from guards import ACME, KEY, PUBLIC_URL, VERIFY_TOKEN

REFUSED = b'{"error":"invalid webhook signature"}'


def mac(content: str, digest: str) -> bytes:
    return hmac.new(KEY.encode(), content.encode(), digest).digest()


def acme(body: str) -> dict[str, str]:
    at = str(int(time.time()))
    signature = base64.b64encode(mac(f"{at}:{body}", "sha512")).decode()
    return {"x-acme-signature": f"sha512={signature}", "x-acme-time": at}


def meta(body: str) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={mac(body, 'sha256').hex()}"}


def slack(body: str) -> dict[str, str]:
    at = str(int(time.time()))
    return {
        "x-slack-request-timestamp": at,
        "x-slack-signature": f"v0={mac(f'v0:{at}:{body}', 'sha256').hex()}",
    }


def square(body: str, query: str) -> dict[str, str]:
    signature = base64.b64encode(mac(f"{PUBLIC_URL}{query}{body}", "sha256")).decode()
    return {"x-square-hmacsha256-signature": signature}


def post(url: str, body: str, headers: dict[str, str]) -> httpx.Response:
    return HTTP.post(url, content=body, headers=headers)


def test_a_scheme_of_ones_own_verifies_names_and_de_duplicates(schemes):
    message_id = new_id()
    body = json.dumps({"event": {"id": message_id, "name": "order.paid"}})
    first = post(schemes.url("acme"), body, acme(body))
    assert first.json() == {"id": message_id, "type": "order.paid", "size": len(body)}
    retry = post(schemes.url("acme"), body, acme(body))
    assert (retry.content, retry.headers["idempotent-replayed"]) == (first.content, "true")
    assert post(schemes.url("acme"), body + " ", acme(body)).content == REFUSED


def test_the_query_is_part_of_a_signed_url(schemes):
    body, query = json.dumps({"event_id": new_id(), "type": "payment.created"}), "?tenant=7&name=Zo%C3%AB%2B"
    signed = square(body, query)
    assert post(schemes.url("square"), body, signed).content == REFUSED
    assert post(schemes.url("square") + query.replace("7", "8"), body, signed).content == REFUSED
    assert post(schemes.url("square") + query, body, signed).json()["type"] == "payment.created"


SUBSCRIBE = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158 + 201"}


def test_metas_subscription_is_answered_by_the_wrapper(schemes):
    answer = HTTP.get(schemes.url("meta"), params=SUBSCRIBE)
    assert (answer.status_code, answer.text) == (200, "1158 + 201")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "params",
    [
        {},
        SUBSCRIBE | {"hub.verify_token": "another"},
        SUBSCRIBE | {"hub.verify_token": ""},
        SUBSCRIBE | {"hub.mode": "unsubscribe"},
        {name: value for name, value in SUBSCRIBE.items() if name != "hub.challenge"},
    ],
)
def test_a_get_that_is_no_handshake_is_refused_like_any_unsigned_request(schemes, params):
    answer = HTTP.get(schemes.url("meta"), params=params)
    assert (answer.status_code, answer.content) == (401, REFUSED)
    assert HTTP.get(schemes.url("clerk"), params=params).content == REFUSED


def test_a_head_gets_no_handshake(schemes):
    answer = HTTP.head(schemes.url("meta"), params=SUBSCRIBE)
    assert (answer.status_code, answer.content) == (401, b"")


def test_the_events_of_a_provider_with_a_handshake_reach_the_handler(schemes):
    body = json.dumps({"object": "page", "entry": [{"id": new_id(), "changes": [{"field": "feed"}]}]})
    assert post(schemes.url("meta"), body, meta(body)).json()["type"] == "page.feed"


def test_slacks_question_is_answered_only_when_it_is_signed(schemes):
    body = json.dumps({"type": "url_verification", "challenge": new_id()})
    answer = post(schemes.url("slack"), body, slack(body))
    assert answer.json() == {"challenge": json.loads(body)["challenge"]}
    assert post(schemes.url("slack"), body, slack(body + " ")).content == REFUSED


def judged(schemes, verdict: str, body: str) -> httpx.Response:
    return post(schemes.url("judged"), body, {"x-verdict": verdict})


def test_a_verifier_that_says_true_accepts_and_the_body_names_the_message(schemes):
    body = json.dumps({"id": new_id(), "type": "invoice.sent"})
    assert judged(schemes, "true", body).json() == {
        "id": json.loads(body)["id"],
        "type": "invoice.sent",
        "size": len(body),
    }


def test_a_verifier_that_returns_a_text_accepts_and_names_the_message(schemes):
    message_id = new_id()
    first = judged(schemes, message_id, '{"id": 1}')
    assert first.json()["id"] == message_id
    assert judged(schemes, message_id, '{"id": 1}').headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("verdict", ["false", "none", "one", "empty", "bytes", "raise"])
def test_anything_else_refuses_and_tells_the_sender_nothing(schemes, verdict):
    answer = judged(schemes, verdict, "{}")
    assert (answer.status_code, answer.content) == (401, REFUSED)
    assert "verifier_error" in schemes.server.said()


def test_a_missing_header_in_the_verifier_refuses(schemes):
    assert post(schemes.url("judged"), "{}", {}).content == REFUSED


def test_a_body_over_the_limit_is_refused_before_the_verifier(schemes):
    assert judged(schemes, "true", "x" * 1001).status_code == 413
    assert 1001 not in HTTP.get(f"{schemes.server.url}/judged").json()
    judged(schemes, "true", "x" * 1000)
    assert 1000 in HTTP.get(f"{schemes.server.url}/judged").json()


async def judge_later(request, body, headers):
    return True


class Judge:
    async def __call__(self, request, body, headers):
        return True


@pytest.mark.parametrize("verifier", [judge_later, Judge()])
def test_flask_refuses_an_async_verifier_when_the_view_is_built(verifier):
    with pytest.raises(ConfigurationError, match="async") as caught:
        with_webhook_monitoring(provider="inhouse", signature_verifier=verifier)
    assert caught.value.code == "invalid_option"


def begun(endpoint: Endpoint, **changed: object) -> surehook.Answer | surehook.Delivery:
    request = {"method": "POST", "path": "/", "headers": [], "body": b"{}"} | changed
    return endpoint.begin(**request)


def test_a_coroutine_from_a_plain_function_refuses_where_nobody_awaits_it(caplog):
    endpoint = Endpoint(provider="inhouse", signature_verifier=lambda *given: judge_later(*given))
    assert begun(endpoint).status == 401
    assert "coroutine" in caplog.text


def test_a_verifier_is_not_asked_where_verification_is_off(caplog):
    def never(request, body, headers):
        raise AssertionError

    endpoint = Endpoint(provider="inhouse", signature_verifier=never, verification="off")
    assert isinstance(begun(endpoint), surehook.Delivery)
    assert "raised" not in caplog.text


def test_a_verifier_that_is_interrupted_passes_the_interrupt_on():
    def interrupted(request, body, headers):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun(Endpoint(provider="inhouse", signature_verifier=interrupted))


def test_a_verifier_gets_no_body_over_the_limit():
    seen = []
    endpoint = Endpoint(
        provider="inhouse", max_body_bytes=2, signature_verifier=lambda *given: seen.append(given)
    )
    assert begun(endpoint, body=b"{ }").status == 413
    assert begun(endpoint, body=surehook.MissingBody.TOO_LARGE).status == 413
    assert begun(endpoint, body=surehook.MissingBody.UNAVAILABLE).status == 401
    assert seen == []
    begun(endpoint, headers=[(b"X-Id", b"1")])
    assert seen == [(None, b"{}", {"x-id": "1"})]


def test_a_long_id_of_a_verifier_is_shortened():
    endpoint = Endpoint(provider="inhouse", signature_verifier=lambda *_: "m" * 5000)
    assert len(begun(endpoint).message_id) < 300


def test_verify_takes_a_scheme_too():
    body = json.dumps({"event": {"id": "evt_1"}})
    found = surehook.verify(scheme=ACME, secret=KEY, body=body, headers=acme(body))
    assert (found.valid, found.message_id) == (True, "evt_1")
    assert surehook.verify(scheme=ACME, secret=KEY.encode(), body=body, headers=acme(body))
    late = surehook.verify(scheme=ACME, secret=KEY, body=body, headers=acme(body), now=time.time() + 61)
    assert late.code == "timestamp_too_old"


def test_a_provider_that_signs_the_url_needs_it():
    with pytest.raises(ConfigurationError, match="public URL"):
        Endpoint(provider="square", signature_secret=KEY)
