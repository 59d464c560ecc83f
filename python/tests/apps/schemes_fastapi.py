"""Every guard by the decorator, whose verifier is async, and by the middleware, whose verifier is not."""

from fastapi import FastAPI, Request
from guards import GUARDS, judge, judged

import surehook
from surehook.fastapi import WebhookMiddleware, with_webhook_monitoring

surehook.init()
app = FastAPI()
METHODS = ["GET", "HEAD", "POST"]


async def judge_later(request: Request, body: bytes, headers: dict[str, str]) -> object:
    assert await request.body() == body
    return judge(request, body, headers)


async def handler(request: Request):
    delivery = surehook.current_delivery()
    size = len(await request.body())
    return {"id": delivery.message_id, "type": delivery.event_type, "size": size}


for guard, options in GUARDS.items():
    later = {"signature_verifier": judge_later} if guard == "judged" else {}
    decorate = with_webhook_monitoring(name=f"{guard} hooks", **options, **later)
    app.api_route(f"/hooks/{guard}", methods=METHODS)(decorate(handler))
    app.api_route(f"/middleware/{guard}", methods=METHODS)(handler)
    now = {"signature_verifier": judge} if guard == "judged" else {}
    path = f"/middleware/{guard}"
    app.add_middleware(
        WebhookMiddleware, path=path, methods=METHODS, name=f"{guard} middleware", **options, **now
    )


@app.get("/judged")
async def calls_of_the_verifier():
    return judged
