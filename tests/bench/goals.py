"""The numbers to reach, each with the rows of the bench that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Goal:
    """keys: rows that tell it. words: row → what stands before its figure, where there are several.
    noted: whether the figure needs its row's note, to say of what it is."""

    what: str
    goal: str
    keys: tuple[str, ...]
    words: Mapping[str, str] = field(default_factory=dict)
    noted: bool = False


GOALS = (
    Goal(
        what="changed account → standing on the record; 60 s poll, 5 s index lag, 5,000 edits an hour, "
        "paced backfill beside it",
        goal="p50 < 42 s, p95 < 75 s",
        keys=("freshness.p50", "freshness.p95"),
        words={"freshness.p50": "p50 ", "freshness.p95": "p95 "},
    ),
    Goal(
        what="HubSpot backfill at 190 calls in 10 s and 250 ms; reserve 0, waves and polling off, first "
        "window left out",
        goal="≥ 95 % of the 950 accounts/s the limit allows",
        keys=("ceiling.hubspot",),
    ),
    Goal(
        what="the same with the defaults, 50,000 accounts: how near the forecast comes",
        goal="within 10 %",
        keys=("defaults.forecast",),
    ),
    Goal(
        what="calls of a first backfill against ⌈n/100⌉ reads + ⌈changed/100⌉ writes",
        goal="≤ 1.02 ×",
        keys=("economy.first", "economy.second"),
        words={"economy.first": "first pass ", "economy.second": "second pass "},
    ),
    Goal(
        what="CPU an account, whole pipeline against bare HTTP + JSON of the same calls",
        goal="≤ 3 ×",
        keys=("cpu.pipeline",),
    ),
    Goal(
        what="read 10,000, evaluate, diff, no limits, against the bare client loop",
        goal="≤ 2 ×, < 100 MB",
        keys=("cpu.read", "cpu.memory"),
    ),
    Goal(
        what="scoring 15 criteria with range and verdicts, one core, against the fastest rule engine",
        goal="> 1 ×",
        keys=("scoring.fastest",),
    ),
    Goal(
        what="what-if over 1,000,000 journaled accounts",
        goal="< 8 s",
        keys=("scoring.whatif",),
    ),
    Goal(
        what="records visible 1 s, 120 s, 900 s late; ties; 12,000 in one millisecond: missed or looped",
        goal="0",
        keys=("adversarial.ours",),
    ),
    Goal(what="memory at 1,000,000 accounts", goal="flat, < 200 MB", keys=("growth.memory",), noted=True),
    Goal(
        what="second pass on an unchanged CRM: writes and enrichment calls",
        goal="0",
        keys=("economy.nothing",),
    ),
)
