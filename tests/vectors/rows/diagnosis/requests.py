"""The headers or the time are the fault."""

from ..signers import BODY, MESSAGE_ID, NOW, SECRET, SIGNED_AT, v1
from ..table import STANDARD, SVIX, headers
from .senders import CLERK, STRIPE, Sender, hex_mac, stripe_headers
from .table import Diagnoses

SVIX_SENDER = Sender("svix", SECRET, CLERK.other_secret, CLERK.send)
SLACK = Sender("slack", "8f742231b10e8888abcd99yyyzzz85a5", "", CLERK.send)


def add(table: Diagnoses) -> None:
    _units(table)
    _clock(table)
    _rewritten(table)


def _units(table: Diagnoses) -> None:
    def row(kind: str, sender: Sender, sent, **more) -> None:
        comment = "The time is in milliseconds where seconds belong, and signed as it is sent."
        code = "malformed_timestamp"
        table.proved("timestamp_units", kind, comment, "timestamp", sender, sent, code=code, **more)

    for kind, milliseconds in (("whole-seconds", SIGNED_AT * 1000), ("with-a-rest", SIGNED_AT * 1000 + 123)):
        text = str(milliseconds)
        signature = v1(timestamp=text)
        row(kind, CLERK, headers(timestamp=text, signature=signature))
        row(f"{kind}-webhook-headers", SVIX_SENDER, headers(timestamp=text, signature=signature, names=STANDARD))
        row(kind, STRIPE, stripe_headers(STRIPE.secret, BODY, text))


def _clock(table: Diagnoses) -> None:
    def row(kind: str, comment: str, age: int, drift: tuple[int, ...] = (), sender: Sender = CLERK, **more) -> None:
        code = "timestamp_too_old" if age > 0 else "timestamp_too_new"
        sent, now = sender.send(sender.secret, BODY), SIGNED_AT + age
        more |= {"code": code, "now": now, "recent_drift_seconds": drift}
        table.proved("clock_skew", kind, comment, "timestamp", sender, sent, **more)

    for sender in (CLERK, STRIPE):
        row("1-s-too-old", "The signature is right; only its age is not.", 301, sender=sender)
        row("1-s-too-new", "The signature is right; this clock runs behind.", -301, sender=sender)
        row("same-drift-before", "Good requests drift as far: it is the clock.", 400, (290, 295, 299), sender)
        row("no-drift-before", "Good requests do not drift: a replay or a queue.", 86_400, (0, 1, 2), sender)
    row("behind-like-before", "Good requests drift as far: it is the clock.", -360, (-280, -295))
    row("narrow-tolerance", "A tolerance of the endpoint's own.", 12, tolerance_seconds=10)


def _rewritten(table: Diagnoses) -> None:
    def row(kind: str, comment: str, sent, code: str, sender: Sender = CLERK) -> None:
        table.proved("header_rewritten", kind, comment, "headers", sender, sent, code=code)

    right = v1()
    for kind, sent in {
        "timestamp-renamed": [(SVIX[0], MESSAGE_ID), (STANDARD[1], str(SIGNED_AT)), (SVIX[2], right)],
        "id-renamed": [(STANDARD[0], MESSAGE_ID), (SVIX[1], str(SIGNED_AT)), (SVIX[2], right)],
        "signature-renamed": [(SVIX[0], MESSAGE_ID), (SVIX[1], str(SIGNED_AT)), (STANDARD[2], right)],
        "id-replaced": [*headers("request-4711", signature=right), (STANDARD[0], MESSAGE_ID)],
        "timestamp-replaced": [*headers(timestamp=NOW, signature=right), (STANDARD[1], str(SIGNED_AT))],
        "stray-id": [*headers(signature=right), (STANDARD[0], "request-4711")],
        "both-families": [*headers(signature=right), *headers("request-4711", NOW, right, STANDARD)],
    }.items():
        row(kind, "A gateway renamed, replaced or added a header of the other family.", sent, "mixed_header_family")
    for kind, sent_id in {"id-with-a-space": f"{MESSAGE_ID} ", "id-after-a-tab": f"\t{MESSAGE_ID}"}.items():
        sent = headers(sent_id, signature=right)
        row(kind, "A proxy put whitespace around the id.", sent, "malformed_message_id")
    comment = "A proxy put whitespace around the time."
    for kind, text in {"timestamp-with-a-space": f"{SIGNED_AT} ", "timestamp-after-a-space": f" {SIGNED_AT}"}.items():
        row(kind, comment, headers(timestamp=text, signature=right), "malformed_timestamp")
        signed = f"v0:{SIGNED_AT}:".encode() + BODY
        slack = [("x-slack-request-timestamp", text), ("x-slack-signature", f"v0={hex_mac(SLACK.secret, signed)}")]
        row(kind, comment, slack, "malformed_timestamp", SLACK)
