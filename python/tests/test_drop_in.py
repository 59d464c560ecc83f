"""`Webhook` in place of the classes of `svix` and `standardwebhooks`: their interface and tests."""

import inspect
import json
import random
from datetime import datetime, timedelta, timezone

import pytest
import standardwebhooks.webhooks
import svix.webhooks
from signing import OTHER_SECRET, SECRET

import surehook
from surehook import BodyNotJsonError, ConfigurationError, Webhook, WebhookVerificationError, webhooks

THEIRS = [svix.webhooks, standardwebhooks.webhooks]
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = '{"test": 2432232314}'
KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED_AT = 1614265330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def now(offset: float = 0) -> datetime:
    return datetime.now(tz=timezone.utc) + timedelta(seconds=offset)


def headers(body, secret=SECRET, at=None, message_id=MESSAGE_ID, names="webhook"):
    at = now() if at is None else at
    signature = standardwebhooks.webhooks.Webhook(secret).sign(message_id, at, body)
    return {
        f"{names}-id": message_id,
        f"{names}-timestamp": str(int(at.timestamp())),
        f"{names}-signature": signature,
    }


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda module: module.__name__)
def test_every_public_method_is_there_under_the_same_keywords(theirs):
    for name, method in inspect.getmembers(theirs.Webhook, inspect.isfunction):
        if name.startswith("_") and name != "__init__":
            continue
        expected = list(inspect.signature(method).parameters)[1:]
        ours = Webhook.__new__ if name == "__init__" else getattr(Webhook, name)
        offered = list(inspect.signature(ours).parameters)[1:]
        assert offered[: len(expected)] == expected, name
    missing = {name for name in vars(webhooks) if not name.startswith("_")}
    assert {"Webhook", "WebhookVerificationError", "hmac_data", "EmptyWebhookSecretError"} <= missing


def test_keywords():
    webhook = Webhook(whsecret=SECRET)
    assert webhook.verify(data=BODY, headers=headers(BODY)) == json.loads(BODY)
    assert webhook.verify(data=BODY, headers=headers(BODY), json_parse=False) is None


@pytest.mark.parametrize(
    "at",
    [
        datetime.fromtimestamp(SIGNED_AT, tz=timezone.utc),
        datetime.fromtimestamp(SIGNED_AT, tz=timezone.utc).replace(tzinfo=None),
        datetime.fromtimestamp(SIGNED_AT + 0.9, tz=timezone.utc),
        datetime.fromtimestamp(SIGNED_AT, tz=timezone(timedelta(hours=-8))),
    ],
    ids=["aware", "without a zone", "with a fraction", "another zone"],
)
def test_sign_gives_the_published_signature(at):
    assert Webhook("whsec_" + KEY).sign(msg_id=MESSAGE_ID, timestamp=at, data=BODY) == SIGNATURE
    assert Webhook(KEY).sign(MESSAGE_ID, at, BODY.encode()) == SIGNATURE


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda module: module.__name__)
def test_what_one_signs_the_other_verifies(theirs):
    generator = random.Random(7)
    ours, other = Webhook(SECRET), theirs.Webhook(SECRET)
    for _ in range(50):
        body = json.dumps({"a": generator.random(), "b": "é😀" * generator.randrange(4)}, ensure_ascii=False)
        at, message_id = now(generator.uniform(-200, 200)), f"msg_{generator.randrange(10**9)}"
        signature = ours.sign(message_id, at, body)
        assert signature == other.sign(message_id, at, body)
        sent = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp()))}
        other.verify(body, sent | {"webhook-signature": signature})
        assert ours.verify(body, sent | {"webhook-signature": signature}) == json.loads(body)


@pytest.mark.parametrize("message_id", ["", "msg.1", "msg 1", "msg\n1", "é", "x" * 257])
def test_sign_refuses_an_id_that_verify_refuses(message_id):
    with pytest.raises(ConfigurationError, match="malformed_message_id"):
        Webhook(SECRET).sign(message_id, now(), BODY)
    sent = headers(BODY, message_id=message_id)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, sent)


def test_sign_refuses_a_time_and_a_body_that_verify_refuses():
    webhook = Webhook(SECRET)
    with pytest.raises(ConfigurationError, match="malformed_timestamp"):
        webhook.sign(MESSAGE_ID, datetime(1969, 12, 31, tzinfo=timezone.utc), BODY)
    with pytest.raises(ConfigurationError, match="body_too_large"):
        webhook.sign(MESSAGE_ID, now(), "x" * (1024 * 1024 + 1))
    with pytest.raises(ConfigurationError):
        webhook.sign(MESSAGE_ID, now(), "\ud800")
    for wrong in (None, 1614265330, "2021-02-25"):
        with pytest.raises(TypeError, match="datetime"):
            webhook.sign(MESSAGE_ID, wrong, BODY)


def test_several_secrets_sign_with_the_first():
    at = now()
    expected = Webhook(OTHER_SECRET).sign(MESSAGE_ID, at, BODY)
    assert Webhook([OTHER_SECRET, SECRET]).sign(MESSAGE_ID, at, BODY) == expected


JSON_TEXTS = [
    '{"a":"\\ud800","b":["\\udfff"]}',
    "NaN",
    '{"big":1e400,"small":-0.0,"whole":123456789012345678901234567890}',
    "[" * 500 + "]" * 500,
    '{"a":1,"a":2}',
    '"text"',
    " null ",
]


@pytest.mark.parametrize("text", JSON_TEXTS)
def test_what_is_parsed_is_what_json_loads_gives(text):
    ours, theirs = Webhook(SECRET), standardwebhooks.webhooks.Webhook(SECRET)
    sent = headers(text)
    assert repr(ours.verify(text, sent)) == repr(theirs.verify(text, sent))
    assert repr(ours.verify(text.encode(), sent)) == repr(theirs.verify(text.encode(), sent))


@pytest.mark.parametrize("text", ["", "a=1", "[1,", "{'a':1}", '{"a":1} x', "\ufeff{}", "tru"])
def test_a_signed_body_that_is_no_json_raises_what_json_loads_raises(text):
    sent = headers(text)
    with pytest.raises(json.JSONDecodeError) as theirs:
        standardwebhooks.webhooks.Webhook(SECRET).verify(text, sent)
    with pytest.raises(json.JSONDecodeError) as ours:
        Webhook(SECRET).verify(text, sent)
    assert isinstance(ours.value, BodyNotJsonError) and isinstance(ours.value, surehook.SurehookError)
    assert (str(ours.value), ours.value.pos, ours.value.code) == (
        str(theirs.value),
        theirs.value.pos,
        "body_not_json",
    )
    assert Webhook(SECRET).verify(text, sent, json_parse=False) is None


def test_a_signed_body_that_is_no_text_or_too_deep_raises_too():
    webhook = Webhook(SECRET)
    for body in (b'{"a":"\xff"}', b"[" * 100_000):
        sent = headers("") | {"webhook-signature": webhook.sign(MESSAGE_ID, at := now(), body)}
        sent["webhook-timestamp"] = str(int(at.timestamp()))
        with pytest.raises(BodyNotJsonError):
            webhook.verify(body, sent)


def without(name: str, sent: dict) -> dict:
    return {own: value for own, value in sent.items() if not own.endswith(name)}


REFUSED = {
    "no id": lambda sent: without("-id", sent),
    "no time": lambda sent: without("-timestamp", sent),
    "no signature": lambda sent: without("-signature", sent),
    "a time that is none": lambda sent: {
        name: "hello" if name.endswith("p") else v for name, v in sent.items()
    },
    "another signature": lambda sent: {
        n: SIGNATURE if n.endswith("signature") else v for n, v in sent.items()
    },
    "a part of it": lambda sent: {n: v[:8] if n.endswith("signature") else v for n, v in sent.items()},
    "an empty one": lambda sent: {n: "v1," if n.endswith("signature") else v for n, v in sent.items()},
}


@pytest.mark.parametrize("names", ["svix", "webhook"])
@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_refuses_what_their_tests_refuse(names, change):
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, change(headers(BODY, names=names)))


@pytest.mark.parametrize("names", ["svix", "webhook"])
def test_accepts_what_their_tests_accept(names):
    sent = headers(BODY, names=names)
    wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    several = " ".join([wrong, wrong.replace("v1", "v2"), sent[f"{names}-signature"], wrong])
    for shape in (
        sent,
        {name.upper(): value for name, value in sent.items()},
        sent | {f"{names}-signature": several},
    ):
        assert Webhook(SECRET).verify(BODY, shape) == json.loads(BODY)
    for age in (-299, 299):
        Webhook(SECRET).verify(BODY, headers(BODY, at=now(age), names=names))
    for age in (-301.5, 302):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(BODY, headers(BODY, at=now(age), names=names))


@pytest.mark.parametrize("secret", ["", None, b"", "whsec_", []])
def test_an_empty_secret_is_an_error_under_their_name(secret):
    with pytest.raises(webhooks.EmptyWebhookSecretError):
        Webhook(secret)


def test_a_verifier_of_ones_own_can_raise_the_error_like_theirs():
    error = WebhookVerificationError("not this one")
    assert (str(error), error.code, error.diagnosis) == ("not this one", "verifier_error", None)
    assert str(WebhookVerificationError()) == ""


def test_the_helper_of_their_tests():
    for theirs in (standardwebhooks.webhooks,):
        assert webhooks.hmac_data(b"key", b"data") == theirs.hmac_data(b"key", b"data")


def test_the_class_can_be_extended_like_theirs():
    class Own(Webhook):
        def verify_text(self, body: str, sent: dict) -> object:
            return self.verify(body, sent)

    assert Own(SECRET).verify_text(BODY, headers(BODY)) == json.loads(BODY)


def test_verify_looks_for_the_cause_each_time_when_asked():
    webhook = Webhook(SECRET)
    sent = headers(BODY)
    causes = []
    for _ in range(50):
        with pytest.raises(WebhookVerificationError) as caught:
            webhook.verify(BODY + "\n", sent, diagnose=True)
        found = surehook.verify(provider="svix", secret=SECRET, body=BODY + "\n", headers=sent, diagnose=True)
        causes += [cause.finding for cause in (caught.value.diagnosis, found.diagnosis) if cause]
    # A busy machine may take the 5 ms of some away; the limit would leave five or ten.
    assert set(causes) == {"body_trailing_newline"} and len(causes) >= 40


def test_a_storm_of_forged_requests_is_diagnosed_five_times_a_second_at_most():
    webhook, sent = Webhook(SECRET), headers(BODY)
    diagnosed, begun = 0, now()
    for turn in range(4000):
        if turn % 2:
            found = surehook.verify(provider="svix", secret=SECRET, body=BODY + "\n", headers=sent)
            diagnosed += found.diagnosis is not None
        else:
            with pytest.raises(WebhookVerificationError) as caught:
                webhook.verify(BODY + "\n", sent)
            diagnosed += caught.value.diagnosis is not None
    assert diagnosed <= 5 * ((now() - begun).total_seconds() + 2)
