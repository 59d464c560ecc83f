"""The same route in Flask."""

import os
import secrets

from flask import Flask

import surehook
from surehook.flask import Surehook, with_webhook_monitoring

app = Flask(__name__)
Surehook(app)


@app.post("/hooks")
@with_webhook_monitoring(provider="clerk", dedup=os.environ["DEDUP"])
def hooks(delivery: surehook.Delivery):
    with open(os.environ["RUNS"], "a") as runs:  # noqa: PTH123
        runs.write(f"{delivery.message_id}\n")
    headers = {
        "x-own": "kept",
        "set-cookie": "session=1",
        "location": f"/users/{delivery.entity_id}",
        "content-type": "text/x-answer; charset=utf-8",
    }
    return f"\u00e9 {secrets.token_hex(8)}".encode(), 201, headers
