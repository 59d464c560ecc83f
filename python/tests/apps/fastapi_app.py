"""A FastAPI application whose routes are guarded in every way that the adapter offers."""

import asyncio
import hashlib
import os
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

import surehook
from surehook.fastapi import WebhookMiddleware, with_webhook_monitoring

surehook.init()
app = FastAPI()
runs: Counter[str] = Counter()
gate = asyncio.Event()


async def found_delivery():
    return surehook.current_delivery()


Handle = Annotated[Any, Depends(found_delivery)]


class OddError(Exception):
    pass


@app.exception_handler(OddError)
async def odd(request: Request, error: OddError) -> JSONResponse:
    return JSONResponse({"odd": True}, status_code=200)


def count(delivery) -> int:
    runs[delivery.message_id] += 1
    return runs[delivery.message_id]


async def plain(request: Request, delivery: Handle):
    body = await request.body()
    run = count(delivery)
    try:
        parsed = (await request.json())["data"]["id"]
    except (ValueError, TypeError, KeyError):
        parsed = None
    return {"sha256": hashlib.sha256(body).hexdigest(), "run": run, "entity": parsed}


async def text(request: Request):
    run = count(surehook.current_delivery())
    headers = {"x-private": "no", "set-cookie": "session=1"}
    return Response(f"r\u00e9ponse {run}\n".encode(), 202, headers, "text/x-answer; charset=utf-8")


async def failing(delivery: Handle):
    count(delivery)
    raise RuntimeError("the database is away")


async def refusing(delivery: Handle):
    count(delivery)
    raise HTTPException(404, "no such user")


async def waiting(delivery: Handle):
    run = count(delivery)
    await gate.wait()
    return {"run": run}


async def streaming(delivery: Handle):
    count(delivery)
    return StreamingResponse((b"x" * 1000 for _ in range(100)), media_type="application/octet-stream")


HANDLERS = (plain, text, failing, refusing, waiting, streaming)
for handler in HANDLERS:
    guard = with_webhook_monitoring(
        provider="clerk", name=f"hooks-{handler.__name__}", max_body_bytes=100_000
    )
    app.post(f"/hooks/{handler.__name__}")(guard(handler))


# The same handlers behind the middleware: there the delivery comes by a dependency of the application's own.
for handler in HANDLERS:
    app.post(f"/middleware/{handler.__name__}")(handler)

app.add_middleware(
    WebhookMiddleware,
    path=[f"/middleware/{handler.__name__}" for handler in HANDLERS],
    provider="clerk",
    name="middleware",
    max_body_bytes=100_000,
)


class Data(BaseModel):
    id: str


class Event(BaseModel):
    type: str
    data: Data


class Stored(BaseModel):
    id: str
    run: int


def tenant() -> str:
    return "acme"


@app.post("/hooks/model", status_code=201)
@with_webhook_monitoring(provider="clerk", name="hooks-model")
def model(event: Event, delivery: surehook.Delivery, tenant: str = Depends(tenant)) -> Stored:
    return {"id": f"{tenant}:{event.data.id}", "run": count(delivery), "secret": "left out"}


router = APIRouter(prefix="/included")


@router.post("/{who}/model", response_model=Stored, response_model_exclude={"run"})
@with_webhook_monitoring(provider="clerk", name="included-model")
async def included(who: str, event: Event, response: Response):
    response.headers["x-from"] = "dependency"
    return Stored(id=f"{who}:{event.data.id}", run=count(surehook.current_delivery()))


app.include_router(router)


@app.post("/hooks/odd")
@with_webhook_monitoring(provider="clerk", name="hooks-odd")
async def raising_odd(delivery):
    count(delivery)
    raise OddError


@app.post("/hooks/keyed")
@with_webhook_monitoring(
    provider="clerk",
    name="hooks-keyed",
    idempotency_key=lambda request, body, headers: body["data"]["id"] + headers["x-tenant"] + request.method,
)
async def keyed(delivery):
    return {"run": count(delivery)}


@app.post("/hooks/marked")
@with_webhook_monitoring(
    provider="clerk",
    name="hooks-marked",
    require_processing_mark=True,
    on_silent_drop="retry",
    steps={"user.created": ["create_profile"]},
)
async def marked(request: Request, delivery):
    for action in (await request.json())["data"]["do"]:
        getattr(delivery, action[0])(*action[1:])
    return {"run": count(delivery)}


@app.get("/runs")
async def all_runs():
    return runs


@app.post("/open")
async def open_gate():
    gate.set()


@app.post("/shut")
async def shut_gate():
    gate.clear()


@app.api_route("/unguarded", methods=["GET", "POST", "PUT"])
async def unguarded(request: Request):
    return {"body": (await request.body()).decode(), "delivery": surehook.current_delivery() is not None}


@app.get("/middleware/plain")
async def other_method():
    return {"delivery": surehook.current_delivery() is not None}


@app.get("/stats")
async def stats():
    found = surehook.stats()
    return {
        "recorded": found.recorded,
        "stored": found.stored,
        "queued": found.queued,
        "dropped": found.dropped,
    }


@app.get("/pid")
async def pid():
    return os.getpid()
