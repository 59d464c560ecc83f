"""Keeps the users of a Flask application in step with Clerk."""

import surehook
from flask import Flask, request
from surehook.flask import with_webhook_monitoring
from users import apply_event

surehook.init()

app = Flask(__name__)


@app.post("/api/webhooks/clerk")
@with_webhook_monitoring(provider="clerk")
def clerk_webhook() -> dict[str, bool]:
    """Runs once for each message that Clerk signed."""
    apply_event(request.get_json())
    return {"received": True}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Not a webhook, and not guarded."""
    return {"status": "ok"}
