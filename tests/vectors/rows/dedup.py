"""Requests one after another at one endpoint: which is handled, which is answered from the store, which is refused.

The signatures are made here from the providers' own rules, not from providers.json.
"""

import json
from collections.abc import Callable

from .providers.in_body import ADYEN, ADYEN_ITEM, adyen_body, adyen_content
from .providers.senders import PAIRS, Ed25519Pair, mac
from .signers import NOW, SECRET, b64, v1

FLAGS = {
    "border": "A border between signed values that is moved.",
    "dedup_off": "De-duplication is switched off.",
    "event_type": "The event type is in a header that is not signed.",
    "form": "The members of a form are signed.",
    "scheme": "A scheme of the user's own.",
    "time": "What a signed time is worth.",
    "unsigned_id": "The id is in a header that is not signed.",
}

KEY = "0123456789abcdef0123456789abcdef"
ONE_BODY = b'{"id":7,"name":"one body"}'
URL = "https://hooks.example.com/in"


def rows() -> list[dict]:
    table = Sequences()
    for part in (_github, _shopify, _others, _zendesk, _twilio, _adyen, _borders, _schemes, _dedup_off):
        part(table)
    return table.rows


class Sequences:
    """Collects the rows."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def add(
        self,
        row_id: str,
        comment: str,
        flags: str,
        provider: str | dict,
        requests: list[dict],
        *,
        secret: str = KEY,
        url: str | None = None,
        options: dict | None = None,
        **counts: int,
    ) -> None:
        whose = {"provider": provider} if isinstance(provider, str) else {"scheme": provider}
        where = {} if url is None else {"url": url}
        self.rows.append(
            {
                "id": row_id,
                "comment": comment,
                "flags": flags.split(),
                **whose,
                "secret": secret,
                **where,
                "options": options or {},
                "requests": requests,
                "counts": counts,
            }
        )

    def refuse(self, row_id: str, comment: str, flags: str, scheme: dict, says: str) -> None:
        """A scheme with which no endpoint is built."""
        self.add(row_id, comment, flags, scheme, [])
        self.rows[-1]["error"] = {"code": "invalid_option", "says": says}


def request(headers: dict | list, body: bytes, expect: str, *, path: str = "/in", now: int = NOW) -> dict:
    """`expect`: `handle`, `replay`, or the code of a refusal."""
    pairs = [list(pair) for pair in (headers.items() if isinstance(headers, dict) else headers)]
    return {"path": path, "headers": pairs, "body": b64(body), "now": now, "expect": expect}


def _github_request(
    expect: str, event: str | None, delivery: str | None, body: bytes = ONE_BODY, more: tuple = ()
) -> dict:
    headers = [("x-hub-signature-256", "sha256=" + mac(KEY.encode(), body).hex())]
    headers += [("x-github-event", event)] if event else []
    headers += [("x-github-delivery", delivery)] if delivery else []
    return request([*headers, *more], body, expect)


def _github(table: Sequences) -> None:
    send = _github_request
    table.add(
        "github-one-body-two-types",
        "A push and a star of the same bytes are two events; each is answered once it was handled.",
        "unsigned_id event_type",
        "github",
        [
            send("handle", "push", "a-1"),
            send("handle", "star", "a-2"),
            send("replay", "push", "a-1"),
            send("replay", "star", "a-2"),
        ],
        new=2,
        duplicate=2,
    )
    table.add(
        "github-types-that-are-not-listed",
        "Whoever replays a request cannot gain a run for each type he makes up.",
        "unsigned_id event_type",
        "github",
        [
            send("handle", "made_up_1", "a-1"),
            send("replay", "made_up_2", "a-1"),
            send("replay", "Push", "a-1"),
            send("replay", "push, star", "a-1"),
            send("replay", None, "a-1"),
            send("handle", "push", "a-1"),
        ],
        new=2,
        duplicate=4,
    )
    table.add(
        "github-two-types",
        "Two headers of the type, whatever they say, are refused.",
        "unsigned_id event_type",
        "github",
        [
            send("duplicate_header", "push", "a-1", more=(("X-GitHub-Event", "star"),)),
            send("duplicate_header", "push", "a-1", more=(("x-github-event", "push"),)),
            send("handle", "push", "a-1"),
        ],
        new=1,
    )
    table.add(
        "github-another-id",
        "Under another id it is a second event or a replay: it is answered from the store and reported.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("replay", "push", "a-2"), send("replay", "push", "a-1")],
        new=1,
        duplicate=1,
        same_body_other_id=1,
    )
    table.add(
        "github-id-taken-away",
        "Without its id the request is still the same message.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("replay", "push", None), send("replay", "push", "a-1")],
        new=1,
        duplicate=1,
        same_body_other_id=1,
    )
    table.add(
        "github-without-ids",
        "Two requests without an id are one message.",
        "unsigned_id",
        "github",
        [send("handle", "push", None), send("replay", "push", None)],
        new=1,
        duplicate=1,
    )
    table.add(
        "github-another-id-handled",
        "With the policy `handle` the id is a part of the key.",
        "unsigned_id",
        "github",
        [
            send("handle", "push", "a-1"),
            send("handle", "push", "a-2"),
            send("replay", "push", "a-2"),
            send("handle", "star", "a-2"),
        ],
        options={"on_unsigned_id": "handle"},
        new=3,
        duplicate=1,
    )
    table.add(
        "github-another-body",
        "Another body is another message, also under the same id.",
        "unsigned_id",
        "github",
        [send("handle", "push", "a-1"), send("handle", "push", "a-1", b'{"id":8}')],
        new=2,
    )


def _shopify(table: Sequences) -> None:
    def send(expect: str, topic: str, webhook_id: str) -> dict:
        headers = {
            "X-Shopify-Hmac-Sha256": b64(mac(KEY.encode(), ONE_BODY)),
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": webhook_id,
        }
        return request(headers, ONE_BODY, expect)

    table.add(
        "shopify-created-and-paid",
        "An order that is paid at once comes under two topics with the same bytes.",
        "unsigned_id event_type",
        "shopify",
        [
            send("handle", "orders/create", "b-1"),
            send("handle", "orders/paid", "b-2"),
            send("replay", "orders/create", "b-1"),
            send("replay", "orders/paid", "b-3"),
        ],
        new=2,
        duplicate=1,
        same_body_other_id=1,
    )


def _others(table: Sequences) -> None:
    def sentry(expect: str, resource: str, request_id: str) -> dict:
        headers = {
            "Sentry-Hook-Signature": mac(KEY.encode(), ONE_BODY).hex(),
            "Sentry-Hook-Resource": resource,
            "Request-ID": request_id,
        }
        return request(headers, ONE_BODY, expect)

    table.add(
        "sentry-two-resources",
        "The resource is in a header.",
        "unsigned_id event_type",
        "sentry",
        [sentry("handle", "issue", "c-1"), sentry("handle", "error", "c-2"), sentry("replay", "issue", "c-9")],
        new=2,
        same_body_other_id=1,
    )

    def gitlab(expect: str, event: str, key: str) -> dict:
        headers = {"X-Gitlab-Token": KEY, "X-Gitlab-Event": event, "Idempotency-Key": key}
        return request(headers, ONE_BODY, expect)

    table.add(
        "gitlab-nothing-signed",
        "Where nothing is signed whoever can replay can forge, so the id counts for what it says.",
        "unsigned_id event_type",
        "gitlab",
        [
            gitlab("handle", "Push Hook", "d-1"),
            gitlab("handle", "Push Hook", "d-2"),
            gitlab("replay", "Push Hook", "d-1"),
        ],
        new=2,
        duplicate=1,
    )


def _zendesk_request(expect: str, invocation: str, time: str, body: bytes = ONE_BODY) -> dict:
    headers = {
        "X-Zendesk-Webhook-Signature": b64(mac(KEY.encode(), time.encode() + body)),
        "X-Zendesk-Webhook-Signature-Timestamp": time,
        "X-Zendesk-Webhook-Invocation-Id": invocation,
    }
    return request(headers, body, expect)


def _zendesk(table: Sequences) -> None:
    send, time = _zendesk_request, "2023-11-14T22:13:20Z"
    table.add(
        "zendesk-four-ids",
        "The time is signed and nobody checks its age, so it bounds nothing: four ids are one message.",
        "unsigned_id time",
        "zendesk",
        [send("handle", "e-1", time), *(send("replay", f"e-{number}", time) for number in (2, 3, 4))],
        new=1,
        same_body_other_id=3,
    )
    table.add(
        "zendesk-retry",
        "A retry that is signed at a later time is the same message.",
        "unsigned_id time",
        "zendesk",
        [send("handle", "e-1", time), send("replay", "e-1", "2023-11-14T22:14:00Z")],
        new=1,
        duplicate=1,
    )


def _twilio(table: Sequences) -> None:
    def send(expect: str, body: bytes, token: str, signed: str, query: str = "") -> dict:
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": b64(mac(KEY.encode(), (URL + query + signed).encode(), "sha1")),
            "I-Twilio-Idempotency-Token": token,
        }
        return request(headers, body, expect, path="/in" + query)

    signed = "BodyHiFromAnnToBob"
    table.add(
        "twilio-members-in-another-order",
        "Members in another order under the same signature are the same message.",
        "unsigned_id form",
        "twilio",
        [
            send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed),
            send("replay", b"To=Bob&From=Ann&Body=Hi", "f-1", signed),
            send("replay", b"%54o=Bob&From=Ann&Body=H%69", "f-1", signed),
            send("replay", b"Body=Hi&From=Ann&To=Bob&To=Bob", "f-1", signed),
        ],
        url=URL,
        new=1,
        duplicate=3,
    )
    table.add(
        "twilio-another-token",
        "The idempotency token is not signed.",
        "unsigned_id form",
        "twilio",
        [
            send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed),
            send("replay", b"Body=Hi&From=Ann&To=Bob", "f-2", signed),
        ],
        url=URL,
        new=1,
        same_body_other_id=1,
    )
    table.add(
        "twilio-members-cut-otherwise",
        "Names and values are signed without a text between them: whatever one signature fits is one message.",
        "unsigned_id form border",
        "twilio",
        [
            send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed),
            send("replay", b"Bod=yHi&From=Ann&To=Bob", "f-1", signed),
            send("replay", b"BodyHiFromAnn=ToBob", "f-2", signed),
        ],
        url=URL,
        new=1,
        duplicate=2,
    )
    moved = send("replay", b"From=Ann&To=Bob", "f-1", signed, "?t=1")
    moved["path"] = "/in?t=1BodyHi"
    table.add(
        "twilio-members-in-the-query",
        "The query of the URL and the members are signed without a text between them.",
        "unsigned_id form border",
        "twilio",
        [send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed, "?t=1"), moved],
        url=URL,
        new=1,
        duplicate=1,
    )
    table.add(
        "twilio-another-url",
        "The URL is signed, so the same form at another one is another message.",
        "unsigned_id form",
        "twilio",
        [
            send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed, "?t=1"),
            send("handle", b"Body=Hi&From=Ann&To=Bob", "f-1", signed, "?t=2"),
        ],
        url=URL,
        new=2,
    )


def _adyen(table: Sequences) -> None:
    def send(expect: str, item: dict, signed: dict | None = None) -> dict:
        signature = b64(mac(bytes.fromhex(ADYEN.secret), adyen_content(signed or item)))
        return request({}, adyen_body(signature, item), expect)

    coloned = {**ADYEN_ITEM, "merchantReference": "Shop:order:7"}
    table.add(
        "adyen-colon-in-the-reference",
        "The merchant's reference is the merchant's own text.",
        "border",
        "adyen",
        [send("handle", coloned), send("replay", coloned)],
        secret=ADYEN.secret,
        new=1,
        duplicate=1,
    )
    account = ADYEN_ITEM["merchantAccountCode"]
    table.add(
        "adyen-border-moved",
        "A colon of the reference becomes a part of another field under the same signature.",
        "border",
        "adyen",
        [
            send(
                "signature_mismatch",
                {**coloned, "merchantAccountCode": f"{account}:Shop", "merchantReference": "order:7"},
                coloned,
            ),
            send(
                "signature_mismatch",
                {
                    **coloned,
                    "pspReference": f"{coloned['pspReference']}:",
                    "originalReference": account,
                    "merchantAccountCode": "Shop",
                    "merchantReference": "order:7",
                },
                coloned,
            ),
            send("handle", coloned),
        ],
        secret=ADYEN.secret,
        new=1,
    )
    table.add(
        "adyen-unsigned-members-changed",
        "Only the signed fields are compared.",
        "border",
        "adyen",
        [send("handle", ADYEN_ITEM), send("replay", {**ADYEN_ITEM, "reason": "another"}, ADYEN_ITEM)],
        secret=ADYEN.secret,
        new=1,
        duplicate=1,
    )


def _borders(table: Sequences) -> None:
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


def _schemes(table: Sequences) -> None:
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


def _dedup_off(table: Sequences) -> None:
    off = {"dedup": "off"}
    table.add(
        "off-honest-retry",
        "Without a signed time an honest retry is byte for byte the same request: it is let through.",
        "dedup_off",
        "github",
        [_github_request("handle", "push", "a-1"), _github_request("handle", "push", "a-1")],
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
            _zendesk_request("handle", "e-1", time),
            _zendesk_request("replayed", "e-2", time),
            _zendesk_request("handle", "e-1", "2023-11-14T22:14:00Z"),
        ],
        options=off,
    )
