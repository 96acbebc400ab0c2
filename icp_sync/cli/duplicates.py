"""`icp-sync duplicates`: records that may be one company, conflicts first. Reports; nothing is merged."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from icp_sync.cli.grounds import Columns, Currency, Judges, On
from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.output import STDOUT, Out, exactly, rows_to, unfit
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.subjects import Subject
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.duplicates import Record, Twins

SHOWN = 20
HEADER = (
    "group",
    "alike in",
    "key",
    "conflict",
    "look at first",
    "id",
    "row",
    "name",
    "domain",
    "country",
    "tier",
    "owner",
    "parent",
    "facts known",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """groups: those with conflicts first. circles: parents that run in a circle, each by its ids."""

    source: str
    accounts: int
    judged: bool
    groups: tuple[Twins, ...]
    circles: tuple[tuple[str, ...], ...]

    @property
    def conflicts(self) -> tuple[Twins, ...]:
        return tuple(g for g in self.groups if g.conflicts)

    def to_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "accounts": self.accounts,
            "groups": len(self.groups),
            "conflicting": len(self.conflicts),
            "merged": 0,
            "duplicates": [
                {
                    "by": g.by,
                    "key": g.key,
                    "conflicts": list(g.conflicts),
                    "look_at_first": g.first[0].id,
                    "because": g.first[1],
                    "records": [asdict(r) for r in g.records],
                }
                for g in self.groups
            ],
            "parent_circles": [list(circle) for circle in self.circles],
        }


def register(app: typer.Typer) -> None:
    app.command()(duplicates)


def duplicates(
    profile: Judges = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    out: Out = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Records that may be one company, those whose tiers or owners conflict first.

    Merges nothing.
    """
    from icp_sync.cli.grounds import grounds
    from icp_sync.cli.rendering import Screen, document

    if problems := unfit(out, exactly(HEADER), on, as_json=as_json):
        raise ConfigError(problems)
    with grounds(on, config, connection, columns=columns, currency=currency) as here:
        report = look(here, _compiled(here, profile))
        here.tell()
    if out is not None:
        with rows_to(out) as stream:
            _rows(report, stream)
    if as_json:
        document(report.to_json())
    elif out != STDOUT:
        show(Screen.here(), report, out)


def _compiled(here: Grounds, files: list[Path] | None) -> list[Compiled]:
    """The profiles to judge tiers by; none where a file is looked at without any."""
    from icp_sync.domain.compile import compile_profile

    unnamed = not files and here.table is not None and not (here.connection and here.connection.profiles)
    return [] if unnamed else [compile_profile(p) for p in here.profiles(files)]


def look(here: Grounds, compiled: Sequence[Compiled]) -> Report:
    """Two passes, so that only what is doubled is kept: first which keys occur twice, then whose they are."""
    from icp_sync.domain.duplicates import circles, keys_of, twins

    once: set[int] = set()
    twice: set[int] = set()
    parents = here.parents()
    total = 0
    for subject in here.accounts():
        total += 1
        for key in map(hash, keys_of(_record(subject, parents))):
            (twice if key in once else once).add(key)
    now = time.time()
    doubled = []
    for subject in here.accounts() if twice else ():
        record = _record(subject, parents)
        if any(hash(key) in twice for key in keys_of(record)):
            doubled.append(replace(record, tier=_tier(here, subject, compiled, now)))
    return Report(
        source=here.source,
        accounts=total,
        judged=bool(compiled),
        groups=tuple(twins(doubled)),
        circles=tuple(circles(parents)),
    )


def _record(subject: Subject, parents: Mapping[str, str]) -> Record:
    from icp_sync.domain.duplicates import Record
    from icp_sync.normalize.domains import identifies

    return Record(
        id=subject.id,
        row=subject.row,
        name=subject.name,
        domain=subject.domain if identifies(subject.domain) else "",
        country=subject.country,
        owner=subject.owner,
        parent=parents.get(subject.id, ""),
        known=len(subject.facts),
    )


def _tier(here: Grounds, subject: Subject, compiled: Sequence[Compiled], now: float) -> str:
    from icp_sync.domain.movement import standing

    return standing(here.evaluate(compiled, subject, now)) if compiled else ""


def _rows(report: Report, stream: TextIO) -> None:
    from icp_sync.tables.writing import writer

    into = writer(stream, HEADER)
    for number, group in enumerate(report.groups, start=1):
        first, why = group.first
        for r in group.records:
            head = (number, group.by, group.key, " and ".join(group.conflicts), why if r is first else "")
            who = (r.id, r.row or "", r.name, r.domain, r.country, r.tier, r.owner, r.parent, r.known)
            into.row((*head, *who))


def show(screen: Screen, report: Report, out: Path | None) -> None:
    """Groups with conflicts one by one, the rest counted."""
    from icp_sync.reporting.text import counted

    for line in _circle_lines(report.circles):
        screen.say(line, "yellow")
    for group in report.conflicts[:SHOWN]:
        _show_group(screen, group)
    if len(report.conflicts) > SHOWN:
        screen.say(f"and {len(report.conflicts) - SHOWN:,} more groups that conflict")
    screen.say()
    groups, calm = len(report.groups), len(report.groups) - len(report.conflicts)
    screen.say(
        f"{counted(report.accounts, 'account')} in {report.source}: {counted(groups, 'group')} of possible "
        f"duplicates, {len(report.conflicts):,} with a conflict, {calm:,} without."
    )
    if not report.judged:
        screen.say("Tiers were not compared: name a profile with --profile FILE.")
    if out:
        screen.say(f"Every record of every group is in {out}.")
    screen.say("Nothing was merged: that is for people, in the CRM.")


def _circle_lines(circles: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for circle in circles[:SHOWN]:
        yield f"! parents in a circle: {' → '.join((*circle, circle[0]))}; each is treated as its own group"
    if len(circles) > SHOWN:
        yield f"! and {len(circles) - SHOWN:,} more circles"


def _show_group(screen: Screen, group: Twins) -> None:
    from icp_sync.reporting.text import short

    first, why = group.first
    screen.heading(f"The same {group.by}: {short(group.key, 40)}; different {' and '.join(group.conflicts)}")
    rows = [
        (r.id, short(r.name, 20), r.tier, short(r.owner, 22) or "nobody", why if r is first else "")
        for r in group.records
    ]
    screen.table(["id", "name", "tier", "owner", "look at first"], rows)
