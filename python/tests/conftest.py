import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from recorder import Recorder, recording
from servers import HERE, HTTP, ROOT, Server, environment, gunicorn, running, uvicorn
from stores import postgres_server, postgres_url, redis_server, redis_url

APPS = HERE / "apps"


@dataclass(frozen=True)
class Guarded:
    """A running application, and where in it the guarded routes are."""

    server: Server
    prefix: str

    def url(self, handler: str) -> str:
        return f"{self.server.url}{self.prefix}/{handler}"

    @property
    def wsgi(self) -> bool:
        return "gunicorn" in self.server.process.args

    def runs(self, message_id: str) -> int:
        """How often the handler ran for a message."""
        return HTTP.get(f"{self.server.url}/runs").json().get(message_id, 0)


@pytest.fixture(scope="session")
def fastapi_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("fastapi") / "log"
    with running(uvicorn("fastapi_app:app"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def flask_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("flask") / "log"
    with running(gunicorn("flask_app:app"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def django_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("django") / "log"
    with running(gunicorn("django_app:wsgi"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def django_async_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("django-async") / "log"
    with running(uvicorn("django_app:asgi"), log, {}, APPS) as server:
        yield server


#: For each wrapper: its server, and where the guarded routes are.
WRAPPERS = {
    "fastapi": ("fastapi_server", "/hooks"),
    "fastapi-middleware": ("fastapi_server", "/middleware"),
    "flask": ("flask_server", "/hooks"),
    "django": ("django_server", "/hooks"),
    "django-async": ("django_async_server", "/async"),
}


@pytest.fixture(scope="session", params=WRAPPERS)
def guarded(request) -> Guarded:
    server, prefix = WRAPPERS[request.param]
    return Guarded(request.getfixturevalue(server), prefix)


@pytest.fixture(scope="session", params=WRAPPERS)
def schemes(request) -> Guarded:
    """The guards of `apps/guards.py` on a real server."""
    server, prefix = WRAPPERS[request.param]
    return Guarded(request.getfixturevalue(f"schemes_{server}"), prefix)


@pytest.fixture(scope="session")
def schemes_fastapi_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("schemes-fastapi") / "log"
    with running(uvicorn("schemes_fastapi:app"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def schemes_flask_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("schemes-flask") / "log"
    with running(gunicorn("schemes_flask:app"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def schemes_django_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("schemes-django") / "log"
    with running(gunicorn("schemes_django:wsgi"), log, {}, APPS) as server:
        yield server


@pytest.fixture(scope="session")
def schemes_django_async_server(tmp_path_factory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("schemes-django-async") / "log"
    with running(uvicorn("schemes_django:asgi"), log, {}, APPS) as server:
        yield server


@dataclass(frozen=True)
class Collector:
    url: str
    key: str

    @property
    def env(self) -> dict[str, str]:
        return {"SUREHOOK_ENDPOINT": self.url, "SUREHOOK_API_KEY": self.key}

    def get(self, path: str, **params: object) -> dict:
        return HTTP.get(f"{self.url}{path}", params=params).raise_for_status().json()

    def attempts(self) -> int:
        return self.get("/api/setup")["attempts_stored"]

    def outcomes(self, endpoint: str) -> dict[str, int]:
        rows = [row for row in self.get("/api/overview")["rows"] if row["endpoint"] == endpoint]
        names = ("processed", "failed", "silent_drop", "rejected", "duplicate")
        return {name: sum(row[name] for row in rows) for name in names if sum(row[name] for row in rows)}


@pytest.fixture
def collector(tmp_path) -> Iterator[Collector]:
    """The real one: `surehook dev` on a port and in a directory of its own."""
    binary = ROOT / "target" / "debug" / "surehook"
    log = tmp_path / "collector.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary, "dev", "--port", "0", "--data-dir", tmp_path / "data"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment({}),
        )
    try:
        yield Collector(
            url=_told(process, log, r"SUREHOOK_ENDPOINT=(\S+)"),
            key=_told(process, log, r"SUREHOOK_API_KEY=(\S+)"),
        )
    finally:
        process.terminate()
        process.wait(20)


def _told(process: subprocess.Popen[bytes], log: Path, pattern: str) -> str:
    def look() -> str | None:
        assert process.poll() is None, log.read_text()
        found = re.search(pattern, log.read_text())
        return found and found[1]

    return eventually(look)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as server:
        yield server


def eventually(look: Callable[[], object], seconds: float = 20) -> object:
    """The first true thing that `look` sees before the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)  # between two looks, never instead of one


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    """The URL of a dedup store in a real Redis."""
    with redis_server() as port:
        yield redis_url(port)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a dedup store in a real Postgres, whose table was made by the SQL of `docs/dedup.md`."""
    with postgres_server() as port:
        blocks = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "dedup.md").read_text(), re.DOTALL)
        (sql,) = (block for block in blocks if "surehook_dedup" in block)
        with psycopg.connect(postgres_url(port)) as connection:
            connection.execute(sql)
        yield postgres_url(port)


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
def store(request, tmp_path) -> str:
    """The URL of each kind of store, reachable and empty of what a test is about."""
    match request.param:
        case "memory":
            return "memory://"
        case "sqlite":
            return f"sqlite://{tmp_path}/dedup.db"
        case name:
            return request.getfixturevalue(name)


@pytest.fixture(scope="session")
def databases() -> Iterator[Callable[[str], str]]:
    """Makes a database of its own in a real Postgres: its URL for SQLAlchemy."""
    with postgres_server() as port:

        def create(name: str) -> str:
            with psycopg.connect(postgres_url(port), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            return postgres_url(port, name).replace("postgres://", "postgresql+psycopg://")

        yield create


@pytest.fixture
def black_hole():
    """A collector that takes connections and never answers."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        yield {
            "SUREHOOK_ENDPOINT": f"http://127.0.0.1:{sock.getsockname()[1]}",
            "SUREHOOK_API_KEY": "shk_nobody",
        }
