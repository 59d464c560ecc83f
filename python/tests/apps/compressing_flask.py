"""Flask with Flask-Compress."""

from flask import Flask
from flask_compress import Compress

import surehook
from surehook.flask import with_webhook_monitoring

surehook.init()
app = Flask(__name__)
app.config.update(COMPRESS_MIMETYPES=["text/x-answer"], COMPRESS_MIN_SIZE=10, COMPRESS_ALGORITHM=["gzip"])
Compress(app)


@app.post("/decorated")
@with_webhook_monitoring(provider="clerk", name="decorated")
def decorated():
    return b"answer " * 300, 201, {"x-answer": "yes", "content-type": "text/x-answer"}
