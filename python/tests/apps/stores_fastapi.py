"""A guarded FastAPI route whose handler tells each run from the others."""

import os
import secrets

from fastapi import FastAPI, Response

import surehook
from surehook.fastapi import with_webhook_monitoring

surehook.init()
app = FastAPI()


@app.post("/hooks")
@with_webhook_monitoring(provider="clerk", dedup=os.environ["DEDUP"])
async def hooks(delivery: surehook.Delivery) -> Response:
    with open(os.environ["RUNS"], "a") as runs:  # noqa: PTH123
        runs.write(f"{delivery.message_id}\n")
    headers = {"x-own": "kept", "set-cookie": "session=1", "location": f"/users/{delivery.entity_id}"}
    return Response(f"\u00e9 {secrets.token_hex(8)}".encode(), 201, headers, "text/x-answer; charset=utf-8")
