"""Programs without their secrets: they are imported, checked, migrated, tested and served; webhooks: 503."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from servers import HTTP, ROOT, environment, gunicorn, running, uvicorn
from signing import event, signed

EXAMPLES = ROOT / "examples"


def without_secrets(extra=None):
    env = environment({})
    del env["CLERK_WEBHOOK_SIGNING_SECRET"]
    return {**env, **(extra or {})}


@pytest.fixture
def project(tmp_path):
    shutil.copytree(EXAMPLES / "django", tmp_path / "project")
    return tmp_path / "project"


def manage(project, *arguments, **extra):
    env = without_secrets({"DATABASE_PATH": str(project / "users.db"), **extra})
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["check", "migrate --no-input", "makemigrations --check", "test"])
@pytest.mark.parametrize("secret", [None, "", "whsec_short"], ids=["missing", "empty", "unusable"])
def test_djangos_commands_work_without_a_secret(project, command, secret):
    extra = {} if secret is None else {"CLERK_WEBHOOK_SIGNING_SECRET": secret}
    done = manage(project, *command.split(), **extra)
    assert done.returncode == 0, done.stderr


def test_djangos_check_says_which_variable_is_missing(project):
    said = manage(project, "check").stderr
    assert "surehook.W001" in said and "CLERK_WEBHOOK_SIGNING_SECRET" in said
    set_up = manage(project, "check", CLERK_WEBHOOK_SIGNING_SECRET="whsec_" + "A" * 32)
    assert "surehook.W001" not in set_up.stderr


SERVERS = {
    "django": gunicorn("app:app"),
    "flask": gunicorn("app:app"),
    "fastapi": uvicorn("app:app"),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_site_without_its_secret_answers_everything_else(kind, tmp_path):
    home = tmp_path / kind
    shutil.copytree(EXAMPLES / kind, home)
    extra = {"CLERK_WEBHOOK_SIGNING_SECRET": "", "DATABASE_PATH": str(tmp_path / "users.db")}
    with running(SERVERS[kind], tmp_path / "log", extra, home) as server:
        assert HTTP.get(f"{server.url}/healthz").status_code == 200
        if kind == "fastapi":  # its start is seen
            assert "CLERK_WEBHOOK_SIGNING_SECRET" in server.said()
        body = event()
        for _ in range(3):
            answer = HTTP.post(f"{server.url}/api/webhooks/clerk", content=body, headers=signed(body))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert HTTP.get(f"{server.url}/healthz").status_code == 200
        assert server.said().count("secret_missing.md") == 1


MIDDLEWARE = """
from fastapi import FastAPI
from surehook.fastapi import WebhookMiddleware
app = FastAPI()
app.add_middleware(WebhookMiddleware, path="/hook", provider="clerk")
"""


def test_the_middleware_says_it_when_the_application_starts(tmp_path):
    (tmp_path / "guarded.py").write_text(MIDDLEWARE)
    extra = {"CLERK_WEBHOOK_SIGNING_SECRET": ""}
    with running(uvicorn("guarded:app"), tmp_path / "log", extra, tmp_path) as server:
        assert HTTP.get(f"{server.url}/openapi.json").status_code == 200
        assert "CLERK_WEBHOOK_SIGNING_SECRET" in server.said()
        assert HTTP.post(f"{server.url}/hook", content=b"{}").status_code == 503


def test_the_schema_of_an_application_needs_no_secret():
    program = "import json, app; print(json.dumps(app.app.openapi()))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=EXAMPLES / "fastapi",
        env=without_secrets(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/api/webhooks/clerk" in json.loads(done.stdout)["paths"]
    assert "CLERK_WEBHOOK" not in done.stderr, "an import is no start"


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_every_example_is_imported_without_a_secret(framework):
    env = without_secrets({"PYTHONDONTWRITEBYTECODE": "1"})
    command = [sys.executable, "-c", "import app"]
    cwd = os.fspath(EXAMPLES / framework)
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options",
    [
        {"provider": "clark"},
        {"provider": "clerk", "tolerance": 0},
        {"provider": "clerk", "dedup": "nowhere://"},
    ],
)
def test_what_is_wrong_with_the_program_itself_is_still_an_error_of_the_import(options):
    program = f"from surehook.flask import with_webhook_monitoring as w; w(**{options!r})"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=without_secrets(), capture_output=True, text=True, check=False)
    assert "ConfigurationError" in done.stderr
