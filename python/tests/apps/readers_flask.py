"""A Flask application in which others read the body before the decorator does, each in its own way."""

import os

import sentry_sdk
from flask import Flask, request

import surehook
from surehook import flask

if "SENTRY_DSN" in os.environ:
    sentry_sdk.init(traces_sample_rate=1.0, max_request_body_size="always")

surehook.init()
app = Flask(__name__)

READERS = {
    "get_data": lambda: request.get_data(),
    "data": lambda: request.data,
    "get_json": lambda: request.get_json(silent=True),
    "form": lambda: request.form.get("a"),
    "values": lambda: request.values.get("a"),
    "stream": lambda: request.stream.read(),
    "sentry": lambda: sentry_sdk.capture_message("before the view"),
    "nobody": lambda: None,
}


@app.before_request
def read_first():
    if reader := READERS.get(request.path.rpartition("/")[2]):
        reader()


def guard(reader: str) -> None:
    @flask.with_webhook_monitoring(provider="clerk", name=f"kept-{reader}")
    def view():
        return request.get_data()

    app.add_url_rule(f"/kept/{reader}", reader, view, methods=["POST"])


for reader in READERS:
    guard(reader)
