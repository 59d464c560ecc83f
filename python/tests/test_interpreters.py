"""Where the interpreter is not the usual one, or is told to stop waiting."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import eventually
from servers import HERE, environment

SUBINTERPRETER = """if True:
    import {module} as interpreters
    {before}
    interpreter = interpreters.create()
    script = '''if True:
        try:
            import surehook
        except ImportError as error:
            print(error, flush=True)
    '''
    said = interpreters.run_string(interpreter, script)
    assert not said, said
    # The interpreter lives on when the process ends.
"""
INTERPRETERS = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"


@pytest.mark.parametrize("before", ["", "import surehook"], ids=["alone", "beside the main one"])
def test_a_subinterpreter_is_refused_and_does_not_hold_up_the_end(before):
    code = SUBINTERPRETER.format(module=INTERPRETERS, before=before)
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, env=environment({}), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "not in a subinterpreter" in done.stdout
    assert "WSGIApplicationGroup" in done.stdout


WAITS = {
    "flush": "surehook.flush(60)",
    "shutdown": "surehook.shutdown(60)",
    "begin": "begin(waiting)",
}
WAITING = """if True:
    import sys
    import time
    import surehook
    from signing import SECRET, event, new_id, signed
    from deliveries import deliver

    def begin(endpoint):
        headers = [(name.encode(), value.encode()) for name, value in sent.items()]
        return endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())

    surehook.init()
    waiting = surehook.Endpoint(provider="clerk", name="waiting", on_in_flight="wait")
    body = event()
    sent = signed(body)
    held = begin(waiting)
    deliver("exit", 3)
    print("waits", flush=True)
    started = time.monotonic()
    try:
        {wait}
    except KeyboardInterrupt:
        print("interrupted", time.monotonic() - started, flush=True)
"""


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(black_hole, wait):
    env = environment(black_hole | {"PYTHONPATH": f"{HERE}:{HERE / 'apps'}"})
    command = [sys.executable, "-c", WAITING.format(wait=WAITS[wait])]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "waits\n"
        state = Path(f"/proc/{process.pid}/stat")
        eventually(lambda: state.read_text().rpartition(")")[2].split()[0] == "S")  # it has begun
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stdout.readline()
        assert said.startswith("interrupted"), said
        assert time.monotonic() - begun < 2
        process.wait(20)


def test_the_module_says_that_it_needs_no_lock_of_the_interpreter():
    """On a free-threaded interpreter the lock would be switched on for one that does not."""
    source = (Path(HERE).parent.parent / "bindings" / "python" / "src" / "lib.rs").read_text()
    assert "#[pyo3::pymodule(gil_used = false)]" in source
