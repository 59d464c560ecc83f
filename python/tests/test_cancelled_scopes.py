"""Whoever waits for a delivery may be cancelled at any await: no connection stays out, no message claimed."""

import asyncio
from functools import partial

import anyio
import pytest
from signing import SECRET, new_id
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from storm import message

from surehook import Answer, Delivery, Endpoint
from surehook.sqlalchemy import messages
from surehook.sqlalchemy.asyncio import AsyncSessionStore


@pytest.fixture(scope="module")
def database(databases) -> str:
    return databases("scopes")


def request(message_id: str) -> dict[str, object]:
    sent = message(message_id)
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    return {"method": "POST", "path": "/", "headers": headers, "body": sent.body}


async def handle(endpoint: Endpoint, message_id: str, work) -> Answer | None:
    """What the adapters do."""
    decision = await endpoint.begin_async(**request(message_id))
    if isinstance(decision, Answer):
        return decision
    try:
        await work(decision)
    except BaseException as error:
        await decision.fail_async(error)
        raise
    return await decision.finish_async(status=200, headers=[], body=b"done")


async def insert(delivery: Delivery) -> None:
    values = {"id": delivery.message_id}
    await delivery.transaction.session.execute(text("INSERT INTO scoped VALUES (:id)"), values)


async def retried(endpoint: Endpoint, message_id: str) -> Answer | None:
    """As the provider does. What was given up ends beside it, soon."""
    with anyio.move_on_after(5):
        while (answer := await handle(endpoint, message_id, insert)) is not None and answer.status == 409:
            await anyio.sleep(0.01)
    return answer


async def settled(engine: AsyncEngine) -> None:
    """Until every connection is back; a connection that is not is never."""
    with anyio.fail_after(5):
        while engine.pool.checkedout():
            await anyio.sleep(0.01)


async def cancelled_at(step: int, run) -> bool:
    """Run it in a scope that is cancelled when the loop has gone round so often. False: it ended before."""
    loop, rounds = asyncio.get_running_loop(), step

    def go_round() -> None:
        nonlocal rounds
        rounds -= 1
        if rounds < 0:
            scope.cancel()
        else:
            loop.call_soon(go_round)

    with anyio.CancelScope() as scope:
        loop.call_soon(go_round)
        await run()
        return False
    return True


def test_a_scope_that_is_cancelled_anywhere_keeps_no_connection_and_no_message(database):
    async def run() -> int:
        engine = create_async_engine(database, pool_size=2, max_overflow=0, pool_timeout=5)
        async with engine.begin() as connection:
            await connection.run_sync(messages.create, checkfirst=True)
            await connection.execute(text("CREATE TABLE IF NOT EXISTS scoped (id text)"))
        store = AsyncSessionStore(async_sessionmaker(engine))
        endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), dedup=store)
        await handle(endpoint, new_id(), insert)  # what is first is slow
        cancelled = 0
        for step in sorted({int(1.3**power) for power in range(40)}):
            message_id = new_id()
            gone = await cancelled_at(step, partial(handle, endpoint, message_id, insert))
            cancelled += gone
            answer = await retried(endpoint, message_id)
            assert answer is None or answer.status == 200, f"step {step}: {answer}"
            await settled(engine)
            async with engine.connect() as connection:
                found = await connection.execute(
                    text("SELECT count(*) FROM scoped WHERE id = :id"), {"id": message_id}
                )
                assert found.scalar_one() == 1, f"step {step}"
        await engine.dispose()
        return cancelled

    assert asyncio.run(run()) >= 5


def test_a_handler_in_a_cancelled_scope_is_undone(database):
    async def run() -> None:
        engine = create_async_engine(database, pool_size=1, max_overflow=0, pool_timeout=5)
        async with engine.begin() as connection:
            await connection.run_sync(messages.create, checkfirst=True)
            await connection.execute(text("CREATE TABLE IF NOT EXISTS scoped (id text)"))
        store = AsyncSessionStore(async_sessionmaker(engine))
        endpoint = Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), dedup=store)
        message_id = new_id()
        with anyio.CancelScope() as scope:

            async def work(delivery: Delivery) -> None:
                await insert(delivery)
                scope.cancel()
                await anyio.sleep_forever()

            await handle(endpoint, message_id, work)
        assert await retried(endpoint, message_id) is None
        await settled(engine)
        await engine.dispose()

    asyncio.run(run())
