"""FastAPI with its compressing middleware, outside and inside of the guards."""

import os

from fastapi import FastAPI, Response
from starlette.middleware.gzip import GZipMiddleware

import surehook
from surehook.fastapi import WebhookMiddleware, with_webhook_monitoring

surehook.init()
app = FastAPI()


@app.post("/decorated")
@with_webhook_monitoring(provider="clerk", name="decorated")
async def decorated():
    return Response(b"answer " * 300, 201, {"x-answer": "yes"}, "text/x-answer")


@app.post("/middleware")
async def behind_middleware():
    return Response(b"answer " * 300, 201, {"x-answer": "yes"}, "text/x-answer")


if "INSIDE" in os.environ:
    app.add_middleware(GZipMiddleware, minimum_size=10)
app.add_middleware(WebhookMiddleware, path="/middleware", provider="clerk", name="middleware")
if "INSIDE" not in os.environ:
    app.add_middleware(GZipMiddleware, minimum_size=10)
