"""What `icp-sync score` says about a scored file: columns, tiers, missing facts, problems, and what next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP
from icp_sync.domain.profile import Profile
from icp_sync.domain.words import fact_text
from icp_sync.reporting.text import counted, short
from icp_sync.tables.columns import Columns
from icp_sync.tables.evaluable import Evaluable, evaluable
from icp_sync.tables.reading import Table
from icp_sync.tables.scored_file import ScoredFile
from icp_sync.tables.thousands import how_read

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

SHOWN_PROBLEMS = 10
_BAR = 30  # characters of the longest bar
_TIERS = ("A", "B", "C", "D", NEEDS_DATA, NOT_ICP)
_OUTSIDE = "out of scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A scored file. currency: of plain amounts, "" where nobody said."""

    profiles: Sequence[Profile]
    table: Table
    columns: Columns
    done: ScoredFile
    target: Path
    currency: str

    @property
    def tiers(self) -> list[tuple[str, int]]:
        """Rows of every tier and state, best first; those nobody has are there too."""
        counts = self.done.tally.tiers
        return [*((tier, counts[tier]) for tier in _TIERS), (_OUTSIDE, counts[""])]

    @property
    def mapping(self) -> list[tuple[str, str]]:
        """Column and what it feeds, in the file's order."""
        columns = self.columns
        feeds = {s.property: s.fact for s in columns.sources}
        for role, places in columns.roles.items():
            feeds.update({self.table.header[at]: role for at in places})
        return [(name, feeds[name]) for name in self.table.header if name in feeds]

    def evaluable(self) -> list[tuple[str, Evaluable]]:
        """Each profile's name and what the columns can answer of it."""
        fed = {*self.columns.facts, *self._derived()}
        return [(profile.name, evaluable(profile, fed)) for profile in self.profiles]

    def _derived(self) -> set[str]:
        relation = {"lifecycle", "account_type", "won_deals"}
        return {"population"} if relation & set(self.columns.facts) else set()

    @property
    def plain_money(self) -> bool:
        """Whether amounts may have been read whose currency nobody stated."""
        stated = bool(self.currency) or bool(self.columns.roles.get("currency"))
        return not stated and any(s.currency == "account" for s in self.columns.sources)

    def to_json(self) -> dict[str, object]:
        done, problems = self.done, self.table.problems
        return {
            "rows": done.rows,
            "unscored": done.unscored,
            "out": str(self.target),
            "columns": dict(self.mapping),
            "unmapped": list(self.columns.unmapped),
            "thousands": dict(self.columns.thousands),
            "tiers": dict(self.tiers),
            "provisional": done.tally.provisional,
            "evaluable": [
                {
                    "profile": name,
                    "percent": one.percent,
                    "unanswered": [
                        {"name": q.name, "role": q.role, "facts": list(q.facts)} for q in one.unanswered
                    ],
                }
                for name, one in self.evaluable()
            ],
            "missing": [
                {"fact": fact, "accounts": w.accounts, "decides": w.decides, "points": round(w.each, 1)}
                for fact, w in done.tally.best()
            ],
            "unreadable": [
                {"column": n.column, "fact": n.fact, "cells": n.count, "row": n.row, "example": n.example}
                for n in done.unreadable
            ],
            "problems": [{"where": p.where, "what": p.what, "hint": p.hint} for p in problems.kept],
            "problem_count": problems.total,
        }


def show(screen: Screen, report: Report) -> None:
    """The report for people."""
    _columns(screen, report)
    _tiers(screen, report)
    _missing(screen, report)
    _problems(screen, report)
    screen.say()
    if str(report.target) != "-":
        screen.say(f"Written: {report.target}")
    screen.say(f"next: {_next(report)}")


def _columns(screen: Screen, report: Report) -> None:
    screen.heading("Columns")
    screen.table(["column", "feeds"], [(short(name, 44), feeds) for name, feeds in report.mapping])
    unmapped = report.columns.unmapped
    if unmapped:
        listed = ", ".join(short(name, 30) for name in unmapped[:8]) + (", …" if len(unmapped) > 8 else "")
        screen.say(f'Not used: {listed}. To use one: --map "COLUMN=FACT".')
    for name, found in report.evaluable():
        screen.say(f"{name}: these columns can answer {found.percent} % of its weight.")
        wanting = [(q.name, q.role, ", ".join(map(fact_text, q.facts))) for q in found.unanswered]
        if wanting:
            screen.table(["cannot be answered", "is", "for want of"], wanting)
    if report.table.encoding not in ("", "utf-8"):
        screen.say(f"Read as {report.table.encoding}; if letters look odd, --encoding says otherwise.")
    for column, cell in report.columns.thousands.items():
        screen.say(f"Column {how_read(column, cell)}.")
    if report.plain_money:
        screen.say("Amounts without a currency could be in any; --currency USD says which they are in.")


def _tiers(screen: Screen, report: Report) -> None:
    done = report.done
    screen.heading(f"Tiers of {counted(done.rows, 'row')}")
    most = max((count for _, count in report.tiers), default=0) or 1
    rows = [
        (
            tier,
            f"{count:,}",
            f"{100 * count / max(1, done.tally.rows):.0f} %",
            "█" * round(_BAR * count / most),
        )
        for tier, count in report.tiers
        if count or tier in _TIERS
    ]
    screen.table(["tier", "rows", "", ""], rows, right={1, 2})
    if done.tally.provisional:
        share = 100 * done.tally.provisional / max(1, done.tally.rows)
        screen.say(
            f"{done.tally.provisional:,} of them ({share:.0f} %) are provisional: "
            "a missing fact could still move them."
        )


def _missing(screen: Screen, report: Report) -> None:
    best = report.done.tally.best()
    if not best:
        return
    screen.heading("Facts worth learning")
    rows = [
        (
            fact_text(fact),
            f"{worth.accounts:,}",
            f"{worth.decides:,}" if worth.decides else "",
            f"{worth.each:.0f}" if worth.each else "",
        )
        for fact, worth in best
    ]
    heads = ["fact", "could move", "by a must-have or flag", "else points each"]
    screen.table(heads, rows, right={1, 2, 3})


def _problems(screen: Screen, report: Report) -> None:
    problems = report.table.problems
    if report.done.unreadable:
        screen.heading("Cells nobody can read, which count as unknown")
        cells = [
            (short(n.column, 30), n.fact, f"{n.count:,}", n.row, short(n.example, 24))
            for n in report.done.unreadable
        ]
        screen.table(["column", "fact", "cells", "first row", "example"], cells, right={2, 3})
    if problems.total:
        screen.heading(f"{counted(problems.total, 'problem')} with rows")
        listed = [(p.where.rpartition(":")[2], p.what, p.hint) for p in problems.kept[:SHOWN_PROBLEMS]]
        screen.table(["row", "what", "hint"], listed)
        if report.done.unscored:
            what = counted(report.done.unscored, "row was", "rows were")
            screen.say(f"{what} written without a tier.")


def _next(report: Report) -> str:
    if report.plain_money:
        return "icp-sync score again with --currency, so that amounts count"
    if any(found.percent < 60 for _, found in report.evaluable()):
        return 'add the missing columns to the export, or name them with --map "COLUMN=FACT"'
    return "icp-sync profile test, with companies you know as examples; then icp-sync check for your CRM"
