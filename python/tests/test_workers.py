"""Several workers with a memory each are warned about once, by whatever server they were started."""

import multiprocessing
import subprocess
import sys

import pytest
from conftest import APPS, eventually
from servers import HTTP, environment, gunicorn, running, uvicorn

from surehook import _workers

WARNING = "workers de-duplicate with a memory each"
GUNICORN = gunicorn("flask_app:app")
UVICORN = uvicorn("fastapi_app:app")


def started(command, workers, env, tmp_path) -> str:
    """The log of a server when all of its workers run and one has answered."""
    said = "Booting worker with pid" if "gunicorn" in command else "Application startup complete."
    with running(command, tmp_path / "log", env, APPS) as server:
        eventually(lambda: server.said().count(said) == workers and HTTP.get(f"{server.url}/pid"))
        server.stop()
        return server.said()


@pytest.mark.parametrize(
    ("command", "env"),
    [
        ([*GUNICORN, "--workers", "3"], {}),
        ([*GUNICORN, "-w3"], {}),
        ([*GUNICORN, "-w", "3", "--preload"], {}),
        (GUNICORN, {"GUNICORN_CMD_ARGS": "--workers=3"}),
        (GUNICORN, {"WEB_CONCURRENCY": "3"}),
        ([*UVICORN, "--workers", "3"], {}),
        (UVICORN, {"WEB_CONCURRENCY": "3"}),
    ],
    ids=[
        "long",
        "short",
        "preload",
        "GUNICORN_CMD_ARGS",
        "WEB_CONCURRENCY",
        "uvicorn",
        "uvicorn WEB_CONCURRENCY",
    ],
)
def test_it_is_said_once_with_the_line_to_add(command, env, tmp_path):
    said = started(command, 3, env, tmp_path)
    assert said.count(WARNING) == 1, said
    assert f"3 {WARNING}" in said
    assert 'dedup="sqlite:///var/lib/app/dedup.db"' in said


@pytest.mark.parametrize(
    "command", [GUNICORN, [*GUNICORN, "-w1", "--threads", "8"], UVICORN, [*UVICORN, "--reload"]]
)
def test_one_worker_is_no_reason(command, tmp_path):
    assert WARNING not in started(command, 1, {}, tmp_path)


def test_a_configuration_file_of_gunicorn_is_seen(tmp_path):
    (tmp_path / "settings.py").write_text("workers = 2\n")
    assert f"2 {WARNING}" in started([*GUNICORN, "--config", str(tmp_path / "settings.py")], 2, {}, tmp_path)


CHILDREN = """
import logging, multiprocessing, sys
import surehook

def serve():
    logging.basicConfig()
    for name in ("one", "two"):
        surehook.Endpoint(provider="clerk", name=name, dedup=sys.argv[1])

if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        child = multiprocessing.get_context(sys.argv[3]).Process(target=serve)
        child.start()
        child.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("store", "children", "times"), [("memory://", 3, 1), ("memory://", 1, 0), ("off", 3, 0)]
)
def test_children_of_multiprocessing_are_counted(store, children, times, method, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(CHILDREN)
    command = [sys.executable, program, store, str(children), method]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=True)
    assert done.stderr.count(WARNING) == times, done.stderr


def test_a_process_that_nobody_started_as_a_worker_tells_nothing():
    assert multiprocessing.parent_process() is None
    assert _workers.workers() is None
