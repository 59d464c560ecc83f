"""What telemetry may cost a process: threads, memory, descriptors. Each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from conftest import APPS
from servers import HERE, environment

#: All of the calls that the bar names, which take a minute with a build that is not optimised.
LONG = bool(os.environ.get("SUREHOOK_LONG"))
CALLS = 1_000_000 if LONG else 200_000
CYCLES = 10_000

MEASURES = """if True:
    import gc, json, os, sys, threading, time
    import surehook
    from deliveries import deliver, deliveries
    from surehook import testing

    def threads():
        return len(os.listdir("/proc/self/task"))

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def memory():
        "What is resident, in MiB."
        gc.collect()
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def told(*figures):
        print(json.dumps(figures))

"""


def measured(script: str, env: dict[str, str]) -> list:
    env = environment(env | {"PYTHONPATH": f"{HERE}{os.pathsep}{APPS}"})
    lines = "\n".join("    " + line for line in script.strip().splitlines())
    done = subprocess.run(
        [sys.executable, "-c", MEASURES + lines], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("before_send", "most"), [("None", 3), ("lambda attempt: attempt", 4)], ids=["plain", "before_send"]
)
def test_the_first_delivery_starts_one_thread_and_its_record_two_at_most(recorder, before_send, most):
    before, begun, after, closed = measured(
        f"""
surehook.init(before_send={before_send})
surehook.Endpoint(provider="clerk")
before = threads()
one, two = deliveries("threads", 2)
begun = threads()
one.finish(status=200, headers=[], body=b"")
two.finish(status=200, headers=[], body=b"")
assert surehook.flush(10)
deadline = time.monotonic() + 10
while threads() > {most} and time.monotonic() < deadline:
    time.sleep(0.001)  # the thread on which the flush was waited for ends by itself
after = threads()
surehook.shutdown(10)
while threads() > begun:
    time.sleep(0.001)
told(before, begun, after, threads())
""",
        recorder.env,
    )
    assert before == 1
    assert begun == closed == 2, "the thread for I/O watches over deliveries, and stays"
    assert after == most


def test_ten_thousand_events_add_8_mib_at_most(recorder):
    before, after, stored = measured(
        """
surehook.init()
deliver("warm", 1)
assert surehook.flush(10)
before = memory()
for _ in range(100):
    deliver("memory", 100)
assert surehook.flush(20)
told(before, memory(), surehook.stats().stored)
""",
        recorder.env,
    )
    assert stored == 10_001
    assert after - before <= 8, (before, after)


SLOPE = """
surehook.init()
endpoint = surehook.Endpoint(provider="clerk", name="slope")
secret = os.environ["CLERK_WEBHOOK_SIGNING_SECRET"]
request = testing.signed("clerk", {"type": "user.created", "data": {"id": "user_1"}}, secret=secret)
headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]

def calls(count):
    for _ in range(count):
        # What failed is not remembered, so the same message is handled again.
        delivery = endpoint.begin(method="POST", path="/", headers=headers, body=request.body)
        delivery.finish(status=500, headers=[], body=b"no")

calls(20_000)  # until the queue is full, and all that is kept has its place
started, first = time.monotonic(), memory()
calls(CALLS // 2)
second = memory()
calls(CALLS // 2)
seconds = time.monotonic() - started
stats = surehook.stats()
told(second - first, memory() - second, seconds, stats.recorded, sum(stats.dropped.values()) + stats.queued)
"""


def test_the_memory_of_very_many_deliveries_does_not_grow(capsys):
    """With a collector that refuses every connection."""
    env = {"SUREHOOK_ENDPOINT": "http://127.0.0.1:9", "SUREHOOK_API_KEY": "shk_nobody"}
    first, second, seconds, recorded, kept = measured(SLOPE.replace("CALLS", str(CALLS)), env)
    with capsys.disabled():
        print(f"\n{CALLS} deliveries: {first:+.2f} and {second:+.2f} MiB in {seconds:.0f} s")
    assert second <= 1 and first <= 1
    assert recorded == kept == CALLS + 20_000


def test_ten_thousand_beginnings_and_ends_leave_no_thread_and_no_descriptor(recorder, tmp_path):
    threads, descriptors, stored, memory = measured(
        f"""
endpoint = os.environ["SUREHOOK_ENDPOINT"]
stored = 0

def cycle(number):
    global stored
    # Another key is another client; every 100th has something to send, to a spool or not.
    spool = {str(tmp_path)!r} if number % 200 == 0 else None
    before_send = (lambda attempt: attempt) if number % 300 == 0 else None
    surehook.init(f"shk_{{number}}", endpoint, spool_dir=spool, before_send=before_send)
    if number % 100 == 0:
        deliver("cycle", 2)
    assert surehook.shutdown(10)
    stored = surehook.stats().stored

for number in range(301):
    cycle(number)
before = threads(), descriptors(), memory()
for number in range(301, {CYCLES}):
    cycle(number)
surehook.init("shk_last", endpoint)  # lets go of the last function
deadline = time.monotonic() + 10
while threads() > 2 and time.monotonic() < deadline:
    time.sleep(0.001)
told(threads(), descriptors() - before[1], stored, memory() - before[2])
""",
        recorder.env,
    )
    assert (threads, stored) == (2, 200), "the main thread, and the one for I/O"
    assert descriptors <= 0
    assert memory < 8
