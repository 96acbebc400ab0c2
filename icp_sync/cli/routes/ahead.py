"""What tables say of the weeks ahead, and which of their rows never decide anything. Needs no account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from icp_sync.domain.facts import FactType
    from icp_sync.domain.roster import Tables

SOON = 90 * 86_400.0
MOST = 200
"""Changes and rows listed one by one."""


class Ahead(NamedTuple):
    """An instant (UTC epoch seconds) and what changes then."""

    at: float
    what: str


def upcoming(tables: Tables, now: float) -> list[Ahead]:
    """Everything that comes into force or ends in the next 90 days, in order of time."""
    soon = (one for one in _changes(tables) if now < one.at <= now + SOON)
    return sorted(dict.fromkeys(soon))[:MOST]


def _changes(tables: Tables) -> Iterator[Ahead]:
    for name, table in tables.territories.items():
        for row in table.rows:
            whose = row.owner or f"pool {row.pool}"
            yield Ahead(row.start, f"{name}:{row.line} {row.territory} begins for {whose}")
            yield Ahead(row.end, f"{name}:{row.line} {row.territory} ends for {whose}")
    for email, absences in tables.absences.items():
        for absence in absences:
            why = f" ({absence.reason})" if absence.reason else ""
            yield Ahead(absence.start, f"{email} is away{why}")
            if absence.until < inf:
                yield Ahead(absence.until, f"{email} is back")


def never_reached(tables: Tables, types: Mapping[str, FactType]) -> list[tuple[str, str]]:
    """("file:row", why) of rows that a better priority leaves nothing for."""
    from icp_sync.roster_file import never_reached as covered

    return [
        (f"{name}:{row.line}", f"row {better.line} has a better priority and takes all of it")
        for name, table in tables.territories.items()
        for row, better in covered(table.rows, types)
    ][:MOST]
