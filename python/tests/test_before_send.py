"""`before_send` on its way to a real server: what it changes, drops and breaks."""

import json
import os
import subprocess
import sys

import pytest
from conftest import APPS
from servers import HERE, environment

import surehook

SCRIPT = """if True:
    import json, logging, os, sys, threading, time
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    import surehook
    from deliveries import deliver, deliveries
    {before_send}

    surehook.init(before_send=before_send)
    {work}
    stats = surehook.stats()
    print(json.dumps([stats.recorded, stats.stored, dict(stats.dropped), stats.queued]))
"""


def run(recorder, before_send: str, work: str = "") -> tuple[list, str]:
    """The counts at the end, and the log."""
    code = SCRIPT.replace("{before_send}", before_send.strip().replace("\n", "\n    ")).replace(
        "{work}",
        (work or "deliver('sent', 150)\nassert surehook.flush(10)").strip().replace("\n", "\n    "),
    )
    env = environment(recorder.env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_what_it_changes_is_sent_and_what_it_drops_is_counted(recorder):
    change = """
def before_send(attempt):
    assert threading.current_thread() is not threading.main_thread()
    if attempt["entity_id"].endswith("7"):
        return None
    attempt["entity_id"] = "hidden"
    attempt["metadata"] = {"by": "before_send"}
    attempt["id"] = "00000000-0000-7000-8000-000000000000"
    return attempt
"""
    counts, _ = run(recorder, change)
    assert counts == [150, 135, {"before_send": 15}, 0]
    attempts = recorder.attempts
    assert len(attempts) == 135, "each keeps its own id"
    assert {attempt["entity_id"] for attempt in attempts} == {"hidden"}
    assert attempts[0]["metadata"] == {"by": "before_send"}


WRONG = {
    "raises": ("raise LookupError('no')", "before_send failed with LookupError"),
    "exits": ("sys.exit(3)", "before_send failed with SystemExit"),
    "returns text": ("return 'no'", "it returned neither a dict nor None"),
    "is async": ("return (lambda: (yield))()", "it returned neither a dict nor None"),
    "empties": ("return {}", "what it returned is no attempt: missing field"),
    "breaks a field": ("return attempt | {'outcome': 'splendid'}", "what it returned is no attempt"),
    "returns objects": ("return attempt | {'received_at': object()}", "what it returned is no attempt"),
    "returns itself": ("attempt['request'] = attempt; return attempt", "what it returned is no attempt"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_one_that_fails_drops_the_attempts_and_says_so_once(recorder, kind):
    body, says = WRONG[kind]
    counts, log = run(recorder, f"def before_send(attempt): {body}")
    assert counts == [150, 0, {"before_send": 150}, 0]
    assert recorder.attempts == []
    assert log.count(says) == 1, log


def test_each_kind_of_failure_is_logged(recorder):
    fails = """
def before_send(attempt):
    raise (LookupError if int(attempt["entity_id"][5:]) % 2 else ValueError)("no")
"""
    _, log = run(recorder, fails)
    assert log.count("failed with LookupError") == log.count("failed with ValueError") == 1


def test_one_that_hangs_holds_up_telemetry_and_nothing_else(recorder):
    hangs = """
going_on = threading.Event()

def before_send(attempt):
    going_on.wait()
    return attempt
"""
    work = """
started = time.monotonic()
deliver('sent', 150)
assert time.monotonic() - started < 1
assert not surehook.flush(0.2)
assert surehook.stats().queued == 150
going_on.set()
assert surehook.flush(10)
"""
    counts, _ = run(recorder, hangs, work)
    assert counts == [150, 150, {}, 0]
    assert len(recorder.attempts) == 150


def test_it_works_on_in_a_child_and_with_its_own_deliveries(recorder):
    records = """
once = []

def before_send(attempt):
    if not once:
        once.append(True)
        deliver("from inside", 1)
    return attempt
"""
    work = """
deliver("parent", 10)
assert surehook.flush(10)
if (pid := os.fork()) == 0:
    deliver("child", 10)
    assert surehook.flush(10)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
deliver("parent", 10)
assert surehook.flush(10)
"""
    counts, _ = run(recorder, records, work)
    assert counts == [21, 21, {}, 0]
    names = [attempt["endpoint"] for attempt in recorder.attempts]
    assert (names.count("parent"), names.count("child"), names.count("from inside")) == (20, 10, 1)


def test_the_same_function_is_the_same_setting_and_another_one_replaces_it(recorder):
    work = """
deliver("first", 10)
surehook.init(before_send=before_send)
assert surehook.stats().recorded == 10, "a module that is loaded anew"
surehook.init(before_send=lambda attempt: None)
assert surehook.stats().recorded == 10, "what the earlier one sent still counts"
deliver("second", 10)
assert surehook.flush(10)
assert surehook.shutdown(10)
for thread in threading.enumerate():
    if "before-send" in thread.name:
        thread.join(5)
        assert not thread.is_alive()
"""
    counts, _ = run(recorder, "def before_send(attempt): return attempt", work)
    assert counts == [20, 10, {"before_send": 10}, 0]
    assert len(recorder.attempts) == 10


def test_the_first_events_may_come_at_the_very_end(recorder):
    run(recorder, "def before_send(attempt): return attempt", "deliver('sent', 20)")
    assert len(recorder.attempts) == 20


def test_without_a_thread_it_is_asked_all_the_same(recorder):
    """Some interpreters start no thread when they are about to end."""
    fails = "threading.Thread.start = lambda self: (_ for _ in ()).throw(RuntimeError('too late'))\n"
    counts, _ = run(recorder, fails + "def before_send(attempt): return attempt | {'entity_id': 'asked'}")
    assert counts == [150, 150, {}, 0]
    assert {attempt["entity_id"] for attempt in recorder.attempts} == {"asked"}


@pytest.mark.parametrize("wrong", ["a text", 1, {}, True])
def test_what_is_no_function_is_refused(wrong):
    with pytest.raises(TypeError, match="before_send must be a function, not"):
        surehook.init(before_send=wrong)
