"""Requests that carry the signature of another id, time or body."""

import gzip
import json
from urllib.parse import urlencode

from .signers import BODY, MESSAGE_ID, SIGNED_AT, b64, v1
from .table import Table, headers

RIGHT = v1()
MISMATCH = "signature_mismatch"


def add(table: Table) -> None:
    _changed_messages(table)
    _changed_bodies(table)


def _changed_messages(table: Table) -> None:
    other = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axk"
    changes = {
        "id-of-another-message": (other, SIGNED_AT),
        "id-in-capitals": (MESSAGE_ID.upper(), SIGNED_AT),
        "id-cut": (MESSAGE_ID[:-1], SIGNED_AT),
        "id-longer": (MESSAGE_ID + "0", SIGNED_AT),
        "timestamp-1-s-later": (MESSAGE_ID, SIGNED_AT + 1),
        "timestamp-1-s-earlier": (MESSAGE_ID, SIGNED_AT - 1),
    }
    for kind, (message_id, timestamp) in changes.items():
        table.add(
            f"changed-{kind}",
            "The signature of the unchanged message.",
            "wrong_mac",
            MISMATCH,
            headers(message_id, timestamp, RIGHT),
        )
    table.add(
        "changed-border-of-timestamp-and-body",
        "The first digit of the body moved into the timestamp, within the tolerance.",
        "wrong_mac message_id",
        MISMATCH,
        headers(timestamp=SIGNED_AT, signature=v1(timestamp="170000000", body=b".0" + BODY)),
    )


def _changed_bodies(table: Table) -> None:
    event = json.loads(BODY)
    fffd = '{"name":"\ufffd"}'.encode()
    byte_ff = b'{"name":"\xff"}'
    crlf = b'{\r\n"a":1\r\n}'
    changes: dict[str, tuple[bytes, bytes]] = {
        "empty": (BODY, b""),
        "not-empty": (b"", b"{}"),
        "empty-object-for-nothing": (b"", b"null"),
        "first-byte-missing": (BODY, BODY[1:]),
        "last-byte-missing": (BODY, BODY[:-1]),
        "newline-added": (BODY, BODY + b"\n"),
        "newline-removed": (BODY + b"\n", BODY),
        "crlf-added": (BODY, BODY + b"\r\n"),
        "space-before": (BODY, b" " + BODY),
        "nul-added": (BODY, BODY + b"\0"),
        "bom-added": (BODY, b"\xef\xbb\xbf" + BODY),
        "bom-removed": (b"\xef\xbb\xbf" + BODY, BODY),
        "byte-ff-under-replacement-character": (fffd, byte_ff),
        "replacement-character-under-byte-ff": (byte_ff, fffd),
        "latin-1-for-utf8": ('{"n":"é"}'.encode(), '{"n":"é"}'.encode("latin-1")),
        "utf8-encoded-twice": (BODY, BODY.decode("latin-1").encode()),
        "decomposed-letters": ('{"n":"\u00e9"}'.encode(), '{"n":"e\u0301"}'.encode()),
        "overlong-utf8": (b'{"n":"/"}', b'{"n":"\xc0\xaf"}'),
        "surrogate-for-escape": (b'{"n":"\\ud83d"}', b'{"n":"\xed\xa0\xbd"}'),
        "crlf-to-lf": (crlf, crlf.replace(b"\r\n", b"\n")),
        "lf-to-crlf": (crlf.replace(b"\r\n", b"\n"), crlf),
        "json-spaced": (BODY, json.dumps(event, ensure_ascii=False).encode()),
        "json-ascii": (BODY, json.dumps(event, separators=(",", ":")).encode()),
        "json-indent-2": (BODY, json.dumps(event, ensure_ascii=False, indent=2).encode()),
        "json-indent-4": (BODY, json.dumps(event, ensure_ascii=False, indent=4).encode()),
        "json-other-key-order": (
            BODY,
            json.dumps(dict(reversed(event.items())), separators=(",", ":"), ensure_ascii=False).encode(),
        ),
        "json-number-rewritten": (b'{"n":1.0}', b'{"n":1}'),
        "json-repeated-key-dropped": (b'{"a":1,"a":2}', b'{"a":2}'),
        "json-escape-undone": (b'{"n":"\\/"}', b'{"n":"/"}'),
        "python-repr": (BODY, repr(event).encode()),
        "javascript-object": (BODY, b"[object Object]"),
        "as-base64": (BODY, b64(BODY).encode()),
        "as-gzip": (BODY, _gzip(BODY)),
        "as-form": (BODY, urlencode({"payload": BODY}).encode()),
        "as-json-string": (BODY, json.dumps(BODY.decode()).encode()),
        "as-utf16": (BODY, BODY.decode().encode("utf-16-le")),
        "twice": (BODY, BODY + BODY),
        "of-another-user": (BODY, BODY.replace(b"user_29w8", b"user_29w9")),
        "of-another-type": (BODY, BODY.replace(b"user.created", b"user.deleted")),
    }
    for kind, (signed, received) in changes.items():
        assert signed != received, kind
        disagree = kind in ("bom-added", "byte-ff-under-replacement-character")
        table.add(
            f"body-changed-{kind}",
            "Correctly signed, but these are not the signed bytes.",
            "body disagreement" if disagree else "body",
            MISMATCH,
            headers(signature=v1(body=signed)),
            body=received,
        )
    for bit in (0, 3, 8 * 40 + 5, 8 * len(BODY) - 1):
        flipped = bytearray(BODY)
        flipped[bit // 8] ^= 1 << bit % 8
        table.add(f"body-bit-{bit}-flipped", "One bit of the signed bytes.", "body", MISMATCH, body=bytes(flipped))


def _gzip(data: bytes) -> bytes:
    """Stored, not deflated, and without the byte that names the system: the same bytes everywhere."""
    packed = bytearray(gzip.compress(data, compresslevel=0, mtime=0))
    packed[9] = 0xFF
    return bytes(packed)
