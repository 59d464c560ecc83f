"""The names and codes that every language shares."""

import json
import subprocess
import sys
import typing

from servers import ROOT

import surehook
from surehook import _native

CODES = json.loads((ROOT / "tests" / "contract" / "codes.json").read_text())


def test_the_reason_codes_are_those_of_the_contract():
    assert list(typing.get_args(surehook.ReasonCode)) == CODES["reason_codes"]
    assert _native.reason_codes() == CODES["reason_codes"]


def test_the_words_of_a_diagnosis_are_those_of_the_contract():
    assert list(typing.get_args(surehook.Finding)) == CODES["findings"]
    assert _native.findings() == CODES["findings"]
    assert list(typing.get_args(surehook.Certainty)) == CODES["certainties"]


def test_every_code_and_every_finding_has_its_page_and_no_page_is_left_over():
    pages = {page.stem for page in (ROOT / "docs" / "diagnostics").glob("*.md")}
    assert pages == {"README", *CODES["reason_codes"], *CODES["findings"]}


def test_everything_public_is_there_and_documented():
    for name in surehook.__all__:
        assert getattr(surehook, name) is not None
        if callable(getattr(surehook, name)) and name not in {"Certainty", "Finding", "ReasonCode"}:
            assert getattr(surehook, name).__doc__


def test_the_counts_of_a_process_without_a_client_are_zero():
    said = "import surehook; print(surehook.stats(), surehook.flush())"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "Stats(recorded=0, stored=0, summarised=0, dropped={}, queued=0) True\n"


def test_no_delivery_outside_of_a_handler():
    assert surehook.current_delivery() is None
