"""Random requests: signed with `hmac` as they are sent, odd in up to three ways, and some changed after signing."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from . import oddities
from .oddities import Headers
from .peers import PROVIDERS

EARLIEST = 1_700_000_000
# What may be odd.
SUBJECTS = ("body", "id", "timestamp", "signature", "headers", "change")


@dataclass
class Message:
    """What a sender signs."""

    body: bytes
    message_id: bytes
    timestamp: bytes


@dataclass(frozen=True)
class Sender:
    """How a provider makes its secrets and sends what it signed."""

    secret: Callable[[Random], str]
    # The value of its signature header, made with a secret.
    signature: Callable[[Message, str], bytes]
    send: Callable[[Message, bytes], Headers]
    # Another value, from the right one and one of another secret.
    odd_signature: Callable[[Random, bytes, bytes], bytes]


def requests(seed: int, count: int) -> Iterator[dict]:
    """`count` rows of the form of verify.json for every provider; what they must give is not known."""
    for provider in PROVIDERS:
        for number in range(count):
            row_id = f"random-{provider}-{seed}-{number}"
            yield _request(row_id, provider, Random(row_id))


def _request(row_id: str, provider: str, random: Random) -> dict:
    sender = SENDERS[provider]
    odd = random.sample(SUBJECTS, random.choice((0, 1, 1, 1, 2, 3)))
    now = EARLIEST + random.randrange(100_000_000)
    message = Message(
        body=json.dumps({"type": "user.created", "data": {"id": random.randbytes(6).hex()}}).encode(),
        message_id=b"msg_" + random.randbytes(8).hex().encode(),
        timestamp=str(now - random.randrange(-60, 200)).encode(),
    )
    if "body" in odd:
        message.body = oddities.body(random)
    if "id" in odd:
        message.message_id = oddities.message_id(random)
    if "timestamp" in odd:
        message.timestamp = oddities.timestamp(random, now)
    secret = sender.secret(random)
    signature = sender.signature(message, secret)
    if "signature" in odd:
        wrong = sender.signature(message, sender.secret(random))
        signature = sender.odd_signature(random, signature, wrong)
    headers, body = sender.send(message, signature), message.body
    if "headers" in odd:
        headers = oddities.headers(random, headers)
    if "change" in odd:
        headers, body = oddities.change(random, headers, body)
    return {
        "id": row_id,
        "comment": "odd: " + (", ".join(odd) or "nothing"),
        "flags": [],
        "provider": provider,
        "secrets": [secret],
        "headers": [[name, _value(value)] for name, value in headers],
        "body": base64.b64encode(body).decode(),
        "now": now,
        "options": {},
        "expect": None,
    }


def _value(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)


def _whsec(random: Random) -> str:
    return "whsec_" + base64.b64encode(random.randbytes(random.choice((24, 32, 64)))).decode()


def _sign_standard(message: Message, secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return b"v1," + base64.b64encode(_mac(key, b".".join((message.message_id, message.timestamp, message.body))))


def _standard(names: str) -> Sender:
    def send(message: Message, signature: bytes) -> Headers:
        return [
            (f"{names}-id", message.message_id),
            (f"{names}-timestamp", message.timestamp),
            (f"{names}-signature", signature),
        ]

    return Sender(_whsec, _sign_standard, send, oddities.standard_signature)


def _sign_stripe(message: Message, secret: str) -> bytes:
    signature = _mac(secret.encode(), message.timestamp + b"." + message.body).hex()
    return b"t=" + message.timestamp + b",v1=" + signature.encode()


def _sign_github(message: Message, secret: str) -> bytes:
    return b"sha256=" + _mac(secret.encode(), message.body).hex().encode()


def _send_github(message: Message, signature: bytes) -> Headers:
    names = ("x-github-delivery", "x-github-event", "x-hub-signature-256")
    return list(zip(names, (message.message_id, b"push", signature), strict=True))


SENDERS = {
    "clerk": _standard("svix"),
    "svix": _standard("svix"),
    "standard-webhooks": _standard("webhook"),
    "stripe": Sender(
        lambda random: "whsec_" + random.randbytes(16).hex(),
        _sign_stripe,
        lambda _, signature: [("stripe-signature", signature)],
        oddities.stripe_signature,
    ),
    "github": Sender(lambda random: random.randbytes(16).hex(), _sign_github, _send_github, oddities.github_signature),
}
