"""Schemes of the user's own, and endpoints without de-duplication."""

import json
from collections.abc import Callable

from ..providers.senders import mac
from ..signers import NOW, SECRET, v1
from .headers import github_request
from .members import zendesk_request
from .sequences import KEY, ONE_BODY, Sequences, request


def _own(content: str, **members: object) -> dict:
    return {
        "provider": "acme",
        "secret": "utf8",
        "algorithm": "hmac_sha256",
        "signature": {"header": "x-acme-signature"},
        "content": content,
        **members,
    }


def _own_request(expect: str, signed: bytes, body: bytes, **headers: str) -> dict:
    named = {f"x-acme-{name}": value for name, value in headers.items()}
    return request({"x-acme-signature": mac(KEY.encode(), signed).hex(), **named}, body, expect)


def schemes(table: Sequences) -> None:
    send = _own_request
    compact: Callable[..., bytes] = lambda **fields: json.dumps(fields, separators=(",", ":")).encode()  # noqa: E731
    two = _own("{field:a}.{field:b}", message_id={"body": ["a"]})
    table.add(
        "scheme-fields",
        "Of two fields the last may contain the text between them, unless another is free.",
        "scheme border",
        two,
        [
            send("handle", b"1.2.3", compact(a="1", b="2.3")),
            send("signature_mismatch", b"1.2.3", compact(a="1.2", b="3")),
        ],
        new=1,
    )
    free = _own("{free:a}.{field:b}", message_id={"body": ["a"]})
    table.add(
        "scheme-free-field",
        "A field that is written as free may contain it, and no other.",
        "scheme border",
        free,
        [
            send("handle", b"1.2.3", compact(a="1.2", b="3")),
            send("signature_mismatch", b"1.2.3", compact(a="1", b="2.3")),
        ],
        new=1,
    )
    identified = _own("{id}.{body}", message_id={"header": "x-acme-id"})
    table.add(
        "scheme-id-before-the-body",
        "A signed id does not contain the text that parts it from the body.",
        "scheme border",
        identified,
        [
            send("handle", b"h-1.2.3", b"2.3", id="h-1"),
            send("malformed_message_id", b"h-1.2.3", b"3", id="h-1.2"),
        ],
        new=1,
    )
    timed = _own(
        "{timestamp}.{body}",
        timestamp={"header": "x-acme-time"},
        message_id={"header": "x-acme-id"},
        event_type={"header": "x-acme-event"},
        event_types=["paid", "sent"],
    )
    signed = f"{NOW}.".encode() + ONE_BODY
    table.add(
        "scheme-unsigned-id-beside-a-checked-time",
        "Within its tolerance the request could be sent again under any id.",
        "scheme unsigned_id event_type time",
        timed,
        [
            send("handle", signed, ONE_BODY, time=str(NOW), id="i-1", event="paid"),
            send("replay", signed, ONE_BODY, time=str(NOW), id="i-2", event="paid"),
            send("handle", signed, ONE_BODY, time=str(NOW), id="i-2", event="sent"),
        ],
        new=2,
        same_body_other_id=1,
    )
    nameless = _own("{body}", event_type={"header": "x-acme-event"}, event_types=["paid", "sent"])
    table.add(
        "scheme-without-ids",
        "A sender without ids whose types are in a header.",
        "scheme event_type",
        nameless,
        [
            send("handle", ONE_BODY, ONE_BODY, event="paid"),
            send("handle", ONE_BODY, ONE_BODY, event="sent"),
            send("replay", ONE_BODY, ONE_BODY, event="paid"),
        ],
        new=2,
        duplicate=1,
    )
    outside = _own("{field:other}", message_id={"body": ["id"]})
    table.add(
        "scheme-id-outside-of-the-signed-fields",
        "An id of the body that is not among the signed fields is not signed.",
        "scheme unsigned_id",
        outside,
        [
            send("handle", b"x", compact(id="j-1", other="x")),
            send("replay", b"x", compact(id="j-2", other="x")),
            send("replay", b"x", compact(other="x")),
        ],
        new=1,
        same_body_other_id=2,
    )
    for row_id, content, members in (
        ("header", "{body}", {"timestamp": {"header": "x-acme-time"}}),
        ("unchecked", "{body}", {"timestamp": {"header": "x-acme-time", "tolerance_seconds": None}}),
        ("field", "{field:a}", {"timestamp": {"body": "sent_at"}}),
    ):
        table.refuse(
            f"scheme-unsigned-time-{row_id}",
            "A time that anybody can change bounds nothing.",
            "scheme time",
            _own(content, **members),
            "not signed",
        )
    for row_id, content in (("fields", "{field:a}{field:b}"), ("body", "{id}{body}")):
        table.refuse(
            f"scheme-values-without-a-border-{row_id}",
            "Where one value ends and the next begins could be changed without a trace.",
            "scheme border",
            _own(content, message_id={"header": "x-acme-id"}),
            "text between",
        )


def without_dedup(table: Sequences) -> None:
    off = {"dedup": "off"}
    table.add(
        "off-honest-retry",
        "Without a signed time an honest retry is byte for byte the same request: it is let through.",
        "dedup_off",
        "github",
        [github_request("handle", "push", "a-1"), github_request("handle", "push", "a-1")],
        options=off,
    )
    lemon = request({"x-signature": mac(KEY.encode(), ONE_BODY).hex()}, ONE_BODY, "handle")
    table.add(
        "off-honest-retry-without-id",
        "The same without any id.",
        "dedup_off",
        "lemon-squeezy",
        [lemon, lemon],
        options=off,
    )
    headers = {
        "svix-id": "msg_1",
        "svix-timestamp": str(NOW),
        "svix-signature": v1(message_id="msg_1", timestamp=NOW, body=b"{}"),
    }
    table.add(
        "off-replay",
        "With a signed time a retry is signed anew, so the same request is a replay.",
        "dedup_off time",
        "clerk",
        [request(headers, b"{}", "handle"), request(headers, b"{}", "replayed")],
        secret=SECRET,
        options=off,
    )
    time = "2023-11-14T22:13:20Z"
    table.add(
        "off-replay-under-another-id",
        "An id that is not signed does not make a replay another request.",
        "dedup_off time unsigned_id",
        "zendesk",
        [
            zendesk_request("handle", "e-1", time),
            zendesk_request("replayed", "e-2", time),
            zendesk_request("handle", "e-1", "2023-11-14T22:14:00Z"),
        ],
        options=off,
    )
