"""A territory table: each row says which accounts, whose, and from when to when.

Says everything that is wrong with a row at its file and line. Which rows exclude one another is the
business of `overlaps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import LEVELS, FactType
from icp_sync.domain.profile import Pool
from icp_sync.domain.roster import Territories, TerritoryRow
from icp_sync.profile_file.reading import suggestion
from icp_sync.roster_file import cells
from icp_sync.roster_file.overlaps import overlapping
from icp_sync.roster_file.sheets import Findings, Row, Sheet

T = TypeVar("T")

OWN = ("territory", "owner", "pool", "weight", "cap", "priority", "effective_from", "effective_to")
MOST_ROWS = 50_000

Pools = Sequence[Mapping[str, Pool]]
"""The pools of each profile that uses the table; a pool must be known to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The fact a column is about. side: "" for the whole question, "min" or "max" for one bound."""

    column: str
    fact: str
    kind: FactType
    side: str = ""


def read_territories(
    sheet: Sheet, *, pools: Pools, types: Mapping[str, FactType], currency: str, findings: Findings
) -> Territories:
    """The table of a sheet; what is wrong goes to `findings`, overlaps of different territories too."""
    asked = _columns(sheet, types, findings)
    if len(sheet.rows) > MOST_ROWS:
        findings.at(sheet.source, 0, f"{len(sheet.rows):,} rows; at most {MOST_ROWS:,} can be told apart")
        return Territories(sheet.name, (), currency)
    read = [_row(row, sheet, asked, pools, currency, findings) for row in sheet.rows]
    rows = [row for row in read if row is not None]
    _twice(sheet.source, rows, findings)
    for what, line, hint in overlapping(rows, types):
        findings.at(sheet.source, line, what, hint)
    return Territories(sheet.name, rows, currency)


def _columns(sheet: Sheet, types: Mapping[str, FactType], findings: Findings) -> tuple[_Asked, ...]:
    """What each column but our own asks about; a column nobody knows is a problem."""
    asked = []
    for column in sheet.header:
        if column in OWN:
            continue
        found = _fact(column, types)
        if found is None:
            hint = suggestion(column, [*OWN, *types]) or "columns are facts, or their _min and _max"
            findings.at(sheet.source, 1, f"unknown column '{column}'", hint)
        else:
            asked.append(found)
    for one in asked:
        if one.side and any(other.fact == one.fact and not other.side for other in asked):
            findings.at(sheet.source, 1, f"'{one.column}' beside '{one.fact}'", "keep one of the two")
    if "territory" not in sheet.header:
        findings.at(sheet.source, 1, "there is no column 'territory'", "it names the territory of each row")
    if not {"owner", "pool"} & set(sheet.header):
        findings.at(sheet.source, 1, "there is neither a column 'owner' nor 'pool'", "one says whose it is")
    return tuple(asked)


def _fact(column: str, types: Mapping[str, FactType]) -> _Asked | None:
    for side in ("", "min", "max"):
        name = column.removesuffix(f"_{side}") if side else column
        level, _, rest = name.partition(".")
        kind = types.get(rest if level in LEVELS else name)
        if kind is None or (side and (name == column or kind not in (FactType.NUMBER, FactType.MONEY))):
            continue
        return _Asked(column=column, fact=name, kind=kind, side=side)
    return None


def _row(
    row: Row,
    sheet: Sheet,
    asked: Sequence[_Asked],
    pools: Pools,
    currency: str,
    findings: Findings,
) -> TerritoryRow | None:
    before = findings.count
    at = _Cells(row, sheet.source, findings)
    start = at.read("effective_from", cells.first_day, -inf)
    end = at.read("effective_to", cells.after_last_day, inf)
    if start >= end:
        at.say("effective_to lies before effective_from", "the last day, not the first")
    owner, pool = at.read("owner", cells.email, ""), row.cell("pool")
    _whose(at, pool, pools)
    found = TerritoryRow(
        line=row.line,
        territory=row.cell("territory"),
        wants=_wants(at, asked, currency),
        owner=owner,
        pool=pool,
        weight=at.read("weight", cells.weight, 1.0),
        cap=at.read("cap", cells.cap, 0),
        priority=at.read("priority", cells.priority, 0),
        start=start,
        end=end,
    )
    if not found.territory and "territory" in sheet.header:
        at.say("names no territory", "rows of one territory share a name")
    return found if findings.count == before else None


def _whose(at: _Cells, pool: str, pools: Pools) -> None:
    """Exactly one of owner and pool; a pool that the profiles describe, with its own weights."""
    owner = at.row.cell("owner")
    if owner and pool:
        at.say("names an owner and a pool", "keep one of the two")
    elif not owner and not pool:
        at.say("names neither an owner nor a pool", "an owner's email, or a pool of the profile")
    for known in pools:
        if pool and pool not in known:
            hint = suggestion(pool, known) or "describe it under `pools` in the profile"
            at.say(f"unknown pool '{pool[:60]}'", hint)
            break
    if pool and (at.row.cell("weight") or at.row.cell("cap")):
        at.say("a weight or cap beside a pool", "its members have their own, in the profile")


def _wants(at: _Cells, asked: Sequence[_Asked], currency: str) -> tuple[AnyOf | Between, ...]:
    wants: dict[str, AnyOf | Between | None] = {}
    for one in asked:
        if not one.side:
            wants[one.fact] = at.read(one.column, _Question(one, currency), None)
        elif one.fact not in wants:
            low, high = at.row.cell(f"{one.fact}_min"), at.row.cell(f"{one.fact}_max")
            if low or high:
                read = _Bounds(one, low, high, currency)
                wants[one.fact] = at.read(f"{one.fact}_min" if low else f"{one.fact}_max", read, None)
    return tuple(want for want in wants.values() if want is not None)


@dataclass(frozen=True, slots=True)
class _Question:
    asked: _Asked
    currency: str

    def __call__(self, text: str) -> AnyOf | Between:
        return cells.question(self.asked.fact, self.asked.kind, text, self.currency)


@dataclass(frozen=True, slots=True)
class _Bounds:
    asked: _Asked
    low: str
    high: str
    currency: str

    def __call__(self, _: str) -> Between:
        return cells.bounds(self.asked.fact, self.asked.kind, self.low, self.high, self.currency)


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row's cells, read one by one; a cell that cannot be read is reported and its default stands."""

    row: Row
    source: str
    findings: Findings

    def read(self, column: str, reader: Callable[[str], T], default: T) -> T:
        text = self.row.cell(column)
        if not text:
            return default
        try:
            cells.refuse_formula(text)
            return reader(text)
        except ValueError as error:
            self.say(f"{column}: {error}")
            return default

    def say(self, what: str, hint: str = "") -> None:
        self.findings.at(self.source, self.row.line, what, hint)


def _twice(source: str, rows: Sequence[TerritoryRow], findings: Findings) -> None:
    """The same person or pool twice for the same accounts at the same time."""
    seen: dict[tuple[object, ...], list[TerritoryRow]] = {}
    for row in rows:
        key = (row.territory, row.owner, row.pool, row.priority, frozenset(row.wants))
        earlier = seen.setdefault(key, [])
        for other in earlier:
            if max(row.start, other.start) < min(row.end, other.end):
                what = f"says the same as row {other.line}: {row.owner or row.pool} in {row.territory}"
                findings.at(source, row.line, what, "keep one of the two")
                break
        earlier.append(row)
