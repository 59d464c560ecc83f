"""De-duplication on every kind of store: a message is handled once, and its answer is given again."""

import asyncio
import random
import secrets
from collections import Counter
from pathlib import Path

import pytest
from conftest import APPS
from servers import gunicorn, running, uvicorn
from signing import SECRET, new_id, signed
from storm import Message, into, message, over_http, storm

from surehook import ConfigurationError, Delivery, Endpoint, current_delivery
from surehook.asgi import Guard

SEED = secrets.randbits(32)


def runs(file: Path) -> Counter[str]:
    return Counter(file.read_text().split())


@pytest.mark.parametrize(
    "command", [uvicorn("stores_fastapi:app"), gunicorn("stores_flask:app")], ids=["fastapi", "flask"]
)
def test_a_server_handles_one_of_1_000_duplicates_and_gives_its_answer_to_the_others(
    store, command, tmp_path
):
    sent, file = message(message_id := new_id()), tmp_path / "runs"
    with running(command, tmp_path / "log", {"DEDUP": store, "RUNS": str(file)}, APPS) as server:
        replies = asyncio.run(storm([sent] * 1_000, over_http(f"{server.url}/hooks")))
        assert runs(file) == {message_id: 1}
        assert {reply.status for reply in replies} <= {201, 409}, server.said()
        (first,) = (reply for reply in replies if reply.status == 201 and not reply.replayed)
        replays = [reply for reply in replies if reply.replayed]
        assert {reply.body for reply in replays} == {first.body}
        for name in ("content-type", "location", "x-own", "content-length"):
            assert {reply.headers[name] for reply in replays} == {first.headers[name]}
        assert first.headers["set-cookie"]
        assert not any("set-cookie" in reply.headers for reply in replays)


class Handler:
    """An ASGI application that counts its runs and tells each from the others."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()

    async def __call__(self, scope, receive, send) -> None:
        message_id = current_delivery().message_id
        self.runs[message_id] += 1
        body = f"{message_id} {secrets.token_hex(4)}".encode()
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def guarded(handler: Handler, store: str) -> Guard:
    return Guard(handler, Endpoint(provider="clerk", signature_secret=SECRET, dedup=store))


def test_of_10_000_concurrent_duplicates_one_is_handled(store):
    handler, message_id = Handler(), new_id()
    replies = asyncio.run(storm([message(message_id)] * 10_000, into(guarded(handler, store))))
    assert handler.runs == {message_id: 1}
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.body for reply in replies if reply.status == 200}) == 1


def test_of_10_000_ids_five_times_each_is_handled_once_and_replayed_with_its_own_bytes(store):
    handler = Handler()
    ids = [new_id() for _ in range(10_000)]
    messages = {message_id: message(message_id) for message_id in ids}
    order = random.Random(SEED).sample(ids * 5, 50_000)
    replies = asyncio.run(
        storm([messages[message_id] for message_id in order], into(guarded(handler, store)))
    )
    assert handler.runs == dict.fromkeys(ids, 1), SEED
    first = {
        message_id: reply.body
        for message_id, reply in zip(order, replies, strict=True)
        if reply.status == 200 and not reply.replayed
    }
    assert all(body.startswith(message_id.encode()) for message_id, body in first.items())
    for message_id, reply in zip(order, replies, strict=True):
        assert reply.status == 409 or reply.body == first[message_id], SEED
    assert sum(reply.replayed for reply in replies) > 30_000, SEED


def test_four_workers_that_share_a_file_handle_each_message_once(tmp_path):
    file = tmp_path / "runs"
    env = {"DEDUP": f"sqlite://{tmp_path}/dedup.db", "RUNS": str(file)}
    ids = [new_id() for _ in range(1_000)]
    messages = {message_id: message(message_id) for message_id in ids}
    order = random.Random(SEED).sample(ids * 4, 4_000)
    command = [*gunicorn("stores_flask:app"), "--workers", "4"]
    with running(command, tmp_path / "log", env, APPS) as server:
        sent = [messages[message_id] for message_id in order]
        replies = asyncio.run(storm(sent, over_http(f"{server.url}/hooks")))
        assert {reply.status for reply in replies} <= {201, 409}, server.said()
        assert "workers de-duplicate" not in server.said()
    assert runs(file) == dict.fromkeys(ids, 1), SEED


def begin(endpoint: Endpoint, sent):
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=sent.body)


def test_a_message_that_failed_is_handled_again(store):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, dedup=store)
    sent = message(new_id())
    begin(endpoint, sent).fail(RuntimeError("the database is away"))
    begin(endpoint, sent).finish(status=500, headers=[], body=b"")
    delivery = begin(endpoint, sent)
    delivery.failed("no such plan")
    delivery.finish(status=200, headers=[], body=b"")
    assert isinstance(begin(endpoint, sent), Delivery)


def test_a_second_endpoint_handles_the_same_message(store):
    sent = message(new_id())
    for name in ("first", "second"):
        endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=name, dedup=store)
        begin(endpoint, sent).finish(status=200, headers=[], body=b"")
        assert begin(endpoint, sent).status == 200


WRONG = {
    "mongodb://user:canary-pass@host": "no store of this kind",
    "redis": "must be one of",
    "": "must be one of",
    "redis://user:canary-pass@": "host is missing",
    "redis://user:canary-pass@host:port": "port",
    "redis://user:canary-pass@host/db": "number",
    "redis://user:canary-pass?@host": "%3F",
    "rediss+cluster://user:canary-pass@host/1": "database 0",
    "redis+sentinel://user:canary-pass@host": "master",
    "postgres://user:canary-pass@host:port/db": "",
    "sqlite://dedup.db": "absolute path",
    "memory://canary-pass": "nothing after it",
}


@pytest.mark.parametrize("url", WRONG)
def test_a_url_that_is_no_store_is_a_configuration_error_without_its_password(url):
    with pytest.raises(ConfigurationError, match=f"dedup.*{WRONG[url]}") as caught:
        Endpoint(provider="clerk", signature_secret=SECRET, dedup=url)
    assert caught.value.code == "invalid_option"
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("option", ["on_store_error", "on_in_flight", "on_id_reuse", "on_unsigned_id"])
def test_a_word_that_an_option_does_not_know_is_a_configuration_error_that_names_them(option):
    with pytest.raises(ConfigurationError, match=f"{option}.*must be one of: ") as caught:
        Endpoint(provider="clerk", signature_secret=SECRET, **{option: "maybe"})
    assert caught.value.code == "invalid_option"


def test_an_answer_is_not_kept_for_less_than_a_request_may_be_repeated():
    with pytest.raises(ConfigurationError, match=r"dedup_ttl.*twice the tolerance: 600 s"):
        Endpoint(provider="clerk", signature_secret=SECRET, dedup_ttl=599)


@pytest.mark.parametrize(
    ("on_id_reuse", "status"), [(None, 200), ("replay", 200), ("reject", 422), ("handle", None)]
)
def test_an_id_that_comes_with_another_body(store, on_id_reuse, status):
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, dedup=store, on_id_reuse=on_id_reuse)
    message_id = new_id()
    begin(endpoint, message(message_id)).finish(status=200, headers=[], body=b"first")
    body = message(message_id).body.replace(b"user.created", b"user.updated")
    decision = begin(endpoint, Message(body, signed(body, message_id=message_id)))
    assert (None if isinstance(decision, Delivery) else decision.status) == status


@pytest.mark.parametrize("remote", ["redis", "postgres"])
def test_a_wrong_password_is_answered_with_503_and_shown_nowhere(request, remote, caplog):
    url = request.getfixturevalue(remote).replace("canary-pass", "canary-wrong")
    endpoint = Endpoint(provider="clerk", signature_secret=SECRET, dedup=url)
    answer = begin(endpoint, message(new_id()))
    assert (answer.status, dict(answer.headers)["retry-after"]) == (503, "30")
    assert "the dedup store cannot be asked" in caplog.text
    assert "canary" not in f"{caplog.text} {endpoint!r} {vars(endpoint)}"


def test_what_became_of_an_endpoints_messages_is_counted(store):
    endpoint, sent = Endpoint(provider="clerk", signature_secret=SECRET, dedup=store), message(new_id())
    delivery = begin(endpoint, sent)
    assert isinstance(delivery, Delivery)
    assert begin(endpoint, sent).status == 409
    delivery.finish(status=200, headers=[], body=b"done")
    assert begin(endpoint, sent).status == 200
    counts = endpoint.dedup_counts()
    assert (counts.new, counts.in_flight, counts.duplicate, counts.fenced) == (1, 1, 1, 0)
