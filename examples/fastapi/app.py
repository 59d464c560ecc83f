"""Keeps the users of a FastAPI application in step with Clerk."""

from typing import Any

import surehook
from fastapi import FastAPI
from surehook.fastapi import with_webhook_monitoring
from users import apply_event

surehook.init()
app = FastAPI()


@app.post("/api/webhooks/clerk")
@with_webhook_monitoring(provider="clerk")
def clerk_webhook(event: dict[str, Any]) -> dict[str, bool]:
    """Runs once for each message that Clerk signed."""
    apply_event(event)
    return {"received": True}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Not a webhook, and not guarded."""
    return {"status": "ok"}
