"""While a store on the other side of a network is silent, everything else goes on."""

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import threading
import time

import pytest
from conftest import eventually
from flask import Flask
from proxy import before
from servers import HERE, environment
from signing import SECRET, new_id
from stores import postgres_url, redis_url
from storm import call, message

from surehook import Answer, Delivery, Endpoint
from surehook.asgi import Guard
from surehook.flask import with_webhook_monitoring

BUDGET = 0.25


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.fixture(params=["redis", "postgres"])
def remote(request):
    """A remote store behind a proxy that can hold its answers back: its URL, and the proxy."""
    url = redis_url if request.param == "redis" else postgres_url
    with before(port_of(request.getfixturevalue(request.param))) as proxy:
        yield url(proxy.port), proxy


def endpoint(store: str, **options: object) -> Endpoint:
    return Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), dedup=store, **options)


def request(message_id: str) -> dict[str, object]:
    sent = message(message_id)
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    return {"method": "POST", "path": "/", "headers": headers, "body": sent.body}


class Ticker:
    """Counts how often another task, or another thread, gets its turn."""

    def __init__(self) -> None:
        self.ticks = 0
        self.longest = 0.0
        self._last = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        self.ticks += 1
        self.longest = max(self.longest, now - self._last)
        self._last = now

    async def run(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(0.001)

    @contextlib.contextmanager
    def thread(self):
        """Runs beside the block; its ticks are those of this very block."""
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(0.001):
                self.tick()

        thread = threading.Thread(target=run)
        thread.start()
        eventually(lambda: self.ticks)
        before, started = self.ticks, time.monotonic()
        self.longest = 0.0
        try:
            yield
        finally:
            self.waited, self.ticks = time.monotonic() - started, self.ticks - before
            ended.set()
            thread.join()

    def went_on(self) -> None:
        """Something took the budget of the store, and it was not this."""
        assert self.ticks > 20, self.ticks
        assert self.longest < BUDGET / 2, self.longest


async def answering(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


@contextlib.asynccontextmanager
async def ticking():
    ticker = Ticker()
    task = asyncio.create_task(ticker.run())
    await asyncio.sleep(0)
    try:
        yield ticker
    finally:
        task.cancel()


def test_an_event_loop_goes_on_while_the_store_does_not_answer_a_claim(remote):
    store, proxy = remote

    async def main() -> None:
        guard = Guard(answering, endpoint(store))
        assert (await call(guard, message(new_id()))).status == 200
        proxy.stall()
        async with ticking() as ticker:
            started = time.monotonic()
            reply = await call(guard, message(new_id()))
            waited = time.monotonic() - started
        assert (reply.status, reply.headers["retry-after"]) == (503, "30")
        assert waited >= BUDGET * 0.9
        ticker.went_on()

    asyncio.run(main())


def test_an_event_loop_goes_on_while_the_store_does_not_take_an_answer(remote):
    store, proxy = remote

    async def stalling(scope, receive, send) -> None:
        proxy.stall()
        await answering(scope, receive, send)

    async def main() -> None:
        guard = Guard(stalling, endpoint(store))
        async with ticking() as ticker:
            started = time.monotonic()
            reply = await call(guard, message(new_id()))
            waited = time.monotonic() - started
        assert (reply.status, reply.body) == (200, b"done")
        assert waited >= BUDGET * 0.9
        ticker.went_on()

    asyncio.run(main())


def test_another_thread_runs_while_a_flask_view_waits_for_the_store(remote):
    store, proxy = remote
    app = Flask(__name__)
    options = {"provider": "clerk", "signature_secret": SECRET, "name": new_id(), "dedup": store}

    @app.post("/")
    @with_webhook_monitoring(**options)
    def view():
        if stalls:
            proxy.stall()
        return "done"

    def post() -> int:
        sent = message(new_id())
        return app.test_client().post("/", data=sent.body, headers=sent.headers).status_code

    stalls = False
    assert post() == 200
    stalls = True
    for status in (200, 503):  # at the end of the first, and before the second
        ticker = Ticker()
        with ticker.thread():
            assert post() == status
        assert ticker.waited >= BUDGET * 0.9
        ticker.went_on()


LOCK = """if True:
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def locked(file):
    """Another process has it: within one, the two copies of SQLite do not see each other's locks."""
    command = [sys.executable, "-c", LOCK, file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        yield
        process.stdin.close()


def test_another_thread_runs_while_another_process_has_locked_the_file(tmp_path):
    file = tmp_path / "dedup.db"
    guarded = endpoint(f"sqlite://{file}")
    delivery = guarded.begin(**request(new_id()))
    with locked(file):
        for wait in (
            lambda: guarded.begin(**request(new_id())),
            lambda: delivery.finish(status=200, headers=[], body=b""),
        ):
            ticker = Ticker()
            with ticker.thread():
                wait()
            assert ticker.waited >= 0.18  # SQLite waits 200 ms for a lock
            ticker.went_on()


def test_a_store_that_answers_again_is_used_again(remote):
    store, proxy = remote
    guarded, message_id = endpoint(store), new_id()
    proxy.stall()
    assert isinstance(guarded.begin(**request(message_id)), Answer)
    proxy.go_on()
    delivery = eventually(lambda: taken(guarded, message_id))
    delivery.finish(status=201, headers=[], body=b"")
    assert guarded.begin(**request(message_id)).status == 201


def taken(guarded: Endpoint, message_id: str) -> Delivery | None:
    """The delivery, where the message is to be had."""
    decision = guarded.begin(**request(message_id))
    return decision if isinstance(decision, Delivery) else None


def test_without_the_store_a_message_is_handled_where_that_is_wanted(remote, caplog):
    store, proxy = remote
    proxy.stall()
    guarded, message_id = endpoint(store, on_store_error="process"), new_id()
    for _ in range(2):
        assert isinstance(guarded.begin(**request(message_id)), Delivery)
    assert "handled without de-duplication" in caplog.text
    assert "canary" not in caplog.text


def test_a_duplicate_waits_for_the_answer_of_the_other_attempt_where_that_is_wanted(store):
    guarded, message_id = endpoint(store, on_in_flight="wait"), new_id()

    async def main() -> None:
        first = await guarded.begin_async(**request(message_id))
        second = asyncio.create_task(guarded.begin_async(**request(message_id)))
        async with ticking() as ticker:
            await asyncio.wait([second], timeout=0.1)
            assert not second.done()
        assert ticker.ticks > 5
        await first.finish_async(status=201, headers=[], body=b"the first")
        answer = await second
        assert (answer.status, answer.body) == (201, b"the first")

    asyncio.run(main())


def test_a_task_that_is_cancelled_before_the_store_answered_gives_the_message_back(remote):
    store, _ = remote
    guarded, message_id = endpoint(store), new_id()

    async def main() -> None:
        task = asyncio.create_task(guarded.begin_async(**request(message_id)))
        await asyncio.sleep(0)  # it has asked
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    assert eventually(lambda: taken(guarded, message_id))


def test_a_handler_that_is_cancelled_gives_the_message_back(store):
    handling = asyncio.Event()

    async def endless(scope, receive, send) -> None:
        handling.set()
        await asyncio.Event().wait()

    guarded, message_id = endpoint(store), new_id()

    async def main() -> None:
        task = asyncio.create_task(call(Guard(endless, guarded), message(message_id)))
        await handling.wait()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    assert eventually(lambda: taken(guarded, message_id))


def test_an_event_loop_that_is_closed_before_the_store_answered_gives_the_message_back(remote):
    store, _ = remote
    guarded, message_id = endpoint(store), new_id()
    begun = guarded.begin_async(**request(message_id))
    loop = asyncio.new_event_loop()
    task = loop.create_task(begun)
    loop.call_soon(loop.stop)
    loop.run_forever()  # until it has asked
    task._log_destroy_pending = False
    loop.close()
    assert eventually(lambda: taken(guarded, message_id))
    begun.close()


def test_a_child_of_a_fork_asks_for_itself_and_leaves_its_parents_delivery_alone(store):
    guarded, message_id = endpoint(store), new_id()

    def in_child(delivery: Delivery) -> None:
        delivery.finish(status=500, headers=[], body=b"")
        assert isinstance(guarded.begin(**request(new_id())), Delivery)
        assert isinstance(asyncio.run(guarded.begin_async(**request(new_id()))), Delivery)

    async def main() -> None:
        delivery = await guarded.begin_async(**request(message_id))
        if (child := os.fork()) == 0:
            with contextlib.suppress(BaseException):
                in_child(delivery)
                del delivery
                gc.collect()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert (await guarded.begin_async(**request(message_id))).status == 409
        await delivery.finish_async(status=201, headers=[], body=b"")

    asyncio.run(main())
    assert guarded.begin(**request(message_id)).status == 201


EXIT_WHILE_WAITING = """if True:
    import asyncio, sys, threading
    from test_waiting import endpoint, request
    from signing import new_id

    guarded, asked = endpoint(sys.argv[1]), threading.Event()

    async def main():
        task = asyncio.create_task(guarded.begin_async(**request(new_id())))
        await asyncio.sleep(0)
        asked.set()
        await task

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    asked.wait()
"""


def test_a_process_can_exit_while_a_task_waits_for_the_store(remote):
    store, proxy = remote
    proxy.stall()
    command = [sys.executable, "-c", EXIT_WHILE_WAITING, store]
    env = environment({"PYTHONPATH": str(HERE)})
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
