"""`surehook.testing`, as the tests of an application use it."""

import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from types import ModuleType

import django.test
import fastapi.testclient
import flask
import pytest
from servers import ROOT
from signing import SECRET, event, new_id

import surehook
from surehook import testing

PROVIDERS = json.loads((ROOT / "core" / "src" / "scheme" / "providers.json").read_text())["providers"]
#: The private key and the public one that belongs to it, for providers that sign with a pair.
PAIRS = {
    "ed25519_hex": (
        "0909090909090909090909090909090909090909090909090909090909090909",
        "fd1724385aa0c75b64fb78cd602fa1d991fdebf76b13c58ed702eac835e9f618",
    ),
    "p256_spki": (
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9ThScF5qrTA6OZPcNB4Hq8Crc0YBYzY/WqBqAdNWr/KhRANCAAT"
        "ipUsEALms8u6Qm0wpIJoFEHB6bXJIM55b7rJiCq/C1fwK1ABJpzl44wlbAtL7S3etUNR+vU4rsenCuew/KzDg",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4qVLBAC5rPLukJtMKSCaBRBwem1ySDOeW+6yYgqvwtX8CtQASac5eOMJWwLS+0t3"
        "rVDUfr1OK7HpwrnsPysw4A==",
    ),
}
URL = "https://example.com/hooks"
#: What a message must say for its provider to be one at all.
BODIES = {
    "hubspot": [{"eventId": 1, "subscriptionId": 2, "occurredAt": 3}],
    "adyen": {"notificationItems": [{"NotificationRequestItem": {"pspReference": "8515131751004933"}}]},
}


def keys(row: dict) -> tuple[str, str]:
    """The secret to sign with, and the endpoint's."""
    if row["secret"] in PAIRS:
        return PAIRS[row["secret"]]
    secret = testing.secret(row["provider"])
    return secret, secret


def begin(endpoint: surehook.Endpoint, request: testing.SignedRequest, **changed):
    parts = {"method": request.method, "path": request.path, "headers": request.headers, "body": request.body}
    parts |= changed
    parts["headers"] = [(name.encode(), value.encode()) for name, value in parts["headers"].items()]
    return endpoint.begin(**parts)


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row["provider"])
def test_an_endpoint_of_every_provider_accepts_what_is_built_and_nothing_else(row):
    provider = row["provider"]
    private, public = keys(row)
    endpoint = surehook.Endpoint(
        provider=provider, signature_secret=public, name=f"built {provider}", url=URL, dedup="off"
    )
    body = BODIES.get(provider, {"type": "user.created", "data": {"id": "user_1"}})
    request = testing.signed(provider, body, secret=private, url=URL)
    flipped = bytes([request.body[0], request.body[1] ^ 1, *request.body[2:]])
    names = [name for name in request.headers if "signature" in name or "hmac" in name or "token" in name]
    refused = [{"body": flipped}] if row["algorithm"] != "token" else []
    for name in names if row["signature"].get("body") is None else []:
        if name != "i-twilio-idempotency-token":  # it is not signed
            value = request.headers[name]
            at = len(value) // 2
            wrong = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
            refused.append({"headers": request.headers | {name: wrong}})
    assert refused
    for changed in refused:
        answer = begin(endpoint, request, **changed)
        assert isinstance(answer, surehook.Answer) and answer.status == 401, changed
    delivery = begin(endpoint, request)
    assert isinstance(delivery, surehook.Delivery), delivery
    delivery.finish(status=200, headers=[], body=b"")


def test_bytes_are_signed_as_they_are():
    raw = b'{ "id": "evt_1", "type": "user.created",\r\n"data": {} }'
    for provider in ("clerk", "stripe", "github"):
        request = testing.signed(provider, raw, secret=testing.secret(provider))
        assert request.body == raw
    form = testing.signed("twilio", "From=%2B1&Body=hi", secret=testing.secret("twilio"), url=URL)
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.url == URL
    binary = testing.signed("github", b"\xff\x00", secret=testing.secret("github"))
    assert binary.headers["content-type"] == "application/octet-stream"


def test_the_parts_of_a_request_are_those_that_were_asked_for():
    request = testing.signed(
        "clerk",
        event(),
        secret=SECRET,
        message_id="msg_own",
        timestamp=1_700_000_000,
        method="PUT",
        url="https://example.com/hooks?tenant=1",
        headers={"X-Tenant": "acme", "Content-Type": "text/plain"},
    )
    assert (request.method, request.url, request.path) == (
        "PUT",
        "https://example.com/hooks?tenant=1",
        "/hooks?tenant=1",
    )
    assert request.headers["svix-id"] == "msg_own"
    assert request.headers["svix-timestamp"] == "1700000000"
    assert (request.headers["x-tenant"], request.headers["content-type"]) == ("acme", "text/plain")
    assert testing.signed("clerk", event(), secret=SECRET).path == "/"


def test_a_scheme_of_ones_own_signs_too():
    scheme = {
        "provider": "acme",
        "secret": "utf8",
        "algorithm": "hmac_sha256",
        "signature": {"header": "x-acme-signature"},
        "content": "{body}",
    }
    secret = testing.secret(scheme)
    request = testing.signed(scheme, {"id": 1}, secret=secret)
    assert surehook.verify(scheme=scheme, secret=secret, body=request.body, headers=request.headers)
    assert not surehook.verify(scheme=scheme, secret=secret, body=b"{}", headers=request.headers)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: testing.signed("nobody", {}, secret="x"), "nobody"),
        (lambda: testing.signed("clerk", {}, secret="too short"), "secret"),
        (lambda: testing.signed("discord", {}, secret="no key"), "hex"),
        (lambda: testing.signed("adyen", b"not json", secret="00" * 32), "signs inside the body"),
        (lambda: testing.signed("mailgun", b"[]", secret="0123456789abcdef"), "signs inside the body"),
        (lambda: testing.signed("clerk", {}, secret=SECRET, timestamp=float("inf")), "seconds since 1970"),
        (lambda: testing.secret("nobody"), "nobody"),
        (lambda: testing.secret("discord"), "private key"),
        (lambda: testing.secret("sendgrid"), "private key"),
    ],
)
def test_what_cannot_be_signed_is_an_error_that_says_why(call, says):
    with pytest.raises(surehook.ConfigurationError, match=says):
        call()


def test_the_secrets_are_new_each_time():
    assert testing.secret("clerk").startswith("whsec_")
    assert testing.secret("github") != testing.secret("github")


def endpoint(**options) -> surehook.Endpoint:
    return surehook.Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), **options)


def handle(to: surehook.Endpoint, **options) -> surehook.Answer | surehook.Delivery:
    return begin(to, testing.signed("clerk", event(), secret=SECRET, **options))


def test_an_attempt_is_captured_in_the_form_of_the_wire():
    with testing.capture() as captured:
        delivery = handle(endpoint(), message_id="msg_1")
        delivery.step("create_profile")
        delivery.finish(status=200, headers=[], body=b"ok")
        attempt = captured.one()
        assert (attempt["outcome"], attempt["status"], attempt["message_id"]) == ("processed", 200, "msg_1")
        assert [step["name"] for step in attempt["steps"]] == ["create_profile"]
        captured.clear()
        assert captured.attempts == []
        assert surehook.stats().recorded == 1


def test_one_lists_what_there_is():
    with testing.capture() as captured:
        with pytest.raises(AssertionError, match="0 attempts"):
            captured.one()
        for _ in range(2):
            handle(endpoint()).finish(status=500, headers=[], body=b"")
        with pytest.raises(AssertionError, match=r"(?s)2 attempts.*user.created.*failed 500.*failed 500"):
            captured.one()


def test_a_client_of_the_application_is_back_after_the_block_and_never_asked_inside():
    surehook.init(api_key="shk_nobody", endpoint="http://127.0.0.1:9")
    before = surehook.stats()
    with testing.capture() as outer:
        handle(endpoint()).finish(status=200, headers=[], body=b"")
        surehook.init(api_key="shk_another", endpoint="http://127.0.0.1:9")  # as an application factory does
        handle(endpoint()).finish(status=200, headers=[], body=b"")
        with testing.capture() as inner:
            handle(endpoint()).finish(status=200, headers=[], body=b"")
        handle(endpoint()).finish(status=200, headers=[], body=b"")
        assert (len(outer.attempts), len(inner.attempts)) == (3, 1)
    assert surehook.stats() == before
    surehook.init(api_key="")


def test_before_send_is_asked_for_what_is_captured(caplog):
    def before_send(attempt):
        match attempt["message_id"]:
            case "drop":
                return None
            case "raise":
                raise LookupError("no such thing")
            case "wrong":
                return {"endpoint": "nothing else"}
        return attempt | {"entity_id": "hidden"}

    with testing.capture(before_send=before_send) as captured:
        for name in ("keep", "drop", "raise", "wrong"):
            handle(endpoint(), message_id=name).finish(status=200, headers=[], body=b"")
        assert captured.one()["entity_id"] == "hidden"
        assert surehook.stats().dropped == {"before_send": 3}
    assert "before_send failed with LookupError" in caplog.text
    assert "what it returned is no attempt" in caplog.text


def test_the_before_send_of_the_application_is_asked_wherever_it_came_from():
    def outcome() -> list[str]:
        captured.clear()
        handle(endpoint()).finish(status=200, headers=[], body=b"")
        return [attempt["entity_id"] for attempt in captured.attempts]

    surehook.init(
        "shk_nobody", "http://127.0.0.1:9", before_send=lambda attempt: attempt | {"entity_id": "b"}
    )
    with testing.capture() as captured:
        assert outcome() == ["b"]
        surehook.init("shk_nobody", "http://127.0.0.1:9", before_send=lambda attempt: None)
        assert outcome() == []
        surehook.init("shk_nobody", "http://127.0.0.1:9")
        assert outcome() == ["user_1"]
    surehook.init(api_key="")


def test_the_clock_stands_still_and_moves_when_it_is_told_to():
    old = datetime(2020, 1, 1, tzinfo=timezone.utc)
    to = endpoint()
    request = testing.signed("clerk", event(), secret=SECRET, timestamp=old)
    assert begin(to, request).status == 401, "it is years too old"
    with testing.frozen(old) as clock, testing.capture() as captured:
        begin(to, request).finish(status=200, headers=[], body=b"")
        assert captured.one()["received_at"] == old.timestamp() * 1e6
        clock.tick(301)
        assert begin(to, request).status == 401
        clock.tick(-1)
        assert begin(to, request).status == 200, "a replay"
        assert clock.now.timestamp() == old.timestamp() + 300
        with testing.frozen(0) as other:
            assert testing.signed("clerk", "", secret=SECRET).headers["svix-timestamp"] == "0"
            other.tick(1.5)
        assert surehook.verify(
            provider="clerk", secret=SECRET, body=request.body, headers=request.headers
        ).valid
    assert abs(int(testing.signed("clerk", "", secret=SECRET).headers["svix-timestamp"]) - time.time()) < 5


def test_a_remembered_message_is_forgotten_when_its_time_is_over():
    to = endpoint(dedup_ttl=3600)
    with testing.frozen() as clock:
        handle(to, message_id="msg_1").finish(status=200, headers=[], body=b"")
        assert isinstance(handle(to, message_id="msg_1"), surehook.Answer)
        clock.tick(3601)
        assert isinstance(handle(to, message_id="msg_1"), surehook.Delivery)


def test_nothing_of_it_is_loaded_by_an_application():
    code = "import sys, surehook; sys.exit('surehook.testing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


OPTIONS = {"provider": "clerk", "signature_secret": SECRET, "steps": {"user.created": ["create_profile"]}}


@pytest.fixture(params=["fastapi", "flask", "django"])
def client(request):
    """Posts a request with the framework's own test client; the status of the answer."""
    return request.getfixturevalue(f"{request.param}_client")


@pytest.fixture
def fastapi_client():
    from surehook.fastapi import with_webhook_monitoring

    app = fastapi.FastAPI()

    @app.post("/hooks")
    @with_webhook_monitoring(**OPTIONS, name="fastapi test")
    async def hooks(delivery):
        delivery.step("create_profile" if delivery.entity_id == "user_1" else "nothing")

    with fastapi.testclient.TestClient(app) as client:
        yield lambda request: client.post("/hooks", content=request.body, headers=request.headers).status_code


@pytest.fixture
def flask_client():
    from surehook.flask import with_webhook_monitoring

    app = flask.Flask(__name__)

    @app.post("/hooks")
    @with_webhook_monitoring(**OPTIONS, name="flask test")
    def hooks(delivery):
        delivery.step("create_profile" if delivery.entity_id == "user_1" else "nothing")
        return ""

    client = app.test_client()
    yield lambda request: client.post("/hooks", data=request.body, headers=request.headers).status_code


@pytest.fixture
def django_client():
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    from surehook.django import with_webhook_monitoring

    @with_webhook_monitoring(**OPTIONS, name="django test")
    def hooks(request, delivery):
        delivery.step("create_profile" if delivery.entity_id == "user_1" else "nothing")
        return HttpResponse()

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="only tests may know")
        django.setup()
    urls = ModuleType("urls")
    urls.urlpatterns = [path("hooks", hooks)]
    with django.test.override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"]):
        client = django.test.Client()
        yield (
            lambda request: (
                client.post(
                    "/hooks",
                    data=request.body,
                    content_type=request.headers["content-type"],
                    headers=request.headers,
                ).status_code
            )
        )


def test_the_test_client_of_a_framework_takes_a_signed_request(client):
    for entity, outcome, missing in (
        ("user_1", "processed", []),
        ("user_2", "silent_drop", ["create_profile"]),
    ):
        with testing.capture() as captured:
            request = testing.signed("clerk", json.loads(event(entity=entity)), secret=SECRET)
            assert client(request) == 200
            attempt = captured.one()
        assert (attempt["outcome"], attempt.get("missing_steps", [])) == (outcome, missing)
    with testing.capture() as captured:
        forged = testing.signed("clerk", {}, secret=testing.secret("clerk"))
        assert client(forged) == 401
        assert captured.one()["verification"]["code"] == "signature_mismatch"
