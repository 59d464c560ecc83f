"""Requests of which nothing can be said but their code: a finding here would be a guess."""

import json
from urllib.parse import urlencode

from ..signers import BODY, ED25519, MESSAGE_ID, SECRET, SIGNED_AT, THIRD_SECRET, b64, fixed_bytes, v1, whsec
from ..table import STANDARD, SVIX, headers
from .bodies import SMALL, written
from .senders import CLERK, GITHUB, SENDERS, STRIPE, of_key, stripe_headers
from .table import Diagnoses


def add(table: Diagnoses) -> None:
    _random(table)
    _changed_in_meaning(table)
    _two_changes(table)
    _forged_and_at_fault(table)
    _nothing_to_lose(table)
    _nothing_to_try(table)


def _random(table: Diagnoses) -> None:
    for sender in SENDERS:
        sent = sender.send(sender.secret, BODY)
        table.nothing("another-body", "Another body.", "body", sender, sent, body=b'{"type":"user.deleted"}')
        noise = fixed_bytes("noise", 200).replace(b"\xef\xbf\xbd", b"")
        table.nothing("noise", "Bytes that are nothing.", "body", sender, sent, body=noise)
        stranger = of_key(fixed_bytes("stranger", 24)) if sender is CLERK else fixed_bytes("stranger", 20).hex()
        forged = sender.send(stranger, BODY)
        table.nothing("strange-secret", "Signed with a secret that nobody here knows.", "secret", sender, forged)
        others = (("billing", sender.other_secret), ("staging", sender.other_secret))
        table.nothing("others-are-wrong-too", "Nor do other endpoints.", "secret", sender, forged, others=others)


def _changed_in_meaning(table: Diagnoses) -> None:
    event = json.loads(BODY)
    changes: dict[str, tuple[bytes, bytes]] = {
        "another-user": (BODY, BODY.replace(b"user_29w8", b"user_29w9")),
        "another-type": (BODY, BODY.replace(b"user.created", b"user.deleted")),
        "another-key-order": (written("compact", False), written("compact", False, dict(reversed(event.items())))),
        "cut": (BODY, BODY[:-20]),
        "twice": (BODY, BODY + BODY),
        "empty-object": (BODY, b"{}"),
        "javascript-object": (BODY, b"[object Object]"),
        "python-repr": (BODY, repr(event).encode()),
        "letters-decomposed": (SMALL, SMALL.decode().replace("\u00eb", "e\u0308").encode()),
        "latin-1": (SMALL, SMALL.decode().encode("latin-1")),
    }
    for kind, (signed, received) in changes.items():
        _row(table, kind, "It does not say the same, or not in the same bytes.", "body", signed, received)
    numbers = {
        "1.0-to-1": (b'{"amount":1.0}', b'{"amount":1}'),
        "1e3-to-1000.0": (b'{"amount":1e3}', b'{"amount": 1000.0}'),
    }
    for kind, (signed, received) in numbers.items():
        comment = "A parser wrote the number in another way, which cannot be undone."
        _row(table, f"number-{kind}", comment, "body number_form", signed, received)
    slash = (b'{"url":"https:/\\/example.com"}', b'{"url":"https://example.com"}')
    _row(table, "one-escaped-slash", "No serializer escapes one slash and leaves another.", "body", *slash)


def _two_changes(table: Diagnoses) -> None:
    wrong_too = SMALL.replace(b"user_1", b"user_2")
    changes = {
        "base64-of-another-body": b64(wrong_too).encode(),
        "form-with-another-body": urlencode({"payload": wrong_too}).encode(),
        "another-body-with-bom": b"\xef\xbb\xbf" + wrong_too,
        "another-body-with-newline": wrong_too + b"\n",
        "another-body-spaced": json.dumps(json.loads(wrong_too)).encode(),
    }
    for kind, received in changes.items():
        _row(table, kind, "Undoing the change gives a body that was not signed either.", "body order", SMALL, received)
    table.nothing(
        "changed-and-signed-by-another",
        "One experiment undoes one thing: both at once would let chance in.",
        "body secret order",
        CLERK,
        CLERK.send(THIRD_SECRET, SMALL),
        body=SMALL + b"\n",
        others=(("billing", THIRD_SECRET),),
    )


def _row(table: Diagnoses, kind: str, comment: str, flags: str, signed: bytes, received: bytes) -> None:
    assert signed != received, kind
    for sender in SENDERS:
        table.nothing(kind, comment, flags, sender, sender.send(sender.secret, signed), body=received)


def _forged_and_at_fault(table: Diagnoses) -> None:
    """The clock, the unit or the header would be blamed, and the MAC is wrong as well: whoever forged it chose them."""
    stranger = whsec("stranger")
    for kind, age, drift in (("stale", 600, ()), ("stale-like-before", 400, (290, 299)), ("early", -600, ())):
        code = "timestamp_too_old" if age > 0 else "timestamp_too_new"
        for sender, secret in ((CLERK, stranger), (STRIPE, STRIPE.other_secret)):
            table.nothing(
                f"forged-and-{kind}",
                "No clock is to blame while the MAC is wrong.",
                "timestamp",
                sender,
                sender.send(secret, BODY),
                code=code,
                now=SIGNED_AT + age,
                recent_drift_seconds=drift,
            )
    milliseconds = str(SIGNED_AT * 1000)
    malformed = "The time is malformed, and the MAC is wrong."
    for kind, text in (("milliseconds", milliseconds), ("timestamp-with-a-space", f"{SIGNED_AT} ")):
        sent = headers(timestamp=text, signature=v1(stranger))
        table.nothing(f"forged-{kind}", malformed, "timestamp", CLERK, sent, code="malformed_timestamp")
    sent = stripe_headers(STRIPE.other_secret, BODY, milliseconds)
    table.nothing("forged-milliseconds", malformed, "timestamp", STRIPE, sent, code="malformed_timestamp")
    wrong = v1(stranger)
    mixed = [(SVIX[0], MESSAGE_ID), (STANDARD[1], str(SIGNED_AT)), (SVIX[2], wrong)]
    comment = "The families are mixed, and the MAC is wrong."
    table.nothing("forged-mixed-families", comment, "headers", CLERK, mixed, code="mixed_header_family")
    sent = headers(f"{MESSAGE_ID} ", signature=wrong)
    comment = "The id has a space, and the MAC is wrong."
    table.nothing("forged-id-with-a-space", comment, "headers", CLERK, sent, code="malformed_message_id")
    dotted = f"{MESSAGE_ID}.1"
    sent = headers(dotted, signature=v1(message_id=dotted))
    comment = "An id with a dot, rightly signed: nobody rewrote it."
    table.nothing("id-with-a-dot", comment, "headers", CLERK, sent, code="malformed_message_id")


def _nothing_to_lose(table: Diagnoses) -> None:
    for sender in SENDERS:
        sent = sender.send(sender.secret, BODY)
        empty = [*sent, ("content-length", "0")]
        table.nothing("empty-of-length-0", "It came empty.", "body", sender, empty, body=b"")
        table.nothing("empty-of-no-length", "Nobody says that there was more.", "body", sender, sent, body=b"")
    text = fixed_bytes("mode", 16).hex()
    for kind, body in {"same-mode": b'{"livemode":false}', "mode-in-a-text": b'{"note":"\\"livemode\\":true"}'}.items():
        table.nothing(
            kind,
            "The body does not say that it is of the other mode.",
            "secret",
            STRIPE,
            STRIPE.send(STRIPE.other_secret, body),
            body=body,
            secrets=(f"whsec_test_{text}",),
        )


def _nothing_to_try(table: Diagnoses) -> None:
    """Codes that say all there is to say."""
    right = CLERK.send(CLERK.secret, BODY)
    for kind, code, sent, more in (
        ("missing-header", "missing_header", right[1:], {}),
        ("duplicate-header", "duplicate_header", [*right, right[0]], {}),
        ("unreadable-signature", "malformed_signature", headers(signature="v1,AAAA"), {}),
        ("unknown-version", "no_supported_version", headers(signature="v9," + b64(bytes(32))), {}),
        ("body-too-large", "body_too_large", right, {"max_body_bytes": len(BODY) - 1}),
    ):
        table.nothing(kind, "The code says it all.", "headers", CLERK, sent, code=code, **more)
    sent = [(name, value) for name, value in GITHUB.send(GITHUB.secret, BODY) if name == "x-github-event"]
    table.nothing("missing-header", "The code says it all.", "headers", GITHUB, sent, code="missing_header")
    both = headers(signature=f"{v1(whsec('stranger'))} {ED25519.v1a(body=b'')}")
    comment = "Both versions are there, and each is wrong: the kind of the secret is not the cause."
    table.nothing("both-versions-wrong", comment, "secret", CLERK, both, secrets=(SECRET, ED25519.whpk))
