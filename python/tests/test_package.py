"""The package as a whole: types, lints, rules of the rooms, and what an import costs."""

import json
import subprocess
import sys

import pytest
from servers import BIN, ROOT

PYTHON = ROOT / "python"
ADAPTERS = [
    "asgi.py",
    "_asgi_response.py",
    "django/__init__.py",
    "django/_request.py",
    "fastapi.py",
    "_fastapi_route.py",
    "flask.py",
]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=PYTHON, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_reads_like_a_page(adapter):
    assert len((PYTHON / "src" / "surehook" / adapter).read_text().splitlines()) < 150


def lint_imports(tmp_path, changed: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The contracts of pyproject.toml on a copy of the package, in which the native module is a file too."""
    package = tmp_path / "surehook"
    package.mkdir()
    source = PYTHON / "src" / "surehook"
    for file in source.rglob("*.py"):
        copy = package / file.relative_to(source)
        copy.parent.mkdir(exist_ok=True, parents=True)
        copy.write_text(file.read_text())
    for name, text in {"_native.py": "", **changed}.items():
        (package / name).write_text(text)
    contracts = (PYTHON / "pyproject.toml").read_text()
    contracts = contracts.replace(
        '["surehook._application_store"', '["surehook._native", "surehook._application_store"'
    )
    (tmp_path / "pyproject.toml").write_text(contracts)
    command = [f"{BIN}/lint-imports", "--no-cache"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_adapters_use_only_the_public_api(tmp_path):
    done = lint_imports(tmp_path, {})
    assert done.returncode == 0, done.stdout


def test_an_adapter_that_reaches_for_the_native_module_is_found(tmp_path):
    done = lint_imports(tmp_path, {"flask.py": "from surehook import _native\n"})
    assert done.returncode == 1
    assert "surehook.flask -> surehook._native" in done.stdout


def test_the_package_is_typed():
    run(sys.executable, "-m", "mypy")


def test_the_stubs_are_those_of_the_built_module():
    run(sys.executable, "-m", "mypy.stubtest", "surehook._native", "--mypy-config-file", "pyproject.toml")


def test_the_code_is_tidy():
    run(sys.executable, "-m", "ruff", "check", ".")
    run(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_an_import_starts_nothing_and_loads_no_framework():
    code = """if True:
        import json, sys, threading
        import surehook
        heavy = ("django", "fastapi", "starlette", "flask", "asyncio")
        loaded = [name for name in heavy if name in sys.modules]
        print(json.dumps([loaded, threading.active_count()]))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(done.stdout) == [[], 1]
