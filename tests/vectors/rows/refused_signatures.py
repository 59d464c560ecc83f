"""Requests with readable headers whose signatures must be refused."""

import base64
import hashlib
import hmac
import json

from .signers import (
    BODY,
    ED25519,
    MESSAGE_ID,
    OLD_SECRET,
    SECRET,
    SIGNED_AT,
    THIRD_SECRET,
    b64,
    content,
    key_of,
    mac,
    v1,
    v1_bytes,
)
from .table import Table, headers

RIGHT = v1()
WRONG = v1(OLD_SECRET)
MAC = v1_bytes()

MALFORMED, MISMATCH, NO_VERSION = "malformed_signature", "signature_mismatch", "no_supported_version"


def add(table: Table) -> None:
    _prefixes(table)
    _text_forms(table)
    _lists(table)
    _versions(table)
    _wrong_macs(table)


def _signature(table: Table, kind: str, comment: str, flags: str, code: str, signature: str | bytes) -> None:
    table.add(f"signature-{kind}", comment, flags, code, headers(signature=signature))


def _prefixes(table: Table) -> None:
    text = RIGHT[3:]
    comment = "CVE-2024-21491: the svix crate compared only as much as was sent."
    for length in (0, 1, 2, 3, 4, 8, 16, 20, 24, 28, 32, 36, 40, 41, 42, 43):
        _signature(
            table, f"first-{length:02}-characters", comment, "advisory encoding", MALFORMED, f"v1,{text[:length]}"
        )
    for length in (1, 8, 16, 20, 30, 31):
        _signature(
            table,
            f"first-{length:02}-bytes",
            "A shorter MAC, whole in its base64.",
            "advisory encoding",
            MALFORMED,
            f"v1,{b64(MAC[:length])}",
        )
    longer = {"one-nul-more": MAC + b"\0", "twice": MAC + MAC, "one-byte-before": b"\0" + MAC}
    for kind, data in longer.items():
        _signature(table, kind, "Longer than a MAC.", "encoding", MALFORMED, f"v1,{b64(data)}")


def _text_forms(table: Table) -> None:
    table.add(
        "signature-url-safe-alphabet",
        "The published answer with - and _ for + and /.",
        "encoding disagreement",
        MALFORMED,
        headers("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553, "v1,tZ1I4_hDygAJgO5TYxiSd6Sd0kDW6hPenDe-bTa3Kkw="),
        body=b'{"email":"test@example.com","username":"test_user"}',
        secrets=("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",),
        now=1649367553,
    )
    text = RIGHT[3:]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = text[:42] + alphabet[alphabet.index(text[42]) | 1] + "="
    assert loose != text and base64.b64decode(loose) == MAC
    disagree = {
        "no-padding": text[:-1],
        "two-paddings": text + "=",
        "three-paddings": text + "==",
        "loose-last-bits": loose,
        "foreign-star": f"{text[:10]}*{text[10:]}",
        "foreign-newline": f"{text[:10]}\n{text[10:]}",
        "foreign-byte": text[:10].encode() + b"\xff" + text[10:].encode(),
        "foreign-at-the-end": text + "!",
        "zero-width-space": f"{text[:10]}\u200b{text[10:]}",
        "text-after-padding": text + "AAAA",
    }
    for kind, value in disagree.items():
        signature = f"v1,{value}" if isinstance(value, str) else b"v1," + value
        comment = "Lenient base64 reads the right MAC, or one that starts with it, from this."
        _signature(table, kind, comment, "encoding disagreement", MALFORMED, signature)
    forms = {
        "hexadecimal": MAC.hex(),
        "hexadecimal-capitals": MAC.hex().upper(),
        "base32": base64.b32encode(MAC).decode(),
        "encoded-twice": b64(text.encode()),
        "quoted": f'"{text}"',
        "only-padding": "=",
        "44-paddings": "=" * 44,
        "percent-escaped": text.replace("=", "%3D"),
    }
    for kind, value in forms.items():
        _signature(table, kind, "The right MAC, written in another way.", "encoding", MALFORMED, f"v1,{value}")
    swapped = text.swapcase()
    _signature(
        table,
        "letters-of-the-other-case",
        "Base64 is not compared without case.",
        "encoding",
        MISMATCH if _strict_length(swapped) == 32 else MALFORMED,
        f"v1,{swapped}",
    )


def _strict_length(text: str) -> int:
    data = base64.b64decode(text, validate=True)
    return len(data) if b64(data) == text else -1


def _lists(table: Table) -> None:
    forms = {
        "empty": ("", "An empty header."),
        "spaces": ("   ", "Only spaces."),
        "no-comma": (RIGHT[3:], "The value without its version."),
        "no-comma-but-v1": ("v1" + RIGHT[3:], "The comma is missing."),
        "equals-sign": ("v1=" + RIGHT[3:], "Stripe's form."),
        "colon": ("v1:" + RIGHT[3:], "Another separator."),
        "lone-comma": (",", "Neither version nor value."),
        "versionless": ("," + RIGHT[3:], "An empty version."),
        "space-after-comma": (f"v1, {RIGHT[3:]}", "The space parts two entries."),
        "junk-after-a-comma": (f"{RIGHT},junk", "Python's and JavaScript's libraries disagree on this."),
        "comma-at-the-end": (f"{RIGHT},", "A second comma."),
        "commas-between": (f"{WRONG},{RIGHT}", "Entries are parted by spaces."),
        "tab-between": (f"{WRONG}\t{RIGHT}", "Entries are parted by spaces."),
        "newline-at-the-end": (f"{RIGHT}\n", "A newline is no space."),
        "semicolons-between": (f"{WRONG};{RIGHT}", "Entries are parted by spaces."),
        "nul-at-the-end": (f"{RIGHT}\x00", "A byte after the value."),
        "two-empty-v1": ("v1, v1,", "The prefix compare twice."),
        "many-garbage": ("v1,?? " * 30, "Nothing that can be read."),
        "non-breaking-space": (f"{WRONG}\u00a0{RIGHT}", "Entries are parted by ASCII spaces."),
    }
    for kind, (signature, comment) in forms.items():
        flags = "list disagreement" if kind in ("junk-after-a-comma", "no-comma", "no-comma-but-v1") else "list"
        table.add(f"list-{kind}", comment, flags, MALFORMED, headers(signature=signature))
    table.add(
        "list-bytes-that-are-no-text",
        "Nothing that can be read.",
        "list",
        MALFORMED,
        headers(signature=bytes(range(0x80, 0x100))),
    )
    table.add(
        "list-16-wrong",
        "All well-formed, none right.",
        "list wrong_mac",
        MISMATCH,
        headers(signature=" ".join([WRONG] * 16)),
    )
    table.add(
        "list-64-wrong",
        "All well-formed, none right.",
        "list wrong_mac limit",
        MISMATCH,
        headers(signature=" ".join([WRONG] * 64)),
    )
    table.add(
        "list-split-signature",
        "The halves of the right MAC in two entries.",
        "list",
        MALFORMED,
        headers(signature=f"v1,{b64(MAC[:16])} v1,{b64(MAC[16:])}"),
    )


def _versions(table: Table) -> None:
    value = RIGHT[3:]
    for version in ("v2", "v0", "v10", "v1b", "V1", "1", "v", "v01", "sha256", "v1a1"):
        table.add(
            f"version-{version}-only".replace("V1", "capital-v1"),
            "The right MAC under another version.",
            "list",
            NO_VERSION,
            headers(signature=f"{version},{value}"),
        )
    table.add(
        "version-in-a-json-text",
        "What stands before the comma is not v1.",
        "list",
        NO_VERSION,
        headers(signature=json.dumps([RIGHT])),
    )
    table.add(
        "version-v1a-with-a-v1-value",
        "A MAC is too short for v1a.",
        "list ed25519",
        MALFORMED,
        headers(signature=f"v1a,{value}"),
    )
    table.add(
        "version-with-bytes-that-are-no-text",
        "An unknown version.",
        "list",
        NO_VERSION,
        headers(signature=b"v\xff," + value.encode()),
    )
    table.add(
        "version-unknown-beside-empty-v1",
        "Only the unknown version can be read.",
        "list",
        NO_VERSION,
        headers(signature=f"v1, v2,{value}"),
    )
    table.add(
        "version-v1a-sent-to-a-whsec-key",
        "whsec_ keys check v1 only.",
        "ed25519",
        NO_VERSION,
        headers(signature=ED25519.v1a()),
    )
    table.add(
        "version-v1-sent-to-a-whpk-key",
        "whpk_ keys check v1a only.",
        "ed25519",
        NO_VERSION,
        headers(signature=RIGHT),
        secrets=(ED25519.whpk,),
    )


def _wrong_macs(table: Table) -> None:
    signed = content(MESSAGE_ID, SIGNED_AT, BODY)
    key, raw_text = key_of(SECRET), SECRET.encode()
    macs = {
        "other-secret": mac(key_of(OLD_SECRET), signed),
        "zeros": bytes(32),
        "ones": b"\xff" * 32,
        "empty-key": mac(b"", signed),
        "key-is-the-secret-text": mac(raw_text, signed),
        "key-is-the-base64-text": mac(raw_text.removeprefix(b"whsec_"), signed),
        "key-decoded-with-its-prefix": mac(base64.urlsafe_b64decode(raw_text + b"=="), signed),
        "key-cut-by-a-byte": mac(key[:-1], signed),
        "key-hashed-first": mac(hashlib.sha256(key).digest(), signed),
        "sha256-without-key": hashlib.sha256(signed).digest(),
        "sha256-key-first": hashlib.sha256(key + signed).digest(),
        "sha3-256": hmac.new(key, signed, hashlib.sha3_256).digest(),
        "sha512-cut": hmac.new(key, signed, hashlib.sha512).digest()[:32],
        "mac-of-the-mac": mac(key, MAC),
        "reversed": MAC[::-1],
        "inverted": bytes(byte ^ 0xFF for byte in MAC),
        "body-only": mac(key, BODY),
        "no-id": mac(key, content(SIGNED_AT, BODY, b"")[:-1]),
        "no-timestamp": mac(key, MESSAGE_ID.encode() + b"." + BODY),
        "timestamp-first": mac(key, content(str(SIGNED_AT), MESSAGE_ID, BODY)),
        "no-dots": mac(key, MESSAGE_ID.encode() + str(SIGNED_AT).encode() + BODY),
        "colons": mac(key, signed.replace(b".", b":", 2)),
        "slack-form": mac(key, b"v0:" + str(SIGNED_AT).encode() + b":" + BODY),
        "body-hashed": mac(key, content(MESSAGE_ID, SIGNED_AT, hashlib.sha256(BODY).hexdigest().encode())),
        "empty-message": mac(key, b""),
    }
    for bit in (0, 7, 127, 128, 254, 255):
        flipped = bytearray(MAC)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        macs[f"bit-{bit:03}-flipped"] = bytes(flipped)
    for kind, data in macs.items():
        table.add(
            f"mac-{kind}",
            "CVE-2025-53548: a check the wrong way round let every wrong MAC pass.",
            "wrong_mac advisory",
            MISMATCH,
            headers(signature=f"v1,{b64(data)}"),
        )
    for kind, digest in (("sha1", hashlib.sha1), ("sha512", hashlib.sha512)):
        data = hmac.new(key, signed, digest).digest()
        table.add(
            f"mac-{kind}",
            "A MAC of another length.",
            "wrong_mac encoding",
            MALFORMED,
            headers(signature=f"v1,{b64(data)}"),
        )
    table.add(
        "secret-not-among-two",
        "None of the endpoint's secrets.",
        "rotation wrong_mac",
        MISMATCH,
        secrets=(OLD_SECRET, THIRD_SECRET),
    )
    table.add(
        "rotated-out",
        "The sender signs with new and old, the endpoint has neither.",
        "rotation wrong_mac",
        MISMATCH,
        headers(signature=f"{RIGHT} {WRONG}"),
        secrets=(THIRD_SECRET,),
    )
