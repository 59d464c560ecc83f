"""What the providers' documents say beyond a signature: URLs, forms, time in a queue."""

import base64
import gzip
import hashlib
import hmac
import json
import time
import zlib
from urllib.parse import urlencode

import pytest

import surehook
from surehook import Answer, ConfigurationError, Delivery, Endpoint

KEY = "0123456789abcdef0123456789abcdef"
FORM = ("content-type", "application/x-www-form-urlencoded")


def raw(headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


def begin(endpoint: Endpoint, headers, body, path="/hook", **more) -> Answer | Delivery:
    content = body if isinstance(body, bytes) else body.encode()
    return endpoint.begin(method="POST", path=path, headers=raw(headers), body=content, **more)


def handled(endpoint: Endpoint, headers, body, path="/hook", **more) -> Delivery:
    delivery = begin(endpoint, headers, body, path, **more)
    assert isinstance(delivery, Delivery), delivery
    delivery.finish(status=200, headers=[], body=b"")
    return delivery


def mac(content: str, digest=hashlib.sha256) -> bytes:
    return hmac.digest(KEY.encode(), content.encode(), digest)


def twilio(url: str, members: dict[str, str]) -> list[tuple[str, str]]:
    content = url + "".join(name + members[name] for name in sorted(members))
    return [FORM, ("x-twilio-signature", base64.b64encode(mac(content, hashlib.sha1)).decode())]


CALL = {"CallSid": "CA1", "Digits": "1 2", "To": "+1800"}


def test_twilio_with_and_without_port_at_several_urls():
    urls = ["https://a.example/voice", "https://b.example:8443/voice"]
    endpoint = Endpoint(provider="twilio", signature_secret=KEY, url=urls, name="several urls")
    for number, signed in enumerate(
        [urls[0], "https://a.example:443/voice", urls[1], "https://b.example/voice"]
    ):
        members = CALL | {"CallSid": f"CA{number}"}
        handled(endpoint, twilio(f"{signed}?x=1", members), urlencode(members), "/voice?x=1")
    for forged in ("https://c.example/voice", "http://a.example/voice", "https://a.example:80/voice"):
        headers = [*twilio(forged, CALL), ("host", "c.example"), ("forwarded", "host=c.example;proto=https")]
        headers += [("x-forwarded-host", "c.example"), ("x-forwarded-proto", "https")]
        assert begin(endpoint, headers, urlencode(CALL), "/voice").status == 401


def test_a_second_url_that_fits_is_the_same_message():
    endpoint = Endpoint(
        provider="twilio",
        signature_secret=KEY,
        url=["https://a.example/v", "https://b.example/v"],
        name="same",
    )
    handled(endpoint, twilio("https://a.example/v", CALL), urlencode(CALL), "/v")
    again = begin(endpoint, twilio("https://b.example/v", CALL), urlencode(CALL), "/v")
    assert isinstance(again, Answer) and ("idempotent-replayed", "true") in [
        (name.lower(), value) for name, value in again.headers
    ]


def test_parameters_of_the_path():
    endpoint = Endpoint(
        provider="twilio", signature_secret=KEY, url="https://a.example/{tenant}/voice", name="tenants"
    )
    for tenant in ("acme", "b%20c"):
        members = CALL | {"CallSid": tenant}
        signed = twilio(f"https://a.example/{tenant}/voice", members)
        handled(endpoint, signed, urlencode(members), f"/{tenant}/voice")
        assert begin(endpoint, signed, urlencode(members), "/other/voice").status == 401


def test_urls_that_cannot_be_used():
    def build(url):
        return Endpoint(provider="twilio", signature_secret=KEY, url=url)

    for url in (
        ["https://a.example/", "https://b.example/", "https://c.example/"],
        "https://{host}/",
        "x",
        ["x"],
    ):
        with pytest.raises(ConfigurationError):
            build(url)
    for wrong in (5, [5], {"a": 1}):
        with pytest.raises((TypeError, ConfigurationError)):
            build(wrong)


def test_hubspot_decodes_what_its_page_lists():
    base, at = "https://a.example/hook", str(int(time.time() * 1000))
    endpoint = Endpoint(provider="hubspot", signature_secret=KEY, url=base)
    content = f"POST{base}?to=https://b.example/?x%3D1[]{at}"
    headers = [
        ("x-hubspot-signature-v3", base64.b64encode(mac(content)).decode()),
        ("x-hubspot-request-timestamp", at),
    ]
    handled(endpoint, headers, "[]", "/hook?to=https%3A%2F%2Fb.example%2F%3Fx%3D1")


def linear(**members) -> tuple[list[tuple[str, str]], str]:
    body = json.dumps({"webhookId": "w1", "createdAt": "2026-01-01T00:00:00.000Z"} | members)
    return [("linear-signature", mac(body).hex())], body


@pytest.mark.parametrize(
    ("members", "entity"),
    [
        ({"type": "Issue", "action": "create", "data": {"id": "i1"}}, "i1"),
        ({"type": "AppUserNotification", "action": "issueMention", "notification": {"id": "n1"}}, "n1"),
        ({"type": "AgentSessionEvent", "action": "created", "agentSession": {"id": "s1"}}, "s1"),
        ({"type": "IssueSLA", "action": "breached", "issueData": {"id": "i2"}}, "i2"),
        ({"type": "OAuthApp", "action": "revoked", "oauthClientId": "o1", "organizationId": "x"}, "o1"),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_a_retry_of_linear_is_known_whatever_the_event_is_about(members, entity):
    endpoint = Endpoint(provider="linear", signature_secret=KEY, name=f"linear {entity}")
    now = int(time.time() * 1000)
    delivery = handled(endpoint, *linear(**members, webhookTimestamp=now))
    assert delivery.entity_id == entity
    assert isinstance(begin(endpoint, *linear(**members, webhookTimestamp=now + 1)), Answer)
    other = {"createdAt": "2026-01-01T00:00:00.001Z"}
    handled(endpoint, *linear(**members | other, webhookTimestamp=now + 2))


def stripe(body: str, at: float | None = None) -> list[tuple[str, str]]:
    seconds = int(time.time() if at is None else at)
    return [("stripe-signature", f"t={seconds},v1={mac(f'{seconds}.{body}').hex()}")]


def test_a_thin_event_of_stripe_names_its_entity():
    endpoint = Endpoint(provider="stripe", signature_secret=KEY, name="thin")
    thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered"}
    body = json.dumps(thin | {"related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/v1/x"}})
    delivery = handled(endpoint, stripe(body), body)
    assert (delivery.message_id, delivery.entity_id, delivery.form) == ("evt_1", "mtr_1", None)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("garbage", "malformed_signature"),
        ("", "malformed_signature"),
        ("t={at},v0={mac}", "no_supported_version"),
        ("v1={mac}", "malformed_timestamp"),
        ("t={at}", "malformed_signature"),
    ],
)
def test_the_codes_of_stripes_header(header, code):
    value = header.format(at=int(time.time()), mac="0" * 64)
    found = surehook.verify(provider="stripe", secret=KEY, body="{}", headers={"stripe-signature": value})
    assert found.code == code


def github(body: str) -> list[tuple[str, str]]:
    return [("x-github-event", "push"), ("x-hub-signature-256", f"sha256={mac(body).hex()}")]


def slack(body: str) -> list[tuple[str, str]]:
    at = int(time.time())
    return [
        ("x-slack-request-timestamp", str(at)),
        ("x-slack-signature", f"v0={mac(f'v0:{at}:{body}').hex()}"),
    ]


def test_forms_are_handed_to_the_handler_parsed():
    hub = Endpoint(provider="github", signature_secret=KEY, name="hub forms")
    body = urlencode({"payload": json.dumps({"ref": "main", "text": "a&b=c"})})
    assert handled(hub, [FORM, *github(body)], body).form == {"ref": "main", "text": "a&b=c"}

    chat = Endpoint(provider="slack", signature_secret=KEY, name="chat forms")
    body = urlencode({"command": "/deploy", "text": "a b", "user_id": "U1"})
    command = handled(chat, [FORM, *slack(body)], body)
    assert command.form == {"command": "/deploy", "text": "a b", "user_id": "U1"}
    assert (command.event_type, command.entity_id) == ("/deploy", "U1")
    body = urlencode({"payload": json.dumps({"type": "block_actions", "user": {"id": "U2"}})})
    pressed = handled(chat, [FORM, *slack(body)], body)
    assert (pressed.form["type"], pressed.event_type, pressed.entity_id) == (
        "block_actions",
        "block_actions",
        "U2",
    )

    url = "https://a.example/sms"
    phone = Endpoint(provider="twilio", signature_secret=KEY, url=url, name="phone forms")
    assert handled(phone, twilio(url, CALL), urlencode(CALL), "/sms").form == CALL

    mail = Endpoint(provider="mailgun", signature_secret=KEY, name="mail forms")
    at = str(int(time.time()))
    members = {"timestamp": at, "token": "t1", "signature": mac(f"{at}t1").hex(), "event": "delivered"}
    posted = handled(mail, [FORM], urlencode(members))
    assert (posted.form, posted.message_id, posted.event_type) == (members, "t1", "delivered")


def test_a_signed_json_body_cannot_be_made_a_form():
    body = '{"title":"x&payload=%7B%22ref%22%3A%22forged%22%7D"}'
    endpoint = Endpoint(provider="github", signature_secret=KEY, name="no form")
    assert handled(endpoint, [FORM, *github(body)], body).form is None


def test_the_key_function_sees_what_a_form_holds():
    seen = []
    endpoint = Endpoint(
        provider="github",
        signature_secret=KEY,
        name="form keys",
        idempotency_key=lambda request, body, headers: seen.append(body) or body["ref"],
    )
    body = urlencode({"payload": '{"ref":"main"}'})
    handled(endpoint, [FORM, *github(body)], body)
    assert seen == [{"ref": "main"}]


def test_a_message_that_waited_in_a_queue():
    endpoint = Endpoint(provider="stripe", signature_secret=KEY, name="queue")
    hour_ago = time.time() - 3600
    body = '{"id":"evt_q","type":"a"}'
    assert begin(endpoint, stripe(body, hour_ago), body).status == 401
    handled(endpoint, stripe(body, hour_ago), body, received_at=hour_ago + 10)
    body = '{"id":"evt_r","type":"a"}'
    for received_at in (hour_ago + 400, time.time() + 10_000, 1_000_000_000):
        assert begin(endpoint, stripe(body, hour_ago), body, received_at=received_at).status == 401
    ahead = time.time() + 3600
    assert begin(endpoint, stripe(body, ahead), body, received_at=ahead).status == 401, "not later than now"
    long_ago = time.time() - 97 * 3600
    assert begin(endpoint, stripe(body, long_ago), body, received_at=long_ago).status == 401, (
        "not before 96 h"
    )
    request = {"provider": "stripe", "secret": KEY, "body": body, "headers": dict(stripe(body, hour_ago))}
    assert surehook.verify(**request).code == "timestamp_too_old"
    assert surehook.verify(**request, received_at=hour_ago).valid
    for wrong in ("now", [1]):
        with pytest.raises(TypeError, match="received_at"):
            surehook.verify(**request, received_at=wrong)


def standard(body: str, message_id: str) -> list[tuple[str, str]]:
    at = int(time.time())
    signature = base64.b64encode(mac(f"{message_id}.{at}.{body}")).decode()
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", f"v1,{signature}"),
    ]


@pytest.mark.parametrize(("on_in_flight", "waits"), [(None, True), ("answer", False)])
def test_polar_waits_for_the_answer_unless_told_otherwise(on_in_flight, waits):
    from concurrent.futures import ThreadPoolExecutor

    endpoint = Endpoint(
        provider="polar", signature_secret=KEY, name=f"polar {on_in_flight}", on_in_flight=on_in_flight
    )
    body, headers = "{}", standard("{}", "msg_1")
    first = begin(endpoint, headers, body)
    assert isinstance(first, Delivery)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(begin, endpoint, headers, body)
        if not waits:
            assert second.result().status == 409
        first.finish(status=201, headers=[], body=b"done")
        if waits:
            assert (second.result().status, second.result().body) == (201, b"done")


PACKED = {
    "provider": "acme",
    "secret": "utf8",
    "algorithm": "hmac_sha256",
    "signature": {"header": "x-acme"},
    "content": "{body}",
    "event_type": {"body": ["type"]},
    "signed_before_compression": True,
}


def test_a_body_that_was_signed_before_it_was_compressed():
    body = json.dumps({"type": "a", "filler": "x" * 500})
    headers = [("x-acme", mac(body).hex())]
    endpoint = Endpoint(scheme=PACKED, signature_secret=KEY, name="packed", max_body_bytes=len(body))
    ways = {
        "gzip": gzip.compress(body.encode(), 9),
        "deflate": zlib.compress(body.encode(), 1),
        "identity": body.encode(),
    }
    answers = [begin(endpoint, [*headers, ("content-encoding", how)], sent) for how, sent in ways.items()]
    first = answers.pop(0)
    assert isinstance(first, Delivery) and first.event_type == "a"
    assert [answer.status for answer in answers] == [409, 409], "one message, however it was packed"
    bomb = gzip.compress(b"0" * 10_000_000)
    for sent in (gzip.compress(body.encode() + b" "), bomb):
        assert begin(endpoint, [*headers, ("content-encoding", "gzip")], sent).status == 413
    assert begin(endpoint, [*headers, ("content-encoding", "gzip, gzip")], ways["gzip"]).status == 401
    request = {"scheme": PACKED, "secret": KEY, "body": ways["gzip"]}
    packed = surehook.verify(**request, headers=[*headers, ("content-encoding", "gzip")])
    plain = surehook.verify(**request | {"body": body}, headers=headers)
    assert packed.valid and packed.message_id == plain.message_id
    assert not surehook.verify(**request, headers=headers).valid
    small = surehook.verify(**request, headers=[*headers, ("content-encoding", "gzip")], max_body_bytes=100)
    assert small.code == "body_too_large"
