"""The same in Flask."""

from flask import Flask
from patience import OPTIONS, brief, work

import surehook
from surehook.flask import with_webhook_monitoring

surehook.init()
app = Flask(__name__)


@app.post("/later")
@with_webhook_monitoring(**OPTIONS)
def later(delivery):
    return work(delivery.message_id)


@app.post("/brief")
@with_webhook_monitoring(**{**OPTIONS, "name": "brief"})
def shortly(delivery):
    return brief(delivery.message_id)
