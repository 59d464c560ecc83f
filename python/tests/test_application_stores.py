"""What a store in the application's database owes: two statements that compare before they change."""

import asyncio
import subprocess
import sys
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from conftest import APPS
from servers import HERE, environment
from signing import SECRET, new_id
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import scoped_session, sessionmaker
from sqlalchemy.pool import NullPool
from storm import message

from surehook import Answer, ApplicationStore, ApplicationTransaction, ConfigurationError, Delivery, Endpoint
from surehook.asgi import WebhookMiddleware
from surehook.django import ModelStore
from surehook.django import with_webhook_monitoring as django_webhook
from surehook.fastapi import with_webhook_monitoring as fastapi_webhook
from surehook.flask import with_webhook_monitoring as flask_webhook
from surehook.sqlalchemy import SessionStore, messages
from surehook.sqlalchemy.asyncio import AsyncSessionStore

LATER = datetime.now(timezone.utc) + timedelta(hours=1)
EARLIER = datetime.now(timezone.utc) - timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/application.db"
    return request.getfixturevalue("databases")(uuid.uuid4().hex)


@pytest.fixture
def engine(url):
    made = create_engine(url)
    messages.create(made)
    yield made
    made.dispose()


@pytest.fixture(params=[sessionmaker, lambda engine: scoped_session(sessionmaker(engine))])
def sessions(request, engine):
    return request.param(engine)


def compares(statements: ApplicationStore | ApplicationTransaction) -> None:
    key = "0" * 64
    assert statements.load(key) is None
    assert statements.replace(key, None, b"one", LATER) is True
    assert statements.replace(key, None, b"two", LATER) is False
    assert statements.replace(key, b"two", b"three", LATER) is False
    assert statements.replace(key, b"two", None, None) is False
    assert statements.load(key) == b"one"
    assert statements.replace(key, b"one", b"\x00\xff", LATER) is True
    assert statements.load(key) == b"\x00\xff"
    assert statements.replace(key, b"\x00\xff", None, None) is True
    assert statements.load(key) is None


def test_a_row_is_replaced_only_where_it_is_what_it_was(sessions):
    store = SessionStore(sessions)
    compares(store)
    transaction = store.begin()
    compares(transaction)
    transaction.commit()


def test_what_a_transaction_does_is_seen_when_it_is_committed_and_never_when_it_is_rolled_back(sessions):
    store = SessionStore(sessions)
    for end, seen in (("rollback", None), ("commit", b"value")):
        transaction = store.begin()
        assert transaction.replace("1" * 64, None, b"value", LATER)
        getattr(transaction, end)()
        assert store.load("1" * 64) == seen


def test_only_rows_that_have_expired_are_removed(sessions):
    store = SessionStore(sessions)
    for key, expires_at in (("a" * 64, LATER), ("b" * 64, EARLIER)):
        store.replace(key, None, b"value", expires_at)
    assert store.remove_expired() == 1
    assert store.load("a" * 64) == b"value"


def test_the_async_store_does_the_same(databases):
    database = create_async_engine(databases(uuid.uuid4().hex), poolclass=NullPool)
    store = AsyncSessionStore(async_sessionmaker(database))

    async def main() -> None:
        async with database.begin() as connection:
            await connection.run_sync(messages.create)
        for statements in (store, await store.begin()):
            assert await statements.replace("0" * 64, None, b"one", EARLIER) is True
            assert await statements.replace("0" * 64, None, b"two", EARLIER) is False
            assert await statements.replace("0" * 64, b"two", b"three", EARLIER) is False
            assert await statements.load("0" * 64) == b"one"
            assert await store.remove_expired() == (1 if statements is store else 0)
        await statements.commit()
        assert await store.load("0" * 64) == b"one"

    asyncio.run(main())


def begin(endpoint: Endpoint, message_id: str) -> Answer | Delivery:
    sent = message(message_id)
    headers = [(name.encode(), value.encode()) for name, value in sent.headers.items()]
    return endpoint.begin(method="POST", path="/", headers=headers, body=sent.body)


def test_a_failed_delivery_that_fails_again_changes_nothing(engine):
    guarded = Endpoint(provider="clerk", signature_secret=SECRET, dedup=SessionStore(sessionmaker(engine)))
    message_id = new_id()
    delivery = begin(guarded, message_id)
    delivery.fail(RuntimeError("first"))
    delivery.fail(RuntimeError("second"))
    assert delivery.finish(status=200, headers=[], body=b"") is None
    begin(guarded, message_id).finish(status=201, headers=[], body=b"done")
    assert begin(guarded, message_id).status == 201


def handlers_on_one_thread(store):
    """Every way in which handlers of several deliveries share a thread."""
    options = {"provider": "clerk", "signature_secret": SECRET, "dedup": store}

    async def handler(*_):
        raise AssertionError

    yield lambda: fastapi_webhook(**options)(handler)
    yield lambda: WebhookMiddleware(handler, path="/", **options)
    yield lambda: django_webhook(**options)(handler)
    yield lambda: flask_webhook(**options)(handler)


def test_a_session_of_threads_is_refused_where_handlers_share_them(engine):
    scoped, made = (
        SessionStore(scoped_session(sessionmaker(engine))),
        SessionStore(sessionmaker(engine)),
    )
    for build in handlers_on_one_thread(scoped):
        with pytest.raises(ConfigurationError, match="sessionmaker") as caught:
            build()
        assert caught.value.code == "invalid_option"
    for build in handlers_on_one_thread(made):
        build()


def test_an_async_session_of_tasks_is_refused():
    with pytest.raises(ConfigurationError, match="async_sessionmaker"):
        AsyncSessionStore(async_scoped_session(async_sessionmaker(), scopefunc=asyncio.current_task))


def test_two_deliveries_never_have_one_session(engine):
    """Whatever its function returns: rows of a delivery that fails would be committed by the other."""
    with sessionmaker(engine)() as session:
        guarded = Endpoint(provider="clerk", signature_secret=SECRET, dedup=SessionStore(lambda: session))
        first_id, second_id = new_id(), new_id()
        first = begin(guarded, first_id)
        with pytest.raises(ConfigurationError, match="another delivery"):
            begin(guarded, second_id)
        first.fail(RuntimeError("enough"))
        begin(guarded, second_id).finish(status=200, headers=[], body=b"")
        assert begin(guarded, first_id).finish(status=200, headers=[], body=b"") is None


class Broken(SessionStore):
    """Its transactions cannot be begun."""

    def begin(self):
        raise ConnectionError("no connection is left")


def test_a_transaction_that_cannot_be_begun_gives_the_message_back(engine):
    sessions = sessionmaker(engine)
    broken = Endpoint(provider="clerk", signature_secret=SECRET, dedup=Broken(sessions))
    message_id = new_id()
    with pytest.raises(ConnectionError):
        begin(broken, message_id)
    sound = Endpoint(provider="clerk", signature_secret=SECRET, dedup=SessionStore(sessions))
    delivery = begin(sound, message_id)
    assert isinstance(delivery, Delivery)
    delivery.fail(RuntimeError("enough"))


def test_an_error_of_the_database_shows_no_secret(engine, caplog):
    class Telling(SessionStore):
        def load(self, key):
            raise ConnectionError(f"no access with {SECRET}")

    telling = Telling(sessionmaker(engine))
    assert begin(Endpoint(provider="clerk", signature_secret=SECRET, dedup=telling), new_id()).status == 503
    assert "no access with" in caplog.text
    assert SECRET not in caplog.text


def test_what_such_a_store_cannot_do_is_said_when_the_endpoint_is_built(engine):
    store, later = SessionStore(sessionmaker(engine)), AsyncSessionStore(async_sessionmaker())
    options = {"provider": "clerk", "signature_secret": SECRET}

    async def view(request):
        raise AssertionError

    for build, says in (
        (lambda: Endpoint(dedup=store, on_in_flight="wait", **options), "on_in_flight"),
        (lambda: flask_webhook(dedup=later, **options), "await"),
        (lambda: django_webhook(dedup=later, **options)(lambda request: None), "await"),
        (lambda: django_webhook(dedup=ModelStore(), **options)(view), "sync view"),
    ):
        with pytest.raises(ConfigurationError, match=says) as caught:
            build()
        assert caught.value.code == "invalid_option"
    with pytest.raises(TypeError, match="dedup"):
        Endpoint(dedup=SessionStore, **options)


DJANGO = """if True:
    import work_django
    from django.db import transaction
    from django.test import Client, TransactionTestCase, TestCase
    from django.test.utils import get_runner, setup_test_environment
    from signing import event, new_id, signed
    from surehook.django import ModelStore
    from test_application_stores import EARLIER, compares

    class Statements(TransactionTestCase):
        def test_outside_and_inside(self):
            compares(ModelStore())
            with transaction.atomic():
                compares(ModelStore())

        def test_expired(self):
            ModelStore().replace("0" * 64, None, b"value", EARLIER)
            self.assertEqual((ModelStore().remove_expired(), ModelStore().load("0" * 64)), (1, None))

    def post(message_id, do):
        body = event(do=do)
        headers = signed(body, message_id=message_id)
        client = Client(headers=headers, raise_request_exception=False)
        return client.post("/hooks", body, content_type="application/json")

    class InATestCase(TestCase):
        def test_a_retry_is_answered(self):
            from django.db import connection
            with connection.cursor() as cursor:
                for table in __import__("work").TABLES:
                    cursor.execute(table)
            failed, handled = new_id(), new_id()
            self.assertEqual([post(failed, "raise").status_code for _ in range(2)], [500, 500])
            self.assertEqual([post(handled, "work").status_code for _ in range(2)], [200, 200])
            with connection.cursor() as cursor:
                cursor.execute("SELECT message_id FROM work")
                self.assertEqual(cursor.fetchall(), [(handled,)])

    class InAnotherTransaction(TransactionTestCase):
        def test_it_is_refused(self):
            with transaction.atomic():
                answer = post(new_id(), "work")
            self.assertEqual(answer.status_code, 500)

    from django.conf import settings
    runner = get_runner(settings)(verbosity=1)
    raise SystemExit(bool(runner.run_tests(["__main__"])))
"""


def test_djangos_store_does_the_same_and_works_in_djangos_own_test_cases(url):
    env = environment({"DATABASE": url, "PYTHONPATH": f"{HERE}:{APPS}"})
    command = [sys.executable, "-W", "error", "-c", DJANGO]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 4 tests" in done.stderr


class MyStore(ApplicationStore):
    """The interface with a database driver and nothing else, as the page has it."""

    kind = "mine"

    def __init__(self, engine):
        self._engine = engine

    def load(self, key):
        with self._engine.begin() as connection:
            return MyTransaction(connection).load(key)

    def replace(self, key, old, new, expires_at):
        with self._engine.begin() as connection:
            return MyTransaction(connection).replace(key, old, new, expires_at)

    def begin(self):
        return MyTransaction(self._engine.connect())


class MyTransaction(ApplicationTransaction):
    def __init__(self, connection):
        self.connection = connection

    def load(self, key):
        found = self._execute("SELECT value FROM surehook_messages WHERE key = :key", key=key).first()
        return found and bytes(found.value)

    def replace(self, key, old, new, expires_at):
        values = {"key": key, "old": old, "new": new, "at": expires_at}
        if old is None:
            sql = "INSERT INTO surehook_messages VALUES (:key, :new, :at) ON CONFLICT (key) DO NOTHING"
        elif new is None:
            sql = "DELETE FROM surehook_messages WHERE key = :key AND value = :old"
        else:
            sql = "UPDATE surehook_messages SET value = :new, expires_at = :at"
            sql += " WHERE key = :key AND value = :old"
        named = {name: value for name, value in values.items() if f":{name}" in sql}
        return self._execute(sql, **named).rowcount == 1

    def commit(self):
        self.connection.commit()
        self.connection.close()

    def rollback(self):
        self.connection.close()

    def _execute(self, sql, **values):
        return self.connection.execute(text(sql), values)


@pytest.mark.filterwarnings("ignore:The default datetime adapter:DeprecationWarning")
def test_a_store_of_ones_own_needs_two_statements_and_a_transaction(engine):
    store, message_id = MyStore(engine), new_id()
    compares(store)
    guarded = Endpoint(provider="clerk", signature_secret=SECRET, dedup=store)
    begin(guarded, message_id).fail(RuntimeError("not yet"))
    begin(guarded, message_id).finish(status=201, headers=[], body=b"done")
    answer = begin(guarded, message_id)
    assert (answer.status, answer.body) == (201, b"done")
