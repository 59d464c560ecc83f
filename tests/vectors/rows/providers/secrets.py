"""Secrets of the providers, by the kind of key that they are read as."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..secrets import INVALID, OK, WARNING
from ..signers import b64, fixed_bytes, whsec
from .in_body import ADYEN, MAILGUN
from .messages import FAMILIES, SIGNED_IN_A_HEADER
from .senders import Ed25519Pair, P256Pair
from .tokens import GITLAB

HEX = fixed_bytes("hexadecimal", 32).hex()
TEXT = fixed_bytes("text", 16).hex()
#: Where the user chooses the secret, odd ones are taken.
CHOSEN = {"github", "gitlab", "polar"}


class Secrets:
    """Collects the rows of one provider."""

    def __init__(self, collected: list[dict], provider: str) -> None:
        self.collected, self.provider = collected, provider

    def add(self, kind: str, comment: str, flags: str, secret: str, expect: str, says: str | None = None) -> None:
        row = {
            "id": f"{self.provider}-{kind}",
            "comment": comment,
            "flags": flags.split(),
            "provider": self.provider,
            "secret": secret,
            "expect": expect,
        }
        if says is not None:
            row["says"] = says
        self.collected.append(row)


def rows() -> list[dict]:
    collected: list[dict] = []
    _of_every_provider(collected)
    _stray(collected)
    _text(Secrets(collected, "github"))
    _hexadecimal(Secrets(collected, "adyen"))
    _ed25519(Secrets(collected, "discord"))
    _p256(Secrets(collected, "sendgrid"))
    _token(Secrets(collected, "gitlab"))
    _supabase(Secrets(collected, "supabase"))
    _polar(Secrets(collected, "polar"))
    _chosen(collected)
    return collected


def _of_every_provider(collected: list[dict]) -> None:
    for sender in (*FAMILIES, *SIGNED_IN_A_HEADER, MAILGUN, ADYEN, GITLAB):
        secrets = Secrets(collected, sender.provider)
        # Zoom's tokens have 22 characters.
        expect = WARNING if sender.provider == "zoom" else OK
        secrets.add("as-shown", "As the provider shows it.", "strong", sender.secret, expect)
        secrets.add("unset", "An unset variable.", "length", "", INVALID, "empty")


def _stray(collected: list[dict]) -> None:
    """What is pasted with a secret, once for each kind of key."""
    kinds = {"github": TEXT, "adyen": HEX, "discord": Ed25519Pair("current").text, "sendgrid": P256Pair("current").text}
    kinds |= {"gitlab": TEXT, "polar": "polar_whs_" + TEXT}
    for provider, secret in kinds.items():
        secrets = Secrets(collected, provider)
        stray = {
            "newline-after": (secret + "\n", "whitespace"),
            "space-before": (" " + secret, "whitespace"),
            "only-spaces": (" " * 32, "whitespace"),
            "in-quotes": (f'"{secret}"', "quotes"),
            "in-single-quotes": (f"'{secret}'", "quotes"),
        }
        for kind, (text, says) in stray.items():
            secrets.add(kind, "Pasted with what stood around it.", "stray_text", text, INVALID, says)
        other = {
            "shell-variable": ("${WEBHOOK_SECRET_OF_PRODUCTION}", "placeholder"),
            "template-variable": ("{{ webhook_secret_of_production }}", "placeholder"),
            "address": ("https://app.example.com/api/webhooks/in", "URL"),
        }
        for kind, (text, says) in other.items():
            if provider in CHOSEN:
                secrets.add(kind, "It may be what the user chose.", "other_credential", text, WARNING)
            else:
                secrets.add(kind, "Something else pasted by mistake.", "other_credential", text, INVALID, says)


def _text(secrets: Secrets) -> None:
    secrets.add("sentence", "GitHub's own example: any text is a key.", "strong", "It's a Secret to Everybody", OK)
    secrets.add("umlauts", "The bytes of its UTF-8 are the key.", "strong", "Gr\xfc\xdfe aus M\xfcnchen, geheim", OK)
    secrets.add("24-bytes", "Long enough.", "strong length", TEXT[:24], OK)
    for length in (16, 23):
        secrets.add(f"{length}-bytes", "Works, but short.", "length", TEXT[:length], WARNING)
    for length in (1, 8, 15):
        secrets.add(f"{length}-bytes", "Short, and the user's choice.", "length", TEXT[:length], WARNING)
    secrets.add("15-bytes-in-8-characters", "Bytes count, not characters.", "length", "\xfc" * 7 + "a", WARNING)
    odd = {"dollar": "$" + TEXT, "sk-live": "sk_live_" + TEXT, "quote-inside": TEXT[:12] + "'" + TEXT[12:]}
    odd |= {"quote-at-its-end": TEXT + "'", "escape-at-its-end": TEXT + "\\n", "jwt": f"eyJ{TEXT}.{TEXT}"}
    for kind, text in odd.items():
        expect = OK if kind == "quote-inside" else WARNING
        secrets.add(kind, "Odd, and the user's choice.", "other_credential", text, expect)
    secrets.add("huge", "A file instead of a secret.", "length", "ab" * 2048, INVALID)


def _hexadecimal(secrets: Secrets) -> None:
    secrets.add("lower-case", "In either case.", "strong", HEX, OK)
    secrets.add("upper-case", "In either case.", "strong", HEX.upper(), OK)
    secrets.add("16-bytes", "Works, but short.", "length", HEX[:32], WARNING)
    secrets.add("15-bytes", "Can be guessed, or was cut.", "length", HEX[:30], INVALID)
    wrong = {
        "odd-number-of-digits": HEX[:-1],
        "foreign-digit": HEX[:-1] + "g",
        "0x-before": "0x" + HEX,
        "space-inside": HEX[:32] + " " + HEX[32:],
        "colons": ":".join(HEX[i : i + 2] for i in range(0, len(HEX), 2)),
        "in-base64": b64(bytes.fromhex(HEX)),
        "full-width-digits": "\uff11\uff12\uff13\uff14" * 16,
        "umlaut": HEX[:-1] + "\xe4",
    }
    for kind, secret in wrong.items():
        secrets.add(kind, "The key is read as hexadecimal.", "hexadecimal", secret, INVALID)


def _ed25519(secrets: Secrets) -> None:
    key = Ed25519Pair("current").public
    secrets.add("upper-case", "In either case.", "strong public_key", key.hex().upper(), OK)
    lengths = {"31-bytes": key[:31], "33-bytes": key + b"\0", "64-bytes": key + key, "one-byte": key[:1]}
    for kind, data in lengths.items():
        secrets.add(kind, "A public key has 32 bytes.", "public_key length", data.hex(), INVALID)
    no_point = (2).to_bytes(32, "little")
    small = {
        "order-1": (1).to_bytes(32, "little"),
        "order-2": (2**255 - 20).to_bytes(32, "little"),
        "order-4": bytes(32),
        "order-8": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    }
    secrets.add("not-a-point", "No point of the curve has this y.", "public_key", no_point.hex(), INVALID)
    for kind, data in small.items():
        secrets.add(
            kind,
            "A point of small order: signatures under it can be made by anybody.",
            "public_key",
            data.hex(),
            INVALID,
        )
    good = {
        "in-base64": b64(key),
        "in-base64-without-padding": b64(key).rstrip("="),
        "in-url-safe-base64": base64.urlsafe_b64encode(key).decode(),
    }
    for kind, secret in good.items():
        secrets.add(kind, "Its length tells that it is base64.", "public_key base64 strong", secret, OK)
    wrong = {
        "in-base64-cut": b64(key[:31]),
        "whpk": "whpk_" + b64(key),
        "odd-number-of-digits": key.hex()[:-1],
        "foreign-digit": "z" + key.hex()[1:],
        "application-id": "1234567890123456789",
    }
    for kind, secret in wrong.items():
        secrets.add(kind, "The key is read as hexadecimal.", "public_key hexadecimal", secret, INVALID)


def _p256(secrets: Secrets) -> None:
    key = P256Pair("current").public
    text = b64(key)
    pem = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"
    off_curve = key[:-1] + bytes([key[-1] ^ 1])
    wrong = {
        "in-pem": (pem, "Only the base64 of its inside is the key."),
        "cut": (b64(key[:-1]), "One byte is missing."),
        "one-byte-more": (b64(key + b"\0"), "One byte too many."),
        "point-alone": (b64(key[-65:]), "The point without its SubjectPublicKeyInfo."),
        "off-the-curve": (b64(off_curve), "No point of the curve."),
        "p-384": (_spki(ec.derive_private_key(7, ec.SECP384R1())), "Another curve."),
        "secp256k1": (_spki(ec.derive_private_key(7, ec.SECP256K1())), "Another curve."),
        "ed25519": (_spki(Ed25519PrivateKey.from_private_bytes(fixed_bytes("spki", 32))), "Another algorithm."),
        "private-key": (_private(), "The private key: a receiver must not have it."),
        "in-hexadecimal": (key.hex(), "Another encoding."),
        "nonsense": (b64(fixed_bytes("nonsense", 91)), "No DER at all."),
    }
    for kind, (secret, comment) in wrong.items():
        secrets.add(kind, comment, "public_key", secret, INVALID)
    encodings = {
        "missing-padding": text.rstrip("="),
        "excess-padding": text + "=",
        "foreign-character": text[:20] + "*" + text[20:],
        "line-breaks": text[:64] + "\n" + text[64:],
        "url-safe-alphabet": base64.urlsafe_b64encode(key).decode(),
    }
    for kind, secret in encodings.items():
        if secret != text:
            secrets.add(kind, "Strict base64.", "public_key base64", secret, INVALID)


def _spki(private_key) -> str:
    der = private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b64(der)


def _private() -> str:
    key = ec.derive_private_key(7, ec.SECP256R1())
    plain = serialization.NoEncryption()
    return b64(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain))


def _token(secrets: Secrets) -> None:
    secrets.add("15-bytes", "Short, and the user's choice.", "length", TEXT[:15], WARNING)
    secrets.add("16-bytes", "Works, but short.", "length", TEXT[:16], WARNING)


def _chosen(collected: list[dict]) -> None:
    for provider in ("lemon-squeezy", "typeform", "calendly"):
        Secrets(collected, provider).add("8-characters", "The user's choice.", "length", TEXT[:8], WARNING)
    for provider in ("slack", "stripe", "shopify"):
        Secrets(collected, provider).add("8-characters", "It was cut.", "length", TEXT[:8], INVALID)


def _supabase(secrets: Secrets) -> None:
    secret = whsec("supabase", 48)
    secrets.add("without-version", "Without `v1,` it is the same secret.", "strong", secret, OK)
    secrets.add("without-prefixes", "The base64 alone.", "strong", secret.removeprefix("whsec_"), OK)
    wrong = {
        "other-version": "v2," + secret,
        "version-twice": "v1,v1," + secret,
        "version-after-prefix": "whsec_v1," + secret.removeprefix("whsec_"),
        "two-joined-by-a-bar": f"v1,{secret}|v1,{whsec('other', 48)}",
        "version-alone": "v1,",
        "private": "v1a," + "whsk_" + b64(fixed_bytes("private", 32)),
    }
    for kind, text in wrong.items():
        secrets.add(kind, "One secret: `v1,whsec_` and base64.", "base64", text, INVALID)


def _polar(secrets: Secrets) -> None:
    secrets.add("whsec", "As newer secrets are written.", "strong", whsec("polar new", 32), OK)
    secrets.add("chosen", "A text that a user chose.", "strong", "correct horse battery staple", OK)
    secrets.add("16-bytes", "Works, but short.", "length", TEXT[:16], WARNING)
    secrets.add("15-bytes", "Short, and the user's choice.", "length", TEXT[:15], WARNING)
