"""What the collector reports, beside what the story says."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from typing import Any

from story import OUTCOMES, REJECTIONS, Outcomes

#: Attempts reach the collector within a second or two; this is for a machine that does much else.
ARRIVE_WITHIN_SECONDS = 30
COLUMNS = (
    "processed",
    "failed",
    "silent_drop",
    "rejected",
    "duplicate",
    "in_flight",
    "unavailable",
    "ignored",
    "deferred",
)


def expected_of(applications: int) -> tuple[Outcomes, Counter[str]]:
    """What the story says after it was told to so many applications."""
    return (
        Outcomes({key: count * applications for key, count in OUTCOMES.items()}),
        Counter({code: count * applications for code, count in REJECTIONS.items()}),
    )


def wait_for_overview(collector: str, attempts: int) -> dict[str, Any]:
    """The collector's overview once it holds so many attempts, or as it is when the time is over."""
    deadline = time.monotonic() + ARRIVE_WITHIN_SECONDS
    while True:
        with urllib.request.urlopen(
            f"{collector}/api/overview?window=24h", timeout=10
        ) as answer:
            overview: dict[str, Any] = json.load(answer)
        if overview["totals"]["attempts"] >= attempts or time.monotonic() > deadline:
            return overview
        time.sleep(0.1)


def counted(overview: dict[str, Any]) -> tuple[Outcomes, Counter[str]]:
    """The overview's figures in the story's form."""
    outcomes, rejections = Outcomes(), Counter[str]()
    for row in overview["rows"]:
        outcomes.update(
            {
                (row["event_type"], column): row[column]
                for column in COLUMNS
                if row[column]
            }
        )
    for row in overview["rejections"]:
        rejections[row["code"]] += row["count"]
    return outcomes, rejections


def differences(overview: dict[str, Any], applications: int) -> list[str]:
    """Each figure that is not what the story says."""
    outcomes, rejections = expected_of(applications)
    found_outcomes, found_rejections = counted(overview)
    wrong = [
        f"{event_type or 'refused'} {outcome}: {found_outcomes[event_type, outcome]} and not {outcomes[event_type, outcome]}"
        for event_type, outcome in sorted(
            outcomes.keys() | found_outcomes.keys(), key=str
        )
        if found_outcomes[event_type, outcome] != outcomes[event_type, outcome]
    ]
    wrong += [
        f"refused for {code}: {found_rejections[code]} and not {rejections[code]}"
        for code in sorted(rejections.keys() | found_rejections.keys())
        if found_rejections[code] != rejections[code]
    ]
    total = overview["totals"]["attempts"]
    if total != outcomes.total():
        wrong.append(f"attempts in all: {total} and not {outcomes.total()}")
    return wrong


def print_table(overview: dict[str, Any]) -> None:
    """The overview, one line for each endpoint and event type."""
    head = (
        "endpoint",
        "event type",
        "attempts",
        "processed",
        "failed",
        "duplicate",
        "rejected",
        "success",
        "p50",
        "p95",
    )
    lines = [head]
    for row in sorted(
        overview["rows"], key=lambda row: (row["endpoint"], row["event_type"] or "~")
    ):
        figures = (
            row[name]
            for name in ("attempts", "processed", "failed", "duplicate", "rejected")
        )
        lines.append(
            (
                row["endpoint"],
                row["event_type"] or "(refused)",
                *map(str, figures),
                *rates(row),
            )
        )
    totals = overview["totals"]
    figures = (
        totals[name]
        for name in ("attempts", "processed", "failed", "duplicate", "rejected")
    )
    lines.append(
        ("all", "", *map(str, figures), percent(totals["success_rate"]), "", "")
    )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print("\nWhat the collector reports")
    for line in lines:
        cells = (
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths))
        )
        print("  " + "  ".join(cells))
    for row in overview["rejections"]:
        print(f"  refused at {row['endpoint']}: {row['count']} × {row['code']}")


def rates(row: dict[str, Any]) -> tuple[str, str, str]:
    return (
        percent(row["success_rate"]),
        milliseconds(row["p50_us"]),
        milliseconds(row["p95_us"]),
    )


def percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"


def milliseconds(micros: int | None) -> str:
    return "–" if micros is None else f"{micros / 1000:.1f} ms"
