"""Who signs the messages of diagnosis.json: one sender of the Svix family, two whose key is the secret's text."""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from ..signers import OLD_SECRET, SECRET, SIGNED_AT, fixed_bytes, v1
from ..table import headers

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Sender:
    """A provider, a secret of ours there, and what it sends with a body signed with any secret of its kind."""

    provider: str
    secret: str
    other_secret: str
    send: Callable[..., Headers]


def of_key(key: bytes | str) -> str:
    """The secret of the Svix family whose key is `key`, so that the libraries can sign with it."""
    key = key.encode() if isinstance(key, str) else key
    return "whsec_" + base64.b64encode(key).decode()


def hex_mac(key: bytes | str, signed: bytes) -> str:
    key = key.encode() if isinstance(key, str) else key
    return hmac.new(key, signed, "sha256").hexdigest()


def clerk_headers(secret: str, body: bytes, timestamp: int = SIGNED_AT) -> Headers:
    return headers(timestamp=timestamp, signature=v1(secret, timestamp=timestamp, body=body))


def github_headers(key: bytes | str, body: bytes) -> Headers:
    return [("x-github-event", "push"), ("x-hub-signature-256", f"sha256={hex_mac(key, body)}")]


def stripe_headers(key: bytes | str, body: bytes, timestamp: int | str = SIGNED_AT) -> Headers:
    signed = f"{timestamp}.".encode() + body
    return [("stripe-signature", f"t={timestamp},v1={hex_mac(key, signed)}")]


CLERK = Sender("clerk", SECRET, OLD_SECRET, clerk_headers)
GITHUB = Sender("github", fixed_bytes("github", 20).hex(), fixed_bytes("github other", 20).hex(), github_headers)
STRIPE = Sender(
    "stripe",
    "whsec_" + fixed_bytes("stripe", 16).hex(),
    "whsec_" + fixed_bytes("stripe other", 16).hex(),
    stripe_headers,
)
SENDERS = (CLERK, GITHUB, STRIPE)
