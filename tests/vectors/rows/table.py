"""The rows of a vector file and how they are written."""

import base64
import json
from pathlib import Path

from .signers import BODY, MESSAGE_ID, NOW, SECRET, SIGNED_AT, b64, v1

FLAGS = {
    "advisory": "An advisory about another library; the comment names it.",
    "body": "The body differs from the signed one, or is of an unusual kind.",
    "disagreement": "Libraries in use today do not agree on this row.",
    "ed25519": "Uses v1a signatures or whpk_ keys.",
    "encoding": "About the text form of the signature.",
    "fields": "The provider signs fields of the body, not the body.",
    "form": "The provider signs the parameters of a form.",
    "headers": "About which headers are there.",
    "known_answer": "Published by the provider or another library, and recomputed here.",
    "limit": "At or over a documented limit.",
    "list": "About the list of signatures.",
    "message_id": "About the form of the message id.",
    "order": "Several faults at once: the first of the fixed order is reported.",
    "provider": "A message as a provider sends it; the packages of its row in providers.json accept it too.",
    "rotation": "Several secrets, or a sender that signs with several.",
    "timestamp": "About the form or the age of the timestamp.",
    "token": "The provider sends the secret itself.",
    "unsigned": "Something changed that the provider does not sign.",
    "url": "The provider signs the URL or the method.",
    "wrong_mac": "A well-formed signature that is not the right one.",
}

SVIX = ("svix-id", "svix-timestamp", "svix-signature")
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")


def headers(
    message_id: bytes | str = MESSAGE_ID,
    timestamp: bytes | str | int = SIGNED_AT,
    signature: bytes | str | None = None,
    names: tuple[str, str, str] = SVIX,
) -> list[tuple[str, bytes | str]]:
    """The three signature headers, in the order id, timestamp, signature."""
    if isinstance(timestamp, int):
        timestamp = str(timestamp)
    return list(zip(names, (message_id, timestamp, v1() if signature is None else signature), strict=True))


class Table:
    """Collects the rows of one file."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(
        self,
        row_id: str,
        comment: str,
        flags: str,
        expect: str | dict,
        sent: list[tuple[str, bytes | str]] | None = None,
        *,
        body: bytes = BODY,
        provider: str = "clerk",
        secrets: tuple[str, ...] = (SECRET,),
        now: int = NOW,
        method: str = "POST",
        url: str | None = None,
        **options: int,
    ) -> None:
        """Adds a row; `expect` is a reason code or what [`valid`] returns."""
        target = {name: value for name, value in (("method", method), ("url", url)) if value not in ("POST", None)}
        self.rows.append(
            {
                "id": row_id,
                "comment": comment,
                "flags": flags.split(),
                "provider": provider,
                "secrets": list(secrets),
                "headers": [[name, _value(value)] for name, value in (headers() if sent is None else sent)],
                "body": b64(body),
                **target,
                "now": now,
                "options": options,
                "expect": expect if isinstance(expect, dict) else {"valid": False, "code": expect},
            }
        )


def valid(message_id: str = MESSAGE_ID) -> dict:
    return {"valid": True, "message_id": message_id}


def _value(value: bytes | str) -> str | dict:
    if isinstance(value, str):
        return value
    return {"base64": base64.b64encode(value).decode()}


def write(path: Path, description: str, rows: list[dict], flags: dict[str, str]) -> None:
    """Writes a file with one member a line, so that a change of a row reads as one in a diff."""
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    unknown = {flag for row in rows for flag in row["flags"]} ^ set(flags)
    assert not unknown, f"flags without a row or without words: {sorted(unknown)}"
    lines = [
        "{",
        f'  "description": {_text(description)},',
        '  "generator": "tests/vectors/generate.py",',
        f'  "count": {len(rows)},',
        '  "flags": {',
        ",\n".join(f"    {_text(flag)}: {_text(words)}" for flag, words in flags.items()),
        "  },",
        '  "rows": [',
        ",\n".join(_row(row) for row in rows),
        "  ]",
        "}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _row(row: dict) -> str:
    members = []
    for name, value in row.items():
        text = _text(value)
        if name == "headers" and value:
            text = "[\n" + ",\n".join(f"        {_text(pair)}" for pair in value) + "\n      ]"
        members.append(f"      {_text(name)}: {text}")
    return "    {\n" + ",\n".join(members) + "\n    }"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)
