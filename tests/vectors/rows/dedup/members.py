"""Messages of which only a time, the members of a form or fields of the body are signed."""

from ..providers.in_body import ADYEN, ADYEN_ITEM, adyen_body, adyen_content
from ..providers.senders import mac
from ..signers import b64
from .sequences import KEY, ONE_BODY, URL, Sequences, request


def zendesk_request(expect: str, invocation: str, time: str, body: bytes = ONE_BODY) -> dict:
    headers = {
        "X-Zendesk-Webhook-Signature": b64(mac(KEY.encode(), time.encode() + body)),
        "X-Zendesk-Webhook-Signature-Timestamp": time,
        "X-Zendesk-Webhook-Invocation-Id": invocation,
    }
    return request(headers, body, expect)


def zendesk(table: Sequences) -> None:
    send, time = zendesk_request, "2023-11-14T22:13:20Z"
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


def twilio(table: Sequences) -> None:
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


def adyen(table: Sequences) -> None:
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
