"""The timestamps of the providers: their forms and their ages."""

from ..signers import SIGNED_AT
from ..table import Table
from . import messages
from .messages import linear_body
from .row import accept, refuse
from .senders import MILLISECONDS, SECONDS, Request, Sender

MALFORMED, OLD, NEW = "malformed_timestamp", "timestamp_too_old", "timestamp_too_new"
# Provider and tolerance, in seconds.
TOLERANCES = (
    (messages.STRIPE, 300),
    (messages.SLACK, 300),
    (messages.PADDLE, 5),
    (messages.WORKOS, 180),
    (messages.LINEAR, 60),
    (messages.HUBSPOT, 300),
    (messages.CALENDLY, 180),
)
# Their own libraries do not look at the age.
TIMELESS = (messages.DISCORD, messages.ZOOM, messages.SENDGRID, messages.ZENDESK)
YEAR = 86_400 * 365


def add(table: Table) -> None:
    for sender, tolerance in TOLERANCES:
        _ages(table, sender, tolerance)
    for sender in TIMELESS:
        _no_age(table, sender)
    _seconds(table)
    _milliseconds(table)
    _rfc3339(table)
    _pairs(table)
    _body(table)
    _order(table)


def _ages(table: Table, sender: Sender, tolerance: int) -> None:
    comment = f"{tolerance} s either way, the last of them included."
    # Milliseconds after the second make a message that much younger.
    spare = 1 if sender.timestamp == MILLISECONDS or sender is messages.LINEAR else 0
    last_old, last_new = SIGNED_AT + tolerance, SIGNED_AT + spare - tolerance
    # Libraries that look one way only would take a message from the future.
    accept(table, f"{sender.provider}-oldest", comment, "timestamp limit", sender.request, now=last_old)
    accept(table, f"{sender.provider}-newest", comment, "timestamp limit", sender.request, now=last_new)
    refuse(
        table, f"{sender.provider}-too-old", comment, "timestamp limit", OLD, sender.request, now=last_old + 1 + spare
    )
    refuse(
        table, f"{sender.provider}-too-new", comment, "timestamp limit", NEW, sender.request, now=last_new - 1 - spare
    )


def _no_age(table: Table, sender: Sender) -> None:
    request = sender.request
    accept(
        table,
        f"{sender.provider}-a-year-old",
        "The age is signed, but not checked: this provider's own libraries do not.",
        "provider timestamp",
        request,
        now=SIGNED_AT + YEAR,
    )
    for code, now in ((OLD, SIGNED_AT + 301), (NEW, SIGNED_AT - 301)):
        refuse(
            table,
            f"{sender.provider}-{code.replace('_', '-')}-when-asked",
            "An endpoint with a tolerance checks it.",
            "timestamp",
            code,
            request,
            now=now,
            tolerance_seconds=300,
        )


def _signed(sender: Sender, timestamp: str) -> Request:
    return sender.request.but(timestamp=timestamp)


def _seconds(table: Table) -> None:
    forms = {
        "plus": "+" + SECONDS,
        "minus": "-" + SECONDS,
        "leading-zero": "0" + SECONDS,
        "space-before": " " + SECONDS,
        "space-after": SECONDS + " ",
        "milliseconds": MILLISECONDS,
        "fraction": SECONDS + ".0",
        "exponent": "17e8",
        "hexadecimal": hex(SIGNED_AT),
        "letters-after": SECONDS + "junk",
        "underscore": "1_700_000_000",
        "empty": "",
    }
    for sender in (messages.STRIPE, messages.SLACK):
        for kind, text in forms.items():
            refuse(
                table,
                f"{sender.provider}-timestamp-{kind}",
                "Not a plain number of seconds, though it is signed.",
                "timestamp",
                MALFORMED,
                _signed(sender, text),
            )


def _milliseconds(table: Table) -> None:
    forms = {
        "plus": "+" + MILLISECONDS,
        "leading-zero": "0" + MILLISECONDS,
        "fraction": MILLISECONDS + ".5",
        "16-digits": MILLISECONDS + "000",
    }
    for sender in (messages.WORKOS, messages.HUBSPOT):
        for kind, text in forms.items():
            refuse(
                table,
                f"{sender.provider}-timestamp-{kind}",
                "Not a plain number of milliseconds, though it is signed.",
                "timestamp",
                MALFORMED,
                _signed(sender, text),
            )
        refuse(
            table,
            f"{sender.provider}-timestamp-seconds",
            "Seconds where milliseconds belong are a day of January 1970.",
            "timestamp",
            OLD,
            _signed(sender, SECONDS),
        )


def _rfc3339(table: Table) -> None:
    zendesk = messages.ZENDESK
    for kind, text in (("offset", "2023-11-14T23:13:20+01:00"), ("fraction", "2023-11-14T22:13:20.123Z")):
        accept(
            table,
            f"zendesk-timestamp-with-{kind}",
            "RFC 3339; its text is what is signed.",
            "provider timestamp",
            _signed(zendesk, text),
            tolerance_seconds=300,
        )
    forms = {
        "seconds": SECONDS,
        "no-offset": "2023-11-14T22:13:20",
        "date-alone": "2023-11-14",
        "thirteenth-month": "2023-13-14T22:13:20Z",
        "thirtieth-of-february": "2024-02-30T22:13:20Z",
        "hour-24": "2023-11-14T24:13:20Z",
        "short-year": "23-11-14T22:13:20Z",
        "space-after": "2023-11-14T22:13:20Z ",
        "rfc-1123": "Tue, 14 Nov 2023 22:13:20 GMT",
        "empty": "",
    }
    for kind, text in forms.items():
        refuse(
            table,
            f"zendesk-timestamp-{kind}",
            "Not of RFC 3339, though it is signed.",
            "timestamp",
            MALFORMED,
            _signed(zendesk, text),
        )


def _pairs(table: Table) -> None:
    for sender, key in ((messages.STRIPE, "t"), (messages.PADDLE, "ts")):
        good = sender.request
        [(name, text)] = good.sent_headers()
        pair = f"{key}={good.timestamp}"
        separator = text[len(pair)]
        cases = {
            "missing": (text.removeprefix(pair + separator), MALFORMED, "No pair carries the timestamp."),
            "twice": (pair + separator + text, "duplicate_header", "Which of the two is meant is anybody's guess."),
            "twice-differing": (
                f"{key}={SIGNED_AT + 1}{separator}{text}",
                "duplicate_header",
                "Which of the two is meant is anybody's guess.",
            ),
            "key-in-capitals": (text.replace(key, key.upper(), 1), MALFORMED, "Keys are compared whole."),
        }
        for kind, (value, code, comment) in cases.items():
            refuse(
                table,
                f"{sender.provider}-timestamp-{kind}",
                comment,
                "timestamp list",
                code,
                good,
                headers=[(name, value)],
            )


def _body(table: Table) -> None:
    """Linear: the time of sending is a member of the signed body."""
    good = messages.LINEAR.request
    forms = {
        "seconds": (SECONDS, OLD, "Seconds where milliseconds belong are a day of January 1970."),
        "fraction": (
            MILLISECONDS + ".5",
            "missing_header",
            "A number that is not whole has no one text: it counts as missing.",
        ),
        "negative": ("-" + MILLISECONDS, MALFORMED, "Before 1970."),
        "text-that-is-no-number": ('"now"', MALFORMED, "Not a number."),
        "null": ("null", "missing_header", "As good as missing."),
        "list": ("[1]", "missing_header", "A list is not a number."),
    }
    for kind, (text, code, comment) in forms.items():
        refuse(
            table,
            f"linear-timestamp-{kind}",
            comment,
            "timestamp body",
            code,
            good.but(body=linear_body(text)),
        )
    bodies = {
        "absent": linear_body().replace(b'"webhookTimestamp"', b'"timestamp"'),
        "in-no-json": b"webhookTimestamp=" + MILLISECONDS.encode(),
    }
    for kind, body in bodies.items():
        refuse(
            table,
            f"linear-timestamp-{kind}",
            "Without its time a body says nothing of its age.",
            "timestamp body",
            "missing_header",
            good.but(body=body),
        )
    old = f"{SIGNED_AT - 3600}000"
    refuse(
        table,
        "linear-fresh-header-old-body",
        "`Linear-Timestamp` is not signed: only the time in the body counts.",
        "timestamp unsigned",
        OLD,
        good.but(body=linear_body(old)),
        headers=[*good.but(body=linear_body(old)).sent_headers(), ("linear-timestamp", MILLISECONDS)],
    )


def _order(table: Table) -> None:
    stripe = messages.STRIPE.request
    late = SIGNED_AT + 3600
    faults = {
        "malformed-timestamp-before-malformed-signature": ("t=+1,v1=zz", stripe.body, SIGNED_AT, MALFORMED),
        "malformed-signature-before-age": (f"t={SECONDS},v1=zz", stripe.body, late, "malformed_signature"),
        "age-before-mac": (stripe.sent_headers()[0][1], b"{}", late, OLD),
    }
    for kind, (header, body, now, code) in faults.items():
        refuse(
            table,
            f"order-stripe-{kind}",
            "The order of faults is the same for every provider.",
            "order",
            code,
            stripe,
            headers=[("stripe-signature", header)],
            body=body,
            now=now,
        )
    refuse(
        table,
        "order-github-size-before-headers",
        "The size of the body comes first.",
        "order limit",
        "body_too_large",
        messages.GITHUB.request,
        headers=[],
        max_body_bytes=10,
    )
