"""Holds the rows against the packages of others, and `checked_with` in providers.json against what was really run."""

import json
import subprocess
from pathlib import Path

from .peers import PEERS, Peer, accepted, labels


def confirm(rows: list[dict], here: Path) -> int:
    """Lets the packages judge every good message and one wrongly signed; returns how many good ones they confirmed."""
    good = [row for row in rows if "provider" in row["flags"]]
    bad = [row for row in rows if row["id"] == f"{row['provider']}-wrong-secret"]
    assert all(row["expect"]["valid"] for row in good) and not any(row["expect"]["valid"] for row in bad)
    tasks = [(peer, row) for row in (*good, *bad) for peer in PEERS.get(row["provider"], ())]
    differing = [
        f"{peer.package} {'accepts' if answer else 'refuses'} {row['id']}"
        for (peer, row), answer in zip(tasks, _answers(tasks, here), strict=True)
        if answer != row["expect"]["valid"]
    ]
    assert not differing, "\n".join(differing)
    return sum(row["expect"]["valid"] for _, row in tasks)


def _answers(tasks: list[tuple[Peer, dict]], here: Path) -> list[bool]:
    of_npm = iter(_npm_answers([task for task in tasks if task[0].accepts is None], here))
    return [next(of_npm) if peer.accepts is None else accepted(peer, row) for peer, row in tasks]


def _npm_answers(tasks: list[tuple[Peer, dict]], here: Path) -> list[bool]:
    text = json.dumps([{"package": peer.package, "row": row} for peer, row in tasks])
    node = subprocess.run(["node", "peers.mjs"], cwd=here, check=True, input=text, capture_output=True, text=True)
    return json.loads(node.stdout)


def check_the_table(rows: list[dict], here: Path) -> None:
    """Each provider of the table has its good message here, and names the packages that confirm it."""
    table = json.loads((here / "../../core/src/scheme/providers.json").read_text())["providers"]
    pinned = json.loads((here / "package.json").read_text())["dependencies"]
    sent = {row["provider"] for row in rows if "provider" in row["flags"]}
    assert sent == {scheme["provider"] for scheme in table}, sent ^ {scheme["provider"] for scheme in table}
    for scheme in table:
        found, expected = scheme["checked_with"], labels(scheme["provider"], pinned)
        assert found == expected, f"{scheme['provider']}: checked_with is {found}, run were {expected}"
        assert bool(found) != ("unverified" in scheme), scheme["provider"]
