#!/usr/bin/env python3
"""Holds Surehook against the packages of others, on the vectors and on random messages.

Writes disagreements.md; with `--check` it only compares, and fails for whatever is not explained there.
"""

import argparse
import sys

import peers_env

if __name__ == "__main__":
    peers_env.enter(peers_env.PEERS)

import json
from collections import Counter

from differential import messages, peers, report
from differential.compare import Comparison, Disagreement, compare_requests, compare_secrets
from differential.explanations import SECTIONS
from differential.secret_explanations import SECRETS

FILE = peers_env.HERE / "disagreements.md"
# The same messages in every run, so that nothing fails but by a change; look further with other seeds.
SEED, COUNT = 1, 500


def vectors(name: str) -> list[dict]:
    rows = json.loads((peers_env.HERE / name).read_text())["rows"]
    return [row for row in rows if row["provider"] in peers.PROVIDERS and not row.get("options")]


def faults(of_vectors: list[Disagreement], all_of_them: list[Disagreement]) -> list[str]:
    """What is not explained, and what explains nothing."""
    shown = {it.because for it in of_vectors}
    idle = [one for group in (*(group for _, _, group in SECTIONS), SECRETS) for one in group if one not in shown]
    return [
        *(_unexplained(it) for it in all_of_them if it.because is None),
        *(f"no row of the vectors shows the explanation {one.name}" for one in idle),
    ]


def _unexplained(it: Disagreement) -> str:
    return f"not explained: Surehook says {it.ours}, {it.peer} {it.theirs}:\n{json.dumps(it.row)}"


def _count(title: str, comparison: Comparison) -> None:
    print(f"{title}: {comparison.answers} answers compared, {len(comparison.disagreements)} disagreements")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random messages")
    parser.add_argument("--count", type=int, default=COUNT, help="of random messages for each provider")
    options = parser.parse_args()

    peers_env.install_npm_packages()
    rows, secrets = vectors("verify.json"), vectors("secrets.json")
    random = list(messages.requests(options.seed, options.count))
    answers, of_secrets = peers.answers(rows + random, secrets)
    of_rows, of_random = compare_requests(rows, answers), compare_requests(random, answers)
    of_secrets = compare_secrets(secrets, of_secrets)
    _count("rows of verify.json", of_rows)
    _count("rows of secrets.json", of_secrets)
    _count(f"random messages, seed {options.seed}, {options.count} of each provider", of_random)
    of_vectors = of_rows.disagreements + of_secrets.disagreements
    everything = of_vectors + of_random.disagreements
    for name, number in Counter(it.because.name for it in everything if it.because).most_common():
        print(f"{number:7} {name}")

    found = faults(of_vectors, everything)
    text = report.text(of_rows.disagreements, of_secrets.disagreements)
    if not options.check:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        found.append("disagreements.md is not what the packages say: run tests/vectors/disagreements.py")
    for fault in found:
        print(fault, file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
