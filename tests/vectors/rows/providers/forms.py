"""Providers that sign the parameters of a form: Twilio."""

import hashlib
from urllib.parse import parse_qsl, urlencode

from ..signers import b64
from ..table import Table
from .messages import compact, text
from .row import accept, refuse
from .senders import Request, Sender, mac

FORM = ("content-type", "application/x-www-form-urlencoded")
JSON = ("content-type", "application/json")
URL = "https://hooks.example.com/voice?tenant=7&name=Zo%C3%AB"
PARAMETERS = [
    ("To", "+18005551212"),
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1 2"),
    ("Body", ""),
    ("From", "Zo\xeb"),
]


def form_content(request: Request) -> bytes:
    """The URL, then each parameter once, sorted by name and value."""
    pairs = sorted(set(parse_qsl(request.body.decode(), keep_blank_values=True)))
    return (request.url + "".join(name + value for name, value in pairs)).encode()


TWILIO = Sender(
    "twilio",
    *text("twilio"),
    urlencode(PARAMETERS).encode(),
    (FORM, ("i-twilio-idempotency-token", "{id}"), ("x-twilio-signature", "{signature}")),
    form_content,
    digest="sha1",
    write=b64,
    message_id="5f8c1a4e-8f4e-4d5b-9c53-0f0a4b1c2d3e",
    url=URL,
)
# What stands in a form's order of arrival, not in that of its names.
assert [name for name, _ in PARAMETERS] != sorted(name for name, _ in PARAMETERS)


def add(table: Table) -> None:
    _forms(table)
    _ports(table)
    _changes(table)
    _json(table)


def _form(*pairs: tuple[str, str]) -> Request:
    return TWILIO.request.but(body=urlencode(pairs).encode())


def _forms(table: Table) -> None:
    good = TWILIO.request
    accept(table, "twilio-good", "A call, as Twilio sends it.", "provider form url", good)
    accept(
        table,
        "twilio-parameters-in-another-order",
        "They are signed in the order of their names.",
        "provider form",
        good.but(body=urlencode(PARAMETERS[::-1]).encode()),
        signature=good.signature(),
    )
    accept(
        table,
        "twilio-values-of-one-name",
        "Values of one name are signed in their order, too.",
        "provider form",
        _form(("MediaUrl", "b"), ("MediaUrl", "a"), ("To", "+1")),
    )
    accept(
        table,
        "twilio-exact-duplicate",
        "Twilio's libraries sign an exact duplicate once.",
        "provider form",
        _form(("To", "+1"), ("MediaUrl", "a"), ("MediaUrl", "a")),
    )
    accept(
        table,
        "twilio-capitals-before-small-letters",
        "Names are sorted by their bytes.",
        "provider form",
        _form(("b", "1"), ("B", "2"), ("a", "3")),
    )
    accept(
        table,
        "twilio-name-that-begins-with-another",
        "Sorted by name, then by value; not by the two written together.",
        "provider form",
        _form(("To", "z"), ("ToCity", "a")),
    )
    accept(
        table,
        "twilio-percent-and-plus",
        "Plus and percent are decoded, a percent-escaped plus stays a plus.",
        "provider form encoding",
        good.but(body=b"Body=a+b%20c%2Bd%26e%3D&To=%2B1"),
    )
    accept(
        table,
        "twilio-content-type-with-a-charset",
        "A form, whatever follows the semicolon.",
        "provider form headers",
        good,
        headers=[("content-type", "application/x-www-form-urlencoded; charset=UTF-8"), *good.sent_headers()[1:]],
    )
    accept(
        table,
        "twilio-without-idempotency-token",
        "The hash of the body names the message.",
        "provider form message_id",
        good.but(message_id=""),
        headers=[FORM, good.sent_headers()[-1]],
    )
    empty = Request(TWILIO, TWILIO.secret, b"", "", TWILIO.message_id, URL, "GET")
    accept(
        table,
        "twilio-get-without-a-body",
        "Twilio can be told to use GET: the parameters are in the URL.",
        "provider url",
        empty,
        headers=empty.sent_headers()[1:],
    )


def _ports(table: Table) -> None:
    """Twilio signs the URL with its port or without it, as its own libraries try it."""
    ported = URL.replace(".com", ".com:443")
    plain = URL.replace("https", "http")
    odd = URL.replace(".com", ".com:8443")
    for kind, signed, called in (
        ("with", ported, URL),
        ("without", URL, ported),
        ("with-80", plain.replace(".com", ".com:80"), plain),
        ("without-an-odd", URL, odd),
        ("with-an-odd", odd, odd),
        (
            "with-a-user",
            URL.replace("hooks", "user:pass@hooks").replace(".com", ".com:443"),
            URL.replace("hooks", "user:pass@hooks"),
        ),
    ):
        request = TWILIO.request.but(url=signed)
        accept(table, f"twilio-signed-{kind}-port", "With its port or without it.", "form url", request, url=called)
    for kind, signed, called in (
        ("another", odd, URL),
        ("the-port-of-http", URL.replace(".com", ".com:80"), URL),
        ("another-odd", odd, URL.replace(".com", ".com:8444")),
    ):
        request = TWILIO.request.but(url=signed)
        comment = "Only the URL's own port, or the one of its scheme."
        refuse(table, f"twilio-signed-with-{kind}-port", comment, "form url", "signature_mismatch", request, url=called)


def _changes(table: Table) -> None:
    good = TWILIO.request
    signature = good.signature()
    changed = {
        "value-changed": urlencode([*PARAMETERS[1:], ("To", "+18005551213")]),
        "parameter-added": urlencode([*PARAMETERS, ("Extra", "1")]),
        "parameter-missing": urlencode(PARAMETERS[1:]),
        "empty-parameter-added": urlencode([*PARAMETERS, ("Extra", "")]),
        "second-value-added": urlencode([*PARAMETERS, ("To", "+1")]),
        "space-for-a-plus": urlencode(PARAMETERS).replace("%2B", "+"),
        "encoded-twice": urlencode(PARAMETERS).replace("%", "%25"),
        "empty": "",
    }
    for kind, body in changed.items():
        refuse(
            table,
            f"twilio-{kind}",
            "Every parameter is signed.",
            "form body",
            "signature_mismatch",
            good,
            signature=signature,
            body=body.encode(),
        )
    urls = {
        "host": URL.replace("hooks", "other"),
        "path": URL.replace("voice", "sms"),
        "scheme": URL.replace("https", "http"),
        "query": URL.replace("tenant=7", "tenant=8"),
        "query-order": "https://hooks.example.com/voice?name=Zo%C3%AB&tenant=7",
        "query-escapes": URL.replace("%C3%AB", "%c3%ab"),
        "no-query": URL.partition("?")[0],
        "trailing-slash": URL.replace("voice?", "voice/?"),
    }
    for kind, url in urls.items():
        refuse(
            table,
            f"twilio-other-{kind}",
            "The URL is signed as it was called.",
            "form url",
            "signature_mismatch",
            good,
            url=url,
        )
    refuse(
        table,
        "twilio-wrong-secret",
        "Signed with another token.",
        "form wrong_mac",
        "signature_mismatch",
        good.but(secret=TWILIO.other_secret),
    )
    content = form_content(good)
    macs = {
        "sha256": (mac(TWILIO.secret.encode(), content), "malformed_signature", "A MAC of another length."),
        "arrival-order": (
            mac(TWILIO.secret.encode(), (URL + "".join(map("".join, PARAMETERS))).encode(), "sha1"),
            "signature_mismatch",
            "Not sorted.",
        ),
        "raw-form": (
            mac(TWILIO.secret.encode(), URL.encode() + good.body, "sha1"),
            "signature_mismatch",
            "The form as it is sent, not its parameters.",
        ),
    }
    for kind, (data, code, comment) in macs.items():
        refuse(table, f"twilio-mac-{kind}", comment, "form wrong_mac", code, good, signature=b64(data))
    refuse(
        table,
        "twilio-form-called-json",
        "A body of another kind needs its hash in the URL.",
        "form headers",
        "signature_mismatch",
        good,
        headers=[JSON, *good.sent_headers()[1:]],
    )
    forms = {
        "no-padding": signature.rstrip("="),
        "foreign-character": "*" + signature,
        "in-hexadecimal": good.mac().hex(),
    }
    for kind, value in forms.items():
        refuse(
            table,
            f"twilio-{kind}",
            "Strict base64 of 20 bytes.",
            "encoding",
            "malformed_signature",
            good,
            signature=value,
        )
    refuse(
        table,
        "twilio-missing-signature",
        "No signature at all.",
        "form headers",
        "missing_header",
        good,
        headers=good.sent_headers()[:-1],
    )
    refuse(
        table,
        "twilio-signature-twice",
        "A repeated header is refused, whatever its values.",
        "form headers",
        "duplicate_header",
        good,
        headers=[*good.sent_headers(), ("X-Twilio-Signature", signature)],
    )


def _json_request(body: bytes, digest: str | None) -> Request:
    query = "" if digest is None else f"&bodySHA256={digest}"
    request = TWILIO.request.but(body=body, url=URL + query)
    # Nothing but the URL is signed; what is in it vouches for the body.
    return request.but(sender=_JSON_SENDER)


_JSON_SENDER = Sender(
    "twilio",
    TWILIO.secret,
    TWILIO.other_secret,
    b"",
    (JSON, *TWILIO.headers[1:]),
    lambda request: request.url.encode(),
    digest="sha1",
    write=b64,
    message_id=TWILIO.message_id,
    url=URL,
)


def _json(table: Table) -> None:
    body = compact({"event": "task.created", "sid": "WT123"})
    digest = hashlib.sha256(body).hexdigest()
    accept(
        table,
        "twilio-json",
        "A JSON body: its hash is in the signed URL.",
        "provider url body",
        _json_request(body, digest),
    )
    bodies = {
        "changed": (body.replace(b"WT123", b"WT124"), digest, "The hash is that of another body."),
        "longer": (body + b" ", digest, "The hash is that of another body."),
        "gone": (b"", digest, "The hash is that of another body."),
        "without-a-hash": (body, None, "A signed URL says nothing of a body without its hash."),
        "with-an-empty-hash": (body, "", "A signed URL says nothing of a body without its hash."),
        "with-a-cut-hash": (body, digest[:-2], "31 bytes of the hash."),
    }
    for kind, (sent, named, comment) in bodies.items():
        refuse(
            table,
            f"twilio-json-{kind}",
            comment,
            "url body",
            "signature_mismatch",
            _json_request(sent, named),
        )
    for kind, sent in (("called-form", b""), ("called-form-of-nothing", b"=")):
        good = _json_request(body, digest)
        refuse(
            table,
            f"twilio-json-{kind}",
            "A hash in the URL is that of the body, whatever the content type says, which nobody signs.",
            "form url body advisory",
            "signature_mismatch",
            good,
            headers=[FORM, *good.sent_headers()[1:]],
            body=sent,
        )
    other = hashlib.sha256(b"{}").hexdigest()
    good = _json_request(body, digest)
    refuse(
        table,
        "twilio-json-body-and-hash-changed",
        "The hash is in the signed URL.",
        "url body",
        "signature_mismatch",
        good,
        url=good.url.replace(digest, other),
        body=b"{}",
    )
