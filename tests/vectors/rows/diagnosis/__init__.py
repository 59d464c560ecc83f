"""Refused requests, and the cause that a diagnosis must name, or that it must name none."""

import json

import peers_env

from . import bodies, nothing, requests, secrets
from .table import BUILD, FLAGS, Diagnoses

__all__ = ["FLAGS", "rows"]

#: What no experiment can verify.
BY_SHAPE = {
    "body_decoded_lossily",
    "body_truncated",
    "body_empty_was_consumed",
    "test_live_mix",
    "not_a_webhook_secret",
}
ROWS_OF_A_FINDING = 3
ROWS_WITHOUT_A_FINDING = 20


def rows() -> list[dict]:
    table = Diagnoses()
    for part in (secrets, bodies, requests, nothing):
        part.add(table)
    _check(table.rows)
    return table.rows


def _check(collected: list[dict]) -> None:
    codes = json.loads((peers_env.HERE.parent / "contract" / "codes.json").read_text())
    found = [row["expect"]["finding"] for row in collected]
    assert set(found) == {None, *codes["findings"]}, set(found) ^ {None, *codes["findings"]}
    for finding in codes["findings"]:
        assert found.count(finding) >= ROWS_OF_A_FINDING, finding
    assert found.count(None) >= ROWS_WITHOUT_A_FINDING
    provable = [row for row in collected if row["expect"]["finding"] not in BY_SHAPE | {None}]
    proved = [row for row in provable if row["expect"]["certainty"] == "proved"]
    assert len(proved) >= 0.95 * len(provable), (len(proved), len(provable))
    assert all(row["expect"]["code"] in codes["reason_codes"] for row in collected)
    assert all((row["expect"]["code"] == BUILD) == ("build" in row["flags"]) for row in collected)
