"""The work of the handlers of `test_transactions.py`: a row for each run, then what the event asks for."""

import os
from collections import Counter
from pathlib import Path

from signing import SECRET

OPTIONS = {"provider": "clerk", "signature_secret": SECRET, "name": "work"}
#: A row whose parent is missing is refused by the database, but only when it is committed.
TABLES = (
    "CREATE TABLE parents (id integer PRIMARY KEY)",
    "CREATE TABLE work (message_id text,"
    " parent integer REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE names (name varchar(40) PRIMARY KEY)",
    "INSERT INTO names (name) VALUES ('canary-of-a-value')",
)
#: A name that is there already, so that the database refuses it.
TAKEN = "canary-of-a-value"
INSERT = "INSERT INTO work (message_id, parent) VALUES (:message_id, :parent)"

runs: Counter[str] = Counter()


class OutOfStockError(Exception):
    pass


def row(message_id: str, do: str) -> dict[str, object]:
    """The values to be inserted. Of a message that is to wait, the first run does so before that."""
    runs[message_id] += 1
    if do.startswith("/") and runs[message_id] == 1:
        Path(do).read_bytes()  # a pipe: until the test has written to it
    return {"message_id": message_id, "parent": 1 if "orphan" in do else None}


def status(delivery, do: str) -> int:
    """How the handler ends, once its row is written."""
    match do:
        case "raise":
            raise OutOfStockError
        case "die":
            os._exit(1)
        case "failed":
            delivery.failed("no such plan")
        case "refuse" | "violate and refuse":
            return 404
    return 200
