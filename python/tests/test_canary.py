"""A secret that is nowhere to be seen: no log at debug level, no error, no repr, no telemetry holds it."""

import base64
import hashlib
import json
import logging
import pickle
import subprocess
import sys
from urllib.parse import quote

import pytest
from conftest import APPS
from redaction import filled, kinds
from servers import HTTP, environment, gunicorn, running, uvicorn
from signing import OTHER_SECRET, event, new_id, signed

import surehook
from surehook import ConfigurationError, Endpoint, Webhook, testing

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
            Webhook(SECRET).verify(sent, headers, diagnose=True)
        if SECRET not in str(headers):
            unseen(shown(caught.value))
        found = surehook.verify(provider="clerk", secret=SECRET, body=sent, headers=headers, diagnose=True)
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


def card(digits: str) -> str:
    """A card's number that starts so: its last digit is the check that Luhn's rule asks for."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(digits)]
    return digits + str(-sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10)


def coded(part: str) -> str:
    return base64.b64encode(part.encode()).decode()


#: Of each kind of credential its text, and what of that opens something, made from 24 random characters.
KINDS = {
    "webhook secret": lambda part: (f"whsec_{coded(part)}", coded(part)),
    "private key": lambda part: (f"whsk_{coded(part)}", coded(part)),
    "our own": lambda part: (f"shk_{part}", part),
    "stripe": lambda part: (f"sk_live_{part}", part),
    "restricted": lambda part: (f"rk_test_{part}", part),
    "openai": lambda part: (f"sk-proj-{part}", part),
    "bearer": lambda part: (f"Bearer {part}", part),
    "basic": lambda part: (f"Basic {coded(part)}", coded(part)),
    "jwt": lambda part: (f"eyJhbGciOiJIUzI1NiJ9.{coded(part)}.{part}", part),
    "github": lambda part: (f"ghp_{part}{part[:12]}", part),
    "gitlab": lambda part: (f"glpat-{part}", part),
    "google": lambda part: (f"AIza{part}{part[:11]}", part),
    "npm": lambda part: (f"npm_{part}", part),
    "sendgrid": lambda part: (f"SG.{part}.{part}", part),
    "url": lambda part: (f"postgres://app:{part}@db/prod", part),
    "assigned": lambda part: (f"password={part}", part),
    "quoted": lambda part: (f'"client_secret": "{part}"', part),
    "cookie": lambda part: (f"Cookie: session={part}", part),
    "signature": lambda part: (f"v1,{coded(part + part[:8])}", coded(part)[:30]),
    "card": lambda part: (card(f"4{int(part[:12], 16) % 10**14:014}"),) * 2,
    "pem": lambda part: (
        f"-----BEGIN PRIVATE KEY-----\n{coded(part)}\n-----END PRIVATE KEY-----",
        coded(part),
    ),
}


TEMPLATES = kinds()


def credential(place: str, kind: str) -> tuple[str, str]:
    if kind in TEMPLATES:
        return filled(TEMPLATES[kind], (place, kind))
    return KINDS[kind](hashlib.sha256(f"{place} {kind}".encode()).hexdigest()[:24])


#: Where a credential gets into a delivery; each has its own.
PLACES = (
    *("authorization", "header", "user agent", "query", "query name", "body", "named in the body", "answer"),
    *("error", "reason", "metadata", "named in metadata", "step", "error of a step", "later"),
)


def test_no_credential_from_any_place_is_on_the_wire(recorder):
    every = [*KINDS, *(kind for kind in TEMPLATES if kind not in KINDS)]
    assert len(every) >= 200 and len(every) * len(PLACES) >= 320
    before = surehook.stats().stored
    surehook.init(**{name[9:].lower(): value for name, value in recorder.env.items()})
    try:
        endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name="canaries", capture_body=True)
        for kind in every:
            deliver(endpoint, {place: credential(place, kind)[0] for place in PLACES})
        assert surehook.flush(10)
        assert surehook.stats().stored - before == 5 * len(every)
    finally:
        surehook.init(api_key="")
    wire = "".join(recorder.batches)
    assert "kept in the body" in wire and "kept in the answer" in wire and "a kept step" in wire
    seen = [
        (place, kind)
        for place in PLACES
        for kind in every
        # A header has no lines, so it cannot hold what is known by them.
        if not (kind == "multipart" and place in {"header", "user agent"})
        and ((opens := credential(place, kind)[1]) in wire or quote(opens, safe="") in wire)
    ]
    assert seen == []


def deliver(endpoint: Endpoint, texts: dict[str, str]) -> None:
    """Five attempts, with a credential in each place."""
    body = event(note=f"kept in the body: {texts['body']}", password=texts["named in the body"])
    path = f"/hooks?next={quote(texts['query'])}&{quote(texts['query name'])}=1"

    def start():
        headers = signed(body, secret=SECRET) | {
            "authorization": texts["authorization"],
            "x-anything": texts["header"].replace("\n", " "),
            "user-agent": texts["user agent"].replace("\n", " "),
        }
        return begin(endpoint, body, headers, path)

    delivery = start()
    delivery.step("a kept step")
    delivery.step(texts["step"])
    with pytest.raises(RuntimeError), delivery.step("in a block"):
        raise RuntimeError(texts["error of a step"])
    answer = json.dumps({"note": f"kept in the answer: {texts['answer']}"})
    delivery.finish(status=200, headers=[], body=answer.encode())
    start().fail(RuntimeError(f"it says {texts['error']}"))
    delivery = start()
    delivery.failed(texts["reason"], note=texts["metadata"], token=texts["named in metadata"])
    delivery.finish(status=200, headers=[], body=texts["answer"].encode())
    delivery = start()
    token = delivery.defer(60)
    delivery.finish(status=202, headers=[], body=b"")
    with surehook.deferred(token) as work:
        work.step(texts["later"])
        work.failed(texts["later"], note=texts["later"], secret=texts["later"])


def test_a_body_that_is_captured_lacks_the_paths_that_were_taken_out():
    body = event(email_addresses=[{"email_address": "ada@example.com"}], first_name="Ada")
    for capture, there, gone in (
        (None, [], ["Ada", "ada@example.com"]),
        (False, [], ["Ada", "ada@example.com"]),
        (True, ["Ada", "ada@example.com"], []),
        (["data.email_addresses"], ["Ada"], ["ada@example.com"]),
        (("data.first_name",), ["ada@example.com"], ["Ada"]),
        ({"keep": ["type", "data.first_name"]}, ["Ada", "user.created"], ["ada@example.com", "user_1"]),
        ({"keep": ["data"], "remove": ["data.*"]}, ["data"], ["Ada", "user_1"]),
    ):
        endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), capture_body=capture)
        with testing.capture() as captured:
            delivery = begin(endpoint, body, signed(body, secret=SECRET))
            delivery.finish(status=200, headers=[], body=b'{"ok": true}')
        attempt = captured.one()
        told = attempt.get("bodies", {}).get("request", "")
        assert all(text in told for text in there) and not any(text in told for text in gone), capture
        assert ("bodies" in attempt) == bool(capture)


def test_the_body_of_a_request_that_nobody_signed_is_never_told():
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), capture_body=True)
    with testing.capture() as captured:
        begin(endpoint, event(), signed(event(), secret=OTHER_SECRET))
    assert "bodies" not in captured.one()
