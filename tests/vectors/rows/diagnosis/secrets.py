"""The secret is the fault: another endpoint's, another form of the right one, or no signing secret at all."""

import base64

from ..signers import BODY, ED25519, OLD_SECRET, OTHER_ED25519, SECRET, THIRD_SECRET, b64, fixed_bytes, v1, whsec
from ..table import STANDARD, headers
from .senders import CLERK, GITHUB, SENDERS, STRIPE, Sender, of_key
from .table import BUILD, Diagnoses

STANDARD_WEBHOOKS = Sender("standard-webhooks", SECRET, OLD_SECRET, CLERK.send)


def add(table: Diagnoses) -> None:
    _another_endpoint(table)
    _not_decoded(table)
    _double_encoded(table)
    _stray_text(table)
    _other_credentials(table)
    _test_and_live(table)


def _another_endpoint(table: Diagnoses) -> None:
    def row(kind: str, comment: str, sender: Sender, sent, **more) -> None:
        table.proved("secret_of_another_endpoint", kind, comment, "secret", sender, sent, **more)

    for sender in SENDERS:
        row(
            "the-only-other",
            "Signed with the secret of another endpoint of this process.",
            sender,
            sender.send(sender.other_secret, BODY),
            others=(("billing", sender.other_secret),),
        )
    others = (("old", whsec("a")), ("staging", THIRD_SECRET), ("billing", OLD_SECRET))
    row(
        "last-of-three",
        "Every other secret is tried.",
        CLERK,
        CLERK.send(OLD_SECRET, BODY),
        others=others,
    )
    row(
        "beside-a-rotation",
        "The endpoint has two secrets, and neither is right.",
        CLERK,
        CLERK.send(THIRD_SECRET, BODY),
        secrets=(SECRET, OLD_SECRET),
        others=(("staging", THIRD_SECRET),),
    )
    row(
        "public-key",
        "A whpk_ key of another endpoint checks v1a.",
        STANDARD_WEBHOOKS,
        headers(signature=ED25519.v1a(), names=STANDARD),
        secrets=(OTHER_ED25519.whpk,),
        others=(("billing", ED25519.whpk),),
    )


def _not_decoded(table: Diagnoses) -> None:
    def row(kind: str, comment: str, sender: Sender, key, **more) -> None:
        table.proved("secret_not_decoded", kind, comment, "secret", sender, sender.send(key, BODY), **more)

    bare = SECRET.removeprefix("whsec_")
    for sender in (CLERK, STANDARD_WEBHOOKS):
        row("whole-text", "The sender's key is the UTF-8 of the text, prefix included.", sender, of_key(SECRET))
        row("text-after-prefix", "The sender's key is the UTF-8 of what follows the prefix.", sender, of_key(bare))
    row("bare-text", "The same, with the secret given without its prefix.", CLERK, of_key(bare), secrets=(bare,))
    row(
        "text-after-prefix",
        "The sender's key is the text without its prefix.",
        STRIPE,
        STRIPE.secret.removeprefix("whsec_"),
    )
    row("hex", "The sender's key is what the hexadecimal text means.", GITHUB, bytes.fromhex(GITHUB.secret))
    raw = fixed_bytes("github base64", 24)
    row("base64", "The sender's key is what the base64 text means.", GITHUB, raw, secrets=(b64(raw),))
    row(
        "encoded-on-the-way",
        "The right secret, base64-encoded once too often: `data:` of a Kubernetes Secret.",
        STRIPE,
        STRIPE.secret,
        secrets=(b64(STRIPE.secret.encode()),),
    )


def _double_encoded(table: Diagnoses) -> None:
    def row(kind: str, comment: str, sender: Sender, key, secret: str) -> None:
        sent = sender.send(key, BODY)
        table.proved("secret_double_encoded", kind, comment, "secret", sender, sent, secrets=(secret,))

    encoded = "The right secret's base64, encoded again."
    row("after-prefix", encoded, CLERK, SECRET, "whsec_" + b64(SECRET.removeprefix("whsec_").encode()))
    row("bare", encoded, CLERK, SECRET, b64(SECRET.removeprefix("whsec_").encode()))
    row(
        "prefix-included",
        "The whole right secret, encoded once more: `data:` of a Kubernetes Secret.",
        CLERK,
        SECRET,
        b64(SECRET.encode()),
    )
    key = b"\xfb\xef\xbe\xff" * 6
    url_safe = base64.urlsafe_b64encode(key)
    assert b"-" in url_safe and b"_" in url_safe
    row("url-safe", "The inner text has the URL-safe alphabet.", CLERK, of_key(key), "whsec_" + b64(url_safe))
    for sender in (GITHUB, STRIPE):
        twice = b64(b64(sender.secret.encode()).encode())
        row("twice", "The right secret, base64-encoded twice.", sender, sender.secret, twice)


def _stray_text(table: Diagnoses) -> None:
    for sender in (GITHUB, STRIPE):
        endings = {"newline": "\\n", "carriage-return": "\\r\\n", "tab": "\\t"}
        for kind, ending in endings.items():
            table.proved(
                "secret_whitespace_or_quotes",
                f"literal-{kind}",
                "A backslash and a letter at the end, from a file that was not unescaped.",
                "secret",
                sender,
                sender.send(sender.secret, BODY),
                secrets=(sender.secret + ending,),
            )
    around = {
        "newline-at-the-end": "{}\n",
        "double-quotes": '"{}"',
        "literal-newline-at-the-end": "{}\\n",
    }
    for kind, around_it in around.items():
        table.likely(
            "secret_whitespace_or_quotes",
            kind,
            "What surrounds the secret is seen when the endpoint is built.",
            "secret build",
            CLERK,
            CLERK.send(CLERK.secret, BODY),
            code=BUILD,
            secrets=(around_it.format(CLERK.secret),),
        )


def _other_credentials(table: Diagnoses) -> None:
    def row(kind: str, comment: str, sender: Sender, secret: str) -> None:
        sent = sender.send(sender.secret, BODY)
        table.likely("not_a_webhook_secret", kind, comment, "secret build", sender, sent, code=BUILD, secrets=(secret,))

    jwt = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b"{}", b"mac"))
    for sender in (CLERK, STRIPE):
        row("api-key", "An API key of the provider.", sender, "sk_test_" + "Example" * 5)
        row("variable", "Never replaced by its value.", sender, "${WEBHOOK_SECRET}")
    row("jwt", "A token.", CLERK, jwt)
    row("url", "The address of the endpoint.", CLERK, "https://app.example.com/api/webhooks/clerk")
    row("private-key", "The sender's half of the key pair.", CLERK, ED25519.whsk)
    table.likely(
        "not_a_webhook_secret",
        "url",
        "The address of the endpoint, which may be what the user chose.",
        "secret",
        GITHUB,
        GITHUB.send(GITHUB.secret, BODY),
        secrets=("https://app.example.com/api/webhooks/github",),
    )
    for kind, secret, signature in (
        ("public-key-for-v1", ED25519.whpk, v1()),
        ("hmac-secret-for-v1a", SECRET, ED25519.v1a()),
    ):
        table.likely(
            "not_a_webhook_secret",
            kind,
            "The secret is of the kind that checks the other version.",
            "secret",
            CLERK,
            headers(signature=signature),
            code="no_supported_version",
            secrets=(secret,),
        )


def _test_and_live(table: Diagnoses) -> None:
    """Stripe's secrets say nothing of their mode; these are named as other senders of its scheme name them."""
    text = fixed_bytes("mode", 16).hex()
    for mode, live in (("test", True), ("live", False)):
        for place, body in (
            ("top", b'{"livemode":%s,"type":"charge.succeeded"}'),
            ("spaced", b'{\n  "type": "charge.succeeded",\n  "livemode": %s\n}'),
        ):
            received = body % str(live).lower().encode()
            table.likely(
                "test_live_mix",
                f"{mode}-secret-{place}",
                "The body says one mode, the secret the other.",
                "secret",
                STRIPE,
                STRIPE.send(f"whsec_{'live' if live else 'test'}_{text}", received),
                body=received,
                secrets=(f"whsec_{mode}_{text}",),
            )
