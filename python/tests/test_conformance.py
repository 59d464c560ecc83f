"""The rows of tests/vectors through the built package: the verdict and the code that every language gives."""

import base64
import gc
import json
import logging
from collections import Counter

import pytest
from servers import ROOT
from signing import SECRET, event, new_id, signed

import surehook
from surehook import testing

VECTORS = ROOT / "tests" / "vectors"
PROVIDERS = json.loads((ROOT / "core" / "src" / "scheme" / "providers.json").read_text())["providers"]
SIGNS_URL = {row["provider"] for row in PROVIDERS if "{url}" in row["content"]}
FILES = ("verify", "secrets", "diagnosis", "outcomes", "dedup")

executed: Counter[str] = Counter()


def rows(name: str) -> list[dict]:
    return json.loads((VECTORS / f"{name}.json").read_text())["rows"]


def octets(text: str | dict) -> str | bytes:
    return base64.b64decode(text["base64"]) if isinstance(text, dict) else text


def named(row: dict) -> str:
    return row["id"]


@pytest.fixture(scope="module", autouse=True)
def say_how_many(pytestconfig):
    gc.collect()  # the endpoints of other tests would be tried on the requests of these
    yield
    counts = ", ".join(f"{name} {executed[name]} of {len(rows(name))}" for name in FILES)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\nconformance python: {counts} rows")


def verified(row: dict, *, diagnose: bool = False) -> surehook.Verification:
    options = row["options"]
    return surehook.verify(
        provider=row["provider"],
        secret=row["secrets"],
        body=base64.b64decode(row["body"]),
        headers=[(name, octets(value)) for name, value in row["headers"]],
        method=row.get("method"),
        url=row.get("url"),
        tolerance=options.get("tolerance_seconds"),
        max_body_bytes=options.get("max_body_bytes"),
        now=row["now"],
        diagnose=diagnose,
    )


@pytest.mark.parametrize("row", rows("verify"), ids=named)
def test_verify(row):
    found, expected = verified(row), row["expect"]
    assert (found.valid, found.code) == (expected["valid"], expected.get("code"))
    if found.valid:
        assert found.message_id == expected["message_id"]
        assert found.diagnosis is None
    else:
        assert found.message and found.docs.endswith(page(found))
    executed["verify"] += 1


def page(found: surehook.Verification) -> str:
    return f"/{found.diagnosis.finding if found.diagnosis else found.code}.md"


@pytest.mark.parametrize("row", rows("secrets"), ids=named)
def test_secrets(row, caplog):
    caplog.set_level(logging.WARNING, logger="surehook")
    url = "https://example.com/hooks" if row["provider"] in SIGNS_URL else None
    options = {"provider": row["provider"], "signature_secret": row["secret"], "name": "vectors", "url": url}
    if row["expect"] in ("ok", "ok_with_warning"):
        surehook.Endpoint(**options).check()
        assert bool(caplog.records) == (row["expect"] == "ok_with_warning")
    else:
        endpoint = surehook.Endpoint(**options)
        with pytest.raises(surehook.ConfigurationError) as caught:
            endpoint.check()
        assert caught.value.code == row["expect"]
        assert row.get("says", "") in str(caught.value)
    executed["secrets"] += 1


@pytest.mark.parametrize("row", rows("diagnosis"), ids=named)
def test_diagnosis(row):
    """The finding, and how sure it is. What recent requests showed only changes the evidence.

    A diagnosis ends after 5 ms of real time, which a busy machine may take away: it gets ten tries.
    """
    others = [
        surehook.Endpoint(provider=row["provider"], signature_secret=other["secret"], name=other["endpoint"])
        for other in row["others"]
    ]
    tries = (diagnosed(row) for _ in range(10))
    found = next((found for found in tries if found == row["expect"]), None)
    assert (found or diagnosed(row)) == row["expect"]
    del others
    executed["diagnosis"] += 1


def diagnosed(row: dict) -> dict:
    try:
        found = verified(row, diagnose=True)
    except surehook.ConfigurationError as error:
        return {"code": error.code, "finding": error.finding, "certainty": error.finding and "likely"}
    assert not found.valid
    diagnosis = found.diagnosis
    if diagnosis is None:
        return {"code": found.code, "finding": None, "certainty": None}
    assert diagnosis.evidence and diagnosis.fix
    return {"code": found.code, "finding": diagnosis.finding, "certainty": diagnosis.certainty}


@pytest.mark.parametrize("row", rows("outcomes"), ids=named)
def test_outcomes(row):
    """The answer that is replaced, whether a retry is replayed, and what a collector would be told."""
    given, expected = row["input"], row["expected"]
    options = {name: given[name] for name in OPTIONS if given.get(name) is not None}
    endpoint = surehook.Endpoint(
        provider="clerk", signature_secret=SECRET, name=f"row {row['id']}", **options
    )
    body = event(given["event_type"]) if given["event_type"] else "{}"
    message_id = new_id()
    with testing.capture() as captured:
        delivery = begin(endpoint, body, message_id)
        assert delivery.event_type == given["event_type"]
        tokens = [perform(delivery, call) for call in given["handler"]]
        if given["end"] == "error":
            delivery.fail(RuntimeError("no"))
            answer = None
        else:
            answer = delivery.finish(status=given["end"]["status"], headers=[], body=b"done")
        attempt = captured.one()
        assert judged(attempt) == (expected["outcome"], expected["missing_steps"])
        assert (answer and answer.status) == expected["answer_override"]
        retry = begin(endpoint, body, message_id)
        assert isinstance(retry, surehook.Answer) == expected["store_response"]
        if "later" in given:
            captured.clear()
            work = surehook.deferred(next(filter(None, tokens)))
            for call in given["later"]:
                perform(work, call)
            later = captured.one()
            assert judged(later) == (expected["later"]["outcome"], expected["later"]["missing_steps"])
            assert later["continues"] == attempt["id"]
    executed["outcomes"] += 1


@pytest.mark.parametrize("row", rows("dedup"), ids=named)
def test_dedup(row):
    """Requests one after another at one endpoint: what it does with each, and what it counts."""
    options = {name: row[name] for name in ("provider", "scheme", "url") if name in row} | row["options"]
    settings = {"signature_secret": row["secret"], "name": f"dedup {row['id']}", **options}
    if "error" in row:
        with pytest.raises(surehook.ConfigurationError, match=row["error"]["says"]) as caught:
            surehook.Endpoint(**settings)
        assert caught.value.code == row["error"]["code"]
    else:
        endpoint = surehook.Endpoint(**settings)
        for number, request in enumerate(row["requests"]):
            with testing.frozen(request["now"]):
                assert decided(endpoint, request) == request["expect"], number
        counts = endpoint.dedup_counts()
        names = ("new", "duplicate", "same_body_other_id", "id_reuse")
        assert {name: getattr(counts, name) for name in names} == dict.fromkeys(names, 0) | row["counts"]
    executed["dedup"] += 1


def decided(endpoint: surehook.Endpoint, request: dict) -> str:
    headers = [(name.encode(), value.encode()) for name, value in request["headers"]]
    body = base64.b64decode(request["body"])
    with testing.capture() as captured:
        begun = endpoint.begin(method="POST", path=request["path"], headers=headers, body=body)
        if isinstance(begun, surehook.Answer):
            attempt = captured.one()
            return attempt["verification"].get("code") or {"duplicate": "replay"}[attempt["outcome"]]
        begun.finish(status=200, headers=[], body=b"done")
    return "handle"


def judged(attempt: dict) -> tuple[str, list[str]]:
    return attempt["outcome"], attempt.get("missing_steps", [])


OPTIONS = ("steps", "require_processing_mark", "ignore", "on_silent_drop")


def begin(endpoint: surehook.Endpoint, body: str, message_id: str) -> surehook.Answer | surehook.Delivery:
    headers = [(name.encode(), value.encode()) for name, value in signed(body, message_id=message_id).items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())


def perform(delivery: surehook.Delivery | surehook.DeferredDelivery, call: dict) -> str | None:
    """Do as the row says; the token, where work is deferred."""
    if "step" in call:
        delivery.step(call["step"])
    elif call["mark"] == "deferred":
        return delivery.defer(60)
    elif call["mark"] == "processed":
        delivery.processed()
    else:
        delivery.failed(call["reason"])
    return None
