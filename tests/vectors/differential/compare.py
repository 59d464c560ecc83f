"""Puts requests and secrets to Surehook and to its peers, and finds the explanation of every difference."""

import json
import subprocess
from dataclasses import dataclass, field

from . import peers
from .explanations import OK, Explanation, explain
from .facts import Facts
from .peers import ACCEPTS, REFUSES
from .secret_explanations import SecretExplanation, explain_secret

ROOT = peers.HERE / "../../.."
# Where all peers are wrong together, nothing differs but from what contracts.md asks for. No explanation covers that.
CONTRACT = "the contract"
VERIFY_LINES = ("cargo", "run", "--quiet", "--package", "surehook-core", "--example", "verify_lines")


@dataclass(frozen=True)
class Disagreement:
    """A row on which a peer answers otherwise, and why; with no explanation it is a fault of ours, or news."""

    row: dict
    peer: str
    ours: str
    theirs: str
    because: Explanation | SecretExplanation | None


@dataclass
class Comparison:
    """What was found among all the answers that were compared."""

    answers: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)

    def add(
        self, row: dict, peer: str, ours: str, theirs: str, because: Explanation | SecretExplanation | None
    ) -> None:
        self.disagreements.append(Disagreement(row, peer, ours, theirs, because))


def compare_requests(rows: list[dict], answers: peers.Answers) -> Comparison:
    """Compares the verdicts of requests."""
    found = Comparison()
    for row, ours in zip(rows, surehook(rows), strict=True):
        request = Facts(row)
        if not request.has_a_public_key and request.must_be_accepted != (ours in OK):
            found.add(row, CONTRACT, ours, ACCEPTS if request.must_be_accepted else REFUSES, None)
        for peer, theirs in answers[row["id"]].items():
            found.answers += 1
            if theirs != (ACCEPTS if ours in OK else REFUSES):
                found.add(row, peer, ours, theirs, explain(peer, ours, theirs, request))
    return found


def compare_secrets(rows: list[dict], answers: peers.Answers) -> Comparison:
    """Compares what becomes of secrets, not how a peer refuses one. Ours is held by `core/tests/vectors.rs`."""
    found = Comparison()
    for row in rows:
        usable = row["expect"] != "secret_invalid"
        for peer, theirs in answers[row["id"]].items():
            found.answers += 1
            if usable != (theirs == ACCEPTS):
                found.add(row, peer, row["expect"], theirs, explain_secret(peer, usable, row["secret"]))
    return found


def surehook(rows: list[dict]) -> list[str]:
    """The core's verdicts: `ok` or a code."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    run = subprocess.run(VERIFY_LINES, cwd=ROOT, check=True, input=lines, stdout=subprocess.PIPE, text=True)
    return run.stdout.split()
