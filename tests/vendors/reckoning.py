"""Was anything paid twice, any budget exceeded, any result fetched again? Judged by the vendors' own log.

Of what the engine wrote down only purchases and answers are read: whether it counted what the vendors billed,
and kept what they said. A look-up may be repeated where nobody could know its fate: the vendor hung up, or
the process was killed with it in flight; of each process that is at most what it had in flight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from tests.vendors.server import BILLED, FETCHED, NO_CREDIT, Entry

EPSILON = 1e-6
DAY = 86_400.0
COLUMNS = ("paid twice", "fetched twice", "over budget", "uncounted", "forgotten", "asked without credit")
"""What must be 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process: from and until when, epoch seconds, all that it had sent and was read later included; and
    whether it was killed."""

    began: float
    ended: float
    killed: bool

    def saw(self, at: float) -> bool:
        return self.began <= at <= self.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One row of what the engine counted. amount: credits; the whole price where it never heard an answer."""

    vendor: str
    key: str
    run: str
    at: float
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Credits. vendors: name → a day's."""

    account: float = inf
    run: float = inf
    day: float = inf
    vendors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """price: vendor → what is reserved for one look-up, more than any costs. flight: vendor → look-ups it may
    have in flight at once. kept: (vendor, key) whose answer is remembered. limits: those in force all the
    time, from midnight to midnight in UTC."""

    entries: Sequence[Entry]
    lives: Sequence[Life]
    purchases: Sequence[Purchase]
    price: Mapping[str, float]
    flight: Mapping[str, int]
    kept: frozenset[tuple[str, str]] = frozenset()
    limits: Limits = Limits()


@dataclass(slots=True)
class Table:
    """findings: column → what is wrong. figures: what happened beside."""

    findings: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    billed: int = 0
    repeated: int = 0

    def clean(self) -> bool:
        return not any(self.findings.values())

    def said(self) -> str:
        return "; ".join(f"{name}: {', '.join(found[:3])}" for name, found in self.findings.items() if found)

    def figures(self) -> dict[str, int]:
        return {
            "look-ups billed": self.billed,
            "repeated, fate unknown": self.repeated,
            **{name: len(found) for name, found in self.findings.items()},
        }


def reckon(evidence: Evidence) -> Table:
    """The whole judgement."""
    table = Table()
    billed = [one for one in evidence.entries if one.kind == BILLED]
    table.billed = len(billed)
    table.repeated = _repeated(billed, lambda one: (one.vendor, one.key), evidence, table, "paid twice")
    fetched = [one for one in evidence.entries if one.kind == FETCHED]
    _repeated(fetched, lambda one: (one.vendor, one.job), evidence, table, "fetched twice")
    _forgotten(billed, fetched, evidence, table)
    _uncounted(billed, evidence, table)
    _budgets(billed, evidence, table)
    _without_credit(evidence, table)
    return table


def _repeated(
    entries: Iterable[Entry],
    key: Callable[[Entry], tuple[str, str]],
    evidence: Evidence,
    table: Table,
    column: str,
) -> int:
    """How often something was repeated; findings where its fate was known."""
    last: dict[tuple[str, str], Entry] = {}
    excused: Counter[tuple[float, str]] = Counter()
    repeated = 0
    for one in entries:
        before = last.get(key(one))
        last[key(one)] = one
        if before is None:
            continue
        repeated += 1
        life = _life_of(before, evidence)
        if before.lost:
            continue
        if life is None or not life.killed or life.saw(one.at):
            table.findings[column].append(f"{' '.join(key(one))} though it was answered")
            continue
        excused[life.began, one.vendor] += 1
        if excused[life.began, one.vendor] > evidence.flight[one.vendor]:
            table.findings[column].append(f"{' '.join(key(one))}, more than was in flight at a kill")
    return repeated


def _life_of(entry: Entry, evidence: Evidence) -> Life | None:
    return next((life for life in evidence.lives if life.saw(entry.at)), None)


def _forgotten(billed: Iterable[Entry], fetched: Iterable[Entry], evidence: Evidence, table: Table) -> None:
    """What was billed and surely heard is remembered; of orders, once their result was fetched."""
    last = {(one.vendor, one.key): one for one in billed if not one.job}
    last |= {(one.vendor, one.key): one for one in fetched}
    for (vendor, key), one in last.items():
        life = _life_of(one, evidence)
        heard = not one.lost and life is not None and not life.killed
        if heard and (vendor, key) not in evidence.kept:
            table.findings["forgotten"].append(f"{vendor} {key}")


def _uncounted(billed: Iterable[Entry], evidence: Evidence, table: Table) -> None:
    """Each company's look-ups stand in the purchases: at most one that was answered, the others in full."""
    counted: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for row in evidence.purchases:
        counted[row.vendor, row.key].append(row.amount)
    look_ups = Counter((one.vendor, one.key) for one in billed)
    for (vendor, key), times in look_ups.items():
        rows = counted[vendor, key]
        unknown = sum(amount >= evidence.price[vendor] - EPSILON for amount in rows)
        answered = sum(0 < amount < evidence.price[vendor] - EPSILON for amount in rows)
        if times > unknown + answered:
            table.findings["uncounted"].append(f"{vendor} {key}: {times} times, {rows} counted")
        if answered > 1:
            table.findings["paid twice"].append(f"{vendor} {key}: {answered} answers were paid")


def _budgets(billed: Iterable[Entry], evidence: Evidence, table: Table) -> None:
    """The vendors' bills against every budget; and what the engine counted, which is never less.

    A look-up that was reserved just before midnight is billed after it: bills are held against the budgets
    of all the days together.
    """
    limits = evidence.limits
    days = len({row.at // DAY for row in evidence.purchases})
    most: dict[str, float] = {}
    spent: defaultdict[str, float] = defaultdict(float)

    def spend(name: str, credits: float, limit: float) -> None:
        spent[name] += credits
        most[name] = limit

    for one in billed:
        spend(f"account {one.key}", one.credits, limits.account)
        spend("day", one.credits, limits.day * days)
        spend(one.vendor, one.credits, limits.vendors.get(one.vendor, inf) * days)
        for life in evidence.lives:
            if life.saw(one.at):
                spend(f"run of {life.began}", one.credits, limits.run)
    for row in evidence.purchases:
        day = f"{row.at // DAY:.0f}, as counted"
        spend(f"account {row.key}, as counted", row.amount, limits.account)
        spend(f"day {day}", row.amount, limits.day)
        spend(f"{row.vendor} on day {day}", row.amount, limits.vendors.get(row.vendor, inf))
        spend(f"run {row.run}, as counted", row.amount, limits.run)
    for name, credits in spent.items():
        if credits > most[name] + EPSILON:
            table.findings["over budget"].append(f"{name}: {credits:g} of {most[name]:g}")


def _without_credit(evidence: Evidence, table: Table) -> None:
    """Who said that no credit is left is asked no more by those who came after one that heard it out."""
    refusals = [one for one in evidence.entries if one.kind == NO_CREDIT]
    heard = [
        life.ended for life in evidence.lives if not life.killed and any(life.saw(one.at) for one in refusals)
    ]
    for one in refusals:
        if heard and one.at > min(heard):
            table.findings["asked without credit"].append(one.vendor)
