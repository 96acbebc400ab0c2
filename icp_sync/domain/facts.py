"""What is known about a company: named, typed facts, each possibly known only in part.

A number, an amount of money or an instant is an interval; a set is its known members plus whether that
is all of them. Nothing here knows where a fact came from beyond the name of its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple


class Interval(NamedTuple):
    """A closed range `[low, high]`. Numbers have the fact's unit; instants are UTC epoch seconds."""

    low: float
    high: float

    @property
    def exact(self) -> bool:
        return self.low == self.high


class Money(NamedTuple):
    """An amount in `[low, high]` whole currency units; `currency` is ISO 4217, "" where nobody said.

    year: the business or calendar year it belongs to, None where nobody said; at its rates it is converted.
    """

    low: float
    high: float
    currency: str
    year: int | None = None


class Members(NamedTuple):
    """A set of lower-case or enum strings. `complete` says whether absence is known or merely unseen.

    A single choice (country, industry) is a complete set of one.
    """

    known: frozenset[str]
    complete: bool


FactValue = Interval | Money | Members
Facts = Mapping[str, FactValue]
"""Fact name → value. A fact that is not in the mapping is unknown."""


class FactType(StrEnum):
    """How a fact is read, merged and asked about."""

    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"  # one value of a vocabulary: Members of one, complete
    SET = "set"  # many values, united when signals merge
    YES_NO = "yes_no"  # Members of {"yes"} or {"no"}, complete


CATALOGUE: Mapping[str, FactType] = {
    "name": FactType.CHOICE,
    "domain": FactType.CHOICE,
    "industry": FactType.CHOICE,  # HubSpot's 148 enum values, the vocabulary all sources are mapped to
    "sector": FactType.CHOICE,  # NAICS 2022 two-digit sector, e.g. "51", "31-33"
    "employees": FactType.NUMBER,
    "revenue": FactType.MONEY,  # a year's
    "country": FactType.CHOICE,  # ISO 3166-1 alpha-2
    "state": FactType.CHOICE,
    "city": FactType.CHOICE,
    "founded": FactType.DATE,
    "ownership": FactType.CHOICE,  # public | private | nonprofit | government | …
    "business_model": FactType.SET,
    "funding_stage": FactType.CHOICE,
    "funding_total": FactType.MONEY,
    "last_funding_date": FactType.DATE,
    "technologies": FactType.SET,
    "open_roles": FactType.SET,
    "keywords": FactType.SET,
    "web_visits": FactType.NUMBER,  # a month's
    "last_visit": FactType.DATE,  # of somebody from there to our site
    "intent_topics": FactType.SET,  # what they read about elsewhere, as an intent vendor says
    "intent_score": FactType.NUMBER,  # 0 to 100
    "buying_stage": FactType.CHOICE,  # the intent vendor's own word
    "open_jobs": FactType.NUMBER,
    "employee_growth": FactType.NUMBER,  # per cent a year
    "news": FactType.SET,  # categories of events: "launches", "acquires"
    "last_news_date": FactType.DATE,
    "legal_name": FactType.CHOICE,
    "registry_status": FactType.CHOICE,  # active | dissolved | …, as the company register has it
    "lei": FactType.CHOICE,  # Legal Entity Identifier (ISO 17442)
    "lifecycle": FactType.SET,  # the stage and what it amounts to: "lead" is also "prospect"
    "account_type": FactType.CHOICE,
    "population": FactType.SET,  # what the CRM says the company is to us; derived, see `domain.populations`
    "lead_status": FactType.CHOICE,
    "open_deals": FactType.NUMBER,
    "won_deals": FactType.NUMBER,
    "contacts": FactType.NUMBER,
    "contact_titles": FactType.SET,  # roles of the people known there: "vp sales", "founder"
    "children": FactType.NUMBER,
    "last_activity": FactType.DATE,
    "last_touch": FactType.DATE,  # when somebody of ours last called, wrote or met; no note, no task
    "residency": FactType.SET,
}
"""Facts every connection knows by name; a facts map may declare more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One source's word on one fact."""

    fact: str
    value: FactValue
    source: str  # "crm:industry", "public_companies", "csv:accounts.csv"
    observed_at: float  # UTC epoch seconds
    confidence: float = 1.0  # (0, 1]
    rank: int = 0  # lower wins; the connection states the order
    raw: str = ""  # what the source said, for explain
    until: float | None = None  # from when it is too old to be used, epoch seconds; None: it does not age


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Known:
    """The merged facts of one account: values, who won each, who lost, and what could not be read."""

    facts: Facts
    winners: Mapping[str, Signal]
    losers: Mapping[str, tuple[Signal, ...]]
    unread: Mapping[str, str]  # fact → raw text that did not parse

    @property
    def sources(self) -> dict[str, str]:
        """Fact → who says so."""
        return {name: signal.source for name, signal in self.winners.items()}


NO_FLOORS: Mapping[str, float] = {}


def merge(
    signals: Iterable[Signal],
    unread: Mapping[str, str] | None = None,
    types: Mapping[str, FactType] = CATALOGUE,
    floors: Mapping[str, float] = NO_FLOORS,
) -> Known:
    """Merge signals of one account: lowest rank, then highest confidence, then newest wins; sets unite.

    A united set is complete when one of its sources claims completeness. A value of the wrong kind, or a
    range that is not one (NaN, low above high), counts as unread. floors: fact → the least confidence a
    signal needs to count; the others are losers, whoever wins.
    """
    facts: dict[str, FactValue] = {}
    winners: dict[str, Signal] = {}
    several: dict[str, list[Signal]] = {}  # of most facts only one source says something
    unfit: dict[str, str] = {}
    for signal in signals:
        fact, value = signal.fact, signal.value
        if not fits(value, types.get(fact)):
            unfit.setdefault(fact, signal.raw or repr(value))
        elif fact not in winners:
            winners[fact], facts[fact] = signal, value
        else:
            several.setdefault(fact, [winners[fact]]).append(signal)
    losers: dict[str, tuple[Signal, ...]] = {}
    judged = [fact for fact in winners if fact in several or fact in floors] if several or floors else []
    for fact in judged:
        won, lost = _judged(several.get(fact) or [winners[fact]], floors.get(fact, 0.0))
        if lost:
            losers[fact] = lost
        if not won:
            del winners[fact], facts[fact]
            continue
        winners[fact], facts[fact] = won[0], won[0].value
        if len(won) > 1 and types.get(fact) is FactType.SET:
            sets = [s.value for s in won if isinstance(s.value, Members)]
            facts[fact] = Members(frozenset().union(*(s.known for s in sets)), any(s.complete for s in sets))
    if unfit or unread:
        unfit = {fact: raw for fact, raw in {**unfit, **(unread or {})}.items() if fact not in facts}
    return Known(facts=facts, winners=winners, losers=losers, unread=unfit)


def _judged(said: list[Signal], floor: float) -> tuple[list[Signal], tuple[Signal, ...]]:
    """Who counts, the winner first, and who lost."""
    if not floor:
        said.sort(key=_precedence)
        return said, tuple(said[1:])
    weak = tuple(s for s in said if s.confidence < floor)
    won = [s for s in said if s.confidence >= floor]
    won.sort(key=_precedence)
    return won, (*won[1:], *weak)


def _precedence(signal: Signal) -> tuple[int, float, float, str]:
    return signal.rank, -signal.confidence, -signal.observed_at, signal.source


PARENT, GROUP = "parent", "group"
LEVELS = (PARENT, GROUP)
"""Whose fact a name may begin with: `group.employees` is the ultimate parent's."""


def fits(value: FactValue, wanted: FactType | None) -> bool:
    """Whether a value is of the kind its fact type asks for, and a proper range where it is one."""
    if wanted is None or type(value) is not _KINDS[wanted]:
        return False
    return isinstance(value, Members) or value.low <= value.high


_KINDS: Mapping[FactType, type[FactValue]] = {
    FactType.NUMBER: Interval,
    FactType.DATE: Interval,
    FactType.MONEY: Money,
    FactType.CHOICE: Members,
    FactType.SET: Members,
    FactType.YES_NO: Members,
}


def choice(value: str) -> Members:
    """One known value of a vocabulary."""
    return Members(frozenset((value,)), True)


def yes_no(value: bool) -> Members:
    return choice("yes" if value else "no")


def number(low: float, high: float | None = None) -> Interval:
    """An exact number, or a range. `high=inf` is an open band ("10,001+")."""
    return Interval(low, low if high is None else high)


UNBOUNDED = Interval(-inf, inf)


def value_to_json(value: FactValue) -> list[object]:
    """A fact value as plain JSON, read back by `value_from_json`. Infinity becomes null."""
    if isinstance(value, Members):
        known, complete = value
        return ["set", sorted(known) if len(known) > 1 else [*known], complete]
    low = None if value[0] == _LEAST else value[0]
    high = None if value[1] == inf else value[1]
    if isinstance(value, Interval):
        return ["interval", low, high]
    return ["money", low, high, value.currency, *([] if value.year is None else [value.year])]


_LEAST = -inf


def value_from_json(data: list[object]) -> FactValue:
    """The inverse of `value_to_json`. Raises ValueError on anything else."""
    match data:
        case ["set", list(known), bool(complete)]:
            return Members(frozenset(map(str, known)), complete)
        case ["interval", low, high]:
            return Interval(_bound(low, -inf), _bound(high, inf))
        case ["money", low, high, str(currency)]:
            return Money(_bound(low, -inf), _bound(high, inf), currency)
        case ["money", low, high, str(currency), int(year)]:
            return Money(_bound(low, -inf), _bound(high, inf), currency, year)
    raise ValueError(f"not a stored fact value: {data!r}")


def _bound(value: object, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"not a stored bound: {value!r}")
