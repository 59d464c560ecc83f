"""`Webhook` and `verify`: signatures alone, in place of the classes from svix and standardwebhooks."""

import json
import time
from types import MappingProxyType

import pytest
import standardwebhooks
import svix
from signing import OTHER_SECRET, SECRET, event, signed

import surehook
from surehook import ConfigurationError, Webhook, WebhookVerificationError, verify

KNOWN_KEY = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
KNOWN_BODY = '{"email":"test@example.com","username":"test_user"}'
KNOWN_HEADERS = {
    "svix-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
    "svix-timestamp": "1649367553",
    "svix-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
}


@pytest.mark.parametrize("family", ["svix", "webhook"])
@pytest.mark.parametrize("payload", [event(), event(name="\u00e9\u4e16\U0001f600")])
def test_returns_the_parsed_body(family, payload):
    headers = signed(payload, family=family)
    assert Webhook(SECRET).verify(payload, headers) == json.loads(payload)
    assert Webhook(SECRET).verify(payload.encode(), headers) == json.loads(payload)


@pytest.mark.parametrize("package", [svix, standardwebhooks])
def test_accepts_and_refuses_what_the_official_class_does(package):
    body = event()
    family = "svix" if package is svix else "webhook"
    theirs, ours = package.Webhook(SECRET), Webhook(SECRET)
    good, bad = signed(body, family=family), signed(body, family=family, secret=OTHER_SECRET)
    theirs.verify(body, good)
    ours.verify(body, good)
    for receiver, error in (
        (theirs, package.webhooks.WebhookVerificationError),
        (ours, WebhookVerificationError),
    ):
        with pytest.raises(error):
            receiver.verify(body, bad)


def test_parses_like_json_loads():
    body = '{"a":[1,-2.5e3,true,null,"\\u00e9\\n",{"":{}}],"big":123456789012345678901234567890,"a2":0.1}'
    assert Webhook(SECRET).verify(body, signed(body)) == json.loads(body)


def test_parses_only_when_asked():
    body = event()
    assert Webhook(SECRET).verify(body, signed(body), json_parse=False) is None


@pytest.mark.parametrize(
    "shape",
    [
        lambda headers: {name.upper(): value for name, value in headers.items()},
        lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
        MappingProxyType,
        lambda headers: list(headers.items()),
        lambda headers: iter(headers.items()),
    ],
    ids=["upper case", "bytes", "mapping", "pairs", "iterator"],
)
def test_headers_come_in_many_shapes(shape):
    body = event()
    Webhook(SECRET).verify(body, shape(signed(body)))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_payload_may_be_any_kind_of_bytes(kind):
    body = event().encode()
    Webhook(SECRET).verify(kind(body), signed(body.decode()))


def test_several_secrets_while_they_are_rotated():
    body = event()
    for secret in (SECRET, OTHER_SECRET):
        Webhook([OTHER_SECRET, SECRET]).verify(body, signed(body, secret=secret))


def test_a_raw_key_as_bytes_like_svix():
    body = event()
    Webhook(b"a key that only tests may know!!").verify(body, signed(body))


def test_a_large_body_is_checked_whole():
    body = event(filler="x" * 200_000)
    headers = signed(body)
    Webhook(SECRET).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body[:-1] + " ", headers)


def refusal(body, headers, secret=SECRET):
    with pytest.raises(WebhookVerificationError) as caught:
        Webhook(secret).verify(body, headers)
    return caught.value


def test_a_refusal_carries_code_sentence_and_page():
    body = event()
    error = refusal(body, signed(body, secret=OTHER_SECRET))
    assert error.code == "signature_mismatch"
    assert str(error) == "No signature matches the body, the headers and the secrets of this endpoint."
    assert error.docs.endswith("signature_mismatch.md")
    assert error.diagnosis is None
    assert isinstance(error, surehook.SurehookError)


def test_a_str_whose_bytes_are_gone_is_refused():
    body = event()
    assert refusal(body + "\ud800", signed(body)).code == "body_unavailable"


@pytest.mark.parametrize("value", ["v1,\ud800", "v1,\u0660", "v1,\x00"])
def test_header_text_that_no_header_can_hold_is_refused(value):
    body = event()
    assert refusal(body, signed(body) | {"svix-signature": value}).code in (
        "malformed_signature",
        "signature_mismatch",
    )


@pytest.mark.parametrize("payload", [None, 5, {"type": "user.created"}, ["a"], object()])
def test_a_payload_that_is_no_body_is_a_type_error(payload):
    with pytest.raises(TypeError, match=type(payload).__name__):
        Webhook(SECRET).verify(payload, signed(event()))


@pytest.mark.parametrize(
    "headers", [None, 5, "svix-id: 1", b"x", [("a",)], [1], {"svix-id": 5}, {5: "x"}, {"a": None}]
)
def test_headers_that_are_no_headers_are_a_type_error(headers):
    with pytest.raises(TypeError, match="header"):
        Webhook(SECRET).verify(event(), headers)


@pytest.mark.parametrize("secret", [5, 1.5, object(), {"whsec_x": 1}, [5], [None]])
def test_a_secret_of_an_odd_type_is_a_type_error(secret):
    with pytest.raises(TypeError, match="secret"):
        Webhook(secret)


def test_verify_says_what_it_found():
    found = verify(provider="clerk", secret=KNOWN_KEY, body=KNOWN_BODY, headers=KNOWN_HEADERS, now=1649367600)
    assert found
    assert (found.valid, found.code, found.message, found.docs) == (True, None, None, None)
    assert (found.message_id, found.timestamp) == ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553)


def test_verify_says_what_is_wrong_instead_of_raising():
    found = verify(provider="clerk", secret=KNOWN_KEY, body=KNOWN_BODY, headers=KNOWN_HEADERS, diagnose=True)
    assert not found
    assert found.code == "timestamp_too_old"
    assert (found.diagnosis.finding, found.diagnosis.certainty) == ("clock_skew", "proved")
    assert found.docs.endswith("clock_skew.md")
    assert verify(provider="clerk", secret=KNOWN_KEY, body="\ud800", headers={}).code == "body_unavailable"


def test_verify_takes_a_tolerance():
    body, at = event(), time.time() - 1000
    arguments = {"provider": "svix", "secret": SECRET, "body": body, "headers": signed(body, at=at)}
    assert not verify(**arguments)
    assert verify(**arguments, tolerance=1200)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"provider": "clerkk"}, "unknown_provider"),
        ({"secret": []}, "secret_missing"),
        ({"secret": None}, "secret_missing"),
        ({"secret": "whsec_"}, "secret_invalid"),
        ({"tolerance": 0}, "invalid_option"),
        ({"tolerance": -1}, "invalid_option"),
        ({"tolerance": float("nan")}, "invalid_option"),
        ({"tolerance": float("inf")}, "invalid_option"),
        ({"now": float("nan")}, "invalid_option"),
    ],
)
def test_verify_raises_for_what_the_caller_got_wrong(wrong, code):
    arguments = {"provider": "clerk", "secret": SECRET, "body": b"", "headers": {}} | wrong
    with pytest.raises(ConfigurationError) as caught:
        verify(**arguments)
    assert caught.value.code == code
