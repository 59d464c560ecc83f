"""P1 and P2: checking one webhook, beside svix and outworx-hooks in the same run on the same input."""

import base64
import json
import os
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version

import svix
from outworx_hooks.security.providers import verify_svix_signature

import surehook

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
ROUNDS, SECONDS_A_ROUND = 15, 0.1


def body_of(size: int) -> str:
    """A user.created event of exactly that many bytes."""
    data = {
        "id": "user_29w83sxmDNGwOuEthce5gg56FcC",
        "first_name": "Ada",
        "banned": False,
        "created_at": 1654012591514,
    }
    emails = [{"id": f"idn_{n}", "email_address": f"ada{n}@example.com", "verified": True} for n in range(8)]
    event = {
        "data": data | {"email_addresses": emails, "note": ""},
        "object": "event",
        "type": "user.created",
    }
    data = event["data"]
    data["note"] = "x" * (size - len(json.dumps(event)))
    return json.dumps(event)


def microseconds(*calls: Callable[[], object]) -> list[float]:
    """The time that each call takes: the median of rounds in which all of them take turns."""
    loops = [_loops(call) for call in calls]
    rounds: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, count, found in zip(calls, loops, rounds, strict=True):
            found.append(_timed(call, count) / count * 1e6)
    return [statistics.median(found) for found in rounds]


def _loops(call: Callable[[], object]) -> int:
    _timed(call, 1000)
    return max(1, int(SECONDS_A_ROUND / (_timed(call, 1000) / 1000)))


def _timed(call: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - started


def report(bar: str, case: str, ours: float, peer: str, theirs: float) -> None:
    """One line as the bars want it."""
    print(
        json.dumps(
            {
                "bar": bar,
                "case": case,
                "unit": "us",
                "value": round(ours, 3),
                "peer": peer,
                "peer_value": round(theirs, 3),
                "ratio": round(theirs / ours, 2),
            }
        ),
        flush=True,
    )


def main() -> None:
    """Measure what ONLY names, or both."""
    text = body_of(1024)
    assert len(text) == 1024
    body = text.encode()
    now = datetime.now(tz=timezone.utc)
    their, our = svix.Webhook(SECRET), surehook.Webhook(SECRET)
    headers = {
        "svix-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": their.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", now, text),
    }
    svix_name, outworx_name = f"svix {version('svix')}", f"outworx-hooks {version('outworx-hooks')}"
    assert our.verify(body, headers) == json.loads(text)
    assert verify_svix_signature(raw_body=text, headers=headers, secret=SECRET) is True

    def svix_and_parse() -> object:
        their.verify(body, headers)  # from 2.9 on it does not parse any more: its users do
        return json.loads(body)

    if os.environ.get("ONLY") in (None, "", "P1"):
        ours, svix_alone, outworx = microseconds(
            lambda: our.verify(body, headers, json_parse=False),
            lambda: their.verify(body, headers),
            lambda: verify_svix_signature(raw_body=text, headers=headers, secret=SECRET),
        )
        report("P1", "1 KiB", ours, svix_name, svix_alone)
        report("P1", "1 KiB", ours, outworx_name, outworx)
    if os.environ.get("ONLY") in (None, "", "P2"):
        ours, theirs = microseconds(lambda: our.verify(body, headers), svix_and_parse)
        report("P2", "1 KiB", ours, f"{svix_name} and json.loads", theirs)


if __name__ == "__main__":
    main()
