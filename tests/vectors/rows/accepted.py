"""Messages that must be accepted."""

import json

from .signers import (
    BODY,
    ED25519,
    OLD_SECRET,
    OTHER_ED25519,
    SECRET,
    SIGNED_AT,
    THIRD_SECRET,
    b64,
    fixed_bytes,
    v1,
    whsec,
)
from .table import STANDARD, SVIX, Table, headers, valid

RIGHT = v1()
WRONG = v1(OLD_SECRET)


def add(table: Table) -> None:
    _known_answers(table)
    _headers(table)
    _ids_and_times(table)
    _lists(table)
    _rotation(table)
    _ed25519(table)
    _bodies(table)


def _known_answers(table: Table) -> None:
    table.add(
        "known-answer-svix",
        "Published by the Svix documentation.",
        "known_answer",
        valid("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        headers("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
        body=b'{"email":"test@example.com","username":"test_user"}',
        provider="svix",
        secrets=("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",),
        now=1649367553,
    )
    table.add(
        "known-answer-standard-webhooks",
        "Published by the Standard Webhooks libraries.",
        "known_answer",
        valid("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", STANDARD
        ),
        body=b'{"test": 2432232314}',
        provider="standard-webhooks",
        secrets=("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
        now=1614265330,
    )
    table.add(
        "boundary-shift-original",
        "The honest half of the boundary shift: its MAC also fits the id 'a.1700000000', which is refused elsewhere.",
        "known_answer body",
        valid("a"),
        headers("a", SIGNED_AT, v1(message_id="a", body=b'1700000300.{"x":1}')),
        body=b'1700000300.{"x":1}',
    )


def _headers(table: Table) -> None:
    for provider in ("clerk", "svix", "standard-webhooks"):
        for family, names in (("svix", SVIX), ("webhook", STANDARD)):
            table.add(
                f"plain-{provider}-{family}-headers",
                "An ordinary message; every provider of the family may use either set of names.",
                "headers",
                valid(),
                headers(names=names),
                provider=provider,
            )
    cases = {"upper": str.upper, "title": str.title, "mixed": lambda name: name.replace("i", "I")}
    for kind, change in cases.items():
        table.add(
            f"header-names-{kind}-case",
            "Header names are compared without case.",
            "headers",
            valid(),
            headers(names=tuple(change(name) for name in SVIX)),
        )
    table.add("headers-in-reverse-order", "The order of headers means nothing.", "headers", valid(), headers()[::-1])
    noise = [("host", "app.example.com"), ("accept", "*/*"), ("accept", "text/html"), ("x-svix-id", "other")]
    table.add(
        "headers-among-others",
        "Other headers are ignored, also repeated ones and ones with bytes that are no text.",
        "headers",
        valid(),
        [*noise, *headers(), ("x-latin", b"\xe9\xff"), ("svix-signature-2", "v1,AAAA"), ("webhook-idx", "x")],
    )


def _ids_and_times(table: Table) -> None:
    ids = {
        "one-character": "a",
        "256-characters": "m" * 256,
        "punctuation": "msg_!#$%&'*+-/:;<=>?@[]^_`{|}~",
        "comma": "msg_1,2",
        "digits": "1700000000",
        "uuid": "0189d6a4-5f4c-7d3a-9b2e-0c1d2e3f4a5b",
    }
    for kind, message_id in ids.items():
        table.add(
            f"id-{kind}",
            "An id of visible ASCII without a dot, of at most 256 characters.",
            "message_id",
            valid(message_id),
            headers(message_id, signature=v1(message_id=message_id)),
        )
    ages = {"same-second": 0, "300-s-old": 300, "300-s-ahead": -300, "1-s-old": 1}
    for kind, age in ages.items():
        table.add(f"age-{kind}", "The tolerance is inclusive.", "timestamp", valid(), now=SIGNED_AT + age)
    for kind, tolerance, age in (("1", 1, 1), ("1-ahead", 1, -1), ("3600", 3600, 3600), ("3600-ahead", 3600, -3600)):
        table.add(
            f"tolerance-{kind}-s-at-its-edge",
            "A tolerance of the endpoint's own, inclusive.",
            "timestamp",
            valid(),
            now=SIGNED_AT + age,
            tolerance_seconds=tolerance,
        )
    for text, now in ((0, 300), (9, 9), (999_999_999_999, 999_999_999_999)):
        signature = v1(timestamp=str(text))
        table.add(
            f"timestamp-{text}-in-its-own-time",
            "1 to 12 digits are a timestamp; only its distance to now decides.",
            "timestamp limit",
            valid(),
            headers(timestamp=text, signature=signature),
            now=now,
        )


def _lists(table: Table) -> None:
    for position in range(1, 17):
        entries = [v1(whsec(f"stranger {number}")) for number in range(16)]
        entries[position - 1] = RIGHT
        table.add(
            f"right-signature-at-{position:02}-of-16",
            "svix C# #2393 dropped a right signature late in the list: it counts at every position.",
            "list advisory",
            valid(),
            headers(signature=" ".join(entries)),
        )
    sixty_three = " ".join([WRONG] * 63)
    table.add(
        "right-signature-at-64-of-64",
        "64 entries are read.",
        "list limit",
        valid(),
        headers(signature=f"{sixty_three} {RIGHT}"),
    )
    table.add(
        "right-signature-first-of-64",
        "64 entries are read.",
        "list limit",
        valid(),
        headers(signature=f"{RIGHT} {sixty_three}"),
    )
    long = f"{RIGHT} v9," + "A" * (8192 - len(RIGHT) - 4)
    assert len(long) == 8192
    table.add("list-of-8192-bytes", "8 KiB are read.", "list limit", valid(), headers(signature=long))
    lists = {
        "same-entry-twice": (f"{RIGHT} {RIGHT}", "Repeating an entry changes nothing."),
        "unknown-version-before": (f"v2,{RIGHT[3:]} {RIGHT}", "Unknown versions are skipped."),
        "unknown-version-after": (f"{RIGHT} v0,abc", "Unknown versions are skipped."),
        "unknown-versions-around": (f"v1b,AAAA {RIGHT} V1,BBBB", "Unknown versions are skipped."),
        "empty-v1-before": (f"v1, {RIGHT}", "An empty entry is skipped."),
        "short-v1-before": (f"v1,AAAA {RIGHT}", "An entry of the wrong length is skipped."),
        "garbage-v1-before": (f"v1,%%% {RIGHT}", "An entry that is not base64 is skipped."),
        "many-garbage-before": ("v1,?? " * 20 + RIGHT, "Entries that are not base64 are skipped."),
        "no-comma-before": (f"junk {RIGHT}", "Python's standardwebhooks raises a ValueError here."),
        "no-comma-after": (f"{RIGHT} junk", "An entry without a comma is skipped."),
        "lone-comma-before": (f", {RIGHT}", "An entry without a version is skipped."),
        "versionless-before": (f",{RIGHT[3:]} {RIGHT}", "An entry without a version is skipped."),
        "too-many-commas-before": (f"{WRONG},junk {RIGHT}", "An entry with a second comma is skipped."),
        "missing-padding-before": (f"{WRONG[:-1]} {RIGHT}", "Python's standardwebhooks raises binascii.Error here."),
        "spaces-around": (f"  {RIGHT} ", "Spaces around the list mean nothing."),
        "spaces-between": (f"{WRONG}   {RIGHT}", "Empty places between spaces mean nothing."),
        "joined-by-a-proxy": (f"{WRONG}, {RIGHT}", "The first entry has a trailing comma and is skipped."),
    }
    for kind, (signature, comment) in lists.items():
        flags = "list disagreement" if kind in ("no-comma-before", "missing-padding-before") else "list"
        table.add(f"list-{kind}", comment, flags, valid(), headers(signature=signature))
    table.add(
        "list-non-ascii-before",
        "An entry of bytes that are no text is skipped.",
        "list",
        valid(),
        headers(signature=b"v1,\xff\xfe " + RIGHT.encode()),
    )
    spaces = " ".join(["v1,AAAA"] * 63) + "     " + RIGHT
    table.add(
        "list-64-entries-and-spare-spaces", "Spaces are no entries.", "list limit", valid(), headers(signature=spaces)
    )


def _rotation(table: Table) -> None:
    sets = {
        "first-of-two": (SECRET, OLD_SECRET),
        "second-of-two": (OLD_SECRET, SECRET),
        "last-of-five": (OLD_SECRET, THIRD_SECRET, whsec("a"), whsec("b"), SECRET),
        "given-twice": (SECRET, SECRET),
    }
    for kind, secrets in sets.items():
        table.add(f"secret-{kind}", "Any secret of the endpoint may match.", "rotation", valid(), secrets=secrets)
    both = headers(signature=f"{RIGHT} {WRONG}")
    for kind, secrets in {"new": (SECRET,), "old": (OLD_SECRET,), "both": (SECRET, OLD_SECRET)}.items():
        table.add(
            f"rotating-sender-receiver-has-{kind}",
            "During a rotation the sender signs with the new and the old key.",
            "rotation",
            valid(),
            both,
            secrets=secrets,
        )
    table.add(
        "secret-without-prefix",
        "The bare base64 of a whsec_ secret.",
        "rotation",
        valid(),
        secrets=(SECRET.removeprefix("whsec_"),),
    )
    for length in (16, 32, 64):
        secret = whsec(f"length {length}", length)
        table.add(
            f"secret-of-{length}-bytes",
            "A key of this length verifies.",
            "rotation",
            valid(),
            headers(signature=v1(secret)),
            secrets=(secret,),
        )


def _ed25519(table: Table) -> None:
    right, wrong = ED25519.v1a(), OTHER_ED25519.v1a()

    def row(kind: str, comment: str, signature: str, *secrets: str, **more: object) -> None:
        sent = headers(signature=signature, names=STANDARD)
        table.add(f"ed25519-{kind}", comment, "ed25519", valid(), sent, secrets=secrets, **more)

    row("plain", "A whpk_ key checks v1a.", right, ED25519.whpk, provider="standard-webhooks")
    row("clerk", "Every provider of the family may use it.", right, ED25519.whpk)
    row("second-entry", "At every position.", f"{wrong} {right}", ED25519.whpk)
    row("after-garbage", "Unreadable entries are skipped.", f"v1a,AAAA v1a, {right}", ED25519.whpk)
    row("second-key", "Any key of the endpoint may match.", right, OTHER_ED25519.whpk, ED25519.whpk)
    row("beside-a-wrong-v1", "v1 entries mean nothing to a whpk_ key.", f"{WRONG} {right}", ED25519.whpk)
    row("v1-beside-a-wrong-v1a", "v1a entries mean nothing to a whsec_ key.", f"{wrong} {RIGHT}", SECRET)
    row("mixed-keys-v1a-right", "Each key checks its own version.", f"{WRONG} {right}", SECRET, ED25519.whpk)
    row("mixed-keys-v1-right", "Each key checks its own version.", f"{RIGHT} {wrong}", ED25519.whpk, SECRET)
    row("mixed-keys-both-right", "Each key checks its own version.", f"{RIGHT} {right}", SECRET, ED25519.whpk)
    row("mixed-keys-only-v1a-sent", "One version is enough.", right, SECRET, ED25519.whpk)
    body = b"\xff\x00\xfe"
    row("body-not-utf8", "Bodies are bytes.", ED25519.v1a(body=body), ED25519.whpk, body=body)
    row("empty-body", "Bodies are bytes, also none.", ED25519.v1a(body=b""), ED25519.whpk, body=b"")


def _bodies(table: Table) -> None:
    large = json.dumps({"type": "user.updated", "data": {"id": "user_1", "bio": b64(fixed_bytes("bio", 15_200))}})
    bodies = {
        "empty": b"",
        "one-byte": b"0",
        "not-utf8": b'{"name":"\xff\xfe\xe9"}',
        "all-byte-values": bytes(range(256)),
        "replacement-character": '{"name":"\ufffd"}'.encode(),
        "bom-that-was-signed": b"\xef\xbb\xbf" + BODY,
        "newline-that-was-signed": BODY + b"\n",
        "crlf-that-was-signed": BODY + b"\r\n",
        "nul-bytes": b"\x00\x00{}\x00",
        "not-json": b"plain text, no JSON",
        "broken-json": b'{"type":"user.created"',
        "repeated-key": b'{"type":"a","type":"b"}',
        "spaced-json": b'{ "a" : [ 1 , 2 ] }',
        "escaped-json": b'{"name":"Zo\\u00eb \\/"}',
        "large-number": b'{"n":12345678901234567890.10}',
        "utf16": '{"a":1}'.encode("utf-16"),
        "dots": b"...",
        "20-kib": large.encode(),
    }
    for kind, body in bodies.items():
        flags = "body disagreement" if kind in ("not-utf8", "all-byte-values") else "body"
        table.add(
            f"body-{kind}",
            "The body is bytes, up to the MAC.",
            flags,
            valid(),
            headers(signature=v1(body=body)),
            body=body,
        )
    table.add("body-at-its-limit", "The limit is inclusive.", "body limit", valid(), max_body_bytes=len(BODY))
    table.add(
        "body-under-a-limit-of-its-own", "A limit of the endpoint's own.", "body limit", valid(), max_body_bytes=4096
    )
