"""Messages signed by the official libraries of Svix and Standard Webhooks, never by our own signer."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import datetime, timezone

import standardwebhooks
import svix

SECRET = "whsec_" + base64.b64encode(b"a key that only tests may know!!").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another key that nobody uses here").decode()


def new_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


def event(event_type: str = "user.created", entity: str = "user_1", **data: object) -> str:
    body = {"data": {"id": entity, **data}, "object": "event", "type": event_type, "timestamp": 1654012591835}
    return json.dumps(body)


def signed(
    body: str | bytes,
    *,
    message_id: str | None = None,
    secret: str = SECRET,
    at: float | None = None,
    family: str = "svix",
) -> dict[str, str]:
    """The headers of a message, signed by the package of its family."""
    message_id = message_id or new_id()
    at = int(time.time() if at is None else at)
    if isinstance(body, bytes):
        signature = _by_hand(body, message_id, secret, at)
    else:
        package = svix if family == "svix" else standardwebhooks
        moment = datetime.fromtimestamp(at, tz=timezone.utc)
        signature = package.Webhook(secret).sign(message_id, moment, body)
    return {
        "content-type": "application/json",
        f"{family}-id": message_id,
        f"{family}-timestamp": str(at),
        f"{family}-signature": signature,
    }


def _by_hand(body: bytes, message_id: str, secret: str, at: int) -> str:
    """For bytes that are no text, which the official packages cannot sign."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
