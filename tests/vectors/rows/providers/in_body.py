"""Providers that put the signature into the body and sign some of its fields: Mailgun and Adyen."""

import json
from copy import deepcopy
from urllib.parse import urlencode

from ..signers import b64, fixed_bytes
from ..table import Table
from .messages import compact, text
from .row import accept, refuse
from .senders import NOW, SECONDS, Request, Sender, mac

TOKEN = fixed_bytes("mailgun token", 25).hex()
MAILGUN_EVENT = {
    "id": "CPgfbmQMTCKtHW6uIWtuVe",
    "event": "delivered",
    "message": {"headers": {"message-id": "20130503182626.18666.16540@a.example"}},
}


def mailgun_body(signature: object, timestamp: object = SECONDS, event: object = MAILGUN_EVENT) -> bytes:
    return compact({"signature": {"token": TOKEN, "timestamp": timestamp, "signature": signature}, "event-data": event})


MAILGUN = Sender(
    "mailgun",
    *text("mailgun"),
    b"",
    (),
    lambda request: f"{request.timestamp}{TOKEN}".encode(),
    timestamp=SECONDS,
    id_in_body=TOKEN,
    fill=lambda request, signature: mailgun_body(signature, request.timestamp),
)

ADYEN_ITEM = {
    "amount": {"currency": "EUR", "value": 1000},
    "eventCode": "AUTHORISATION",
    "eventDate": "2023-11-14T22:13:20+01:00",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "order-7",
    "originalReference": "",
    "pspReference": "7914073381342284",
    "reason": "1234:7777:12/2027",
    "success": "true",
}


def adyen_content(item: dict) -> bytes:
    amount = item["amount"]
    fields = [item.get(name, "") for name in ("pspReference", "originalReference", "merchantAccountCode")]
    fields += [item["merchantReference"], amount["value"], amount["currency"], item["eventCode"], item["success"]]
    return ":".join(map(str, fields)).encode()


def adyen_body(signature: object, item: dict, *more: dict) -> bytes:
    signed = {**item, "additionalData": {"hmacSignature": signature}}
    items = [{"NotificationRequestItem": each} for each in (signed, *more)]
    return compact({"live": "false", "notificationItems": items})


ADYEN = Sender(
    "adyen",
    fixed_bytes("adyen", 32).hex().upper(),
    fixed_bytes("adyen old", 32).hex().upper(),
    compact(ADYEN_ITEM),
    (),
    lambda request: adyen_content(json.loads(request.body)),
    write=b64,
    key=bytes.fromhex,
    id_in_body="7914073381342284:AUTHORISATION:true",
    fill=lambda request, signature: adyen_body(signature, json.loads(request.body)),
)


def add(table: Table) -> None:
    _mailgun(table)
    _mailgun_forms(table)
    _mailgun_posts(table)
    _adyen(table)
    _adyen_second_item(table)
    _adyen_forms(table)


def _mailgun(table: Table) -> None:
    good = MAILGUN.request
    accept(table, "mailgun-good", "As Mailgun sends it.", "provider fields", good)
    accept(
        table,
        "mailgun-timestamp-as-a-number",
        "Signed by its text.",
        "provider fields timestamp",
        good,
        body=mailgun_body(good.signature(), int(SECONDS)),
    )
    accept(
        table,
        "mailgun-event-changed",
        "Mailgun signs only the timestamp and the token: other data beside them is not noticed.",
        "provider fields unsigned",
        good,
        body=mailgun_body(good.signature(), event={"event": "unsubscribed"}),
    )
    refuse(
        table,
        "mailgun-wrong-secret",
        "Signed with another key.",
        "fields wrong_mac",
        "signature_mismatch",
        good.but(secret=MAILGUN.other_secret),
    )
    later = str(int(SECONDS) + 1)
    refuse(
        table,
        "mailgun-timestamp-changed",
        "The timestamp is signed.",
        "fields timestamp",
        "signature_mismatch",
        good,
        body=mailgun_body(good.signature(), later),
    )
    refuse(
        table,
        "mailgun-token-changed",
        "The token is signed.",
        "fields body",
        "signature_mismatch",
        good,
        body=good.sent_body().replace(TOKEN.encode(), TOKEN[::-1].encode()),
    )
    for age, code in ((900, None), (901, "timestamp_too_old"), (-900, None), (-901, "timestamp_too_new")):
        row_id = f"mailgun-{'old' if age > 0 else 'ahead'}-by-{abs(age)}"
        now = int(SECONDS) + age
        if code is None:
            accept(table, row_id, "Mailgun's own library allows 15 minutes.", "timestamp limit", good, now=now)
        else:
            refuse(table, row_id, "Mailgun's own library allows 15 minutes.", "timestamp limit", code, good, now=now)


def _mailgun_forms(table: Table) -> None:
    good = MAILGUN.request
    signature = good.signature()
    bodies = {
        "no-signature-field": (
            compact({"signature": {"token": TOKEN, "timestamp": SECONDS}}),
            "The body lacks the signature.",
            "missing_header",
        ),
        "no-timestamp-field": (
            compact({"signature": {"token": TOKEN, "signature": signature}}),
            "The body lacks the timestamp.",
            "missing_header",
        ),
        "no-json": (b"signature=" + signature.encode(), "No JSON, so no signature.", "missing_header"),
        "empty": (b"", "Nothing at all.", "missing_header"),
        "cut": (good.sent_body()[:-1], "JSON that ends too soon is no JSON.", "missing_header"),
        "signature-is-a-list": (mailgun_body([signature]), "A list is not a text.", "missing_header"),
        "signature-is-empty": (mailgun_body(""), "An empty text.", "malformed_signature"),
        "signature-is-true": (mailgun_body(True), "A scalar, but no hexadecimal.", "malformed_signature"),
        "signature-cut": (mailgun_body(signature[:-2]), "31 bytes.", "malformed_signature"),
        "signature-in-base64": (mailgun_body(b64(good.mac())), "Not hexadecimal.", "malformed_signature"),
        "timestamp-with-a-plus": (mailgun_body(signature, "+" + SECONDS), "Not a plain number.", "malformed_timestamp"),
        "timestamp-with-a-fraction": (mailgun_body(signature, SECONDS + ".5"), "Not whole.", "malformed_timestamp"),
    }
    for kind, (body, comment, code) in bodies.items():
        refuse(table, f"mailgun-{kind}", comment, "fields encoding", code, good, body=body)
    twice = good.sent_body().replace(b'{"token"', b'{"token":"' + TOKEN.encode() + b'","token"', 1)
    accept(table, "mailgun-token-twice-alike", "The last of repeated members counts.", "fields body", good, body=twice)
    other = good.sent_body().replace(b'","timestamp"', b'","token":"other","timestamp"', 1)
    refuse(
        table,
        "mailgun-token-twice-last-differs",
        "The last of repeated members counts, as in the parser that the handler uses.",
        "fields body",
        "signature_mismatch",
        good,
        body=other,
    )


URLENCODED = ("content-type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", 'multipart/form-data; boundary="xYzZY"')


def _multipart(*pairs: tuple[str, str]) -> bytes:
    parts = [f'--xYzZY\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    file = '--xYzZY\r\nContent-Disposition: form-data; name="attachment-1"; filename="a.txt"\r\n\r\ntoken\r\n'
    return ("".join(parts) + file + "--xYzZY--\r\n").encode()


def _mailgun_posts(table: Table) -> None:
    """Routes and older webhooks are forms with the three members beside the others."""
    good = MAILGUN.request
    signed = [("timestamp", SECONDS), ("token", TOKEN), ("signature", good.signature())]
    mail = [("recipient", "bob@example.com"), ("event", "delivered"), ("body-plain", 'a=b&c {"token":1}')]
    for kind, header, write in (
        ("form", URLENCODED, urlencode),
        ("multipart", MULTIPART, lambda pairs: _multipart(*pairs)),
    ):

        def sent(pairs, header=header, write=write) -> dict:
            body = write(pairs)
            return {"headers": [header], "body": body if isinstance(body, bytes) else body.encode()}

        accept(
            table,
            f"mailgun-{kind}",
            "As routes and older webhooks send it.",
            "fields form",
            good,
            **sent(signed + mail),
        )
        accept(
            table,
            f"mailgun-{kind}-in-another-order",
            "Members in any order.",
            "fields form",
            good,
            **sent(mail + signed[::-1]),
        )
        refused = {
            "without-a-signature": (signed[:2], "missing_header"),
            "without-a-timestamp": (signed[1:], "missing_header"),
            "signature-twice": ([*signed, signed[2]], "missing_header"),
            "token-twice": ([*signed, ("token", TOKEN[::-1])], "signature_mismatch"),
            "token-changed": ([signed[0], ("token", TOKEN[::-1]), signed[2]], "signature_mismatch"),
            "timestamp-with-a-fraction": ([("timestamp", SECONDS + ".5"), *signed[1:]], "malformed_timestamp"),
        }
        for fault, (pairs, code) in refused.items():
            comment = "Each of the three members exactly once."
            refuse(table, f"mailgun-{kind}-{fault}", comment, "fields form", code, good, **sent(pairs + mail))
    refuse(
        table,
        "mailgun-form-called-json",
        "A form is told by its type.",
        "fields form headers",
        "missing_header",
        good,
        headers=[("content-type", "application/json")],
        body=urlencode(signed).encode(),
    )
    accept(
        table,
        "mailgun-json-called-form",
        "What begins like JSON is read as JSON, whatever its type is said to be: nobody signs the type.",
        "fields form headers",
        good,
        headers=[URLENCODED],
    )


def _changed(**changed: object) -> dict:
    return {**deepcopy(ADYEN_ITEM), **changed}


def _item_request(item: dict) -> Request:
    return ADYEN.request.but(body=compact(item))


def _adyen(table: Table) -> None:
    good = ADYEN.request
    signature = good.signature()
    accept(table, "adyen-good", "As Adyen sends it.", "provider fields", good)
    published = {
        "pspReference": "7914073381342284",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "success": "true",
    }
    accept(
        table,
        "known-answer-adyen",
        "Published by Adyen's documentation.",
        "known_answer provider fields",
        _item_request(published),
        signature="coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
        secrets=("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",),
    )
    no_original = {name: value for name, value in ADYEN_ITEM.items() if name != "originalReference"}
    accept(
        table,
        "adyen-without-original-reference",
        "An absent field is signed as an empty one.",
        "provider fields",
        _item_request(no_original),
    )
    unsigned = {"reason": "changed", "eventDate": "2024-01-01T00:00:00+01:00", "paymentMethod": "visa"}
    accept(
        table,
        "adyen-unsigned-fields-changed",
        "Eight fields are signed; these are not among them.",
        "provider fields unsigned",
        good,
        body=adyen_body(signature, _changed(**unsigned)),
    )
    accept(
        table,
        "adyen-lower-case-key",
        "Hexadecimal in either case.",
        "provider fields",
        good,
        secrets=(ADYEN.secret.lower(),),
    )
    changes = {
        "pspReference": "7914073381342285",
        "originalReference": "7914073381342284",
        "merchantAccountCode": "OtherMerchant",
        "merchantReference": "order-8",
        "amount": {"currency": "EUR", "value": 1},
        "eventCode": "CANCELLATION",
        "success": "false",
    }
    for name, value in changes.items():
        refuse(
            table,
            f"adyen-{name.lower()}-changed",
            "One of the signed fields.",
            "fields body",
            "signature_mismatch",
            good,
            body=adyen_body(signature, _changed(**{name: value})),
        )
    refuse(
        table,
        "adyen-currency-changed",
        "One of the signed fields.",
        "fields body",
        "signature_mismatch",
        good,
        body=adyen_body(signature, _changed(amount={"currency": "USD", "value": 1000})),
    )
    refuse(
        table,
        "adyen-wrong-secret",
        "Signed with another key.",
        "fields wrong_mac",
        "signature_mismatch",
        good.but(secret=ADYEN.other_secret),
    )
    refuse(
        table,
        "adyen-key-used-as-text",
        "The key is hexadecimal, not its letters.",
        "fields wrong_mac",
        "signature_mismatch",
        good,
        signature=b64(mac(good.secret.encode(), ADYEN.content(good))),
    )


def _adyen_second_item(table: Table) -> None:
    good = ADYEN.request
    signature = good.signature()
    other = _changed(pspReference="8814073381342284", amount={"currency": "EUR", "value": 999999})
    forged = {**other, "additionalData": {"hmacSignature": signature}}
    cases = {
        "second-item-unsigned": (adyen_body(signature, ADYEN_ITEM, other), "would ride along unsigned"),
        "second-item-with-the-first-ones-signature": (
            adyen_body(signature, ADYEN_ITEM, forged),
            "would ride along under a signature that is not its own",
        ),
        "two-good-items": (
            adyen_body(signature, ADYEN_ITEM, {**ADYEN_ITEM, "additionalData": {"hmacSignature": signature}}),
            "is not what Adyen sends as JSON",
        ),
    }
    for kind, (body, why) in cases.items():
        refuse(
            table,
            f"adyen-{kind}",
            f"Exactly one item is taken: a second one {why}.",
            "fields advisory",
            "missing_header",
            good,
            body=body,
        )
    refuse(
        table,
        "adyen-no-item",
        "An empty list.",
        "fields body",
        "missing_header",
        good,
        body=b'{"live":"false","notificationItems":[]}',
    )
    repeated = good.sent_body().replace(b'"success":"true"', b'"success":"true","success":"false"')
    refuse(
        table,
        "adyen-field-twice-last-differs",
        "The last of repeated members counts, as in the parser that the handler uses.",
        "fields body",
        "signature_mismatch",
        good,
        body=repeated,
    )


def _adyen_forms(table: Table) -> None:
    good = ADYEN.request
    signature = good.signature()
    item = compact({"live": "false", "notificationItems": [{"NotificationRequestItem": ADYEN_ITEM}]})
    refuse(
        table,
        "adyen-no-signature-field",
        "The item lacks the signature.",
        "fields body",
        "missing_header",
        good,
        body=item,
    )
    forms = {
        "empty": ("", "An empty text."),
        "no-padding": (signature.rstrip("="), "Strict base64."),
        "foreign-character": (signature[:10] + "*" + signature[10:], "Strict base64."),
        "in-hexadecimal": (good.mac().hex(), "The wrong encoding."),
    }
    for kind, (written, comment) in forms.items():
        refuse(
            table,
            f"adyen-signature-{kind}",
            comment,
            "fields encoding",
            "malformed_signature",
            good,
            signature=written,
        )
    accept(
        table,
        "adyen-any-age",
        "Nothing says when it was signed.",
        "fields timestamp",
        good,
        now=NOW + 86_400 * 365,
    )
