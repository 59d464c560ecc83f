"""Why packages take another secret than Surehook does, or refuse one that it takes."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import facts
from .explanations import NPM, OCTOKIT, STANDARD, STRIPE

SHORTEST, LONGEST_TEXT = 16, 1024


@dataclass(frozen=True)
class SecretExplanation:
    """The secrets that `peers` take and we do not, or the other way round."""

    name: str
    words: str
    peers: tuple[str, ...]
    # Whether Surehook takes it.
    usable: bool
    # Given the text without the spelling of its kind.
    when: Callable[[str], bool]

    def covers(self, peer: str, usable: bool, secret: str) -> bool:
        return peer in self.peers and usable == self.usable and self.when(secret)


def _value(secret: str) -> bytes:
    return secret.removeprefix("whsec_").encode()


def _is_short_key(secret: str) -> bool:
    return facts.is_base64(_value(secret)) and len(base64.b64decode(_value(secret))) < SHORTEST


SECRETS = (
    SecretExplanation(
        "public-key-as-secret",
        "Correct keys of `v1a`, which the npm packages cannot decode (see `public-key`).",
        NPM,
        True,
        lambda secret: secret.startswith("whpk_"),
    ),
    SecretExplanation(
        "url-safe-key",
        "The alphabet of URLs, where the text can be nothing else: the same key. These packages raise an exception for it.",
        STANDARD,
        True,
        lambda secret: bool(re.fullmatch(rb"[A-Za-z0-9_-]+={0,2}", _value(secret))),
    ),
    SecretExplanation(
        "cut-secret",
        "Stripe makes its secrets itself, and none is that short: it was cut. The packages take any text.",
        STRIPE,
        False,
        lambda secret: len(secret.encode()) < SHORTEST,
    ),
    SecretExplanation(
        "secret-without-end",
        "More text than any secret has: a file or a certificate.",
        (*STANDARD, *OCTOKIT),
        False,
        lambda secret: len(secret) > LONGEST_TEXT,
    ),
    SecretExplanation(
        "short-key",
        "Less than 16 bytes, or none at all (the npm `svix`): such a key can be guessed, so anybody can sign.",
        STANDARD,
        False,
        _is_short_key,
    ),
    SecretExplanation(
        "loose-base64",
        "Text that is no strict base64: with space, quotes or foreign characters, or something else altogether (a URL, "
        "a JWT, `whsk_`, a broken `whpk_`, an unset variable). They leave out what they cannot read "
        "and go on with a key that the sender does not have, so every message is refused, "
        "and the set-up said nothing.",
        STANDARD,
        False,
        lambda secret: not facts.is_base64(_value(secret)),
    ),
    SecretExplanation(
        "any-text-is-a-key",
        "GitHub's secrets are text, and this package takes any but the empty one: one of a few characters, one "
        "with the space or the quotes that stood around it, a placeholder, an address.",
        OCTOKIT,
        False,
        lambda secret: len(secret.encode()) < SHORTEST or bool(re.search(r"^[\s\"'$]|\s$|\{\{|://", secret)),
    ),
)


def explain_secret(peer: str, usable: bool, secret: str) -> SecretExplanation | None:
    """The first explanation that covers the disagreement."""
    return next((one for one in SECRETS if one.covers(peer, usable, secret)), None)
