"""P7: recording an attempt while the collector is down: how long an end takes, p99."""

import json
import logging
import os
import socket
import tempfile
import time

import surehook

#: More than the queue holds, so that both a queue with room and a full one are measured.
ATTEMPTS, ROUNDS = 20_000, 5
BODY = b'{"type":"user.created","data":{"id":"user_29w83sxmDNGwOuEthce5gg56FcC"}}'


def p99(address: str, spool_dir: str | None) -> float:
    """Of one round, in microseconds. Nothing is verified or remembered: what is measured is recording."""
    surehook.init("shk_bench_0123456789abcdef", address, spool_dir=spool_dir)
    endpoint = surehook.Endpoint(provider="clerk", verification="off", name="bench")
    times = []
    for _ in range(ATTEMPTS):
        delivery = endpoint.begin(method="POST", path="/webhooks/clerk", headers=[], body=BODY)
        started = time.perf_counter()
        delivery.finish(status=200, headers=[], body=b"ok")
        times.append(time.perf_counter() - started)
    surehook.shutdown(0)
    times.sort()
    return times[len(times) * 99 // 100] * 1e6


def main() -> None:
    """Measure the queue and the spool: the least of the rounds, as a machine that is busy adds to each."""
    logging.disable()  # that nobody listens is known
    with socket.socket() as nobody, tempfile.TemporaryDirectory(dir=os.environ["BENCH_TMP"]) as spool:
        nobody.bind(("127.0.0.1", 0))
        for case, directory in (("queue", None), ("spool", spool)):
            rounds = []
            for _ in range(ROUNDS):
                surehook.init(api_key="")  # the next one is a client of its own
                rounds.append(p99(f"http://127.0.0.1:{nobody.getsockname()[1]}", directory))
            figure = {
                "bar": "P7",
                "case": f"Python, {case}, p99",
                "unit": "us",
                "value": round(min(rounds), 3),
            }
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
