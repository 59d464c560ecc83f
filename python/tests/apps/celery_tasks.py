"""A Celery application whose tasks do work that a handler deferred, and a webhook's whole life in a task."""

import os
import time

from celery import Celery, signals
from deliveries import deliver

import surehook

FOLDER = os.environ["CELERY_FOLDER"]
app = Celery(
    "tasks",
    broker="filesystem://",
    broker_transport_options=dict.fromkeys(("data_folder_in", "data_folder_out"), FOLDER)
    | {"control_folder": f"{FOLDER}/control"},
    task_ignore_result=True,
    worker_hijack_root_logger=False,
)
surehook.init()


@app.task
def handle(token: str) -> None:
    with surehook.deferred(token) as work:
        work.step("send_welcome")


@app.task
def record(count: int) -> None:
    deliver("celery", count)


def say(when: str):
    def receiver(**_):
        print(f"{when} {time.monotonic()}", flush=True)

    return receiver


@signals.worker_process_init.connect(weak=False)
def watch_the_end(**_) -> None:
    """Receivers are called in their order: one before Surehook's, and one behind it."""
    for when in ("ended", "ending"):
        signals.worker_process_shutdown.connect(say(when), weak=False)
    receivers = signals.worker_process_shutdown.receivers
    receivers.insert(0, receivers.pop())
