"""A FastAPI application in which others read the body before the decorator does, each in its own way."""

import asyncio
import os
from typing import Annotated

import sentry_sdk
from fastapi import APIRouter, Body, Depends, FastAPI, Form, Request
from fastapi.routing import APIRoute
from starlette.middleware.base import BaseHTTPMiddleware

import surehook
from surehook import _asgi_body, fastapi

if "SENTRY_DSN" in os.environ:
    sentry_sdk.init(traces_sample_rate=1.0, max_request_body_size="always")

_asgi_body.FIRST_PART_SECONDS = 0.3  # a test waits for it
surehook.init()
app = FastAPI()


def guarded(path: str, router: APIRouter | FastAPI = app, **settings) -> None:
    """A route whose handler answers with the body."""
    name = path.strip("/").replace("/", "-")

    @router.post(path, **settings)
    @fastapi.with_webhook_monitoring(provider="clerk", name=name)
    async def handler(request: Request):
        return (await request.body()).decode()


async def reads_body(request: Request) -> None:
    await request.body()


async def reads_json(request: Request) -> None:
    await request.json()


async def has_model(sent: Annotated[dict, Body()]) -> None:
    assert sent["type"]


async def reads_stream(request: Request) -> None:
    async for _ in request.stream():
        pass


async def reads_form(request: Request) -> None:
    await request.form()


async def has_form(who: Annotated[str, Form()] = "") -> None:
    pass


async def reads_by_itself(request: Request) -> None:
    await Request(request.scope, request.receive).body()


READERS = (reads_body, reads_json, has_model, reads_stream, reads_form, has_form, reads_by_itself)
for reader in READERS:
    guarded(f"/kept/{reader.__name__}", dependencies=[Depends(reader)])
guarded("/kept/nobody")

router = APIRouter(prefix="/kept/router", dependencies=[Depends(reads_body)])
guarded("/body", router)
app.include_router(router)


class ReadingRoute(APIRoute):
    """Reads the request that it passes on, as the documentation of FastAPI has it."""

    def get_route_handler(self):
        handle = super().get_route_handler()

        async def read_first(request: Request):
            await request.body()
            return await handle(request)

        return read_first


class ReplayingRoute(APIRoute):
    """Passes on another request, which gives the body once more."""

    def get_route_handler(self):
        handle = super().get_route_handler()

        async def read_first(request: Request):
            body = await request.body()

            async def again():
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, again))

        return read_first


for name, route in (("reading", ReadingRoute), ("replaying", ReplayingRoute)):
    router = APIRouter(prefix=f"/kept/{name}", route_class=route)
    guarded("/route", router)
    app.include_router(router)


class Middleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        if request.url.path.endswith("middleware-body"):
            await request.body()
        elif request.url.path.endswith("middleware-stream"):
            await reads_stream(request)
        return await call_next(request)


guarded("/kept/middleware-body")
guarded("/kept/middleware-stream")


@app.post("/kept/behind/middleware-stream")
async def behind():
    raise AssertionError


app.add_middleware(
    fastapi.WebhookMiddleware, path="/kept/behind/middleware-stream", provider="clerk", name="behind"
)
app.add_middleware(Middleware)


@app.get("/alive")
async def alive():
    return asyncio.current_task() is not None
