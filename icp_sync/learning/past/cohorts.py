"""Accounts and their sales → cases, each in the cohort it turned out to belong to, and what is missing.

Pure: knows no file, no CRM and no clock. `labelled` reads files for it, `reading` a CRM.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Money
from icp_sync.learning.cases import Book, Case, Cohort
from icp_sync.learning.definitions import CHURNED_ON, MONTH, NPS, RENEWALS, VALUE
from icp_sync.learning.definitions import Definitions as Definitions
from icp_sync.learning.definitions import defined as defined
from icp_sync.learning.past.groups import roots
from icp_sync.learning.past.placing import Fate, gone, place
from icp_sync.learning.past.sales import End, Story, in_currency, story, won_amount
from icp_sync.learning.past.sales import Sale as Sale
from icp_sync.learning.past.wanting import CHURN_UNTOLD, UNDATED, Want, nowhere, sentences


class AsOf(NamedTuple):
    """What was known of an account at an instant. recorded: as an earlier evaluation has it."""

    facts: Facts
    recorded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An account. facts: as they stand today. told: what is known of its fate beside facts, by the keys of
    `definitions.OUTCOMES`. placed: the cohort somebody says it belongs to. parent: the account above it, by
    id or by name, "" for none.

    recorded: what was known of it at an instant (UTC epoch seconds), None for today's facts.
    """

    id: str
    name: str = ""
    domain: str = ""
    facts: Facts = field(default_factory=dict)
    told: Facts = field(default_factory=dict)
    placed: Cohort | None = None
    parent: str = ""
    recorded: Callable[[float], AsOf | None] | None = None


def book_of(
    subjects: Iterable[Subject],
    sales: Iterable[Sale],
    definitions: Definitions,
    *,
    now: float,
    types: Mapping[str, FactType] = CATALOGUE,
    currency: str = "",
    left_out: Mapping[str, str] | None = None,
    telling: Collection[str] = (),
    notes: Sequence[str] = (),
) -> Book:
    """Every account whose story has an end as a case, in the order they were decided; ties in that of the
    subjects.

    currency: of values, ISO 4217; "" for the one most values, else most amounts of deals, are in. telling:
    the keys of `definitions.OUTCOMES` that there was a place for, whatever it held. left_out, notes: what
    the caller knows already; what is found here is added.
    """
    ledger = _Ledger(definitions, now)
    ledger.take(subjects, sales)
    currency = currency or ledger.commonest
    cases = ledger.cases(currency)
    churn_told = ledger.churn_told(telling)
    return Book(
        cases=tuple(sorted(cases, key=lambda case: case.decided)),
        crowd={account_id: subject.facts for account_id, subject in ledger.accounts.items()},
        currency=currency,
        types=types,
        left_out={**_outcomes(definitions), **(left_out or {})},
        churn_told=churn_told,
        dated=not ledger.undated,
        by=definitions,
        notes=(*ledger.weighty(churn_told), *notes, *ledger.notes()),
    )


class _Ledger:
    """The accounts of one book, their sales, and what was met on the way."""

    def __init__(self, definitions: Definitions, now: float) -> None:
        self._by, self._now = definitions, now
        self.accounts: dict[str, Subject] = {}
        self._sales: defaultdict[str, list[Sale]] = defaultdict(list)
        self._met: Counter[Want] = Counter()
        self.undated = True
        self._by_hand = False
        self.won = False
        self.commonest = ""

    def take(self, subjects: Iterable[Subject], sales: Iterable[Sale]) -> None:
        for subject in subjects:
            self._met[Want.TWICE] += subject.id in self.accounts
            self.accounts.setdefault(subject.id, subject)
            self._by_hand = self._by_hand or subject.placed is not None
        sold: Counter[str] = Counter()
        for sale in sales:
            self.undated = self.undated and sale.created is None and sale.closed is None
            if sale.account_id not in self.accounts:
                self._met[Want.STRANGERS] += 1
                continue
            self._sales[sale.account_id].append(sale)
            if sale.amount:
                sold[sale.currency] += 1
                self._met[Want.NO_CURRENCY] += sale.won and not sale.currency
        values = (self._told(subject, VALUE) for subject in self.accounts.values())
        told = Counter(value.currency for value in values if isinstance(value, Money))
        self.commonest = _commonest(told) or _commonest(sold) or "USD"

    def cases(self, currency: str) -> list[Case]:
        """All that ended within the window, placed, in the accounts' order."""
        ended = list(self._ended())
        fates = [self._fate(subject, found, currency) for subject, found in ended]
        placed = place(fates, self._by, currency=currency)
        groups = roots({account_id: subject.parent for account_id, subject in self.accounts.items()})
        cases = []
        for (subject, found), fate, (cohort, why) in zip(ended, fates, placed, strict=True):
            if subject.placed is not None and fate.end is End.WON and not fate.churned:
                cohort, why = subject.placed, ""
            self._met[Want.GUESSED] += found.guessed
            self._met[Want.NO_WORTH] += cohort is Cohort.UNPLACED and _unknown_worth(fate, self._by)
            self.won = self.won or fate.end is End.WON
            by_hand = subject.placed is not None
            case = _case(subject, found, cohort, why, fate.worth, ripe=self._ripe(found))
            stayed = fate.stayed(self._by.retained_after) and not by_hand
            group = groups.get(subject.id, "")
            cases.append(replace(case, group=group, stayed=stayed, detractor=fate.detractor))
        return cases

    def _ripe(self, found: Story) -> bool:
        """Whether it was decided long enough ago for a customer to have stayed; where somebody says who the
        best are, or nobody says when anything was, there is nothing to wait for."""
        return self._by_hand or self.undated or self._now - found.decided >= self._by.retained_after

    def churn_told(self, telling: Collection[str]) -> bool:
        """Whether anything says, or would say, which customers left."""
        keys = {CHURNED_ON, VALUE}
        facts = {self._by.fact(key) for key in keys} - {""}
        return not keys.isdisjoint(telling) or any(
            not keys.isdisjoint(subject.told) or not facts.isdisjoint(subject.facts)
            for subject in self.accounts.values()
        )

    def _ended(self) -> Iterator[tuple[Subject, Story]]:
        since = self._now - self._by.months * MONTH
        for account_id, subject in self.accounts.items():
            sales = self._sales.get(account_id)
            if not sales:
                self._met[Want.WITHOUT] += 1
                continue
            found = story(sales, stale_after=self._by.stale_after, now=self._now, undated=self.undated)
            if found.end in _OPEN:
                self._met[_OPEN[found.end]] += 1
            elif found.decided > self._now:
                self._met[Want.FUTURE] += 1
            elif found.decided < since:
                self._met[Want.OLD] += 1
            else:
                yield subject, found

    def _fate(self, subject: Subject, found: Story, currency: str) -> Fate:
        if found.end is not End.WON:
            return Fate(end=found.end)
        value = self._told(subject, VALUE)
        worth = None if value is None else in_currency(value, currency)
        if worth is None:
            self._met[Want.NO_CURRENCY] += isinstance(value, Money) and not value.currency
            worth = won_amount(self._sales[subject.id], currency)
        return Fate(
            end=found.end,
            churned=gone(self._told(subject, CHURNED_ON), value, self._now),
            age=None if self.undated else self._now - found.decided,
            worth=worth,
            renewals=self._told(subject, RENEWALS),
            nps=self._told(subject, NPS),
        )

    def _told(self, subject: Subject, key: str) -> FactValue | None:
        """What is said of a fate: beside the facts, else by the fact that the definitions name."""
        said = subject.told.get(key)
        return subject.facts.get(self._by.fact(key)) if said is None else said

    def weighty(self, churn_told: bool) -> list[str]:
        """What is missing so badly that it is said before all else."""
        undated = [UNDATED] if self.undated and self._sales else []
        return [*undated, *([] if churn_told or not self.won else [CHURN_UNTOLD])]

    def notes(self) -> list[str]:
        """What is missing and what was set aside."""
        seen = frozenset(name for s in self.accounts.values() for name in (*s.told, *s.facts))
        return [*sentences(self._met, self._by), *nowhere(self._by, seen)]


def _commonest(currencies: Counter[str]) -> str:
    del currencies[""]
    return min(currencies, key=lambda code: (-currencies[code], code), default="")


_OPEN = {End.OPEN: Want.OPEN, End.UNDATED: Want.NO_DATE}


def _unknown_worth(fate: Fate, by: Definitions) -> bool:
    return fate.worth is None and fate.stayed(by.retained_after)


def _case(
    subject: Subject, found: Story, cohort: Cohort, why: str, worth: float | None, *, ripe: bool
) -> Case:
    known = subject.recorded(found.decided) if subject.recorded else None
    return Case(
        id=subject.id,
        name=subject.name,
        domain=subject.domain,
        facts=subject.facts if known is None else known.facts,
        begun=found.begun,
        decided=found.decided,
        won=found.end is End.WON,
        cohort=cohort,
        value=worth,
        deal=found.deal,
        why=why,
        recorded=known is not None and known.recorded,
        ripe=ripe,
    )


def _outcomes(definitions: Definitions) -> dict[str, str]:
    return {
        fact: f"it says what became of a customer: the settings name it as `{key}`"
        for fact, key in definitions.outcomes.items()
    }
