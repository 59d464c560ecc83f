"""What the packages of others say to a request and to a secret: those of PyPI from here, those of npm by peers.mjs."""

import base64
import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import standardwebhooks.webhooks as standard
import stripe._webhook
import svix.webhooks
from stripe import SignatureVerificationError, WebhookSignature

HERE = Path(__file__).resolve().parent
ACCEPTS, REFUSES = "accepts", "refuses"
STANDARD_FAMILY = ("clerk", "svix", "standard-webhooks")
# Whose requests are put to which package.
PEERS = {
    "svix (PyPI)": STANDARD_FAMILY,
    "standardwebhooks (PyPI)": STANDARD_FAMILY,
    "svix (npm)": STANDARD_FAMILY,
    "standardwebhooks (npm)": STANDARD_FAMILY,
    "@clerk/backend (npm)": ("clerk",),
    "stripe (PyPI)": ("stripe",),
    "stripe (npm)": ("stripe",),
    "@octokit/webhooks-methods (npm)": ("github",),
}
PROVIDERS = tuple(dict.fromkeys(provider for providers in PEERS.values() for provider in providers))
RENAMED = {f"svix-{part}": f"webhook-{part}" for part in ("id", "timestamp", "signature")}
# By the id of the row and the name of the peer. A peer that cannot be given the row has no answer.
Answers = dict[str, dict[str, str]]


def versions() -> dict[str, str]:
    """The version of every peer."""
    npm = json.loads((HERE / "../package.json").read_text())["dependencies"]
    found = {}
    for peer in PEERS:
        package, registry = peer.split()
        found[peer] = npm[package] if registry == "(npm)" else version(package)
    return found


def answers(requests: list[dict], secrets: list[dict]) -> tuple[Answers, Answers]:
    """What every peer says to these rows of verify.json and of secrets.json."""
    task = json.dumps({"peers": PEERS, "requests": requests, "secrets": secrets})
    node = subprocess.run(["node", "peers.mjs"], cwd=HERE, check=True, input=task, stdout=subprocess.PIPE, text=True)
    of_npm = json.loads(node.stdout)
    return (
        {row["id"]: _of_pypi(row, VERIFY) | of_npm["requests"][row["id"]] for row in requests},
        {row["id"]: _of_pypi(row, BUILD) | of_npm["secrets"][row["id"]] for row in secrets},
    )


def _of_pypi(row: dict, asked: dict[str, Callable[[dict], str]]) -> dict[str, str]:
    return {peer: ask(row) for peer, ask in asked.items() if row["provider"] in PEERS[peer]}


class Clock(datetime):
    """The clock of the libraries."""

    seconds = 0

    @classmethod
    def now(cls, tz: timezone | None = None) -> datetime:
        return datetime.fromtimestamp(cls.seconds, tz=tz)


standard.datetime = Clock
stripe._webhook.time = SimpleNamespace(time=lambda: Clock.seconds)


def _answer(act: Callable[[], object]) -> str:
    try:
        act()
    except (standard.WebhookVerificationError, SignatureVerificationError):
        return REFUSES
    except Exception as error:  # whatever it raises is the finding
        return f"raises {type(error).__name__}"
    return ACCEPTS


def _verify(row: dict, headers: dict[str, str], verify: Callable[[bytes, dict[str, str], str], object]) -> str:
    """One secret after the other: accepted if one accepts, otherwise the answer of the last."""
    Clock.seconds = row["now"]
    body = base64.b64decode(row["body"])
    said = [_answer(lambda secret=secret: verify(body, headers, secret)) for secret in row["secrets"]]
    return ACCEPTS if ACCEPTS in said else said[-1]


def _headers(row: dict) -> dict[str, str]:
    """The first of each name."""
    headers: dict[str, str] = {}
    for name, value in row["headers"]:
        text = value if isinstance(value, str) else base64.b64decode(value["base64"]).decode("latin-1")
        headers.setdefault(name.lower(), text)
    return headers


def _own_names(headers: dict[str, str]) -> dict[str, str]:
    """For a library that knows `webhook-*` only: requests with none of these names are given to it under them."""
    if any(name in headers for name in RENAMED.values()):
        return headers
    return {RENAMED.get(name, name): value for name, value in headers.items()}


def _by_svix(body: bytes, headers: dict[str, str], secret: str) -> None:
    svix.webhooks.Webhook(secret).verify(body, headers)


def _by_standard_webhooks(body: bytes, headers: dict[str, str], secret: str) -> None:
    standard.Webhook(secret).verify(body, headers, json_parse=False)


def _by_stripe(body: bytes, headers: dict[str, str], secret: str) -> None:
    WebhookSignature.verify_header(body, headers.get("stripe-signature"), secret, 300)


def _round_trip_of_stripe(secret: str) -> None:
    signed = WebhookSignature.generate_signature_header("{}", secret, Clock.seconds)
    WebhookSignature.verify_header("{}", signed, secret, 300)


VERIFY: dict[str, Callable[[dict], str]] = {
    "svix (PyPI)": lambda row: _verify(row, _headers(row), _by_svix),
    "standardwebhooks (PyPI)": lambda row: _verify(row, _own_names(_headers(row)), _by_standard_webhooks),
    "stripe (PyPI)": lambda row: _verify(row, _headers(row), _by_stripe),
}
BUILD: dict[str, Callable[[dict], str]] = {
    "svix (PyPI)": lambda row: _answer(lambda: svix.webhooks.Webhook(row["secret"])),
    "standardwebhooks (PyPI)": lambda row: _answer(lambda: standard.Webhook(row["secret"])),
    "stripe (PyPI)": lambda row: _answer(lambda: _round_trip_of_stripe(row["secret"])),
}
