"""The least that an application is: one decorated route, and nothing that sees the server end."""

from fastapi import FastAPI

import surehook
from surehook.fastapi import with_webhook_monitoring

surehook.init()
app = FastAPI()


@app.post("/hooks/plain")
@with_webhook_monitoring(provider="clerk", name="hooks-plain")
async def plain() -> None: ...
