"""Well-formed signatures of the providers that are not the right one."""

import hashlib

from ..signers import SIGNED_AT, b64
from ..table import Table
from . import messages
from .messages import FAMILIES, SIGNED_IN_A_HEADER
from .row import refuse
from .senders import MILLISECONDS, RFC3339, SECONDS, URL, Sender, mac

MISMATCH = "signature_mismatch"
# What is added so that JSON stays the same JSON.
ADDITION = b"\n"


def add(table: Table) -> None:
    for sender in (*FAMILIES, *SIGNED_IN_A_HEADER):
        _secret_and_body(table, sender)
    for sender in SIGNED_IN_A_HEADER:
        if sender.timestamp_header or "{timestamp}" in sender.headers[0][1]:
            _timestamp(table, sender)
    for sender in (messages.STRIPE, messages.GITHUB, messages.SHOPIFY, messages.INTERCOM, messages.VERCEL):
        _other_digest(table, sender)
    _content(table)
    _keys(table)
    _public_keys(table)


def _secret_and_body(table: Table, sender: Sender) -> None:
    good = sender.request
    refuse(
        table,
        f"{sender.provider}-wrong-secret",
        "Signed with another secret.",
        "wrong_mac",
        MISMATCH,
        good.but(secret=sender.other_secret),
    )
    refuse(
        table,
        f"{sender.provider}-body-longer",
        "A newline more than was signed.",
        "body",
        MISMATCH,
        good,
        body=good.body + ADDITION,
    )


def _timestamp(table: Table, sender: Sender) -> None:
    other = {SECONDS: str(SIGNED_AT + 1), MILLISECONDS: f"{SIGNED_AT}124", RFC3339: "2023-11-14T22:13:21Z"}
    good = sender.request
    refuse(
        table,
        f"{sender.provider}-timestamp-changed",
        "The timestamp is signed.",
        "timestamp wrong_mac",
        MISMATCH,
        good.but(timestamp=other[sender.timestamp]),
        signature=good.signature(),
    )


def _other_digest(table: Table, sender: Sender) -> None:
    good = sender.request
    digest = "sha1" if sender.digest == "sha256" else "sha256"
    refuse(
        table,
        f"{sender.provider}-mac-{digest}",
        "A MAC of another length.",
        "wrong_mac encoding",
        "malformed_signature",
        good,
        signature=sender.write(mac(good.secret.encode(), sender.content(good), digest)),
    )


def _content(table: Table) -> None:
    """What a careless sender would have signed."""
    stripe, slack, sendgrid, hubspot = messages.STRIPE, messages.SLACK, messages.SENDGRID, messages.HUBSPOT
    wrong = {
        (stripe, "body-alone"): stripe.body,
        (stripe, "colon"): f"{SECONDS}:".encode() + stripe.body,
        (stripe, "no-dot"): SECONDS.encode() + stripe.body,
        (slack, "body-alone"): slack.body,
        (slack, "no-version"): f"{SECONDS}:".encode() + slack.body,
        (messages.GITHUB, "nothing"): b"",
        (messages.SQUARE, "body-alone"): messages.SQUARE.body,
        (hubspot, "timestamp-first"): f"POST{URL}{MILLISECONDS}".encode() + hubspot.body,
        (messages.ZENDESK, "dot"): RFC3339.encode() + b"." + messages.ZENDESK.body,
    }
    for (sender, kind), content in wrong.items():
        refuse(
            table,
            f"{sender.provider}-signed-{kind}",
            "The right key over something else.",
            "wrong_mac",
            MISMATCH,
            sender.request,
            signature=sender.write(mac(sender.secret.encode(), content)),
        )
    refuse(
        table,
        "sendgrid-signed-body-alone",
        "The right key over something else.",
        "wrong_mac",
        MISMATCH,
        sendgrid.request.but(timestamp=""),
        headers=sendgrid.request.sent_headers(sendgrid.request.but(timestamp="").signature()),
    )


def _keys(table: Table) -> None:
    """Keys that are read from the right secret in another way."""
    for sender in (messages.STRIPE, messages.GITHUB, messages.SHOPIFY, messages.INTERCOM):
        content = sender.content(sender.request)
        text = sender.secret.rpartition("_")[2]
        keys = {
            "empty": b"",
            "of-its-hexadecimal": bytes.fromhex(text),
            "without-its-prefix": text[1:].encode() if text == sender.secret else text.encode(),
            "with-a-newline": sender.secret.encode() + b"\n",
        }
        for kind, key in keys.items():
            refuse(
                table,
                f"{sender.provider}-key-{kind}",
                "A misread key must not pass; svix, standard-webhooks and Stripe's libraries took empty ones.",
                "wrong_mac advisory" if kind == "empty" else "wrong_mac",
                MISMATCH,
                sender.request,
                signature=sender.write(mac(key, content, sender.digest)),
            )


def _public_keys(table: Table) -> None:
    """Signatures that anybody could make."""
    discord = messages.DISCORD
    content = discord.content(discord.request)
    forged = {
        "zeros": bytes(64),
        "ones": b"\xff" * 64,
        "mac-under-the-public-key": mac(bytes.fromhex(discord.secret), content) * 2,
        "halves-swapped": discord.request.mac()[32:] + discord.request.mac()[:32],
        "hash": hashlib.sha512(content).digest(),
    }
    for kind, data in forged.items():
        refuse(
            table,
            f"discord-{kind}",
            "Only the private key can sign.",
            "ed25519 wrong_mac",
            MISMATCH,
            discord.request,
            signature=data.hex(),
        )
    sendgrid = messages.SENDGRID
    refuse(
        table,
        "sendgrid-mac-under-the-public-key",
        "Only the private key can sign; a MAC is not even of the form.",
        "wrong_mac",
        "malformed_signature",
        sendgrid.request,
        signature=b64(mac(sendgrid.secret.encode(), sendgrid.content(sendgrid.request))),
    )
