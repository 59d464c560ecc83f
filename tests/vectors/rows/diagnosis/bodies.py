"""The body was changed on its way, in a manner that can be undone; or it left nothing that could be undone."""

import base64
import gzip
import json
from urllib.parse import quote_plus, urlencode

from ..signers import BODY, b64
from .senders import CLERK, GITHUB, SENDERS
from .table import Diagnoses

#: The same event in each of the forms that JSON libraries write.
EVENT = json.loads(BODY) | {"tags": [], "note": 'a, b: "c" \U0001f600 \u2028', "more": {"amount": 1.5, "none": {}}}
FORMS = {
    "compact": {"separators": (",", ":")},
    "spaced": {},
    "indent-2": {"indent": 2},
    "indent-4": {"indent": 4},
}
SMALL = b'{"type":"user.created","data":{"id":"user_1","name":"Zo\xc3\xab & co"}}'


def add(table: Diagnoses) -> None:
    _reserialized(table)
    _written_by_hand(table)
    _other_serializers(table)
    _large(table)
    _newlines(table)
    _byte_order_mark(table)
    _encoded(table)
    _form(table)
    _lost(table)


def written(form: str, ascii_only: bool, event: object = EVENT) -> bytes:
    return json.dumps(event, ensure_ascii=ascii_only, **FORMS[form]).encode()


def _changed(table: Diagnoses, finding: str, kind: str, comment: str, pairs, senders=SENDERS, flags="body") -> None:
    """A row for each sender; `pairs` is what was signed and what came in."""
    signed, received = pairs
    assert signed != received, kind
    for sender in senders:
        table.proved(finding, kind, comment, flags, sender, sender.send(sender.secret, signed), body=received)


def _reserialized(table: Diagnoses) -> None:
    def row(kind: str, comment: str, pairs, **more) -> None:
        _changed(table, "body_reserialized", kind, comment, pairs, **more)

    python = "Python's json.dumps wrote what came in."
    for form in FORMS:
        for ascii_only in (False, True):
            received = written("spaced", True)
            signed = written(form, ascii_only)
            if signed != received:
                row(f"python-to-{form}{'-ascii' if ascii_only else ''}", python, (signed, received))
    javascript = "JSON.stringify wrote what came in: compact, nothing escaped."
    for form in ("compact", "spaced", "indent-2"):
        row(f"javascript-to-{form}-ascii", javascript, (written(form, True), written("compact", False)))
    for form in ("spaced", "indent-4"):
        row(f"javascript-to-{form}", javascript, (written(form, False), written("compact", False)))
    row("printed-to-compact", "A printer indented it.", (written("compact", False), written("indent-4", False)))
    row(
        "printed-with-a-newline",
        "A printer indented it and ended it with a newline: both are undone by writing it again.",
        (written("compact", False), written("indent-2", False) + b"\n"),
        flags="body order",
    )
    batch = [EVENT, {"type": "push"}, []]
    pairs = (written("compact", False, batch), written("indent-2", False, batch))
    row("list", "A body may be a list.", pairs, senders=(GITHUB,))
    sender = CLERK
    table.proved(
        "body_reserialized",
        "beside-another-endpoint",
        "The secret of another endpoint is tried first, and is not the cause.",
        "body order",
        sender,
        sender.send(sender.secret, written("compact", False)),
        body=written("spaced", True),
        others=(("billing", sender.other_secret),),
    )


def _written_by_hand(table: Diagnoses) -> None:
    """What a parser would lose must be as it was: only what stands between the tokens may be written again."""
    texts = {
        "numbers": '{"a":1.0,"b":1e3,"c":1E+5,"d":-0.0,"e":0.10,"f":12345678901234567890.123456789,"g":-0}',
        "repeated-keys": '{"a":1,"b":2,"a":3}',
        "lone-surrogate": '{"a":"\\ud83d","b":1}',
        "text-like-json": '{"a":"{\\"b\\": 1, \\"c\\":[ 2 ]}","d":" , : "}',
    }
    for kind, compact in texts.items():
        assert json.loads(compact)
        spaced = _with_spaces(compact)
        flags = "body number_form" if kind == "numbers" else "body"
        for name, pairs in {
            "spaced-to-compact": (compact, spaced),
            "compact-to-spaced": (spaced, compact),
            "printed-to-compact": (compact, _indented(compact)),
        }.items():
            signed, received = (text.encode() for text in pairs)
            _changed(
                table,
                "body_reserialized",
                f"{kind}-{name}",
                "Written by hand: each token is as it was.",
                (signed, received),
                flags=flags,
            )
    python = json.dumps(json.loads('{"a":1.0,"b":2.50e-7,"c":100}'))
    pairs = (python.replace(" ", "").encode(), python.encode())
    _changed(table, "body_reserialized", "numbers-of-python", "1.0 stays 1.0.", pairs, flags="body number_form")


def _with_spaces(compact: str) -> str:
    return _outside_of_texts(compact, {",": ", ", ":": ": "})


def _indented(compact: str) -> str:
    """A flat object, with an indent of 2."""
    inner = _outside_of_texts(compact[1:-1], {",": ",\n  ", ":": ": "})
    return "{\n  " + inner + "\n}"


def _outside_of_texts(json_text: str, replaced: dict[str, str]) -> str:
    parts, inside, escaped = [], False, False
    for letter in json_text:
        parts.append(letter if inside else replaced.get(letter, letter))
        if letter == '"' and not escaped:
            inside = not inside
        escaped = letter == "\\" and not escaped
    return "".join(parts)


#: What differs between serializers: a slash, the signs of HTML, letters beyond ASCII, a line separator.
LINKED = {"url": "https://example.com/a?b=1&c=2", "html": "<b>50 % 'off' @ Zo\xeb</b>", "line": "a\u2028b"}


def _escaped(*pairs: tuple[str, str], ascii_only: bool = False, indent: int | None = None) -> bytes:
    """The event as a serializer writes it that escapes these characters, too."""
    separators = (",", ": " if indent else ":")
    text = json.dumps(LINKED, ensure_ascii=ascii_only, indent=indent, separators=separators)
    for character, escape in pairs:
        text = text.replace(character, escape)
    return text.encode()


def _other_serializers(table: Diagnoses) -> None:
    slash, line = ("/", "\\/"), ("\u2028", "\\u2028")
    html = [(sign, f"\\u{ord(sign):04x}") for sign in "<>&"]
    meta = [(sign, f"\\u{ord(sign):04x}") for sign in "<%@"]
    gson = [(sign, f"\\u{ord(sign):04x}") for sign in "<>&='"]
    for kind, signed in {
        "php": _escaped(slash, ascii_only=True),
        "php-unicode": _escaped(slash, line),
        "php-printed": _escaped(slash, ascii_only=True, indent=4),
        "go-and-rails": _escaped(*html, line),
        "go-printed": _escaped(*html, line, indent=2),
        "meta": _escaped(slash, *meta, ascii_only=True),
        "gson": _escaped(*gson, line),
    }.items():
        comment = "JSON.stringify wrote anew what another serializer had written."
        _changed(table, "body_reserialized", f"javascript-for-{kind}", comment, (signed, _escaped()))
    comment = "A serializer that escapes wrote anew what JSON.stringify had written."
    for kind, received in {"php": _escaped(slash, ascii_only=True), "go-and-rails": _escaped(*html, line)}.items():
        _changed(table, "body_reserialized", f"{kind}-for-javascript", comment, (_escaped(), received))


def _large(table: Diagnoses) -> None:
    """Above 64 KiB only what is cheap is tried: another key, another end."""
    large = b'{"data":"' + b"x" * 65536 + b'"}'
    sender = GITHUB
    comment = "A large body: its end is looked at, it is not written anew."
    _changed(table, "body_trailing_newline", "large", comment, (large, large + b"\n"), senders=(sender,))
    table.proved(
        "secret_of_another_endpoint",
        "large",
        "A large body: other keys are tried.",
        "secret",
        sender,
        sender.send(sender.other_secret, large),
        body=large,
        others=(("billing", sender.other_secret),),
    )
    table.nothing(
        "large-and-spaced",
        "A large body that was written anew: that is not looked for.",
        "body",
        sender,
        sender.send(sender.secret, large.replace(b":", b": ")),
        body=large,
    )


def _newlines(table: Diagnoses) -> None:
    for kind, (signed, received) in {
        "added": (SMALL, SMALL + b"\n"),
        "removed": (SMALL + b"\n", SMALL),
        "crlf-added": (SMALL, SMALL + b"\r\n"),
        "crlf-removed": (SMALL + b"\r\n", SMALL),
    }.items():
        comment = "An editor, `echo` or a template ends a file with a newline; others strip it."
        _changed(table, "body_trailing_newline", kind, comment, (signed, received))
    printed = written("indent-2", False)
    crlf = printed.replace(b"\n", b"\r\n")
    text = b"first line\nsecond line\nthird"
    comment = "A checkout, a tunnel or a text mode changed every line end."
    for kind, pairs in {
        "crlf-to-lf": (crlf, printed),
        "lf-to-crlf": (printed, crlf),
        "lf-to-crlf-in-text": (text, text.replace(b"\n", b"\r\n")),
    }.items():
        _changed(table, "body_newline_changed", kind, comment, pairs)


def _byte_order_mark(table: Diagnoses) -> None:
    mark = b"\xef\xbb\xbf"
    for kind, pairs in {"added": (BODY, mark + BODY), "removed": (mark + BODY, BODY)}.items():
        _changed(table, "body_bom", kind, "A text layer added or swallowed the byte order mark.", pairs)


def _encoded(table: Diagnoses) -> None:
    gateway = "A gateway handed over the base64 of the body."
    for kind, body in {"event": BODY, "bytes": bytes(range(256))}.items():
        _changed(table, "body_base64", kind, gateway, (body, b64(body).encode()))
    _changed(table, "body_gzipped", "stored", "Packed without being deflated.", (BODY, _stored_gzip(BODY)))
    deflated = base64.b64decode(DEFLATED)
    assert gzip.decompress(deflated) == REPEATED
    _changed(table, "body_gzipped", "deflated", "A proxy packed the body.", (REPEATED, deflated))


REPEATED = b'{"data":[' + b",".join([b'{"id":"user_1"}'] * 40) + b"]}"
#: Fixed, because every version of zlib may write other bytes.
DEFLATED = "H4sIAAAAAAAC/6tWSkksSVSyiq5WykxRslIqLU4tijdUqtUZ5Y/y6ciPrQUAJSV+h4oCAAA="


def _stored_gzip(data: bytes) -> bytes:
    """Without the byte that names the system: the same bytes everywhere."""
    packed = bytearray(gzip.compress(data, compresslevel=0, mtime=0))
    packed[9] = 0xFF
    return bytes(packed)


def _form(table: Diagnoses) -> None:
    spaced = b'{"name": "Zo\xc3\xab + 100 % = \\"1&1\\"", "type": "user.created"}'
    comment = "A form field holds the body."
    for kind, received in {
        "payload": urlencode({"payload": spaced}),
        "payload-among-others": urlencode({"event": "user.created", "payload": spaced, "token": "abc"}),
        "first-field": urlencode({"data": spaced, "token": "abc"}),
        "percent-encoded-spaces": urlencode({"payload": spaced}, quote_via=_percent),
    }.items():
        _changed(table, "body_form_wrapped", kind, comment, (spaced, received.encode()))


def _percent(text: bytes | str, *_: object) -> str:
    return quote_plus(text).replace("+", "%20")


def _lost(table: Diagnoses) -> None:
    signed = {
        "latin-1": b'{"name":"Zo\xeb","type":"user.created"}',
        "binary": b'{"name":"\xff\xfe\x00\x80","type":"user.created"}',
    }
    for kind, body in signed.items():
        for sender in SENDERS:
            table.likely(
                "body_decoded_lossily",
                kind,
                "Decoded as UTF-8 on the way: U+FFFD stands where bytes were.",
                "body",
                sender,
                sender.send(sender.secret, body),
                body=body.decode("utf-8", "replace").encode(),
            )
    for sender in SENDERS:
        for kind, length in (("event", str(len(BODY))), ("one-byte", "1")):
            table.likely(
                "body_empty_was_consumed",
                kind,
                "The request came with a length, and nothing is left to read.",
                "body",
                sender,
                [*sender.send(sender.secret, BODY), ("content-length", length)],
                body=b"",
            )
    for sender in SENDERS:
        for kind, kept in (("half", len(BODY) // 2), ("one-byte-short", len(BODY) - 1), ("one-byte", 1)):
            table.likely(
                "body_truncated",
                kind,
                "Fewer bytes arrived than were announced, and they are no whole JSON.",
                "body",
                sender,
                [*sender.send(sender.secret, BODY), ("Content-Length", str(len(BODY)))],
                body=BODY[:kept],
            )
        unexplained = {
            "shorter-but-whole": (b'{"a":1}', []),
            "shorter-and-packed": (BODY[:-1], [("content-encoding", "gzip")]),
            "longer-than-announced": (BODY + b"}", []),
        }
        for kind, (body, more) in unexplained.items():
            comment = "The announced length says nothing of this body."
            sent = [*sender.send(sender.secret, BODY), ("content-length", str(len(BODY))), *more]
            table.nothing(kind, comment, "body", sender, sent, body=body)
