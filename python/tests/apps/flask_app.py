"""A Flask application with the same routes as the FastAPI one, and one for each legal return value."""

import hashlib
import os
import threading
from collections import Counter

from flask import Flask, Response, abort, current_app, jsonify, make_response, request

import surehook
from surehook.flask import Surehook, with_webhook_monitoring

app = Flask(__name__)
Surehook(app)
runs: Counter[str] = Counter()
lock = threading.Lock()
gate = threading.Event()


def count(delivery) -> int:
    with lock:
        runs[delivery.message_id] += 1
        return runs[delivery.message_id]


def plain(delivery):
    body = request.get_data()
    run = count(delivery)
    parsed = request.get_json(silent=True, force=True)
    entity = parsed.get("data", {}).get("id") if isinstance(parsed, dict) else None
    return {"sha256": hashlib.sha256(body).hexdigest(), "run": run, "entity": entity}


def text():
    run = count(surehook.current_delivery())
    headers = {"x-private": "no", "set-cookie": "session=1", "content-type": "text/x-answer; charset=utf-8"}
    return f"r\u00e9ponse {run}\n", 202, headers


def failing(delivery):
    count(delivery)
    raise RuntimeError("the database is away")


def refusing(delivery):
    count(delivery)
    abort(404, "no such user")


def waiting(delivery):
    run = count(delivery)
    gate.wait(30)
    return {"run": run}


def streaming(delivery):
    count(delivery)
    return Response((b"x" * 1000 for _ in range(100)), mimetype="application/octet-stream")


for handler in (plain, text, failing, refusing, waiting, streaming):
    guard = with_webhook_monitoring(
        provider="clerk", name=f"hooks-{handler.__name__}", max_body_bytes=100_000
    )
    app.post(f"/hooks/{handler.__name__}")(guard(handler))


RETURNS = {
    "str": lambda: "text",
    "bytes": lambda: b"bytes",
    "dict": lambda: {"a": 1},
    "list": lambda: [1, 2],
    "status": lambda: ("created", 201),
    "headers": lambda: ("made", {"x-made": "yes"}),
    "pairs": lambda: ("made", 203, [("x-made", "yes")]),
    "response": lambda: jsonify(ok=True),
    "made": lambda: make_response(("made", 202)),
    "nothing": lambda: ("", 204),
    "generator": lambda: (part for part in ("a", "b")),
    "wsgi": lambda: Response("wsgi"),
    "abort_response": lambda: abort(Response("aborted", 200)),
    "abort_teapot": lambda: abort(418),
    "redirect": lambda: ("", 302, {"location": "/elsewhere"}),
}


@app.post("/returns/<kind>")
@with_webhook_monitoring(provider="clerk", name="returns")
def returns(kind):
    return RETURNS[kind]()


@app.post("/bare/<kind>")
def bare(kind):
    return RETURNS[kind]()


@app.post("/hooks/async")
@with_webhook_monitoring(provider="clerk", name="hooks-async")
async def asynchronous(delivery):
    return {"run": count(delivery)}


@app.post("/hooks/keyed")
@with_webhook_monitoring(
    provider="clerk",
    name="hooks-keyed",
    idempotency_key=lambda request, body, headers: body["data"]["id"] + headers["x-tenant"] + request.method,
)
def keyed(delivery):
    return {"run": count(delivery)}


@app.post("/hooks/marked")
@with_webhook_monitoring(
    provider="clerk",
    name="hooks-marked",
    require_processing_mark=True,
    on_silent_drop="retry",
    steps={"user.created": ["create_profile"]},
)
def marked(delivery):
    for action in request.get_json()["data"]["do"]:
        getattr(delivery, action[0])(*action[1:])
    return {"run": count(delivery)}


@app.before_request
def parse_forms_early():
    if request.path == "/hooks/consumed":
        request.form.get("anything")


@app.post("/hooks/consumed")
@with_webhook_monitoring(provider="clerk", name="hooks-consumed")
def consumed():
    return "never"


@app.post("/hooks/nothing-returned")
@with_webhook_monitoring(provider="clerk", name="hooks-none")
def nothing_returned(delivery):
    count(delivery)


@app.get("/runs")
def all_runs():
    return dict(runs)


@app.post("/open")
def open_gate():
    gate.set()
    return ""


@app.post("/shut")
def shut_gate():
    gate.clear()
    return ""


@app.route("/unguarded", methods=["GET", "POST", "PUT"])
def unguarded():
    return {"body": request.get_data().decode(), "delivery": surehook.current_delivery() is not None}


@app.get("/stats")
def stats():
    found = surehook.stats()
    return {
        "recorded": found.recorded,
        "stored": found.stored,
        "queued": found.queued,
        "dropped": found.dropped,
    }


@app.get("/pid")
def pid():
    return [os.getpid(), "surehook" in current_app.extensions]
