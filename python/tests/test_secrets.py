"""A secret that cannot protect anything is an error at build time."""

import base64

import pytest
from signing import SECRET

import surehook
from surehook import ConfigurationError, Endpoint, Webhook, asgi, fastapi, flask

BUILDERS = {
    "Webhook": Webhook,
    "Endpoint": lambda secret: Endpoint(provider="clerk", signature_secret=secret),
    "fastapi": lambda secret: fastapi.with_webhook_monitoring(provider="clerk", signature_secret=secret),
    "middleware": lambda secret: asgi.WebhookMiddleware(
        None, path="/", provider="clerk", signature_secret=secret
    ),
    "flask": lambda secret: flask.with_webhook_monitoring(provider="clerk", signature_secret=secret),
    "verify": lambda secret: surehook.verify(provider="clerk", secret=secret, body=b"", headers={}),
}

WEAK = {
    "empty": "",
    "prefix alone": "whsec_",
    "blank": "   ",
    "one byte": "whsec_QQ==",
    "15 bytes": "whsec_" + base64.b64encode(b"x" * 15).decode(),
    "no base64": "whsec_not base64 at all, really not",
    "url-safe alphabet": "whsec_" + base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode(),
    "padding missing": SECRET.rstrip("="),
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
def test_a_weak_secret_is_refused_when_the_wrapper_is_built(builder, case):
    with pytest.raises(ConfigurationError) as caught:
        BUILDERS[builder](WEAK[case])
    assert caught.value.code in ("secret_invalid", "secret_missing")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("builder", ["Endpoint", "fastapi", "middleware", "flask"])
def test_a_missing_secret_names_the_environment_variable(builder, monkeypatch):
    monkeypatch.delenv("CLERK_WEBHOOK_SIGNING_SECRET", raising=False)
    monkeypatch.delenv("CLERK_WEBHOOK_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="CLERK_WEBHOOK_SIGNING_SECRET") as caught:
        BUILDERS[builder](None)
    assert caught.value.code == "secret_missing"


@pytest.mark.parametrize("value", ["", "whsec_", "not a secret"])
def test_a_bad_secret_in_the_environment_is_refused_too(monkeypatch, value):
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", value)
    with pytest.raises(ConfigurationError):
        Endpoint(provider="clerk")


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
