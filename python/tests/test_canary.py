"""A secret that is nowhere to be seen: no log at debug level, no error, no repr, no telemetry holds it."""

import base64
import json
import logging
import pickle
import subprocess
import sys
from urllib.parse import quote

import pytest
from conftest import APPS
from servers import HTTP, environment, gunicorn, running, uvicorn
from signing import OTHER_SECRET, event, new_id, signed

import surehook
from surehook import ConfigurationError, Endpoint, Webhook

KEY = b"canary?canary>canary~canary 1234"
CANARY = base64.b64encode(KEY).decode()
SECRET = f"whsec_{CANARY}"
FORMS = (
    *(CANARY, CANARY.rstrip("="), quote(CANARY, safe=""), base64.urlsafe_b64encode(KEY).decode()),
    *(KEY.decode(), KEY.hex(), base64.b64encode(SECRET.encode()).decode()),
)
TOKEN = "canary-token-of-the-subscription"


def unseen(text: str) -> None:
    found = [text[max(0, at - 60) : at] for form in (*FORMS, TOKEN) if (at := text.find(form)) >= 0]
    assert not found  # what stands before each


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def begin(endpoint: Endpoint, body: str, headers: dict[str, str], path: str = "/"):
    return endpoint.begin(method="POST", path=path, headers=raw(headers), body=body.encode())


def shown(value: object) -> str:
    """All that a log or a debugger would print of it."""
    parts = [repr(value), str(value), repr(getattr(value, "args", ""))]
    for name in getattr(value, "__slots__", ()) or getattr(value, "__dict__", {}):
        parts.append(repr(getattr(value, name)))
    return " ".join(parts)


def test_no_object_shows_it():
    options = {"signature_secret": SECRET, "name": "shown"}
    endpoint = Endpoint(provider="clerk", **options)
    verifier = Endpoint(provider="inhouse", signature_verifier=lambda *_: True, name="shown too")
    tokened = Endpoint(provider="meta", signature_secret=SECRET, verify_token=TOKEN)
    delivery = begin(endpoint, event(), signed(event(), secret=SECRET))
    for value in (endpoint, verifier, tokened, delivery, Webhook(SECRET), Webhook([OTHER_SECRET, SECRET])):
        unseen(shown(value))
        with pytest.raises((TypeError, AttributeError)):
            pickle.dumps(value)


WRONG = (
    *(f"{SECRET} ", f"'{SECRET}'", f"{SECRET}!", f"{SECRET}\n", f"\ufeff{SECRET}", SECRET + "\ud800"),
    *(f"sk_{CANARY}", f"whsk_{CANARY}", f"https://{CANARY}", f"${{{CANARY}}}", f"eyJ.{CANARY}", SECRET * 100),
)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("provider", ["clerk", "stripe", "sendgrid", "discord", "adyen", "polar"])
def test_no_error_shows_it(provider, wrong, caplog):
    caplog.set_level(logging.DEBUG)
    calls = (
        lambda: Webhook(wrong),
        lambda: Endpoint(provider=provider, signature_secret=wrong),
        lambda: surehook.verify(provider=provider, secret=wrong, body="{}", headers={}),
        lambda: Endpoint(scheme={"provider": "acme", "secret": wrong}),
    )
    for call in calls:
        try:
            call()
        except ConfigurationError as error:
            unseen(shown(error) + shown(error.__cause__) + shown(error.__context__))
    unseen(caplog.text)


def test_no_refusal_shows_it(caplog):
    caplog.set_level(logging.DEBUG)
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name="own")
    Endpoint(provider="clerk", signature_secret=OTHER_SECRET, name="other")
    body = event()
    compact = json.dumps(json.loads(body), separators=(",", ":"))
    good = signed(body, secret=SECRET)
    refused = [
        (compact, good),
        (body, signed(body, secret=OTHER_SECRET)),
        (body, good | {"svix-timestamp": "yesterday"}),
        (body, signed(body, secret=SECRET, at=1_700_000_000)),
        (body, good | {"svix-id": SECRET}),
        (body, good | {"svix-signature": f"v1,{SECRET}"}),
        (body, {}),
    ]
    for sent, headers in refused:
        answer = begin(endpoint, sent, headers)
        assert answer.status == 401
        unseen(repr(answer))
        with pytest.raises(surehook.WebhookVerificationError) as caught:
            Webhook(SECRET).verify(sent, headers)
        if SECRET not in str(headers):
            unseen(shown(caught.value))
        found = surehook.verify(provider="clerk", secret=SECRET, body=sent, headers=headers)
        unseen(repr(found.diagnosis) + str(found.message) + str(found.docs))
    delivery = begin(endpoint, body, signed(body, secret=SECRET, message_id=new_id()))
    delivery.failed(f"the key is {SECRET}")
    delivery.fail(RuntimeError(f"the key is {SECRET}"))
    unseen(caplog.text)
    assert "rejected a request" in caplog.text


def settings(recorder) -> dict[str, str]:
    return recorder.env | {"CLERK_WEBHOOK_SIGNING_SECRET": SECRET}


DELIVERIES = """if True:
    import json, logging, os
    logging.basicConfig(level=logging.DEBUG)
    import surehook
    from signing import OTHER_SECRET, event, signed

    SECRET = os.environ["CLERK_WEBHOOK_SIGNING_SECRET"]
    surehook.init()
    endpoint = surehook.Endpoint(provider="clerk", name="canary")
    def begin(body, headers, path="/hooks"):
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        return endpoint.begin(method="POST", path=path, headers=raw, body=body.encode())
    body = event()
    good = lambda: signed(body, secret=SECRET) | {"user-agent": SECRET, "authorization": f"Bearer {SECRET}"}
    begin(body, good()).fail(RuntimeError(f"no access with {SECRET}"))
    begin(body, good()).failed(f"the key is {SECRET}")
    delivery = begin(body, good(), f"/hooks/{SECRET}?token={SECRET}&{SECRET}=1")
    delivery.step(SECRET)
    delivery.finish(status=500, headers=[(b"x-key", SECRET.encode())], body=SECRET.encode())
    begin(json.dumps(json.loads(body), separators=(",", ":")), good())
    begin(body, good() | {"svix-signature": f"v1,{SECRET}"})
    begin(event(key=SECRET), signed(body, secret=OTHER_SECRET))
    assert surehook.flush(10)
    print(surehook.stats(), endpoint, delivery)
"""


def test_what_goes_to_a_collector_does_not_hold_it(recorder):
    env = environment(settings(recorder)) | {"PYTHONPATH": str(APPS.parent), "RUST_LOG": "trace"}
    done = subprocess.run(
        [sys.executable, "-c", DELIVERIES], env=env, capture_output=True, text=True, check=True
    )
    sent = "".join(recorder.batches)
    assert "body_reserialized" in sent and "no access with" in sent
    assert sum(len(json.loads(batch)["attempts"]) for batch in recorder.batches) == 6
    assert "rejected a request" in done.stderr
    unseen(sent + done.stdout + done.stderr)


@pytest.mark.parametrize(
    "command", [uvicorn("fastapi_app:app"), gunicorn("flask_app:app")], ids=["fastapi", "flask"]
)
def test_a_server_at_debug_level_never_says_it(recorder, tmp_path, command):
    with running(command, tmp_path / "log", settings(recorder), APPS) as server:
        body = event()
        seen = []
        for headers in (
            signed(body, secret=SECRET),
            signed(body, secret=OTHER_SECRET),
            signed(body, secret=SECRET) | {"svix-id": "msg.1"},
            {},
        ):
            for handler in ("plain", "failing"):
                answer = HTTP.post(f"{server.url}/hooks/{handler}", content=body, headers=headers)
                seen.append(f"{answer.headers} {answer.text}")
        server.stop()
        unseen(server.said() + "".join(seen) + "".join(recorder.batches))
        assert "signature_mismatch" in "".join(recorder.batches)
