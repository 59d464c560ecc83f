"""The demo: a collector, two applications, a story of 200 signed events, then the figures the collector reports.

`make demo` builds what this needs and runs it until Ctrl-C. With --once it stops after the summary, and exits with 1
when a figure is not what the story says.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
from pathlib import Path

from processes import start_collector, start_express, start_fastapi
from story import OUTCOMES, tell
from summary import differences, print_table, wait_for_overview


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surehook", required=True, help="the surehook command")
    parser.add_argument("--once", action="store_true", help="stop after the summary")
    arguments = parser.parse_args()
    # Every way to end the demo ends its processes, also where the shell had SIGINT ignored.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as stack:
            room = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="surehook-demo-")
                )
            )
            return play(stack, room, arguments.surehook, once=arguments.once)
    except KeyboardInterrupt:
        print("\nEvery process of the demo has ended.")
        return 130 if arguments.once else 0


def play(stack: contextlib.ExitStack, room: Path, surehook: str, *, once: bool) -> int:
    """Tells the story and compares. The processes end with the stack."""
    print("Starting the collector, the FastAPI and the Express example …", flush=True)
    collector = start_collector(stack, surehook, room)
    applications = [
        start_fastapi(stack, 1, room, collector),
        start_express(stack, 2, room, collector),
    ]
    wrong = [
        difference
        for application in applications
        for difference in tell(surehook, application)
    ]

    overview = wait_for_overview(
        collector.url, attempts=OUTCOMES.total() * len(applications)
    )
    print_table(overview)
    wrong += differences(overview, len(applications))
    for difference in wrong:
        print(f"NOT AS TOLD: {difference}")
    if not wrong:
        print("\nEvery figure is what the story says.")
    if once:
        return 1 if wrong else 0
    print(f"\nDashboard: {collector.url}/\nCtrl-C ends the demo.", flush=True)
    signal.pause()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
