"""A secret that cannot protect anything is refused where it is needed, and lets nothing through."""

import base64
import logging

import pytest
from signing import SECRET, event, signed

import surehook
from surehook import Answer, ConfigurationError, Delivery, Endpoint, Webhook

BUILDERS = {
    "Webhook": Webhook,
    "Endpoint": lambda secret: Endpoint(provider="clerk", signature_secret=secret).check(),
    "verify": lambda secret: surehook.verify(provider="clerk", secret=secret, body=b"", headers={}),
}

WEAK = {
    "empty": "",
    "prefix alone": "whsec_",
    "blank": "   ",
    "one byte": "whsec_QQ==",
    "15 bytes": "whsec_" + base64.b64encode(b"x" * 15).decode(),
    "no base64": "whsec_not base64 at all, really not",
    "two alphabets": "whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 15).decode() + "+///",
    "space around": f" {SECRET} ",
    "newline after": f"{SECRET}\n",
    "quotes around": f'"{SECRET}"',
    "unexpanded variable": "${CLERK_WEBHOOK_SIGNING_SECRET}",
    "API key": "sk_live_51Habcdefghijklmnopqrstuvwxyz0123456789",
    "private signing key": "whsk_" + base64.b64encode(b"x" * 32).decode(),
    "several, one empty": [SECRET, ""],
    "empty list": [],
    "surrogate": "whsec_\ud800",
}


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("case", WEAK)
def test_a_weak_secret_is_refused_when_it_is_needed(builder, case):
    with pytest.raises(ConfigurationError) as caught:
        BUILDERS[builder](WEAK[case])
    assert caught.value.code in ("secret_invalid", "secret_missing")
    assert isinstance(caught.value, ValueError)


def begin(endpoint, message_id=None):
    body = event()
    headers = [(k.encode(), v.encode()) for k, v in signed(body, message_id=message_id).items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())


@pytest.fixture
def no_variables(monkeypatch):
    for name in ("CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"):
        for variable in (name, f"{name}_PREVIOUS"):
            monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("case", [*WEAK, "none", "a list with a hole"])
def test_without_a_secret_that_can_be_used_every_request_gets_a_503(case, no_variables):
    secret = (WEAK | {"none": None, "a list with a hole": [SECRET, None]})[case]
    endpoint = Endpoint(provider="clerk", signature_secret=secret, name=f"unusable {case}")
    answer = begin(endpoint)
    assert isinstance(answer, Answer)
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "30")
    assert b"secret" not in answer.body
    assert endpoint.dedup_counts().new == 0


def test_a_missing_secret_names_the_environment_variable(no_variables, caplog):
    endpoint = Endpoint(provider="clerk", name="names its variable")
    assert not caplog.records, "nobody serves yet"
    with pytest.raises(ConfigurationError, match="CLERK_WEBHOOK_SIGNING_SECRET") as caught:
        endpoint.check()
    assert caught.value.code == "secret_missing"
    for _ in range(3):
        begin(endpoint)
    [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "names its variable" in line.message and "CLERK_WEBHOOK_SIGNING_SECRET" in line.message


def test_an_endpoint_works_as_soon_as_its_secret_is_there(monkeypatch, no_variables):
    endpoint = Endpoint(provider="clerk", name="comes later")
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
    assert isinstance(begin(endpoint), Delivery)


def test_other_secrets_are_taken_without_a_restart(no_variables):
    endpoint = Endpoint(provider="clerk", signature_secret="whsec_" + "A" * 32, name="rotates")
    assert begin(endpoint).status == 401
    endpoint.set_secrets([SECRET, "whsec_" + "A" * 32])
    assert isinstance(begin(endpoint), Delivery)
    for unusable in ("", [], "whsec_short", [SECRET, ""]):
        with pytest.raises(ConfigurationError):
            endpoint.set_secrets(unusable)
        assert isinstance(begin(endpoint), Delivery)
    with pytest.raises(TypeError):
        endpoint.set_secrets(5)
    own = Endpoint(provider="inhouse", signature_verifier=lambda *_: True)
    with pytest.raises(ConfigurationError, match="signature_secret"):
        own.set_secrets(SECRET)


def test_two_secrets_of_the_environment(monkeypatch, no_variables):
    other = "whsec_" + "A" * 32
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", f"{other}, {SECRET}")
    assert isinstance(begin(Endpoint(provider="clerk", name="both")), Delivery)
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", other)
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET_PREVIOUS", SECRET)
    assert isinstance(begin(Endpoint(provider="clerk", name="previous")), Delivery)
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", "")
    assert begin(Endpoint(provider="clerk", name="previous alone")).status == 503


def test_an_empty_variable_falls_through_with_one_warning(monkeypatch, no_variables, caplog):
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", "")
    monkeypatch.setenv("CLERK_WEBHOOK_SECRET", SECRET)
    endpoint = Endpoint(provider="clerk", name="falls through")
    assert isinstance(begin(endpoint), Delivery)
    begin(endpoint)
    assert len([r for r in caplog.records if "CLERK_WEBHOOK_SIGNING_SECRET is empty" in r.message]) == 1


PAYSTACK = {
    "provider": "paystack",
    "secret": "utf8",
    "algorithm": "hmac_sha512",
    "signature": {"header": "x-paystack-signature"},
    "content": "{body}",
}


@pytest.mark.parametrize("secret", ["sk_live_0123456789abcdef0123456789", "my cat", "$ecret, quite long"])
def test_a_secret_that_the_user_chose_is_warned_about(secret, caplog):
    Endpoint(scheme=PAYSTACK, signature_secret=secret, name="chosen").check()
    Endpoint(provider="github", signature_secret=secret, name="chosen").check()
    assert len(caplog.records) >= 2
    assert secret not in caplog.text


@pytest.mark.parametrize("value", ["", "whsec_", "not a secret"])
def test_a_bad_secret_in_the_environment_is_refused_too(monkeypatch, value):
    monkeypatch.delenv("CLERK_WEBHOOK_SECRET", raising=False)
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", value)
    with pytest.raises(ConfigurationError, match="CLERK_WEBHOOK_SIGNING_SECRET"):
        Endpoint(provider="clerk").check()


@pytest.mark.parametrize("name", ["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"])
def test_the_secret_comes_from_the_environment(monkeypatch, name):
    monkeypatch.delenv("CLERK_WEBHOOK_SIGNING_SECRET", raising=False)
    monkeypatch.setenv(name, SECRET)
    assert Endpoint(provider="clerk").provider == "clerk"


OPTIONS = {
    "provider": "nobody",
    "tolerance": 0,
    "dedup": "carrier-pigeon://",
    "dedup_ttl": 5,
    "reject_status": 200,
    "max_body_bytes": 0,
    "on_silent_drop": "ignore",
    "on_id_reuse": "panic",
    "on_unsigned_id": "panic",
    "verification": "maybe",
    "event_type_field": "a..b",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_impossible_option_is_refused_by_name(option):
    options = {"provider": "clerk", "signature_secret": SECRET, option: OPTIONS[option]}
    with pytest.raises(ConfigurationError, match=option):
        Endpoint(**options)


def test_an_unknown_option_and_a_wrong_key_function_are_type_errors():
    with pytest.raises(TypeError, match="signing_secret"):
        Endpoint(provider="clerk", signing_secret=SECRET)
    with pytest.raises(TypeError, match="idempotency_key"):
        Endpoint(provider="clerk", signature_secret=SECRET, idempotency_key="svix-id")
