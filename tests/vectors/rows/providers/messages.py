"""One ordinary message of each provider, shaped as its documentation shows it."""

import json

from ..signers import b64, fixed_bytes, key_of, whsec
from .senders import MILLISECONDS, RFC3339, SECONDS, URL, Ed25519Pair, P256Pair, Request, Sender

ED25519, OTHER_ED25519 = Ed25519Pair("current").text, Ed25519Pair("old").text
P256, OTHER_P256 = P256Pair("current").text, P256Pair("old").text

FORM_URL = "https://hooks.example.com/voice?tenant=7"
ADYEN_KEY, OTHER_ADYEN_KEY = fixed_bytes("adyen", 32).hex().upper(), fixed_bytes("adyen old", 32).hex().upper()


def text(label: str, prefix: str = "", length: int = 16) -> tuple[str, str]:
    """Two secrets that are used as they are written."""
    return tuple(prefix + fixed_bytes(f"{label} {age}", length).hex() for age in ("current", "old"))


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def raw_body(request: Request) -> bytes:
    return request.body


def joined(template: str):
    """What is signed: {id}, {timestamp}, {url}, {method} and {body} in an order and with marks between them."""
    before, _, after = template.partition("{body}")

    def content(request: Request) -> bytes:
        known = {
            "id": request.message_id,
            "timestamp": request.timestamp,
            "url": request.url,
            "method": request.method,
        }
        return before.format(**known).encode() + request.body + after.format(**known).encode()

    return content


def family(provider: str, body: object, secrets: tuple[str, str], names: str = "webhook", key=key_of) -> Sender:
    """A sender of the Standard Webhooks headers."""
    headers = ((f"{names}-id", "{id}"), (f"{names}-timestamp", "{timestamp}"), (f"{names}-signature", "v1,{signature}"))
    return Sender(
        provider,
        *secrets,
        compact(body),
        headers,
        joined("{id}.{timestamp}.{body}"),
        write=b64,
        key=key,
        timestamp=SECONDS,
        message_id="msg_2Lh9KRb0pzN4LePd3XiA4v12Axj",
    )


def supabase_key(secret: str) -> bytes:
    return key_of(secret.removeprefix("v1,"))


USER = {"data": {"id": "user_29w83sxmDNGwOuEthce5gg56FcC"}, "object": "event", "type": "user.created"}
MAIL = {"type": "email.delivered", "created_at": "2023-11-14T22:13:20.000Z", "data": {"email_id": "56761188-7520"}}
RESPONSE = {"object": "event", "id": "evt_685343a1381c", "type": "response.completed", "data": {"id": "resp_abc123"}}
PREDICTION = {"id": "ufawqhfynnddngldkgtslldrkq", "status": "succeeded", "output": ["https://example.com/o.png"]}
HOOK = {
    "metadata": {"uuid": "8b58", "name": "before-user-created"},
    "user": {"id": "6481a5c1", "email": "a@example.com"},
}
ORDER = {"type": "order.paid", "timestamp": "2023-11-14T22:13:20Z", "data": {"id": "4b3f", "total_amount": 4200}}

FAMILIES = (
    family("clerk", USER, (whsec("clerk"), whsec("clerk old")), "svix"),
    family("svix", {"type": "invoice.paid", "data": {"id": "in_1"}}, (whsec("svix"), whsec("svix old")), "svix"),
    family(
        "standard-webhooks", {"type": "contact.created", "data": {"id": "1f81eb"}}, (whsec("std"), whsec("std old"))
    ),
    family("resend", MAIL, (whsec("resend"), whsec("resend old")), "svix"),
    family("openai", RESPONSE, (whsec("openai", 32), whsec("openai old", 32))),
    family("replicate", PREDICTION, (whsec("replicate"), whsec("replicate old"))),
    family("supabase", HOOK, ("v1," + whsec("supabase", 48), "v1," + whsec("supabase old", 48)), key=supabase_key),
    family("polar", ORDER, text("polar", "polar_whs_"), key=str.encode),
)

STRIPE = Sender(
    "stripe",
    *text("stripe", "whsec_"),
    compact({"id": "evt_1OCAbc", "object": "event", "data": {"object": {"id": "in_1"}}, "type": "invoice.paid"}),
    (("stripe-signature", "t={timestamp},v1={signature}"),),
    joined("{timestamp}.{body}"),
    timestamp=SECONDS,
    id_in_body="evt_1OCAbc",
)
GITHUB = Sender(
    "github",
    *text("github"),
    compact({"ref": "refs/heads/main", "pusher": {"name": "Zo\xeb"}}),
    (
        ("x-github-delivery", "{id}"),
        ("x-github-event", "push"),
        ("x-hub-signature-256", "sha256={signature}"),
    ),
    raw_body,
    message_id="72d3162e-cc78-11e3-81ab-4c9367dc0958",
)
SHOPIFY = Sender(
    "shopify",
    *text("shopify", "shpss_"),
    compact({"id": 820982911946154508, "email": "jon@example.com"}),
    (
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-shop-domain", "a-shop.myshopify.com"),
        ("x-shopify-api-version", "2026-10"),
        ("x-shopify-webhook-id", "{id}"),
        ("x-shopify-hmac-sha256", "{signature}"),
    ),
    raw_body,
    write=b64,
    message_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
)
SLACK = Sender(
    "slack",
    *text("slack"),
    compact(
        {"type": "event_callback", "event_id": "Ev08MFMKH6", "event": {"type": "app_mention", "user": "U061F7AUR"}}
    ),
    (("x-slack-request-timestamp", "{timestamp}"), ("x-slack-signature", "v0={signature}")),
    joined("v0:{timestamp}:{body}"),
    timestamp=SECONDS,
    id_in_body="Ev08MFMKH6",
)
PADDLE = Sender(
    "paddle",
    *text("paddle", "pdl_ntfset_01hv8x29kz0t586xy6zn1a62ny_"),
    compact({"event_id": "evt_01hv8x29vpd", "event_type": "transaction.completed", "data": {"id": "txn_01hv8wptq"}}),
    (("paddle-signature", "ts={timestamp};h1={signature}"),),
    joined("{timestamp}:{body}"),
    timestamp=SECONDS,
    id_in_body="evt_01hv8x29vpd",
)
LEMON_SQUEEZY = Sender(
    "lemon-squeezy",
    *text("lemon"),
    compact({"meta": {"event_name": "order_created"}, "data": {"type": "orders", "id": "1"}}),
    (("x-event-name", "order_created"), ("x-signature", "{signature}")),
    raw_body,
)
DISCORD = Sender(
    "discord",
    ED25519,
    OTHER_ED25519,
    compact({"version": 1, "application_id": "1234", "type": 1, "event": {"type": "ENTITLEMENT_CREATE", "data": {}}}),
    (("x-signature-ed25519", "{signature}"), ("x-signature-timestamp", "{timestamp}")),
    joined("{timestamp}{body}"),
    timestamp=SECONDS,
)
DISCORD_INTERACTIONS = Sender(
    "discord-interactions",
    ED25519,
    OTHER_ED25519,
    compact({"id": "846462639134605312", "type": 2, "data": {"name": "blep"}, "token": "A_UNIQUE_TOKEN"}),
    DISCORD.headers,
    joined("{timestamp}{body}"),
    timestamp=SECONDS,
    id_in_body="846462639134605312",
)
WORKOS = Sender(
    "workos",
    *text("workos"),
    compact({"id": "wh_01FKH5Q6XG", "event": "dsync.user.created", "data": {"id": "directory_user_01E1X19"}}),
    # WorkOS puts a space between the pairs.
    (("workos-signature", "t={timestamp}, v1={signature}"),),
    joined("{timestamp}.{body}"),
    timestamp=MILLISECONDS,
    id_in_body="wh_01FKH5Q6XG",
)


def linear_body(webhook_timestamp: str = MILLISECONDS) -> bytes:
    """Linear signs its time as a part of the body."""
    return (
        b'{"action":"create","type":"Comment","createdAt":"2023-11-14T22:13:19.000Z","data":{"id":"2174add1"},'
        b'"webhookTimestamp":' + webhook_timestamp.encode() + b',"webhookId":"000042e3-d123"}'
    )


LINEAR = Sender(
    "linear",
    *text("linear", "lin_wh_"),
    linear_body(),
    (
        ("linear-delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"),
        ("linear-event", "Comment"),
        ("linear-signature", "{signature}"),
    ),
    raw_body,
    id_in_body="000042e3-d123:Comment:create:2174add1:2023-11-14T22:13:19.000Z",
)
PAGERDUTY = Sender(
    "pagerduty",
    *text("pagerduty"),
    compact({"event": {"id": "01BYRMZBZ7", "event_type": "incident.priority_updated", "data": {"id": "PGR0VU2"}}}),
    (("x-pagerduty-signature", "v1={signature}"),),
    raw_body,
    id_in_body="01BYRMZBZ7",
)
ZOOM = Sender(
    "zoom",
    *text("zoom", length=11),
    compact({"event": "meeting.started", "event_ts": 1700000000000, "payload": {"object": {"id": "1234567890"}}}),
    (("x-zm-request-timestamp", "{timestamp}"), ("x-zm-signature", "v0={signature}")),
    joined("v0:{timestamp}:{body}"),
    timestamp=SECONDS,
)
SQUARE = Sender(
    "square",
    *text("square"),
    compact(
        {"merchant_id": "6SSW7HV8K2ST5", "type": "payment.updated", "event_id": "6a8f5f28", "data": {"id": "hYy9"}}
    ),
    (("x-square-hmacsha256-signature", "{signature}"),),
    joined("{url}{body}"),
    write=b64,
    id_in_body="6a8f5f28",
    url=URL,
)
SENDGRID = Sender(
    "sendgrid",
    P256,
    OTHER_P256,
    # SendGrid ends its bodies with a line break, which is signed.
    b'[{"email":"a@example.com","event":"delivered","sg_event_id":"ZGVs"},{"event":"open"}]\r\n',
    (
        ("x-twilio-email-event-webhook-signature", "{signature}"),
        ("x-twilio-email-event-webhook-timestamp", "{timestamp}"),
    ),
    joined("{timestamp}{body}"),
    write=b64,
    timestamp=SECONDS,
)
META = Sender(
    "meta",
    *text("meta"),
    compact({"object": "whatsapp_business_account", "entry": [{"id": "8856", "changes": [{"field": "messages"}]}]}),
    (("x-hub-signature-256", "sha256={signature}"),),
    raw_body,
)
HUBSPOT = Sender(
    "hubspot",
    *text("hubspot"),
    compact(
        [{"eventId": 100, "subscriptionId": 71, "occurredAt": 1700000000000, "subscriptionType": "contact.creation"}]
    ),
    (("x-hubspot-signature-v3", "{signature}"), ("x-hubspot-request-timestamp", "{timestamp}")),
    joined("{method}{url}{body}{timestamp}"),
    write=b64,
    timestamp=MILLISECONDS,
    id_in_body="100:71:1700000000000",
    url=URL,
)
INTERCOM = Sender(
    "intercom",
    *text("intercom"),
    compact(
        {"type": "notification_event", "id": "notif_cd1e", "topic": "user.created", "data": {"item": {"id": "55"}}}
    ),
    (("x-hub-signature", "sha1={signature}"),),
    raw_body,
    digest="sha1",
    id_in_body="notif_cd1e",
)
TYPEFORM = Sender(
    "typeform",
    *text("typeform"),
    compact({"event_id": "LtWXD3crgy", "event_type": "form_response", "form_response": {"token": "a3a12ec6"}}),
    (("typeform-signature", "sha256={signature}"),),
    raw_body,
    write=b64,
    id_in_body="LtWXD3crgy",
)
CALENDLY = Sender(
    "calendly",
    *text("calendly"),
    compact(
        {"event": "invitee.created", "created_at": "2023-11-14T22:13:20Z", "payload": {"uri": "https://a.example"}}
    ),
    (("calendly-webhook-signature", "t={timestamp},v1={signature}"),),
    joined("{timestamp}.{body}"),
    timestamp=SECONDS,
)
ZENDESK = Sender(
    "zendesk",
    *text("zendesk"),
    compact({"type": "zen:event-type:user.created", "id": "cbe4028c", "detail": {"id": "6596848315901"}}),
    (
        ("x-zendesk-webhook-invocation-id", "{id}"),
        ("x-zendesk-webhook-signature", "{signature}"),
        ("x-zendesk-webhook-signature-timestamp", "{timestamp}"),
    ),
    joined("{timestamp}{body}"),
    write=b64,
    timestamp=RFC3339,
    message_id="8350205582",
)
DOCUSIGN = Sender(
    "docusign",
    *text("docusign"),
    compact(
        {
            "event": "envelope-sent",
            "retryCount": 0,
            "generatedDateTime": "2023-11-14T22:13:20.1Z",
            "data": {"envelopeId": "4b72"},
        }
    ),
    (("x-docusign-signature-1", "{signature}"),),
    raw_body,
    write=b64,
    id_in_body="envelope-sent:4b72:2023-11-14T22:13:20.1Z",
)
VERCEL = Sender(
    "vercel",
    *text("vercel"),
    compact(
        {
            "id": "uev_1",
            "type": "deployment.created",
            "createdAt": 1700000000000,
            "payload": {"deployment": {"id": "d"}},
        }
    ),
    (("x-vercel-signature", "{signature}"),),
    raw_body,
    digest="sha1",
    id_in_body="uev_1",
)
SENTRY = Sender(
    "sentry",
    *text("sentry", length=32),
    compact({"action": "created", "data": {"issue": {"id": "1170820242"}}}),
    (
        ("request-id", "{id}"),
        ("sentry-hook-resource", "issue"),
        ("sentry-hook-timestamp", SECONDS),
        ("sentry-hook-signature", "{signature}"),
    ),
    raw_body,
    message_id="4b9f5ad9dd9d4b0a8a6b4e6a2d3b7f43",
)

# Everyone whose signature is in a header, other than the families.
SIGNED_IN_A_HEADER = (
    STRIPE,
    GITHUB,
    SHOPIFY,
    SLACK,
    PADDLE,
    LEMON_SQUEEZY,
    DISCORD,
    DISCORD_INTERACTIONS,
    WORKOS,
    LINEAR,
    PAGERDUTY,
    ZOOM,
    SQUARE,
    SENDGRID,
    META,
    HUBSPOT,
    INTERCOM,
    TYPEFORM,
    CALENDLY,
    ZENDESK,
    DOCUSIGN,
    VERCEL,
    SENTRY,
)
