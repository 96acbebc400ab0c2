"""A connection's accounts and deals → a book of cases, each with what was known before it was decided.

Reads the CRM and the journal and writes nothing; asks no enricher. The cohorts are placed by `cohorts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from icp_sync.domain.account import Account
from icp_sync.domain.buying import AS_USUAL, Buying
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, Interval, Signal, fits, merge
from icp_sync.domain.populations import with_population
from icp_sync.journal import Journal
from icp_sync.learning.cases import Book, Case
from icp_sync.learning.days import begins
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.past.cohorts import Sale, Subject, book_of
from icp_sync.learning.past.steadiness import (
    AS_OF_ROUND,
    DRIFTING,
    EVENT_DATES,
    MOVING,
    OUTCOME_FACTS,
    STEADY,
)
from icp_sync.learning.past.withheld import known_by
from icp_sync.learning.sources.joined_file import Joined, with_joined
from icp_sync.learning.sources.unread import Unread
from icp_sync.ports import Crm, Deal, Page, Query, Stream, account_key

_NAMED = 6
"""Facts named in a note before it says how many more there are."""
_LAST_ROUND = "last_funding_date"


def book_of_connection(
    crm: Crm,
    journal: Journal,
    definitions: Definitions,
    *,
    types: Mapping[str, FactType],
    now: float,
    buying: Buying = AS_USUAL,
    currency: str = "",
    join: Path | None = None,
) -> Book:
    """All accounts of the CRM with what the journal recalls of them, and all its deals.

    types: every fact of the connection. now: UTC epoch seconds. currency: of values, "" for the one most
    deals are in. join: a CSV file that tells more of their fate. Raises AuthError naming the right that is
    missing to read deals, UnavailableError, and ConfigError for a file that cannot be used.
    """
    sales = [sale_of(deal) for deal in crm.deals(0)]
    sold_to = {sale.account_id for sale in sales}
    past = _Past(types, buying)
    subjects: list[Subject] = []
    for page in crm.pages(Query(stream=Stream.BACKFILL)):
        subjects += past.subjects(page, journal, sold_to, now)
    told = Joined([], frozenset())
    if join is not None:
        subjects, told = with_joined(join, subjects, definitions, currency=currency)
    book = book_of(
        subjects,
        sales,
        definitions,
        now=now,
        types=types,
        currency=currency,
        telling=told.telling,
        notes=told.notes,
    )
    recorded = journal.facts_before({case.id: case.decided for case in book.cases})
    cases = tuple(past.as_of(case, recorded.get(case.id)) for case in book.cases)
    left_out = {**_left_out(cases, book.crowd), **book.left_out}
    notes = (*book.notes, *past.notes(cases, left_out))
    return replace(book, cases=cases, left_out=left_out, notes=notes)


def sale_of(deal: Deal) -> Sale:
    """A deal as a sale, closed at the beginning of the day it closed on (UTC): what became known on that very
    day was not known before."""
    return Sale(
        account_id=deal.account_id,
        id=deal.id,
        created=deal.created_at / 1000 if deal.created_at > 0 else None,
        closed=None if deal.open else _day(deal.closed_on),
        won=deal.won,
        open=deal.open,
        amount=deal.amount,
        currency=deal.currency,
    )


def _day(text: str) -> float | None:
    try:
        return begins(date.fromisoformat(text[:10]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of one account: by the CRM as it stands today, and by answers bought at any time."""

    crm: tuple[Signal, ...]
    bought: tuple[Signal, ...]


@dataclass(slots=True)
class _Past:
    """What was known of the accounts that were sold to, before each was decided.

    later: fact → how many of its values were not surely known then, and were left out.
    """

    types: Mapping[str, FactType]
    buying: Buying
    said: dict[str, _Said] = field(default_factory=dict)
    later: Counter[str] = field(default_factory=Counter)
    unread: Unread = field(default_factory=Unread)

    def subjects(self, page: Page, journal: Journal, sold_to: Iterable[str], now: float) -> Iterator[Subject]:
        """The accounts of a page with all that is known of them today."""
        keys = {account.id: account.domain.strip().lower() for account in page.accounts}
        memory = journal.recall(keys, now=now, also={id: account_key(id) for id in keys})
        for account in page.accounts:
            said = _Said(account.signals, self.buying.ranked(memory.of(account.id).signals))
            if account.id in sold_to:
                self.said[account.id] = said
            facts = self._facts((*said.crm, *said.bought), account)
            self.unread.see({fact: text for fact, text in account.unread.items() if fact not in facts})
            yield Subject(
                id=account.id, name=account.name, domain=account.domain, facts=facts, parent=account.parent
            )

    def as_of(self, case: Case, recorded: Facts | None) -> Case:
        """The case with the facts an evaluation recorded in time, else with what may count as known then."""
        if recorded is not None:
            kept = {name: value for name, value in recorded.items() if fits(value, self.types.get(name))}
            return replace(case, facts=kept, recorded=True)
        said = self.said[case.id]
        known = [s for s in said.crm if s.observed_at <= case.decided or _stood(s, case.decided, said.crm)]
        known += [s for s in said.bought if s.observed_at <= case.decided]
        facts = known_by(self._facts(known), self.types, case.decided)
        lost = {s.fact for s in (*said.crm, *said.bought)} - facts.keys() - OUTCOME_FACTS.keys()
        self.later.update(lost)
        return replace(case, facts=facts, recorded=False)

    def _facts(self, signals: Iterable[Signal], account: Account | None = None) -> Facts:
        unread = account.unread if account is not None else {}
        return with_population(merge(signals, unread, self.types, self.buying.floors)).facts

    def notes(self, cases: Sequence[Case], left_out: Mapping[str, str]) -> Iterator[str]:
        """What to know of the facts of these cases, in sentences."""
        recorded = sum(case.recorded for case in cases)
        if not cases:
            return
        if recorded < len(cases):
            yield (
                f"{recorded:,} of {len(cases):,} cases have the facts an evaluation recorded before the "
                "decision; the others have what the CRM says today of things that hardly change"
            )
        today = {name for case in cases if not case.recorded for name in case.facts} - left_out.keys()
        if drifting := [name for name in DRIFTING if name in today]:
            yield f"{_named(drifting)}: as they stand today, not as they were when it was decided"
        if own := sorted(today - CATALOGUE.keys()):
            yield (
                f"{_named(own)}: facts of your own, taken as they stand today; if a deal changes one, do not "
                "learn from it"
            )
        if self.later:
            often = [f"{name} {n:,}" for name, n in self.later.most_common()]
            n = self.later.total()
            values = "1 value" if n == 1 else f"{n:,} values"
            yield f"{values} not surely known when the case was decided left out: {_named(often)}"
        yield from self.unread.sentences({}, "value")


def _stood(signal: Signal, decided: float, crm: Sequence[Signal]) -> bool:
    """Whether what the CRM says today may count as having been so at an instant."""
    fact = signal.fact
    if fact in EVENT_DATES:
        return isinstance(signal.value, Interval) and signal.value.high <= decided
    if fact in AS_OF_ROUND:
        rounds = (s.value for s in crm if s.fact == _LAST_ROUND)
        return any(isinstance(day, Interval) and day.high <= decided for day in rounds)
    return fact in STEADY or fact in DRIFTING or fact not in CATALOGUE


def _left_out(cases: Sequence[Case], crowd: Mapping[str, Facts]) -> dict[str, str]:
    """The facts seen anywhere that are never learned from, and those that nothing recorded in time."""
    known = frozenset(name for case in cases for name in case.facts)
    seen = known.union(*(facts.keys() for facts in crowd.values()))
    outcome = {name: why for name, why in OUTCOME_FACTS.items() if name in seen}
    moving = {
        name: f"{why}, and nothing recorded it before the decisions"
        for name, why in MOVING.items()
        if name in seen and name not in known
    }
    return outcome | moving


def _named(facts: Sequence[str]) -> str:
    more = len(facts) - _NAMED
    return ", ".join(facts[:_NAMED]) + (f" and {more} more" if more > 0 else "")
