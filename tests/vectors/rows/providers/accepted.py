"""Messages of the providers that must be accepted."""

import base64

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..signers import b64, whsec
from ..table import Table
from . import messages
from .messages import FAMILIES, SIGNED_IN_A_HEADER, compact
from .row import accept
from .senders import NOW, P256_ORDER, Request, Sender, body_hash


def add(table: Table) -> None:
    _good(table)
    _known_answers(table)
    _text_forms(table)
    _rotation(table)
    _secrets(table)
    _ids(table)
    _unsigned_headers(table)


def _good(table: Table) -> None:
    for sender in (*FAMILIES, *SIGNED_IN_A_HEADER):
        accept(table, f"{sender.provider}-good", f"As {sender.provider} sends it.", "provider", sender.request)


def _known_answers(table: Table) -> None:
    github = Sender(
        "github",
        "It's a Secret to Everybody",
        "",
        b"Hello, World!",
        (("x-github-delivery", "{id}"), ("x-hub-signature-256", "{signature}")),
        lambda request: request.body,
        message_id="1",
    ).request
    accept(
        table,
        "known-answer-github",
        "Published by GitHub's documentation.",
        "known_answer provider",
        github,
        signature="sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    )
    slack = messages.SLACK.request.but(
        body=b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
        timestamp="1531420618",
    )
    accept(
        table,
        "known-answer-slack",
        "Published by Slack's documentation: a slash command, which carries no event id.",
        "known_answer provider",
        slack,
        signature="a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        secrets=("8f742231b10e8888abcd99yyyzzz85a5",),
        message_id=body_hash(slack.body),
        now=1531420618,
    )
    _known_answer_sendgrid(table)


def _known_answer_sendgrid(table: Table) -> None:
    sendgrid = messages.SENDGRID.request.but(
        body=b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
        b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
        b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
        b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n',
        timestamp="1600112502",
    )
    accept(
        table,
        "known-answer-sendgrid",
        "Published in the tests of SendGrid's libraries.",
        "known_answer provider",
        sendgrid,
        signature="MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        secrets=(
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF"
            "9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
        ),
        now=1600112512,
    )


def _text_forms(table: Table) -> None:
    for sender in (messages.STRIPE, messages.GITHUB, messages.VERCEL, messages.DISCORD):
        accept(
            table,
            f"{sender.provider}-capital-hexadecimal",
            "Hexadecimal in either case is the same signature; most libraries compare its text.",
            "encoding disagreement",
            sender.request,
            signature=sender.request.signature().upper(),
        )
    workos = messages.WORKOS.request
    accept(
        table,
        "workos-without-a-space",
        "One space after the comma may be there or not.",
        "list disagreement",
        workos,
        headers=[("workos-signature", f"t={workos.timestamp},v1={workos.signature()}")],
    )
    sendgrid = messages.SENDGRID.request
    r, s = decode_dss_signature(base64.b64decode(sendgrid.signature()))
    accept(
        table,
        "sendgrid-the-other-s",
        "For each ECDSA signature (r, s) there is (r, n - s); both are right.",
        "provider encoding",
        sendgrid,
        signature=b64(encode_dss_signature(r, P256_ORDER - s)),
    )
    for provider, body in (("github", b""), ("shopify", b"\xff\xfe\0"), ("stripe", b"no JSON \xf0\x9f\x94\x91")):
        sender = next(each for each in SIGNED_IN_A_HEADER if each.provider == provider)
        accept(
            table,
            f"{provider}-any-body",
            "Bodies are bytes: what they hold is nobody's business here.",
            "body disagreement",
            sender.request.but(body=body),
            message_id=sender.message_id or body_hash(body),
        )
    stripe = messages.STRIPE.request
    marked = b"\xef\xbb\xbf" + stripe.body
    accept(
        table,
        "stripe-signed-byte-order-mark",
        "A body that was signed with a mark before its text.",
        "body disagreement",
        stripe.but(body=marked),
        message_id=body_hash(marked),
    )


def _rotation(table: Table) -> None:
    for sender in (messages.GITHUB, messages.SHOPIFY, messages.DISCORD, messages.SENDGRID, messages.TYPEFORM):
        accept(
            table,
            f"{sender.provider}-second-secret",
            "The endpoint knows the old secret and the new one.",
            "rotation",
            sender.request,
            secrets=(sender.other_secret, sender.secret),
        )


def _secrets(table: Table) -> None:
    supabase = next(sender for sender in FAMILIES if sender.provider == "supabase")
    bare = supabase.secret.removeprefix("v1,")
    accept(
        table,
        "supabase-secret-without-its-version",
        "The secret without `v1,` is the same secret.",
        "provider",
        supabase.request,
        secrets=(bare,),
    )
    polar = next(sender for sender in FAMILIES if sender.provider == "polar")
    for kind, secret, key, comment in (
        ("new", whsec("polar new", 32), messages.key_of, "Newer secrets sign with the base64 behind `whsec_`."),
        ("old-whsec", whsec("polar older", 32), str.encode, "Older ones with the whole text, prefix included."),
        ("chosen", "a secret that a user chose", str.encode, "And so do those that a user chose."),
    ):
        accept(
            table,
            f"polar-{kind}-secret",
            comment,
            "provider",
            _with_key(polar, secret, key),
            secrets=(secret,),
        )


def _with_key(sender: Sender, secret: str, key) -> Request:
    return messages.family(sender.provider, {"type": "order.paid"}, (secret, ""), key=key).request


def _ids(table: Table) -> None:
    hubspot = messages.HUBSPOT.request
    event = {"eventId": 1, "subscriptionId": 2, "occurredAt": 3, "subscriptionType": "contact.creation"}
    batch = compact([event, {**event, "eventId": 4}])
    accept(
        table,
        "hubspot-batch",
        "Several events have no id in common: the hash of the body names the message.",
        "provider message_id",
        hubspot.but(body=batch),
        message_id=body_hash(batch),
    )
    retried = compact([{**event, "attemptNumber": 1}])
    accept(
        table,
        "hubspot-retry",
        "A retry counts up in its body and keeps its id.",
        "provider message_id",
        hubspot.but(body=retried),
        message_id="1:2:3",
    )
    for sender, without in (
        (messages.STRIPE, {"object": "event"}),
        (messages.LINEAR, None),
        (messages.TYPEFORM, {"event_id": None}),
        (messages.PAGERDUTY, {"event": {"id": ["x"]}}),
    ):
        body = messages.linear_body().replace(b'"createdAt"', b'"createdOn"') if without is None else compact(without)
        accept(
            table,
            f"{sender.provider}-without-an-id",
            "Where the id, or a part of it, is missing, the hash of the body names the message.",
            "provider message_id",
            sender.request.but(body=body),
            message_id=body_hash(body),
        )
    github = messages.GITHUB.request
    accept(
        table,
        "github-without-a-delivery-id",
        "A missing id that is not signed is no reason to refuse.",
        "provider message_id",
        github,
        headers=github.sent_headers()[1:],
        message_id=body_hash(github.body),
    )


def _unsigned_headers(table: Table) -> None:
    for sender, name, value in (
        (messages.GITHUB, "x-github-event", "release"),
        (messages.SHOPIFY, "x-shopify-topic", "orders/paid"),
        (messages.SENTRY, "sentry-hook-resource", "error"),
        (messages.LINEAR, "linear-event", "Issue"),
        (messages.SENTRY, "sentry-hook-timestamp", str(NOW - 86_400)),
    ):
        sent = [(each, value if each == name else text) for each, text in sender.request.sent_headers()]
        accept(
            table,
            f"{sender.provider}-{name}-changed",
            "A header that is not signed: changed on the way, nobody notices.",
            "provider unsigned",
            sender.request,
            headers=sent,
        )
    for sender in (messages.GITHUB, messages.SHOPIFY, messages.ZENDESK):
        accept(
            table,
            f"{sender.provider}-id-changed",
            "The id is a header that is not signed, so the body's hash is part of what de-duplication remembers.",
            "provider unsigned message_id",
            sender.request.but(message_id="another"),
        )
