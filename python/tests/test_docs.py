"""The examples and every snippet of the quickstarts, on real servers, with events from the real command."""

import ast
import hashlib
import hmac
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from conftest import Collector
from servers import HTTP, ROOT, Server, environment, gunicorn, running, uvicorn
from signing import event, signed

SUREHOOK = ROOT / "target" / "debug" / "surehook"
COMMANDS = {"fastapi": uvicorn("app:app"), "flask": gunicorn("app:app"), "django": gunicorn("app:app")}
FRAMEWORKS = list(COMMANDS)
#: What `django-admin startproject` makes, and the pages add to.
DJANGO_SETTINGS = """
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "urls"
SECRET_KEY = "only tests may know"
"""
DJANGO_APP = """
import os
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
app = get_wsgi_application()
"""


def fences(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


PAGES = sorted((ROOT / "docs").glob("**/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_snippets_are_python(page):
    for snippet in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(snippet, page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def send(server: Server, *options: str) -> dict[str, int]:
    command = [SUREHOOK, "send", f"{server.url}/api/webhooks/clerk", *options, "--json"]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
    last = json.loads(done.stdout.splitlines()[-1])
    return {name: count for name, count in last["summary"].items() if count and name != "expected"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_snippets_of_the_quickstart_run_as_they_stand(framework, collector: Collector, tmp_path):
    snippets = fences(f"quickstart-{framework}", "python")
    if framework == "django":
        settings, views, urls = snippets
        files = {"settings": DJANGO_SETTINGS + settings, "views": views, "urls": urls, "app": DJANGO_APP}
    else:
        files = {"app": "\n".join(snippets)}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    shell = [
        shlex.split(line) for fence in fences(f"quickstart-{framework}", "sh") for line in fence.splitlines()
    ]
    assert [line[0] for line in shell] == ["pip", "surehook", "surehook"]
    with running(COMMANDS[framework], tmp_path / "log", collector.env, tmp_path) as server:
        _, _, url, *options = shell[2]
        assert url.endswith("/api/webhooks/clerk")
        summary = send(server, *options)
        assert (summary["handled"], summary["replayed"]) == (1, 1), server.said()
        server.stop()
    assert collector.attempts() == 2
    assert "new user" in server.said()


def acme(secret: str, message_id: str) -> tuple[str, dict[str, str]]:
    body, at = json.dumps({"id": message_id, "type": "order.paid"}), str(int(time.time()))
    signature = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return body, {"x-acme-timestamp": at, "x-acme-signature": f"sha256={signature}"}


CUSTOM = {"ACME_WEBHOOK_SECRET": "the secret of this very test", "INTRANET_TOKEN": "a token of the intranet"}


@pytest.fixture
def custom(tmp_path) -> Path:
    """The Python snippets of the page on schemes and verifiers, as one module."""
    (tmp_path / "custom.py").write_text("\n".join(fences("custom-schemes", "python")))
    return tmp_path


def test_the_scheme_and_the_async_verifier_of_the_page_run_as_they_stand(custom):
    with running(uvicorn("custom:app"), custom / "log", CUSTOM, custom) as server:

        def post(path: str, secret: str) -> httpx.Response:
            body, headers = acme(secret, "evt_1")
            return HTTP.post(f"{server.url}/webhooks/{path}", content=body, headers=headers)

        assert post("acme", CUSTOM["ACME_WEBHOOK_SECRET"]).json() == {"received": "order.paid"}
        assert post("acme/two", "the second tenant's own secret").json() == {"received": "two:evt_1"}
        for path in ("acme", "acme/one", "acme/three"):
            assert post(path, "the second tenant's own secret").status_code == 401, server.said()


def test_the_verifier_of_the_page_runs_in_flask(custom):
    with running(gunicorn("custom:flask_app"), custom / "log", CUSTOM, custom) as server:
        for token, status in ((CUSTOM["INTRANET_TOKEN"], 200), ("another", 401)):
            headers = {"x-intranet-token": token}
            answer = HTTP.post(f"{server.url}/webhooks/intranet", content='{"id": "evt_1"}', headers=headers)
            assert answer.status_code == status, server.said()


def test_the_handlers_of_the_page_on_silent_drops_do_what_it_says(recorder, tmp_path):
    (tmp_path / "drops.py").write_text("\n".join(fences("silent-drops", "python")))
    with running(uvicorn("drops:app"), tmp_path / "log", recorder.env, tmp_path) as server:

        def post(path: str, event_type: str, **data: object) -> None:
            body = event(event_type, **data)
            answer = HTTP.post(f"{server.url}/api/webhooks/{path}", content=body, headers=signed(body))
            assert answer.status_code == 200, server.said()

        addresses = ["ada@example.com"]
        post("clerk", "user.created", email_addresses=addresses)
        post("clerk", "user.created")
        post("clerk", "user.created", banned=True, email_addresses=addresses)
        post("clerk", "session.created")
        post("signup", "user.created")
        server.stop()
    attempts = recorder.attempts
    assert [(attempt["outcome"], attempt.get("missing_steps", [])) for attempt in attempts] == [
        ("processed", []),
        ("silent_drop", ["send_welcome"]),
        ("failed", []),
        ("ignored", []),
        ("deferred", []),
        ("processed", []),
    ]
    assert attempts[2]["metadata"] == {"user": "user_1"}
    assert attempts[5]["continues"] == attempts[4]["id"]
    assert all("duration_us" in step for step in attempts[0]["steps"] if step["name"] == "create_profile")


def test_the_page_on_tests_is_a_test_file_that_passes(tmp_path):
    (tmp_path / "test_page.py").write_text("\n".join(fences("testing", "python")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_example_writes_each_new_user_once(framework, collector: Collector, tmp_path):
    database = tmp_path / "example.db"
    env = collector.env | {"DATABASE_PATH": str(database)}
    if framework == "django":
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, env=environment(env), cwd=ROOT / "examples" / "django", check=True)
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
