"""How a provider sends: the signature it makes and where it puts it. It knows nothing of providers.json."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..signers import SIGNED_AT, b64, fixed_bytes

# Paddle allows five seconds.
NOW = SIGNED_AT + 3
URL = "https://hooks.example.com/in?tenant=7"

SECONDS = str(SIGNED_AT)
MILLISECONDS = f"{SIGNED_AT}123"
RFC3339 = "2023-11-14T22:13:20Z"

# The order of the group of P-256 (SEC 2, section 2.4.2).
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Header = tuple[str, bytes | str]


class Ed25519Pair:
    """A fixed key pair whose public half is written in hexadecimal."""

    def __init__(self, label: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(fixed_bytes(label, 32))
        self.public = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.text = self.public.hex()

    def sign(self, content: bytes) -> bytes:
        return self._key.sign(content)


class P256Pair:
    """A fixed key pair whose public half is a SubjectPublicKeyInfo in base64."""

    def __init__(self, label: str) -> None:
        self._key = ec.derive_private_key(int.from_bytes(fixed_bytes(label, 31), "big"), ec.SECP256R1())
        self.public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.text = b64(self.public)

    def sign(self, content: bytes) -> bytes:
        # RFC 6979, so that every run makes the same signature.
        return self._key.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


PAIRS = {pair.text: pair for label in ("current", "old") for pair in (Ed25519Pair(label), P256Pair(label))}


def mac(key: bytes, content: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(key, content, digest).digest()


def body_hash(body: bytes) -> str:
    """What names a message that carries no id."""
    return "sha256-" + hashlib.sha256(body).hexdigest()[:32]


@dataclass(frozen=True)
class Sender:
    """A provider, and the message that it sends in these rows."""

    provider: str
    secret: str
    other_secret: str
    body: bytes
    # The headers, with {id}, {timestamp} and {signature} in place of what changes.
    headers: tuple[tuple[str, str], ...]
    content: Callable[["Request"], bytes]
    digest: str = "sha256"
    write: Callable[[bytes], str] = bytes.hex
    key: Callable[[str], bytes] = str.encode
    timestamp: str = ""
    message_id: str = ""
    # The id as it stands in the body; absent: the header's, or the body's hash.
    id_in_body: str | None = None
    url: str | None = None
    # Puts the signature into the body, for those who send it there.
    fill: Callable[["Request", str], bytes] | None = None

    @property
    def request(self) -> "Request":
        return Request(self, self.secret, self.body, self.timestamp, self.message_id, self.url)

    @property
    def signature_header(self) -> str | None:
        return next((name for name, text in self.headers if "{signature}" in text), None)

    @property
    def timestamp_header(self) -> str | None:
        return next((name for name, text in self.headers if text == "{timestamp}"), None)

    @property
    def before_signature(self) -> str:
        """What stands before the signature in its header."""
        template = next(text for _, text in self.headers if "{signature}" in text)
        return template.partition("{signature}")[0].replace("{timestamp}", self.timestamp)


@dataclass(frozen=True)
class Request:
    """A request as a provider would sign and send it."""

    sender: Sender
    secret: str
    body: bytes
    timestamp: str
    message_id: str
    url: str | None
    method: str = "POST"

    def but(self, **changed: object) -> "Request":
        return replace(self, **changed)

    def mac(self) -> bytes:
        """The signature's bytes."""
        content = self.sender.content(self)
        if self.secret in PAIRS:
            return PAIRS[self.secret].sign(content)
        return mac(self.sender.key(self.secret), content, self.sender.digest)

    def signature(self) -> str:
        """The signature's text."""
        return self.sender.write(self.mac())

    def sent_headers(self, signature: str | None = None) -> list[Header]:
        text = self.signature() if signature is None else signature
        return [
            (name, template.format(id=self.message_id, timestamp=self.timestamp, signature=text))
            for name, template in self.sender.headers
        ]

    def sent_body(self, signature: str | None = None) -> bytes:
        if self.sender.fill is None:
            return self.body
        return self.sender.fill(self, self.signature() if signature is None else signature)

    def verified_id(self) -> str:
        if self.sender.id_in_body is not None:
            return self.sender.id_in_body
        return self.message_id or body_hash(self.sent_body())
