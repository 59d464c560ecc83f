"""A Flask application for servers that a SIGTERM ends at once, with what `docs/telemetry.md` says to do."""

import os
import signal
import sys

from flask import Flask

import surehook
from surehook.flask import with_webhook_monitoring

if "RECIPE" in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

surehook.init()
app = Flask(__name__)


@app.post("/hooks/plain")
@with_webhook_monitoring(provider="clerk", name="hooks-plain")
def plain():
    return ""
