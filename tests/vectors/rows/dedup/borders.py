"""Borders between signed values, which a captured signature must not let anybody move."""

from ..providers.senders import PAIRS, Ed25519Pair, mac
from ..signers import b64
from .sequences import KEY, URL, Sequences, request


def borders(table: Sequences) -> None:
    pair = next(pair for pair in PAIRS.values() if isinstance(pair, Ed25519Pair))

    def discord(expect: str, body: bytes, time: str, signed: bytes) -> dict:
        headers = {"x-signature-ed25519": pair.sign(signed).hex(), "x-signature-timestamp": time}
        return request(headers, body, expect)

    body = b'{"event":{"type":"ENTITLEMENT_CREATE"}}'
    signed = b"1700000000" + body
    table.add(
        "discord-digits-of-the-time-in-the-body",
        "The time is signed right before the body, and its age is not checked.",
        "border time",
        "discord",
        [
            discord("signature_mismatch", b"0" + body, "170000000", signed),
            discord("signature_mismatch", b"00000" + body, "17000", signed),
            discord("handle", body, "1700000000", signed),
        ],
        secret=pair.text,
        new=1,
    )

    def square(expect: str, body: bytes, path: str, signed: str) -> dict:
        return request(
            {"x-square-hmacsha256-signature": b64(mac(KEY.encode(), signed.encode()))}, body, expect, path=path
        )

    signed_text = URL + '?t=1{"event_id":"g-1"}'
    table.add(
        "square-query-in-the-body",
        "The URL is signed right before the body.",
        "border",
        "square",
        [
            square("signature_mismatch", b'1{"event_id":"g-1"}', "/in?t=", signed_text),
            square("signature_mismatch", b'"g-1"}', '/in?t=1{"event_id":', signed_text),
            square("handle", b'{"event_id":"g-1"}', "/in?t=1", signed_text),
        ],
        url=URL,
        new=1,
    )
