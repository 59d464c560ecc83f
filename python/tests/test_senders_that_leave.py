"""A sender that hangs up does not end the handler: four that do, one that waits, and it runs once."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import os
import random
import secrets
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import APPS, eventually
from servers import HTTP, Server, daphne, granian, gunicorn, hypercorn, running, uvicorn, waitress
from signing import new_id
from storm import AT_A_TIME, Message, message

import surehook

ASGI, FLASK, DJANGO = "patience_fastapi:app", "patience_flask:app", "patience_django:asgi"
SERVERS = {
    "fastapi uvicorn": (uvicorn(ASGI), "later thread streamed middleware scope cancelled"),
    "fastapi hypercorn": (hypercorn(ASGI), "later thread middleware"),
    "fastapi granian": (granian(ASGI, "asgi"), "later"),
    "fastapi daphne": (daphne(ASGI), "later thread streamed middleware"),
    "fastapi uvicorn worker": (gunicorn(ASGI, "uvicorn_worker.UvicornWorker"), "later"),
    "django uvicorn": (uvicorn(DJANGO), "later sync class"),
    "django hypercorn": (hypercorn(DJANGO), "later sync"),
    "django daphne": (daphne(DJANGO), "later sync"),
    "flask sync": (gunicorn(FLASK, "sync"), "later"),
    "flask gthread": (gunicorn(FLASK), "later"),
    "flask waitress": (waitress(FLASK), "later"),
    "django gthread": (gunicorn("patience_django:wsgi"), "sync later"),
}
#: Where nothing tells that a sender left: its record says what the handler did, and no more.
UNTOLD = {"flask waitress"}
ONE_AT_A_TIME = "flask sync"


class Patience:
    """The folder in which the handlers write what they do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def runs(self) -> Counter[tuple[str, ...]]:
        file = self.folder / "runs"
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter(tuple(line.split()) for line in lines)

    def begun(self, message_id: str) -> int:
        return self.runs()["start", message_id]

    def open(self) -> None:
        (self.folder / "open").touch()

    def shut(self) -> None:
        (self.folder / "open").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def patience(tmp_path_factory) -> Patience:
    return Patience(tmp_path_factory.mktemp("patience"))


def request(path: str, sent: Message) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: test", f"content-length: {len(sent.body)}"]
    lines += [f"{name}: {value}" for name, value in sent.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent.body


@contextlib.contextmanager
def hanging_up(server: Server, path: str, sent: Message) -> Iterator[None]:
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=20) as sock:
        sock.sendall(request(path, sent))
        yield


def is_answered(server: Server, path: str, sent: Message) -> bool:
    """Whether a sender gets the handler's answer, at last."""
    answer = HTTP.post(f"{server.url}/{path}", content=sent.body, headers=sent.headers)
    assert answer.status_code in (200, 409, 504), (path, server.said()[-3000:])
    return answer.status_code == 200 and answer.text.startswith("done")


@pytest.mark.parametrize("kind", SERVERS)
def test_four_hang_up_one_waits_and_the_handler_runs_once_to_its_end(recorder, patience, tmp_path, kind):
    command, listed = SERVERS[kind]
    paths = listed.split()
    with running(
        command, tmp_path / "log", recorder.env | {"PATIENCE": str(patience.folder)}, APPS
    ) as server:
        for path in paths:
            patience.shut()
            sent = message(message_id := new_id())
            for _ in range(4):
                with hanging_up(server, f"/{path}", sent):
                    eventually(functools.partial(patience.begun, message_id))
            if kind != ONE_AT_A_TIME:  # by then the server has heard of those before
                assert not is_answered(server, path, sent)
            patience.open()
            eventually(functools.partial(is_answered, server, path, sent))
            assert patience.runs()["start", message_id] == patience.runs()["end", message_id] == 1, path
        server.stop(signal.SIGINT if "waitress" in kind else signal.SIGTERM)
    attempts = [(attempt["outcome"], attempt.get("sender_left", False)) for attempt in recorder.attempts]
    handled = [left for outcome, left in attempts if outcome == "processed"]
    assert handled == [kind not in UNTOLD] * len(paths), attempts


#: The bar is 10,000; the suite sends as many as take a few seconds. SUREHOOK_STORM=10000 sends them all.
DUPLICATES = int(os.environ.get("SUREHOOK_STORM", "2000"))
STORMS = {
    "fastapi": uvicorn(ASGI),
    "flask": gunicorn(FLASK),
    "django": uvicorn(DJANGO),
}


async def impatient_storm(url: str, deliveries: list[Message], chance: random.Random) -> Counter[int]:
    """Send them all, `AT_A_TIME`, each on a connection of its own; half of the senders leave within 50 ms."""
    waiting, statuses = iter(deliveries), Counter[int]()
    parts = urlsplit(url)

    async def deliver(sent: Message, patience: float | None) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request(parts.path, sent))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n"), patience)
            statuses[int(head.split()[1])] += 1
        except (asyncio.TimeoutError, ConnectionError):
            statuses[0] += 1
        finally:
            writer.transport.abort()

    async def sender() -> None:
        for sent in waiting:  # shared: each sender takes the next one
            await deliver(sent, chance.uniform(0, 0.05) if chance.random() < 0.5 else None)

    await asyncio.gather(*(sender() for _ in range(AT_A_TIME)))
    return statuses


@pytest.mark.parametrize("kind", STORMS)
def test_of_duplicates_whose_senders_leave_at_random_each_is_handled_once(patience, tmp_path, kind):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    ids = [new_id() for _ in range(20)]
    messages = {message_id: message(message_id) for message_id in ids}
    deliveries = [messages[message_id] for message_id in ids] * (DUPLICATES // len(ids))
    chance.shuffle(deliveries)
    with running(STORMS[kind], tmp_path / "log", {"PATIENCE": str(patience.folder)}, APPS) as server:
        statuses = asyncio.run(impatient_storm(f"{server.url}/brief", deliveries, chance))
        for message_id in ids:
            sent = messages[message_id]

            def handled(sent: Message = sent) -> bool:
                answer = HTTP.post(f"{server.url}/brief", content=sent.body, headers=sent.headers)
                return answer.status_code == 200 and "idempotent-replayed" in answer.headers

            eventually(handled)
    assert sum(statuses.values()) == len(deliveries)
    assert set(statuses) <= {0, 200, 409}, statuses
    assert statuses[0] > len(deliveries) / 10, "senders did leave"
    runs = patience.runs()
    assert {(runs["start", message_id], runs["end", message_id]) for message_id in ids} == {(1, 1)}


def test_the_handler_runs_in_the_callers_context_and_what_it_sets_is_seen_there():
    before = contextvars.ContextVar("before", default="unset")
    within = contextvars.ContextVar("within", default="unset")

    async def handling() -> str:
        assert before.get() == "outside"
        within.set("handler")
        return "done"

    async def main() -> str:
        before.set("outside")
        assert await surehook.run_apart(handling(), lambda: None) == "done"
        return within.get()

    assert asyncio.run(main()) == "handler"


def test_only_the_waiting_is_cancelled_and_the_task_is_kept(caplog):
    left, ended = [], []

    async def handling() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
        ended.append(True)
        raise RuntimeError("after the sender left")

    async def main() -> None:
        waiting = asyncio.create_task(surehook.run_apart(handling(), lambda: left.append(True)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (left, ended) == ([True], [])
        while not ended:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert "after the sender left" in caplog.text
