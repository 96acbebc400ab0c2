"""Whether the promises held, by the CRM's own write log and by the oracle. Believes nothing of ours.

Every column is a list of findings, empty when all is well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tests.soak import oracle
from tests.soak.claims import Claims, claims_of
from tests.soak.ledger import Entry, Evidence

HOUR = 3_600_000
OFTEN = 6
"""Writes to one account within an hour, beyond one for each change by others, that make a loop."""

COLUMNS = ("lost", "doubled", "overwritten", "unrestored", "stale", "looped", "reserve")


@dataclass(slots=True)
class Table:
    """Column → findings; and figures that are no fault. `repeated`: sent again after a kill, to no effect."""

    findings: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    accounts: int = 0
    writes: int = 0
    human_edits: int = 0
    repeated: int = 0
    restored: int = 0
    reads: int = 0
    cycles: int = 0

    def add(self, other: Table) -> None:
        for name, found in other.findings.items():
            self.findings[name] += found
        for name in ("accounts", "writes", "human_edits", "repeated", "restored", "reads"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cycles = max(self.cycles, other.cycles)

    def figures(self) -> dict[str, int]:
        """One row: columns first."""
        counted = {name: len(found) for name, found in self.findings.items()}
        told = {"human edits": self.human_edits, "writes": self.writes, "restored": self.restored}
        rest = {"repeated": self.repeated, "echo reads": self.reads, "convergence cycles": self.cycles}
        return counted | told | rest

    def clean(self) -> bool:
        return not any(self.findings.values())

    def said(self, most: int = 5) -> str:
        return "\n".join(f"{n}: {one}" for n, found in self.findings.items() for one in found[:most])


def check(evidence: Evidence, expected: Mapping[str, Mapping[str, str]] | None = None) -> Table:
    """The table of these accounts.

    expected: account → field → the value it must show, instead of the oracle's: for what was taken back.
    """
    table = Table(accounts=len(evidence.records), reads=evidence.reads, cycles=evidence.cycles)
    table.findings["reserve"] += ["a call below the reserve"] * evidence.below_reserve
    by_account: dict[str, list[Entry]] = defaultdict(list)
    for entry in evidence.entries:
        by_account[entry.id].append(entry)
    for id in evidence.records.keys() | by_account.keys():
        _one(table, id, by_account.get(id, []), evidence, expected)
    return table


def _one(
    table: Table,
    id: str,
    entries: Sequence[Entry],
    evidence: Evidence,
    expected: Mapping[str, Mapping[str, str]] | None,
) -> None:
    found = table.findings
    claims = claims_of(entries)
    table.human_edits += claims.made
    table.restored += claims.restored
    table.writes += len({e.at for e in entries if e.ours})
    found["overwritten"] += [f"{id} {one}" for one in claims.overwritten]
    found["unrestored"] += [f"{id} {one}" for one in claims.unrestored]
    if id in evidence.gone:
        ours = [e for e in entries if e.ours and e.at > evidence.gone[id]]
        found["stale"] += [f"{id} was gone when {e.field} was written" for e in ours]
    elif id in evidence.records:
        record = evidence.records[id]
        must = _must(record, claims) if expected is None else expected.get(id, {})
        found["lost"] += [
            f"{id} {name} is {record.get(name, '')!r}, not {value!r}"
            for name, value in must.items()
            if record.get(name, "") != value
        ]
    if id not in evidence.survivors:
        repeated, flaps = _doubled(entries, evidence)
        table.repeated += repeated
        found["doubled"] += [f"{id} {one}" for one in flaps]
        found["stale"] += [f"{id} {one}" for one in _stale(id, entries, claims, evidence)]
    found["looped"] += [f"{id} {one}" for one in _looped(entries)]


def _must(record: Mapping[str, str], claims: Claims) -> dict[str, str]:
    held = claims.held
    told = oracle.of(record, override=record.get("tier_override", ""), typed=held.get("tier", ""))
    return {name: held.get(name, value) if name != "tier" else value for name, value in told.items()}


def _within(at: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= at <= end for start, end in spans)


def _doubled(entries: Sequence[Entry], evidence: Evidence) -> tuple[int, list[str]]:
    """Repetitions that a kill explains; and values sent over themselves, or to and fro, that nothing does."""
    repeated, found = 0, []
    kills = sorted(evidence.kills)
    others = [e.seq for e in entries if not e.ours and e.changed]
    read_after = _read_after(entries)
    mine: dict[str, list[Entry]] = defaultdict(list)
    for e in entries:
        if not e.ours or e.field == "seal":
            continue
        earlier = mine[e.field]
        if not e.changed and e.value:
            if earlier and bisect_left(kills, earlier[-1].at) < bisect_right(kills, e.at):
                repeated += 1
            elif not _within(e.at, evidence.reversals):
                found.append(f"{e.field} was given {e.value!r} over itself")
        elif (
            len(earlier) > 1
            and earlier[-2].value == e.value
            and _unasked(read_after, earlier[-2], e, others, evidence)
        ):
            found.append(f"{e.field} went {e.value!r} → {earlier[-1].value!r} → {e.value!r}")
        earlier.append(e)
    return repeated, found


def _read_after(entries: Sequence[Entry]) -> dict[int, int]:
    """Entry of ours (seq) → the last one of the write before; it was read after that."""
    found, last = {}, 0
    for _, group in groupby((e for e in entries if e.ours), key=lambda e: e.at):
        batch = [e.seq for e in group]
        found.update(dict.fromkeys(batch, last))
        last = batch[-1]
    return found


def _unasked(
    read_after: Mapping[int, int], first: Entry, last: Entry, others: Sequence[int], evidence: Evidence
) -> bool:
    """Whether too little happened to explain the value of ours that stood between two equal ones."""
    if any(start <= last.at and end >= first.at for start, end in evidence.reversals):
        return False
    return bisect_left(others, last.seq) - bisect_right(others, read_after[first.seq]) < 2


def _stale(id: str, entries: Sequence[Entry], claims: Claims, evidence: Evidence) -> list[str]:
    """Writes that no state of the inputs explains which is as new as the one behind the write before."""
    record = evidence.records.get(id, {})
    states = [_first(entries, record)]
    found: list[str] = []
    at_least = 0
    for (ours, at), group in groupby(entries, key=lambda e: (e.ours, e.at)):
        batch = list(group)
        if not ours:
            for e in batch:
                states.append(states[-1] | {e.field: e.value, "typed": claims.typed_after.get(e.seq, "")})
            continue
        wrote = {e.field: e.value for e in batch if e.field in oracle.TOLD and e.seq not in claims.given_back}
        if _within(at, evidence.reversals) or not wrote:
            continue
        explained = next((n for n in range(at_least, len(states)) if _says(states[n], wrote)), None)
        if explained is None:
            found.append(f"{wrote} fits nothing since it was written last")
        else:
            at_least = explained
    return found


def _first(entries: Sequence[Entry], record: Mapping[str, str]) -> dict[str, str]:
    """The inputs before anything was logged."""
    state = {name: record.get(name, "") for name in (*oracle.INPUTS, "tier_override")}
    for e in reversed(entries):
        if e.field in state:
            state[e.field] = e.before
    return state


def _says(state: Mapping[str, str], wrote: Mapping[str, str]) -> bool:
    told = oracle.of(state, state.get("tier_override", ""), state.get("typed", ""))
    return all(told[name] == value for name, value in wrote.items())


def _looped(entries: Sequence[Entry]) -> list[str]:
    ours = sorted({e.at for e in entries if e.ours})
    others = sorted(e.at for e in entries if not e.ours and e.changed)
    for n, at in enumerate(ours):
        writes = n + 1 - bisect_left(ours, at - HOUR)
        asked = bisect_right(others, at) - bisect_left(others, at - HOUR)
        if writes > OFTEN + asked:
            return [f"was written {writes} times in an hour, changed by others {asked} times"]
    return []
