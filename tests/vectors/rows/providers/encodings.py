"""Signatures of the providers whose text cannot be read."""

import base64

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..signers import b64
from ..table import Table
from . import messages
from .messages import SIGNED_IN_A_HEADER
from .row import refuse
from .senders import P256_ORDER, Sender

MALFORMED = "malformed_signature"


def add(table: Table) -> None:
    for sender in SIGNED_IN_A_HEADER:
        right = sender.request.signature()
        if sender.write is not b64:
            _refuse(table, sender, "one-digit-short", right[:-1])
        elif right.endswith("="):
            _refuse(table, sender, "no-padding", right.rstrip("="))
        else:
            _refuse(table, sender, "needless-padding", right + "=")
    for sender in (messages.STRIPE, messages.GITHUB, messages.DISCORD):
        for kind, text in _hexadecimal(sender).items():
            _refuse(table, sender, kind, text)
    for sender in (messages.SHOPIFY, messages.DOCUSIGN):
        for kind, text in _base64(sender).items():
            _refuse(table, sender, kind, text)
    _der(table)


def _refuse(table: Table, sender: Sender, kind: str, text: str) -> None:
    refuse(
        table,
        f"{sender.provider}-signature-{kind}",
        "Not the text of a signature of the right length.",
        "encoding",
        MALFORMED,
        sender.request,
        signature=text,
    )


def _hexadecimal(sender: Sender) -> dict[str, str]:
    right = sender.request.signature()
    return {
        "empty": "",
        "one-byte-more": right + "00",
        "foreign-digit": "g" + right[1:],
        "first-byte": right[:2],
        "one-byte-short": right[:-2],
        "twice": right + right,
        "space-after": right + " ",
        "space-before": " " + right,
        "in-base64": b64(sender.request.mac()),
        "0x-before": "0x" + right[2:],
        "colons-between": ":".join(right[i : i + 2] for i in range(0, len(right), 2)),
        "full-width-digits": right.translate({code: code + 0xFEE0 for code in b"0123456789"}),
    }


def _base64(sender: Sender) -> dict[str, str]:
    right = sender.request.signature()
    data = sender.request.mac()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = right[:42] + alphabet[alphabet.index(right[42]) | 1] + "="
    assert loose != right and base64.b64decode(loose) == data
    return {
        "empty": "",
        "foreign-character": f"{right[:10]}*{right[10:]}",
        "cut": right[:-8],
        "loose-last-bits": loose,
        "in-hexadecimal": data.hex(),
        "one-byte-more": b64(data + b"\0"),
        "newline-inside": f"{right[:20]}\n{right[20:]}",
        "space-after": right + " ",
        "quoted": f'"{right}"',
    }


def _der(table: Table) -> None:
    """SendGrid: base64 of DER of two integers (SEC 1, appendix C.5)."""
    sendgrid = messages.SENDGRID
    data = base64.b64decode(sendgrid.request.signature())
    r, s = decode_dss_signature(data)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    forms = {
        "raw-integers": raw,
        "trailing-byte": data + b"\0",
        "long-form-length": data[:1] + b"\x81" + data[1:],
        "indefinite-length": data[:1] + b"\x80" + data[2:] + b"\0\0",
        "needless-leading-zero": _with_leading_zero(data),
        "not-a-sequence": b"\x31" + data[1:],
        "one-integer": b"\x30\x03\x02\x01\x01",
        "negative-integer": b"\x30\x06\x02\x01\xff\x02\x01\x01",
        "both-zero": encode_dss_signature(0, 0),
        "r-is-zero": encode_dss_signature(0, s),
        "s-is-the-order": encode_dss_signature(r, P256_ORDER),
    }
    for kind, der in forms.items():
        zeros = kind in ("both-zero", "r-is-zero")
        refuse(
            table,
            f"sendgrid-der-{kind}",
            "CVE-2022-21449: zeros passed for every message."
            if zeros
            else "Not the DER of two numbers below the order.",
            "encoding advisory" if zeros else "encoding",
            MALFORMED,
            sendgrid.request,
            signature=b64(der),
        )


def _with_leading_zero(data: bytes) -> bytes:
    length = data[3]
    return b"\x30" + bytes([data[1] + 1]) + b"\x02" + bytes([length + 1]) + b"\0" + data[4:]
