"""The examples and every snippet of the quickstarts, on real servers, with events from the real command."""

import json
import re
import shlex
import sqlite3
import subprocess

import pytest
from conftest import Collector
from servers import HTTP, ROOT, Server, environment, gunicorn, running, uvicorn

SUREHOOK = ROOT / "target" / "debug" / "surehook"
COMMANDS = {"fastapi": uvicorn("app:app"), "flask": gunicorn("app:app")}
FRAMEWORKS = list(COMMANDS)


def fences(framework: str, language: str) -> list[str]:
    text = (ROOT / "docs" / f"quickstart-{framework}.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def send(server: Server, *options: str) -> dict[str, int]:
    command = [SUREHOOK, "send", f"{server.url}/api/webhooks/clerk", *options, "--json"]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
    last = json.loads(done.stdout.splitlines()[-1])
    return {name: count for name, count in last["summary"].items() if count and name != "expected"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_snippets_of_the_quickstart_run_as_they_stand(framework, collector: Collector, tmp_path):
    (tmp_path / "app.py").write_text("\n".join(fences(framework, "python")))
    shell = [shlex.split(line) for fence in fences(framework, "sh") for line in fence.splitlines()]
    assert [line[0] for line in shell] == ["pip", "surehook", "surehook"]
    with running(COMMANDS[framework], tmp_path / "log", collector.env, tmp_path) as server:
        _, _, url, *options = shell[2]
        assert url.endswith("/api/webhooks/clerk")
        summary = send(server, *options)
        assert (summary["handled"], summary["replayed"]) == (1, 1), server.said()
        server.stop()
    assert collector.attempts() == 2
    assert "new user" in server.said()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_example_writes_each_new_user_once(framework, collector: Collector, tmp_path):
    database = tmp_path / "example.db"
    env = collector.env | {"DATABASE_PATH": str(database)}
    with running(COMMANDS[framework], tmp_path / "log", env, ROOT / "examples" / framework) as server:
        assert HTTP.get(f"{server.url}/healthz").json() == {"status": "ok"}
        made = send(
            server, "--event", "user.created", "--count", "5", "--duplicate", "--bad-signature", "--stale"
        )
        assert (made["handled"], made["replayed"], made["refused"]) == (5, 5, 2), server.said()
        assert (
            send(server, "--event", "user.updated,user.deleted,session.created", "--count", "6")["handled"]
            == 6
        )
        assert send(server, "--event", "organization.created")["unexpected"] == 1
        server.stop()
    assert collector.attempts() == 19
    with sqlite3.connect(database) as rows:
        assert rows.execute("SELECT count(*), count(email) FROM users").fetchone() == (5, 5)
        assert rows.execute("SELECT count(*) FROM sessions").fetchone() == (2,)
        assert rows.execute("SELECT count(*) FROM organizations").fetchone() == (0,)
    rows.close()
