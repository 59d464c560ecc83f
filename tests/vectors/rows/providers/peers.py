"""The packages of others that must accept the good messages: each provider's own where there is one."""

import base64
import io
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from unittest import mock
from urllib.parse import parse_qsl

import Adyen.util
import discord_interactions
import gidgetlab.sansio
import hubspot.utils.signature
import mailgun.security
import openai
import paddle_billing.Notifications as paddle
import polar.webhooks
import resend
import slack_sdk.signature
import standardwebhooks.webhooks
import stripe
import svix.webhooks
import twilio.request_validator
import workos.webhooks._verification
from sendgrid.helpers.eventwebhook import EventWebhook
from square.utils.webhooks_helper import verify_signature


@dataclass(frozen=True)
class Received:
    """A row as a receiver sees it."""

    headers: dict[str, str]
    body: bytes
    secret: str
    url: str | None
    method: str
    now: int

    @property
    def text(self) -> str:
        return self.body.decode()


def received(row: dict) -> list[Received]:
    """The request, once for each secret of the endpoint."""
    headers = {name.lower(): value for name, value in row["headers"]}
    body = base64.b64decode(row["body"])
    url, method = row.get("url"), row.get("method", "POST")
    return [Received(headers, body, secret, url, method, row["now"]) for secret in row["secrets"]]


class Clock(datetime):
    """The clock of those who ask `datetime` for the time."""

    @classmethod
    def now(cls, tz: timezone | None = None) -> datetime:
        return datetime.fromtimestamp(time.time(), tz=tz)


class Values(dict):
    """A form as web frameworks show it: several values under one name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def by_clerk(it: Received) -> bool:
    svix.webhooks.Webhook(it.secret).verify(it.body, it.headers)
    return True


def by_standard_webhooks(it: Received) -> bool:
    secret = it.secret.removeprefix("v1,")
    standardwebhooks.webhooks.Webhook(secret).verify(it.body, it.headers)
    return True


def by_resend(it: Received) -> bool:
    names = ("id", "timestamp", "signature")
    headers = {name: it.headers[f"svix-{name}"] for name in names}
    resend.Webhooks.verify({"payload": it.text, "headers": headers, "webhook_secret": it.secret})
    return True


def by_openai(it: Received) -> bool:
    openai.OpenAI(api_key="-").webhooks.verify_signature(it.text, it.headers, secret=it.secret)
    return True


def by_polar(it: Received) -> bool:
    kind = json.loads(it.body)["type"]
    polar.webhooks.validate_event(it.body, it.headers, it.secret, frozenset([kind]), lambda event: event)
    return True


def by_stripe(it: Received) -> bool:
    return stripe.WebhookSignature.verify_header(it.body, it.headers["stripe-signature"], it.secret, 300)


def by_slack(it: Received) -> bool:
    return slack_sdk.signature.SignatureVerifier(it.secret).is_valid_request(it.body, it.headers)


@dataclass
class PaddleRequest:
    headers: dict[str, str]
    body: bytes


def by_paddle(it: Received) -> bool:
    request = PaddleRequest({"Paddle-Signature": it.headers["paddle-signature"]}, it.body)
    return paddle.Verifier().verify(request, paddle.Secret(it.secret))


def by_twilio(it: Received) -> bool:
    if it.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        parameters: str | Values = Values()
        for name, value in parse_qsl(it.text, keep_blank_values=True):
            parameters.setdefault(name, []).append(value)
    else:
        parameters = it.text or Values()
    validator = twilio.request_validator.RequestValidator(it.secret)
    return validator.validate(it.url, parameters, it.headers["x-twilio-signature"])


def by_discord(it: Received) -> bool:
    signature, timestamp = it.headers["x-signature-ed25519"], it.headers["x-signature-timestamp"]
    return discord_interactions.verify_key(it.body, signature, timestamp, it.secret)


def by_workos(it: Received) -> bool:
    workos.webhooks._verification.verify_header(
        event_body=it.body, event_signature=it.headers["workos-signature"], secret=it.secret
    )
    return True


def by_square(it: Received) -> bool:
    return verify_signature(
        request_body=it.text,
        signature_header=it.headers["x-square-hmacsha256-signature"],
        signature_key=it.secret,
        notification_url=it.url,
    )


def by_sendgrid(it: Received) -> bool:
    signature = it.headers["x-twilio-email-event-webhook-signature"]
    timestamp = it.headers["x-twilio-email-event-webhook-timestamp"]
    return EventWebhook(it.secret).verify_signature(it.text, signature, timestamp)


def by_hubspot(it: Received) -> bool:
    return hubspot.utils.signature.Signature.is_valid(
        it.headers["x-hubspot-signature-v3"],
        it.secret,
        it.text,
        it.url,
        it.method,
        "v3",
        it.headers["x-hubspot-request-timestamp"],
    )


def by_gitlab(it: Received) -> bool:
    gidgetlab.sansio.Event.from_http({**it.headers, "content-type": "application/json"}, it.body, secret=it.secret)
    return True


def by_mailgun(it: Received) -> bool:
    signature = json.loads(it.body)["signature"]
    return mailgun.security.SecurityGuard.verify_webhook(
        it.secret, signature["token"], signature["timestamp"], signature["signature"]
    )


def by_adyen(it: Received) -> bool:
    return Adyen.util.is_valid_hmac_notification(json.loads(it.body), it.secret)


@dataclass(frozen=True)
class Peer:
    """A package that can verify; `accepts` is `None` for those of npm, which peers.mjs runs."""

    package: str
    accepts: Callable[[Received], bool] | None = None


PEERS: dict[str, tuple[Peer, ...]] = {
    "clerk": (Peer("svix", by_clerk), Peer("svix")),
    "svix": (Peer("svix", by_clerk), Peer("svix")),
    "standard-webhooks": (Peer("standardwebhooks", by_standard_webhooks), Peer("standardwebhooks")),
    "resend": (Peer("resend", by_resend),),
    "openai": (Peer("openai", by_openai),),
    "replicate": (Peer("replicate"),),
    "supabase": (Peer("standardwebhooks", by_standard_webhooks),),
    "polar": (Peer("polar-sdk", by_polar),),
    "stripe": (Peer("stripe", by_stripe),),
    "github": (Peer("@octokit/webhooks-methods"),),
    "shopify": (Peer("@shopify/shopify-api"),),
    "slack": (Peer("slack_sdk", by_slack),),
    "paddle": (Peer("paddle-python-sdk", by_paddle),),
    "twilio": (Peer("twilio", by_twilio),),
    "discord": (Peer("discord-interactions", by_discord), Peer("discord-interactions")),
    "discord-interactions": (Peer("discord-interactions", by_discord), Peer("discord-interactions")),
    "workos": (Peer("workos", by_workos),),
    "linear": (Peer("@linear/sdk"),),
    "zoom": (Peer("@zoom/rivet"),),
    "square": (Peer("squareup", by_square),),
    "sendgrid": (Peer("sendgrid", by_sendgrid),),
    "meta": (Peer("@great-detail/whatsapp"), Peer("x-hub-signature")),
    "hubspot": (Peer("hubspot-api-client", by_hubspot),),
    "intercom": (Peer("x-hub-signature"),),
    "gitlab": (Peer("gidgetlab", by_gitlab),),
    "mailgun": (Peer("mailgun", by_mailgun),),
    "adyen": (Peer("Adyen", by_adyen),),
}


def labels(provider: str, npm: dict[str, str]) -> list[str]:
    """The packages that check a provider, as `checked_with` names them; `npm` holds the pinned versions."""
    return [
        f"{peer.package} (npm) {npm[peer.package]}"
        if peer.accepts is None
        else f"{peer.package} (PyPI) {version(peer.package)}"
        for peer in PEERS.get(provider, ())
    ]


def accepted(peer: Peer, row: dict) -> bool:
    """Whether a package of PyPI accepts the row with one of its secrets. What it raises is a refusal."""
    with ExitStack() as clock, redirect_stdout(io.StringIO()):
        for target in ("time.time", "paddle_billing.Notifications.Verifier.time", "slack_sdk.signature.time"):
            clock.enter_context(mock.patch(target, lambda: float(row["now"])))
        for target in ("hubspot.utils.signature", "svix.webhooks", "standardwebhooks.webhooks"):
            clock.enter_context(mock.patch(f"{target}.datetime", Clock))
        return any(_verdict(peer, request) for request in received(row))


def _verdict(peer: Peer, request: Received) -> bool:
    try:
        return peer.accepts(request) is True
    except Exception:  # whatever a package raises
        return False


# Paddle's library skips its own check when it thinks it is being tested.
os.environ.pop("TEST_MODE", None)
