"""A collector that keeps what it gets, as it came."""

import contextlib
import gzip
import http.server
import json
import threading
from collections.abc import Iterator


class Recorder(http.server.ThreadingHTTPServer):
    """Takes every batch. With `away` it refuses them all, as a collector that is being restarted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.batches: list[str] = []
        self.away = False
        #: What each batch is answered with; by default that it is stored.
        self.status = 202

    @property
    def env(self) -> dict[str, str]:
        return {
            "SUREHOOK_ENDPOINT": f"http://127.0.0.1:{self.server_address[1]}",
            "SUREHOOK_API_KEY": "shk_test",
        }

    @property
    def attempts(self) -> list[dict]:
        """Each of them once, as a collector stores them."""
        attempts = [attempt for batch in self.batches for attempt in json.loads(batch)["attempts"]]
        return list({attempt["id"]: attempt for attempt in attempts}.values())


class _Answering(http.server.BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        text = (gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body).decode()
        status = 503 if self.server.away else self.server.status
        answer: dict = {"error": {"code": "away", "message": "not now"}}
        if status == 202:
            self.server.batches.append(text)
            answer = {"accepted": len(json.loads(text)["attempts"]), "duplicates": 0, "rejected": []}
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def recording() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
