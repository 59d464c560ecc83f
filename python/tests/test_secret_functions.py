"""Secrets that a function gives for each request: routes of several tenants."""

import asyncio
import threading
import time

import pytest
from signing import OTHER_SECRET, SECRET, event, signed

from surehook import Answer, ConfigurationError, Delivery, Endpoint, SecretRequest, testing
from surehook.flask import with_webhook_monitoring

TENANTS = {"/one": SECRET, "/two": OTHER_SECRET}


def arrival(path="/one", secret=SECRET, message_id=None):
    body = event()
    headers = [
        (k.title().encode(), v.encode())
        for k, v in signed(body, secret=secret, message_id=message_id).items()
    ]
    return {"method": "POST", "path": path, "headers": headers, "body": body.encode()}


def sync_function(request):
    return TENANTS.get(request.path)


async def async_function(request):
    await asyncio.sleep(0)
    return TENANTS.get(request.path)


def begin(endpoint, how, **options):
    if how == "begin":
        return endpoint.begin(**arrival(**options))
    return asyncio.run(endpoint.begin_async(**arrival(**options)))


WAYS = [("begin", sync_function), ("begin_async", sync_function), ("begin_async", async_function)]


@pytest.mark.parametrize(("how", "function"), WAYS, ids=["sync", "sync awaited", "async"])
def test_each_tenant_is_verified_with_its_own_secret(how, function, monkeypatch):
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)  # it never stands in
    endpoint = Endpoint(provider="clerk", signature_secret=function, name=f"{how} {function.__name__}")
    endpoint.check()
    assert isinstance(begin(endpoint, how), Delivery)
    assert isinstance(begin(endpoint, how, path="/two", secret=OTHER_SECRET), Delivery)
    with testing.capture() as captured:
        assert begin(endpoint, how, path="/two").status == 401
        assert begin(endpoint, how, path="/nobody").status == 401
    codes = [attempt["verification"]["code"] for attempt in captured.attempts]
    assert codes == ["signature_mismatch", "secret_unknown"]


def test_the_function_sees_the_request_and_never_the_stream():
    seen = []
    endpoint = Endpoint(provider="clerk", signature_secret=lambda request: seen.append(request), name="sees")
    given = arrival("/one?a=1")
    endpoint.begin(**given)
    [request] = seen
    assert isinstance(request, SecretRequest)
    assert (request.method, request.path, request.body) == ("POST", "/one?a=1", given["body"])
    assert "svix-id" in request.headers and "Svix-Id" not in request.headers


def test_the_function_may_name_the_sender_and_give_several_secrets():
    def given(request):
        return {"secret": [OTHER_SECRET, SECRET], "sender": "tenant one"}

    delivery = Endpoint(provider="clerk", signature_secret=given, name="names").begin(**arrival())
    assert delivery.sender == "tenant one"
    unnamed = Endpoint(provider="clerk", signature_secret=lambda _: SECRET, name="unnamed").begin(**arrival())
    assert unnamed.sender is None


def raises(_):
    raise KeyError(SECRET)


FAULTS = {
    "raises": raises,
    "a number": lambda _: 5,
    "a list of numbers": lambda _: [5],
    "an unusable secret": lambda _: "whsec_short",
    "a sender that is no text": lambda _: {"secret": SECRET, "sender": 5},
    "a coroutine in a sync view": lambda request: async_function(request),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_function_that_fails_is_a_503(fault, caplog):
    endpoint = Endpoint(provider="clerk", signature_secret=FAULTS[fault], name=f"fails {fault}")
    with testing.capture() as captured:
        answer = endpoint.begin(**arrival())
    assert isinstance(answer, Answer)
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "30")
    attempt = captured.one()
    assert (attempt["outcome"], attempt["verification"]["code"]) == ("unavailable", "verifier_error")
    assert f"fails {fault}" in caplog.text
    assert all("whsec_" not in record.message for record in caplog.records)


@pytest.mark.parametrize("nothing", [None, "", [], {}, {"secret": None}])
def test_nothing_is_a_401_and_no_variable_stands_in(nothing, monkeypatch):
    monkeypatch.setenv("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
    endpoint = Endpoint(provider="clerk", signature_secret=lambda _: nothing, name="nothing")
    with testing.capture() as captured:
        assert endpoint.begin(**arrival()).status == 401
    assert captured.one()["verification"]["code"] == "secret_unknown"


def test_a_function_that_takes_too_long_is_not_waited_for():
    release = threading.Event()

    async def forever(request):
        await asyncio.Event().wait()

    for how, function in (("begin", lambda _: release.wait(30)), ("begin_async", forever)):
        endpoint = Endpoint(provider="clerk", signature_secret=function, name=f"slow {how}")
        began = time.monotonic()
        with testing.capture() as captured:
            assert begin(endpoint, how).status == 503
        assert 1.9 < time.monotonic() - began < 5
        assert captured.one()["verification"]["code"] == "verifier_error"
    release.set()


def test_64_calls_run_at_once_and_one_that_nobody_waits_for_still_counts():
    release = threading.Event()

    def hangs(request):
        release.wait(30)
        return SECRET

    endpoint = Endpoint(provider="clerk", signature_secret=hangs, name="64 at once")
    threads = [threading.Thread(target=lambda: endpoint.begin(**arrival())) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began = time.monotonic()
    assert endpoint.begin(**arrival()).status == 503
    assert time.monotonic() - began < 1, "it was not even called"
    release.set()
    while not isinstance(endpoint.begin(**arrival()), Delivery):
        assert time.monotonic() - began < 20


def test_the_secrets_of_tenants_are_tried_on_nobody_else_and_redacted():
    tenants = Endpoint(provider="clerk", signature_secret=lambda _: OTHER_SECRET, name="tenants")
    plain = Endpoint(provider="clerk", signature_secret=SECRET, name="plain")
    assert isinstance(tenants.begin(**arrival(secret=OTHER_SECRET)), Delivery)
    with testing.capture() as captured:
        assert plain.begin(**arrival(secret=OTHER_SECRET)).status == 401
        assert tenants.begin(**arrival(secret=SECRET)).status == 401
        delivery = tenants.begin(**arrival(secret=OTHER_SECRET))
        delivery.failed(f"it is {OTHER_SECRET}")
        delivery.finish(status=200, headers=[], body=b"")
    assert [attempt["verification"].get("diagnosis") for attempt in captured.attempts[:2]] == [None, None]
    assert OTHER_SECRET[6:] not in str(captured.attempts)


def test_what_nothing_can_await_is_refused_when_it_is_built():
    with pytest.raises(ConfigurationError, match="await"):
        with_webhook_monitoring(provider="clerk", signature_secret=async_function)


def test_a_body_over_the_limit_never_reaches_the_function():
    endpoint = Endpoint(provider="clerk", signature_secret=raises, max_body_bytes=5, name="limit")
    assert endpoint.begin(**arrival()).status == 413
