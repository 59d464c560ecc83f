"""Requests whose headers, limits or times are refused before any signature is computed."""

from .signers import (
    BODY,
    ED25519,
    MESSAGE_ID,
    OLD_SECRET,
    SECRET,
    SIGNED_AT,
    v1,
)
from .table import STANDARD, SVIX, Table, headers

RIGHT = v1()
WRONG = v1(OLD_SECRET)
ALL = headers()


def add(table: Table) -> None:
    _missing(table)
    _repeated(table)
    _mixed(table)
    _message_ids(table)
    _timestamps(table)
    _ages(table)
    _limits(table)
    _order(table)


def _missing(table: Table) -> None:
    for names in (SVIX, STANDARD):
        for index, name in enumerate(names):
            sent = headers(names=names)
            del sent[index]
            table.add(f"missing-{name}", "All three headers are needed.", "headers", "missing_header", sent)
    table.add("missing-all", "No signature header at all.", "headers", "missing_header", [("host", "a.example")])
    table.add("missing-every-header", "A request without a header.", "headers", "missing_header", [])
    table.add("missing-all-but-id", "One of three.", "headers", "missing_header", ALL[:1])
    names = {
        "underscores": ("svix_id", "svix_timestamp", "svix_signature"),
        "x-prefix": ("x-svix-id", "x-svix-timestamp", "x-svix-signature"),
        "cgi-form": ("HTTP_SVIX_ID", "HTTP_SVIX_TIMESTAMP", "HTTP_SVIX_SIGNATURE"),
        "space-after-name": tuple(f"{name} " for name in SVIX),
        "other-provider": ("stripe-id", "stripe-timestamp", "stripe-signature"),
    }
    for kind, set_of_names in names.items():
        table.add(
            f"missing-but-{kind}", "Names are compared whole.", "headers", "missing_header", headers(names=set_of_names)
        )


def _repeated(table: Table) -> None:
    for index, name in enumerate(SVIX):
        table.add(
            f"duplicate-{name}-same-value",
            "A repeated header is refused, whatever its values.",
            "headers disagreement",
            "duplicate_header",
            [*ALL, ALL[index]],
        )
    other = {"svix-id": "msg_other", "svix-timestamp": "1700000001", "svix-signature": WRONG}
    for name, value in other.items():
        table.add(
            f"duplicate-{name}-other-value-last",
            "Which of the two a reader takes is anybody's guess.",
            "headers disagreement",
            "duplicate_header",
            [*ALL, (name, value)],
        )
        table.add(
            f"duplicate-{name}-other-value-first",
            "Which of the two a reader takes is anybody's guess.",
            "headers disagreement",
            "duplicate_header",
            [(name, value), *ALL],
        )
    table.add(
        "duplicate-in-another-case",
        "Names are compared without case, also to find repeated ones.",
        "headers",
        "duplicate_header",
        [*ALL, ("SVIX-ID", MESSAGE_ID)],
    )
    table.add(
        "duplicate-empty-twin",
        "An empty repeated header is a repeated header.",
        "headers",
        "duplicate_header",
        [*ALL, ("svix-signature", "")],
    )
    table.add(
        "duplicate-webhook-id",
        "The other family too.",
        "headers",
        "duplicate_header",
        [*headers(names=STANDARD), ("Webhook-Id", MESSAGE_ID)],
    )


def _mixed(table: Table) -> None:
    mixes = {
        "id-of-the-other-family": (STANDARD[0], SVIX[1], SVIX[2]),
        "timestamp-of-the-other-family": (SVIX[0], STANDARD[1], SVIX[2]),
        "signature-of-the-other-family": (SVIX[0], SVIX[1], STANDARD[2]),
        "only-id-of-svix": (SVIX[0], STANDARD[1], STANDARD[2]),
    }
    for kind, names in mixes.items():
        table.add(
            f"mixed-{kind}",
            "All three headers come from one family.",
            "headers disagreement",
            "mixed_header_family",
            headers(names=names),
        )
    table.add(
        "mixed-both-families-whole",
        "Both families, all of it right and equal.",
        "headers disagreement",
        "mixed_header_family",
        [*ALL, *headers(names=STANDARD)],
    )
    table.add(
        "mixed-one-extra-id",
        "A whole family and an id of the other one.",
        "headers disagreement",
        "mixed_header_family",
        [*ALL, ("webhook-id", "msg_other")],
    )
    table.add(
        "mixed-and-incomplete",
        "Neither family is whole.",
        "headers order",
        "mixed_header_family",
        [ALL[0], ("webhook-signature", RIGHT)],
    )


def _message_ids(table: Table) -> None:
    table.add(
        "boundary-shift",
        "The MAC of id 'a', timestamp 1700000000, body '1700000300.{\"x\":1}': the border of the id was moved.",
        "known_answer message_id disagreement",
        "malformed_message_id",
        headers("a.1700000000", SIGNED_AT + 300, v1(message_id="a", body=b'1700000300.{"x":1}')),
        body=b'{"x":1}',
        now=SIGNED_AT + 300,
    )
    ids: dict[str, str | bytes] = {
        "empty": "",
        "dot": ".",
        "inner-dot": "msg_1.2",
        "first-dot": ".msg_1",
        "last-dot": "msg_1.",
        "inner-space": "msg 1",
        "leading-space": " msg_1",
        "trailing-space": "msg_1 ",
        "only-space": " ",
        "tab": "msg\t1",
        "nul": "msg\x001",
        "newline": "msg_1\n",
        "header-injection": "msg_1\r\nset-cookie: a=b",
        "delete": "msg_1\x7f",
        "escape": "\x1b[31mmsg_1",
        "joined-by-a-proxy": "msg_1, msg_1",
        "latin-1": b"msg_\xe9",
        "byte-ff": b"msg_\xff",
        "utf8-letter": "msg_\xe9",
        "full-width-dot": "msg_1\uff0e2",
        "right-to-left-mark": "msg_\u202e1",
        "257-characters": "m" * 257,
        "64-kib": "m" * 65536,
    }
    for kind, message_id in ids.items():
        table.add(
            f"id-{kind}",
            "Correctly signed, but no id that is safe to sign, log or store.",
            "message_id limit" if kind in ("257-characters", "64-kib") else "message_id",
            "malformed_message_id",
            headers(message_id, signature=v1(message_id=message_id)),
        )


def _timestamps(table: Table) -> None:
    lenient = {
        "trailing-letters": "1700000000junk",
        "leading-space": " 1700000000",
        "trailing-space": "1700000000 ",
        "leading-tab": "\t1700000000",
        "trailing-newline": "1700000000\n",
        "leading-zero": "01700000000",
        "plus": "+1700000000",
        "exponent": "1.7e9",
        "exponent-whole": "17e8",
        "fraction-zero": "1700000000.0",
        "fraction": "1700000000.5",
        "underscores": "1_700_000_000",
        "arabic-digits": "\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660",
        "full-width-digits": "\uff11\uff17\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10",
        "hexadecimal": "0x6553f100",
        "joined-by-a-proxy": "1700000000, 1700000000",
        "thirteen-digits-with-zeros": "0001700000000",
    }
    for kind, text in lenient.items():
        table.add(
            f"timestamp-{kind}",
            "Signed both as it stands and as a lenient reader would write it: plain digits only.",
            "timestamp disagreement",
            "malformed_timestamp",
            headers(timestamp=text, signature=f"{v1(timestamp=text)} {RIGHT}"),
        )
    hopeless: dict[str, str | bytes] = {
        "empty": "",
        "space": " ",
        "word": "now",
        "letters-first": "ts1700000000",
        "minus": "-1700000000",
        "minus-zero": "-0",
        "two-zeros": "00",
        "nan": "NaN",
        "infinity": "Infinity",
        "null": "null",
        "date": "2023-11-14T22:13:20Z",
        "thousands": "1,700,000,000",
        "milliseconds": "1700000000000",
        "twenty-digits": "17000000000000000000",
        "400-digits": "1" * 400,
        "exponent-short": "1e9",
        "nul": "1700000000\x00",
        "byte-ff": b"1700000000\xff",
        "latin-1-superscript": b"170000000\xb2",
        "dot": ".",
    }
    for kind, text in hopeless.items():
        table.add(
            f"timestamp-{kind}",
            "Correctly signed as it stands, but not 1 to 12 plain digits.",
            "timestamp",
            "malformed_timestamp",
            headers(timestamp=text, signature=v1(timestamp=text)),
        )


def _ages(table: Table) -> None:
    old, new = "timestamp_too_old", "timestamp_too_new"
    for kind, age, code in (("301-s-old", 301, old), ("301-s-ahead", -301, new), ("one-day-old", 86_400, old)):
        table.add(f"age-{kind}", "Correctly signed, outside of the tolerance.", "timestamp", code, now=SIGNED_AT + age)
    for tolerance in (1, 60, 3600):
        for code, age in ((old, tolerance + 1), (new, -tolerance - 1)):
            table.add(
                f"tolerance-{tolerance}-s-{code[10:].replace('_', '-')}",
                "One second outside of the endpoint's own tolerance.",
                "timestamp",
                code,
                now=SIGNED_AT + age,
                tolerance_seconds=tolerance,
            )
    for text, code in (("0", old), ("1", old), ("999999999", old), ("9999999999", new), ("999999999999", new)):
        table.add(
            f"timestamp-{text}-today",
            "A readable timestamp, years away from now.",
            "timestamp limit",
            code,
            headers(timestamp=text, signature=v1(timestamp=text)),
        )


def _limits(table: Table) -> None:
    large = "body_too_large"
    table.add("body-over-its-limit", "One byte over.", "body limit", large, max_body_bytes=len(BODY) - 1)
    table.add("body-over-a-limit-of-one", "The smallest limit there is.", "body limit", large, max_body_bytes=1)
    many = "too_many_signatures"
    crowds = {
        "65-entries-right-first": " ".join([RIGHT] + [WRONG] * 64),
        "65-entries-right-last": " ".join([WRONG] * 64 + [RIGHT]),
        "65-unreadable-entries": " ".join(["x"] * 65),
        "65-unknown-versions": " ".join(["v2,AAAA"] * 65),
        "8193-bytes": f"{RIGHT} v9," + "A" * (8193 - len(RIGHT) - 4),
        "8193-bytes-of-spaces": RIGHT + " " * (8193 - len(RIGHT)),
        "1000-entries": " ".join([RIGHT] * 1000),
        "one-huge-entry": "v1," + "A" * 9000,
    }
    for kind, signature in crowds.items():
        table.add(
            f"list-{kind}",
            "Over 64 entries or 8 KiB, even with the right signature in it.",
            "list limit",
            many,
            headers(signature=signature),
        )


def _order(table: Table) -> None:
    def row(kind: str, code: str, sent: list, **more: object) -> None:
        comment = "Order: body limit, headers, id, timestamp, signature list, versions, age, MAC."
        table.add(f"order-{kind}", comment, "order", code, sent, **more)

    bad_id, bad_time, stale, junk = "a.b", "soon", SIGNED_AT - 1000, "junk"
    row("large-body-before-missing-headers", "body_too_large", [], max_body_bytes=1)
    row("large-body-before-everything", "body_too_large", headers(bad_id, bad_time, junk), max_body_bytes=1)
    row("duplicate-before-mixed", "duplicate_header", [*ALL, ALL[0], ("webhook-id", "x")])
    row("duplicate-before-missing", "duplicate_header", [ALL[0], ALL[0]])
    row("missing-before-bad-id", "missing_header", headers(bad_id, bad_time)[:2])
    row("mixed-before-bad-id", "mixed_header_family", headers(bad_id, names=(SVIX[0], SVIX[1], STANDARD[2])))
    row("bad-id-before-bad-timestamp", "malformed_message_id", headers(bad_id, bad_time, junk))
    row("bad-id-before-stale", "malformed_message_id", headers(bad_id, stale))
    row("bad-timestamp-before-bad-list", "malformed_timestamp", headers(timestamp=bad_time, signature=junk))
    row("bad-timestamp-before-long-list", "malformed_timestamp", headers(timestamp=bad_time, signature="x " * 65))
    row("bad-list-before-stale", "malformed_signature", headers(timestamp=stale, signature=junk))
    row("long-list-before-stale", "too_many_signatures", headers(timestamp=stale, signature="x " * 65))
    row("long-list-before-no-version", "too_many_signatures", headers(signature="v2,AAAA " * 65))
    row("no-version-before-stale", "no_supported_version", headers(timestamp=stale, signature="v2,AAAA"))
    row(
        "no-version-for-key-before-stale",
        "no_supported_version",
        headers(timestamp=stale, signature=ED25519.v1a(timestamp=stale)),
    )
    row("stale-before-mismatch", "timestamp_too_old", headers(timestamp=stale, signature=WRONG))
    row("future-before-mismatch", "timestamp_too_new", headers(timestamp=SIGNED_AT + 1000, signature=WRONG))
    row("empty-list-before-stale", "malformed_signature", headers(timestamp=stale, signature=""), secrets=(SECRET,))
