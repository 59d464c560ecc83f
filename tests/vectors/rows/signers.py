"""Fixed keys and times, and the independent signers: svix, standardwebhooks, the standard library, cryptography."""

import base64
import hashlib
import hmac
from datetime import datetime, timezone

import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MESSAGE_ID = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj"
SIGNED_AT = 1_700_000_000
NOW = SIGNED_AT + 12
BODY = (
    b'{"data":{"first_name":"Zo\xc3\xab","id":"user_29w83sxmDNGwOuEthce5gg56FcC","last_name":null},'
    b'"instance_id":"ins_123","object":"event","timestamp":1700000000000,"type":"user.created"}'
)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def fixed_bytes(label: str, length: int) -> bytes:
    """Bytes that look random and are the same in every run."""
    return hashlib.shake_256(label.encode()).digest(length)


def whsec(label: str, length: int = 24) -> str:
    return "whsec_" + b64(fixed_bytes(label, length))


SECRET = whsec("current")
OLD_SECRET = whsec("old")
THIRD_SECRET = whsec("third", 32)


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def content(message_id: bytes | str, timestamp: bytes | str | int, body: bytes) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in (message_id, timestamp)]
    return b".".join([*parts, body])


def mac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def v1(
    secret: str = SECRET,
    message_id: bytes | str = MESSAGE_ID,
    timestamp: bytes | str | int = SIGNED_AT,
    body: bytes = BODY,
) -> str:
    """The `v1` entry of a message. Where the peers can sign it, all three signers must agree on it."""
    entry = "v1," + b64(mac(key_of(secret), content(message_id, timestamp, body)))
    if isinstance(message_id, str) and isinstance(timestamp, int) and _is_utf8(body):
        when = datetime.fromtimestamp(timestamp, tz=timezone.utc)
        for peer in (svix.webhooks.Webhook(secret), standardwebhooks.Webhook(secret)):
            assert peer.sign(message_id, when, body.decode()) == entry, (peer, message_id)
    return entry


def v1_bytes(**changed: object) -> bytes:
    """The MAC inside of a `v1` entry."""
    return base64.b64decode(v1(**changed).removeprefix("v1,"))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


class Ed25519Key:
    """A fixed Ed25519 key pair of the `v1a` scheme."""

    def __init__(self, label: str) -> None:
        self.seed = fixed_bytes(label, 32)
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def whpk(self) -> str:
        return "whpk_" + b64(self.public)

    @property
    def whsk(self) -> str:
        return "whsk_" + b64(self.seed)

    def sign(self, message_id: str = MESSAGE_ID, timestamp: int = SIGNED_AT, body: bytes = BODY) -> bytes:
        return self._key.sign(content(message_id, timestamp, body))

    def v1a(self, **changed: object) -> str:
        return "v1a," + b64(self.sign(**changed))


ED25519 = Ed25519Key("ed25519 current")
OTHER_ED25519 = Ed25519Key("ed25519 other")
