"""FastAPI, in every way in which a handler could be cancelled."""

from contextvars import ContextVar

import anyio
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from patience import OPTIONS, brief_later, work, work_later
from starlette.middleware.base import BaseHTTPMiddleware

import surehook
from surehook import _asgi_sender
from surehook.fastapi import WebhookMiddleware, with_webhook_monitoring

_asgi_sender.LISTEN_AFTER_SECONDS = 0  # the senders of the tests leave at once, and Granian says so once
surehook.init()
app = FastAPI()
request_id: ContextVar[str] = ContextVar("request_id")


def guarded(path: str, handler) -> None:
    name = path.strip("/")
    app.post(path)(with_webhook_monitoring(**{**OPTIONS, "name": name})(handler))


async def later(delivery):
    assert request_id.get() == "set outside"
    return Response(await work_later(delivery.message_id))


def in_a_thread(delivery):
    assert request_id.get() == "set outside"
    return Response(work(delivery.message_id))


async def streamed(delivery):
    async def parts():
        yield await work_later(delivery.message_id)

    return StreamingResponse(parts())


async def behind_middleware(request: Request):
    return Response(await work_later(surehook.current_delivery().message_id))


async def brief(delivery):
    return Response(await brief_later(delivery.message_id))


guarded("/later", later)
guarded("/thread", in_a_thread)
guarded("/streamed", streamed)
guarded("/scope", later)
guarded("/cancelled", later)
guarded("/brief", brief)
app.post("/middleware")(behind_middleware)
app.add_middleware(WebhookMiddleware, path="/middleware", **{**OPTIONS, "name": "middleware"})


class Impatient(BaseHTTPMiddleware):
    """Ends what takes too long, as middlewares for time-outs do."""

    async def dispatch(self, request: Request, call_next):
        if request.url.path == "/scope":
            with anyio.move_on_after(0.1):
                return await call_next(request)
            return Response("too late", 504)
        return await call_next(request)


class Cancelling:
    """An ASGI server that cancels the application when the sender hangs up, as Daphne does."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        request_id.set("set outside")
        if scope.get("path") != "/cancelled":
            await self._app(scope, receive, send)
        else:
            await self._cancel_at_disconnect(scope, receive, send)

    async def _cancel_at_disconnect(self, scope, receive, send):
        body = await receive()
        async with anyio.create_task_group() as group:

            async def given():
                nonlocal body
                if body is None:
                    await anyio.sleep_forever()
                taken, body = body, None
                return taken

            async def run():
                await self._app(scope, given, send)
                group.cancel_scope.cancel()

            group.start_soon(run)
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()


app.add_middleware(Impatient)
app.add_middleware(Cancelling)
