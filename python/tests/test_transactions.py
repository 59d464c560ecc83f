"""A store in the application's own database: work and answer stand or fall together, whatever happens."""

import contextlib
import os
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import httpx
import pytest
from conftest import APPS, eventually
from servers import HERE, HTTP, Server, gunicorn, running, uvicorn
from signing import event, new_id, signed
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from surehook.sqlalchemy import SessionTransaction, messages

sys.path.insert(0, str(HERE / "apps"))

import work

COMMANDS = {
    "django": gunicorn("work_django:wsgi"),
    "flask": gunicorn("work_sqlalchemy:app"),
    "fastapi": uvicorn("work_sqlalchemy:asgi"),
    "fastapi async": uvicorn("work_sqlalchemy:async_asgi"),
}


def places(*frameworks: str) -> list[str]:
    return [f"{framework} {database}" for framework in frameworks for database in ("sqlite", "postgres")]


PLACES = [*places("django", "flask", "fastapi"), "fastapi async postgres"]


@dataclass
class Application:
    server: Server
    engine: Engine

    def post(self, message_id: str, do: str = "work") -> httpx.Response:
        body = event(do=do)
        headers = signed(body, message_id=message_id)
        return HTTP.post(f"{self.server.url}/hooks", content=body, headers=headers)

    def work(self, message_id: str) -> int:
        """How many rows a message made."""
        with self.engine.connect() as connection:
            found = connection.execute(
                text("SELECT count(*) FROM work WHERE message_id = :id"), {"id": message_id}
            )
            return found.scalar_one()

    def remembered(self) -> int:
        """How many messages are running or handled."""
        with self.engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM surehook_messages")).scalar_one()

    def forget_all(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("DELETE FROM surehook_messages"))


@pytest.fixture(scope="module", params=PLACES)
def application(request, tmp_path_factory):
    framework, _, database = request.param.rpartition(" ")
    folder = tmp_path_factory.mktemp("work")
    if database == "sqlite":
        url = f"sqlite:///{folder}/application.db"
    else:
        url = request.getfixturevalue("databases")(folder.name)
    with serving(COMMANDS[framework], url, folder, {}) as found:
        yield found


@contextlib.contextmanager
def serving(command: list[str], url: str, folder: Path, env: dict[str, str]) -> Iterator[Application]:
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in work.TABLES:
            connection.execute(text(table))
    env = {"DATABASE": url, "PYTHONPATH": str(HERE), **env}
    with running(command, folder / "log", env, APPS) as server:
        eventually(lambda: HTTP.get(f"{server.url}/pid").status_code == 200)
        yield Application(server, engine)
    engine.dispose()


def handled(message_id: str) -> str:
    return f"handled {message_id}"


def test_a_retry_gets_the_answer_and_the_work_is_done_once(application):
    message_id = new_id()
    first, retry = application.post(message_id), application.post(message_id)
    assert (first.status_code, first.text) == (retry.status_code, retry.text) == (200, handled(message_id))
    assert "idempotent-replayed" not in first.headers
    assert retry.headers["idempotent-replayed"] == "true"
    assert application.work(message_id) == 1


@pytest.mark.parametrize(("do", "status"), [("raise", 500), ("refuse", 404)])
def test_work_of_a_handler_that_fails_is_undone_and_done_again(application, do, status):
    message_id, remembered = new_id(), application.remembered()
    for _ in range(2):
        assert application.post(message_id, do).status_code == status
        assert application.work(message_id) == 0
    assert application.remembered() == remembered


def test_work_that_is_marked_as_failed_stands_and_the_message_counts_as_not_handled(application):
    message_id = new_id()
    for done in (1, 2):
        assert application.post(message_id, "failed").status_code == 200
        assert application.work(message_id) == done


def test_work_that_the_database_does_not_commit_is_not_answered_as_done(application):
    message_id, remembered = new_id(), application.remembered()
    for _ in range(2):
        assert application.post(message_id, "orphan").status_code == 500
        assert application.work(message_id) == 0
    assert application.remembered() == remembered


#: Where a transaction can be broken: by a session that sends later, and in Postgres by any error.
SESSIONS = [*places("flask", "fastapi"), "fastapi async postgres"]


@pytest.mark.parametrize("application", SESSIONS, indirect=True)
def test_a_constraint_that_the_handlers_own_work_violates_is_no_fault_of_the_store(
    application,
):
    message_id, remembered = new_id(), application.remembered()
    for _ in range(2):
        assert application.post(message_id, "violate").status_code == 500
        assert application.work(message_id) == 0
    assert application.post(message_id, "violate and refuse").status_code == 404
    assert application.remembered() == remembered
    assert application.post(message_id, "work").status_code == 200
    assert "work: the work is undone" not in application.server.said()


@pytest.mark.parametrize("application", [*places("flask"), "django postgres"], indirect=True)
def test_a_transaction_that_the_handler_broke_and_went_on_with_is_its_failure(application):
    message_id = new_id()
    for _ in range(2):
        assert application.post(message_id, "violate and catch").status_code == 500
        assert application.work(message_id) == 0


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize("framework", ["flask", "fastapi"])
def test_the_record_of_a_violated_constraint_has_the_handlers_error_and_no_value(
    request, recorder, tmp_path, framework, database
):
    url = f"sqlite:///{tmp_path}/application.db"
    if database == "postgres":
        url = request.getfixturevalue("databases")(uuid.uuid4().hex)
    with serving(COMMANDS[framework], url, tmp_path, recorder.env) as application:
        for do in ("violate", "orphan"):
            assert application.post(new_id(), do).status_code == 500
        eventually(lambda: len(recorder.attempts) == 2)
    failures = [attempt["failure"]["error"] for attempt in recorder.attempts]
    assert failures[0]["type"] == "sqlalchemy.exc.IntegrityError"
    assert "names" in failures[0]["message"]
    for batch in recorder.batches:
        assert work.TAKEN not in batch
        assert "[parameters" not in batch
        assert "DETAIL" not in batch
    assert [attempt["outcome"] for attempt in recorder.attempts] == ["failed", "failed"]


@pytest.mark.parametrize("application", places("fastapi"), indirect=True)
def test_nothing_of_a_streamed_answer_is_sent_before_the_work_is_committed(application):
    message_id = new_id()
    assert application.post(message_id, "stream orphan").status_code == 500
    assert application.work(message_id) == 0


def test_an_owner_that_lost_its_message_is_undone(application, tmp_path):
    """What a lease that ends does, without waiting for it: another attempt takes the message over."""
    message_id, pipe = new_id(), tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        stale = pool.submit(application.post, message_id, str(pipe))
        with pipe.open("wb"):  # opens when the handler reads
            assert application.post(message_id, str(pipe)).status_code == 409
            application.forget_all()
            second = application.post(message_id, str(pipe))
            assert (second.status_code, second.text) == (200, handled(message_id))
        assert stale.result().status_code == 409
    assert application.work(message_id) == 1
    assert application.post(message_id, str(pipe)).headers["idempotent-replayed"] == "true"
    assert application.work(message_id) == 1


def test_of_concurrent_duplicates_one_does_the_work(application):
    message_id = new_id()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: application.post(message_id), range(40)))
    # 503: a SQLite file that is locked for too long; the provider comes again
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert eventually(lambda: application.post(message_id).headers.get("idempotent-replayed"))
    assert application.work(message_id) == 1


@pytest.mark.parametrize("application", [place for place in PLACES if "postgres" in place], indirect=True)
def test_a_row_that_somebody_else_holds_is_not_waited_for_without_end(application, tmp_path):
    message_id, pipe = new_id(), tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool, application.engine.connect() as holder:
        answer = pool.submit(application.post, message_id, str(pipe))
        with pipe.open("wb"):  # opens when the handler reads: its claim is there
            holder.execute(text("SELECT key FROM surehook_messages FOR UPDATE"))
        try:
            assert answer.result(10).status_code == 503
        finally:
            holder.rollback()
    assert application.work(message_id) == 0, "an answer that cannot be stored undoes the work"
    assert "lock timeout" in application.server.said()
    application.forget_all()
    assert application.post(message_id).status_code == 200
    assert application.work(message_id) == 1


def test_the_bound_on_a_lock_is_the_one_statements_own(databases):
    engine = create_engine(databases("bound"))
    messages.create(engine)
    with Session(engine) as session:
        session.execute(text("SET lock_timeout = '7s'"))
        transaction = SessionTransaction(session)
        assert transaction.replace("k", None, b"new", datetime.now(timezone.utc))
        assert not transaction.replace("k", b"other", None, None)
        assert session.execute(text("SHOW lock_timeout")).scalar_one() == "7s"
    engine.dispose()


@pytest.mark.parametrize("application", places("django", "flask"), indirect=True)
def test_a_process_that_dies_leaves_neither_work_nor_answer(application):
    message_id = new_id()
    with pytest.raises(httpx.HTTPError):
        application.post(message_id, "die")
    assert application.work(message_id) == 0
    assert application.post(message_id, "die").status_code == 409, "its claim lasts for 30 s"
    application.forget_all()
    application.post(message_id, "work")
    assert application.work(message_id) == 1


def test_a_database_that_is_away_is_answered_with_503_and_the_reason_is_logged(application):
    with application.engine.begin() as connection:
        connection.execute(text("ALTER TABLE surehook_messages RENAME TO elsewhere"))
    try:
        answer = application.post(new_id())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert "the dedup store cannot be asked" in application.server.said()
        assert "surehook_messages" in application.server.said()
    finally:
        with application.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO surehook_messages"))
    assert application.post(new_id()).status_code == 200


@pytest.mark.parametrize("application", places("django"), indirect=True)
def test_a_view_of_django_that_rolls_back_by_itself_is_not_answered_as_done(application):
    message_id, remembered = new_id(), application.remembered()
    for _ in range(2):
        assert application.post(message_id, "rollback").status_code == 500
        assert application.work(message_id) == 0
    assert application.remembered() == remembered


def test_the_record_says_what_the_database_made_of_it(collector, tmp_path):
    url = f"sqlite:///{tmp_path}/application.db"
    with serving(COMMANDS["flask"], url, tmp_path, collector.env) as application:
        message_id = new_id()
        for do in ("work", "work", "raise", "orphan", "failed", "refuse"):
            application.post(message_id if do == "work" else new_id(), do)
        application.server.stop()
    assert collector.outcomes("work") == {"processed": 1, "failed": 4, "duplicate": 1}
