"""The spool: what was recorded outlives the process and the collector's absence, and is stored once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import APPS, eventually
from servers import HERE, environment

import surehook

RECORD = """if True:
    import json, os, signal, sys
    import surehook
    from deliveries import deliver

    surehook.init(spool_dir=sys.argv[1])
    deliver(sys.argv[2], int(sys.argv[3]))
    if sys.argv[4] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    flushed = surehook.flush(float(sys.argv[4]))
    stats = surehook.stats()
    print(json.dumps([flushed, stats.recorded, stats.stored, sum(stats.dropped.values()), stats.queued]))
"""


def record(env: dict[str, str], spool: Path, name: str, count: int, ending: str) -> tuple[int, list]:
    env = environment(env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    command = [sys.executable, "-c", RECORD, str(spool), name, str(count), ending]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, json.loads(done.stdout or "[]")


def test_what_a_killed_process_recorded_is_sent_by_the_next_one_and_stored_once(collector, tmp_path):
    spool = tmp_path / "spool"
    for number in range(3):
        code, _ = record(collector.env, spool, f"killed-{number}", 130, "die")
        assert code == -signal.SIGKILL
    assert collector.attempts() < 390, "there is something left to be sent"
    _, counts = record(collector.env, spool, "next", 1, "10")
    assert counts[0] is True
    assert collector.attempts() == 391
    assert all(collector.outcomes(f"killed-{number}") == {"processed": 130} for number in range(3))


KILLED = """if True:
    import os, signal, sys
    import surehook
    from deliveries import deliver, deliveries

    surehook.init(spool_dir=sys.argv[1])
    deliver("ended", 3)
    running = list(deliveries("running", 2))
    running[0].step("charged")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_handler_whose_process_is_killed_is_told_as_never_finished(recorder, tmp_path):
    spool = tmp_path / "spool"
    recorder.away = True
    env = environment(recorder.env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    killed = subprocess.run([sys.executable, "-c", KILLED, str(spool)], env=env, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    recorder.away = False
    _, (flushed, *_) = record(recorder.env, spool, "next", 1, "10")
    assert flushed
    told = sorted(
        (attempt["endpoint"], attempt["outcome"], attempt.get("failure", {}).get("error", {}).get("type"))
        for attempt in recorder.attempts
    )
    assert told == [
        *[("ended", "processed", None)] * 3,
        ("next", "processed", None),
        *[("running", "failed", "NeverFinished")] * 2,
    ]
    assert not [path for path in spool.iterdir() if path.stat().st_size], "nothing is left on the disk"


def test_a_collector_that_is_away_for_a_while_gets_everything(recorder, tmp_path):
    spool = tmp_path / "spool"
    recorder.away = True
    for number in range(2):
        _, (flushed, recorded, stored, dropped, queued) = record(
            recorder.env, spool, f"away-{number}", 70, "0.1"
        )
        assert (flushed, stored, dropped) == (False, 0, 0)
        assert recorded == queued
    assert recorder.attempts == []
    recorder.away = False
    _, (flushed, *_) = record(recorder.env, spool, "back", 1, "10")
    assert flushed
    assert len(recorder.attempts) == 141
    assert not list(spool.glob("*.attempts")), "nothing is left on the disk"


def test_its_files_are_readable_by_their_owner_alone(recorder, tmp_path):
    recorder.away = True
    record(recorder.env, tmp_path / "spool", "private", 1, "0.1")
    files = [path for path in (tmp_path / "spool").iterdir() if path.stat().st_size]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_oldest_give_way_when_it_is_full_and_are_counted(recorder, tmp_path):
    code = RECORD.replace(
        "init(spool_dir=sys.argv[1])", "init(spool_dir=sys.argv[1], spool_max_attempts=200)"
    )
    env = environment(recorder.env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    recorder.away = True
    command = [sys.executable, "-c", code, str(tmp_path / "spool"), "full", "1000", "0.1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    _, recorded, stored, dropped, queued = json.loads(done.stdout)
    assert (recorded, stored) == (1000, 0)
    assert dropped + queued == 1000
    assert dropped >= 600


BAD = {
    "spool_dir": [
        ({"spool_dir": "/dev/null"}, surehook.ConfigurationError, "spool_dir"),
        ({"spool_dir": "/dev/null/below"}, surehook.ConfigurationError, "spool_dir"),
        ({"spool_dir": "/proc/self"}, surehook.ConfigurationError, "spool_dir"),
        ({"spool_dir": "a\0b"}, surehook.ConfigurationError, "spool_dir"),
        ({"spool_dir": 5}, TypeError, "spool_dir must be str or a path, not int"),
    ],
    "spool_max_attempts": [
        ({"spool_max_attempts": 0}, surehook.ConfigurationError, "at least one"),
        ({"spool_max_attempts": -1}, surehook.ConfigurationError, "out of range"),
        ({"spool_max_attempts": 2**70}, surehook.ConfigurationError, "out of range"),
        ({"spool_max_attempts": "many"}, TypeError, "spool_max_attempts must be an int, not str"),
        ({"spool_max_bytes": 1.5}, TypeError, "spool_max_bytes must be an int, not float"),
        ({"spool_max_bytes": 0}, surehook.ConfigurationError, "at least one"),
    ],
    "ca_file": [
        ({"ca_file": "/nowhere/at/all.pem"}, surehook.ConfigurationError, "ca_file"),
        ({"ca_file": __file__}, surehook.ConfigurationError, "ca_file"),
        ({"ca_file": 5}, TypeError, "ca_file must be str or a path, not int"),
    ],
    "endpoint": [
        ({"endpoint": "collector"}, surehook.ConfigurationError, "endpoint"),
        ({"endpoint": "ftp://collector"}, surehook.ConfigurationError, "endpoint"),
        ({"endpoint": "http://"}, surehook.ConfigurationError, "endpoint"),
        ({"endpoint": ""}, surehook.ConfigurationError, "endpoint"),
        ({"endpoint": "http://a\ud800"}, surehook.ConfigurationError, "text"),
        ({"api_key": "shk_a\nb"}, surehook.ConfigurationError, "api_key"),
    ],
}


@pytest.mark.parametrize(("options", "error", "says"), [case for cases in BAD.values() for case in cases])
def test_a_setting_that_cannot_be_used_is_an_error_that_names_it(options, error, says, tmp_path):
    given = {"api_key": "shk_test", "endpoint": "http://127.0.0.1:9", "spool_dir": tmp_path / "spool"}
    with pytest.raises(error, match=says):
        surehook.init(**(given | options))
    if error is surehook.ConfigurationError:
        with pytest.raises(ValueError):
            surehook.init(**(given | options))


def test_a_directory_that_is_a_file_or_not_ours_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "closed").mkdir()
    given = {"api_key": "shk_test", "endpoint": "http://127.0.0.1:9"}
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(surehook.ConfigurationError, match=r"spool_dir.*cannot be used"):
            surehook.init(**given, spool_dir=path)
    if os.getuid() != 0:  # everything is open to root
        (tmp_path / "closed").chmod(0o500)
        with pytest.raises(surehook.ConfigurationError, match="spool_dir"):
            surehook.init(**given, spool_dir=tmp_path / "closed")


def test_frameworks_pass_the_settings_on(tmp_path, monkeypatch):
    """Each of them, as each is an error of its own when it cannot be used."""
    from flask import Flask

    from surehook.flask import Surehook

    for name, value, says in (
        ("SUREHOOK_SPOOL_DIR", "/dev/null", "spool_dir"),
        ("SUREHOOK_SPOOL_MAX_ATTEMPTS", -1, "spool_max_attempts"),
        ("SUREHOOK_SPOOL_MAX_BYTES", -1, "spool_max_bytes"),
        ("SUREHOOK_CA_FILE", "/nowhere", "ca_file"),
        ("SUREHOOK_BEFORE_SEND", "no function", "before_send"),
        ("SUREHOOK_ENDPOINT", "collector", "endpoint"),
    ):
        app = Flask(__name__)
        app.config |= {"SUREHOOK_API_KEY": "shk_test", "SUREHOOK_SPOOL_DIR": str(tmp_path), name: value}
        with pytest.raises((surehook.ConfigurationError, TypeError), match=says):
            Surehook(app)


DJANGO = """if True:
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=["surehook.django"], SUREHOOK=%r)
    django.setup()
    from deliveries import deliver
    deliver("django", 3)
"""


def test_django_passes_the_settings_on(recorder, tmp_path):
    settings = {
        "api_key": "shk_test",
        "endpoint": recorder.env["SUREHOOK_ENDPOINT"],
        "spool_dir": str(tmp_path / "spool"),
        "before_send": "hooks.before_send",
    }
    (tmp_path / "hooks.py").write_text(
        "def before_send(attempt):\n    return attempt | {'entity_id': 'hidden'}\n"
    )
    env = environment({"PYTHONPATH": os.pathsep.join((str(HERE), str(APPS), str(tmp_path)))})
    subprocess.run([sys.executable, "-c", DJANGO % settings], env=env, check=True)
    assert [attempt["entity_id"] for attempt in recorder.attempts] == ["hidden"] * 3
    assert (tmp_path / "spool").is_dir()


def test_a_key_of_another_collector_keeps_everything_and_says_so_once(recorder, tmp_path):
    recorder.status = 401
    code = RECORD.replace(
        "import json,", "import logging; logging.basicConfig(level=logging.INFO)\n    import json,"
    )
    code = code.replace("init(spool_dir=sys.argv[1])", "init()")
    env = environment(recorder.env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    command = [sys.executable, "-c", code, "", "unknown", "250", "0.5"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    flushed, recorded, stored, dropped, queued = json.loads(done.stdout)
    assert (flushed, recorded, stored, dropped, queued) == (False, 250, 0, 0, 250)
    assert done.stderr.count("it does not accept the API key") == 1
    assert "shk_test" not in done.stderr


def test_a_key_that_is_accepted_later_sends_what_waited(recorder):
    recorder.status = 401
    surehook.init(**{name[9:].lower(): value for name, value in recorder.env.items()})
    sys.path.insert(0, str(APPS))
    os.environ.setdefault("CLERK_WEBHOOK_SIGNING_SECRET", environment({})["CLERK_WEBHOOK_SIGNING_SECRET"])
    try:
        from deliveries import deliver

        before = surehook.stats()
        deliver("later", 10)
        assert not surehook.flush(0.2)
        recorder.status = 202
        eventually(lambda: surehook.flush(1))
        stats = surehook.stats()
        assert (stats.recorded - before.recorded, stats.stored - before.stored, stats.queued) == (10, 10, 0)
    finally:
        sys.path.remove(str(APPS))
        surehook.init(api_key="")
