"""The rows of tests/vectors through the built package: the verdict and the code that every language gives."""

import base64
import json
import logging

import pytest
from servers import ROOT
from signing import SECRET, event, new_id, signed

import surehook

VECTORS = ROOT / "tests" / "vectors"


def rows(name: str) -> list[dict]:
    return json.loads((VECTORS / f"{name}.json").read_text())["rows"]


def octets(text: str | dict) -> str | bytes:
    return base64.b64decode(text["base64"]) if isinstance(text, dict) else text


def named(row: dict) -> str:
    return row["id"]


@pytest.fixture(scope="module", autouse=True)
def say_how_many(pytestconfig):
    yield
    count = sum(len(rows(name)) for name in ("verify", "secrets", "outcomes"))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\nconformance python: {count} rows of {count}")


@pytest.mark.parametrize("row", rows("verify"), ids=named)
def test_verify(row):
    options = row["options"]
    found = surehook.verify(
        provider=row["provider"],
        secret=row["secrets"],
        body=base64.b64decode(row["body"]),
        headers=[(octets(name), octets(value)) for name, value in row["headers"]],
        tolerance=options.get("tolerance_seconds"),
        max_body_bytes=options.get("max_body_bytes"),
        now=row["now"],
    )
    expected = row["expect"]
    assert (found.valid, found.code) == (expected["valid"], expected.get("code"))
    if found.valid:
        assert found.message_id == expected["message_id"]
    else:
        assert found.message and found.docs.endswith(f"{found.code}.md")


@pytest.mark.parametrize("row", rows("secrets"), ids=named)
def test_secrets(row, caplog):
    caplog.set_level(logging.WARNING, logger="surehook")
    options = {"provider": row["provider"], "signature_secret": row["secret"], "name": "vectors"}
    if row["expect"] in ("ok", "ok_with_warning"):
        surehook.Endpoint(**options)
        assert bool(caplog.records) == (row["expect"] == "ok_with_warning")
        return
    with pytest.raises(surehook.ConfigurationError) as caught:
        surehook.Endpoint(**options)
    assert caught.value.code == row["expect"]
    assert row.get("says", "") in str(caught.value)


@pytest.mark.parametrize("row", rows("outcomes"), ids=named)
def test_outcomes(row):
    """What can be seen from outside: the answer that is replaced, and whether a retry is replayed."""
    given, expected = row["input"], row["expected"]
    options = {name: given[name] for name in OPTIONS if given.get(name) is not None}
    endpoint = surehook.Endpoint(
        provider="clerk", signature_secret=SECRET, name=f"row {row['id']}", **options
    )
    body = event(given["event_type"]) if given["event_type"] else "{}"
    message_id = new_id()
    delivery = begin(endpoint, body, message_id)
    assert delivery.event_type == given["event_type"]
    for call in given["handler"]:
        perform(delivery, call)
    if given["end"] == "error":
        delivery.fail(RuntimeError("no"))
        answer = None
    else:
        answer = delivery.finish(status=given["end"]["status"], headers=[], body=b"done")
    assert (answer and answer.status) == expected["answer_override"]
    retry = begin(endpoint, body, message_id)
    assert isinstance(retry, surehook.Answer) == expected["store_response"]


OPTIONS = ("steps", "require_processing_mark", "ignore", "on_silent_drop")


def begin(endpoint: surehook.Endpoint, body: str, message_id: str) -> surehook.Answer | surehook.Delivery:
    headers = [(name.encode(), value.encode()) for name, value in signed(body, message_id=message_id).items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())


def perform(delivery: surehook.Delivery, call: dict) -> None:
    if "step" in call:
        delivery.step(call["step"])
    elif call["mark"] == "processed":
        delivery.processed()
    else:
        delivery.failed(call["reason"])
