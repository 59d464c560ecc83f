"""The story: what is sent to each application, and what must become of it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from processes import Application

USER = "user.created"
SESSION = "session.created"
UPDATE = "user.updated"

#: How many attempts had which outcome, by event type. A refused request has no type: it could not be trusted.
Outcomes = Counter[tuple[str | None, str]]


@dataclass(frozen=True)
class Act:
    """One run of `surehook send`, and what must come of it."""

    title: str
    send: list[str]
    #: What `surehook send` must count: handled, replayed, refused, unexpected.
    answers: dict[str, int]
    #: What the collector must count.
    outcomes: Outcomes
    #: The same seed makes the same messages: a second act with it is the provider's retry.
    seed: int
    before: Callable[[Application], None] = field(default=lambda application: None)


def all_is_well(
    title: str, event: str, count: int, seed: int, **more: Callable[[Application], None]
) -> Act:
    """An act in which every message is handled."""
    return Act(
        title,
        sending(event, count),
        {"handled": count},
        Outcomes({(event, "processed"): count}),
        seed,
        **more,
    )


def sending(event: str, count: int) -> list[str]:
    return ["--event", event, "--count", str(count)]


ACTS = [
    all_is_well("24 people sign up", USER, 24, seed=1),
    all_is_well("18 sessions begin", SESSION, 18, seed=2),
    all_is_well("14 people change their profile", UPDATE, 14, seed=3),
    Act(
        "the provider delivers 15 of the sign-ups again",
        sending(USER, 15),
        {"replayed": 15},
        Outcomes({(USER, "duplicate"): 15}),
        seed=1,
    ),
    # First those whose cause is found: such refusals are told at once, while of all others more than five wait for the minute's end.
    Act(
        "3 requests arrive ten minutes late",
        ["--count", "0", "--stale=3"],
        {"refused": 3},
        Outcomes({(None, "rejected"): 3}),
        seed=4,
    ),
    Act(
        "4 requests are forged",
        ["--count", "0", "--bad-signature=4"],
        {"refused": 4},
        Outcomes({(None, "rejected"): 4}),
        seed=9,
    ),
    Act(
        "a migration goes wrong: user.created starts failing",
        sending(USER, 8),
        {"unexpected": 8},
        Outcomes({(USER, "failed"): 8}),
        seed=5,
        before=Application.break_users,
    ),
    all_is_well("meanwhile every other type is fine", SESSION, 9, seed=6),
    all_is_well(
        "the migration is undone; 5 of the 8 are retried",
        USER,
        5,
        seed=5,
        before=Application.mend_users,
    ),
]

#: What the collector must count after one application was told the story: by event type, and by reason of refusal.
OUTCOMES = sum((act.outcomes for act in ACTS), start=Outcomes())
REJECTIONS = Counter({"signature_mismatch": 4, "timestamp_too_old": 3})


def tell(surehook: str, application: Application) -> list[str]:
    """Sends the whole story to one application and gives what did not go as told."""
    print(f"\n{application.name} at {application.url}", flush=True)
    differences = []
    for act in ACTS:
        act.before(application)
        counted = send(surehook, application, act)
        said = {
            name: counted[name]
            for name in ("handled", "replayed", "refused", "unexpected")
            if counted[name]
        }
        print(
            f"  {act.title:<54} {', '.join(f'{count} {name}' for name, count in said.items())}",
            flush=True,
        )
        if said != act.answers:
            differences.append(
                f"{application.name}, {act.title}: {said} and not {act.answers}"
            )
    return differences


def send(surehook: str, application: Application, act: Act) -> dict[str, int]:
    """Runs `surehook send` and gives its summary. It exits with 1 for unexpected answers, which a story may want."""
    seed = str(1_000 * application.number + act.seed)
    finished = subprocess.run(
        [surehook, "send", application.url, *act.send, "--seed", seed, "--json"],
        env=application.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = finished.stdout.splitlines()
    if not lines or "summary" not in (last := json.loads(lines[-1])):
        raise SystemExit(f"surehook send: {finished.stderr.strip()}")
    return last["summary"]
