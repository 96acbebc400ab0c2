"""Buying facts: in rounds, each account's most telling question first, until nothing left could matter.

A dry run asks nobody; it says what would be asked and what that would cost. Whom to ask is decided in
`waterfall`, the asking done by `asking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.domain.account import ALONE, NOT_REMEMBERED, Memory
from icp_sync.domain.facts import LEVELS, Known, Signal
from icp_sync.domain.kin import with_news_above
from icp_sync.journal import Journal
from icp_sync.journal.bought import VendorState
from icp_sync.ports import Enricher, Hit, Pending, Unavailable, account_key
from icp_sync.sync.asking import Asker, Said, questions_of
from icp_sync.sync.draft import Draft, Policy, known_of
from icp_sync.sync.experience import segment_of
from icp_sync.sync.report import Report
from icp_sync.sync.vendors import THROTTLED, Vendors
from icp_sync.sync.waterfall import (
    Ask,
    Subject,
    Waterfall,
    answer_key,
    company_key,
    subjects_of,
)

LEAST = 0.01
"""A forecast stops where so little of the chance to get there is left."""


@dataclass(slots=True)
class Bought:
    """What was learned under one key now. until: when the first of it must be asked again."""

    signals: tuple[Signal, ...] = ()
    until: float | None = None

    def add(self, until: float, signals: Iterable[Signal] = ()) -> None:
        self.signals = (*self.signals, *signals)
        self.until = until if self.until is None else min(self.until, until)


@dataclass(slots=True)
class _Case:
    """One account while facts are bought for it. known: with all that was learned so far. asks: this round's
    questions."""

    draft: Draft
    known: Known
    subjects: list[Subject]
    asks: list[Ask] = field(default_factory=list)


def enrich(
    drafts: Sequence[Draft],
    enrichers: Sequence[Enricher],
    policy: Policy,
    journal: Journal,
    memory: Memory,
    *,
    now: float,
    run: str,
    spend: bool,
    report: Report,
) -> Mapping[str, Bought]:
    """Ask about these accounts whatever may still change them, adding to `report`. Key of the answer → the
    news. Several accounts of one company are one question."""
    found: dict[str, Bought] = {}
    if not drafts or not enrichers:
        return found
    vendors = Vendors.of(enrichers)
    vendors.experience.read(journal, vendors)
    waterfall = Waterfall(vendors, policy, vendors.experience)
    cases = [_Case(d, d.known, subjects_of(d, memory, policy, vendors)) for d in drafts]
    cases = [case for case in cases if case.subjects]
    states = {e.name: vendors.resting(e.name, journal, now) for e in vendors}
    resting = {name: state for name, state in states.items() if state is not None}
    if not spend:
        _foresee(cases, waterfall, now, report)
        return found
    asker = Asker(vendors, journal, policy, waterfall, run=run, now=now)
    for case in cases:
        case.asks = list(_due(case, vendors, memory, now))
    while True:
        waterfall.next_round()
        for case in cases:
            case.asks += _next(case, waterfall, resting, found, now)
        cases = [case for case in cases if case.asks]
        if not cases:
            return found
        asks = ((ask, segment_of(case.known.facts)) for case in cases for ask in case.asks)
        for enricher, questions in questions_of(asks).values():
            said = asker.ask(enricher, questions)
            _learn(enricher, said, found, report)
            _tell(cases, enricher, said)
        told = with_answers(memory, [case.draft for case in cases], found, policy)
        for case in cases:
            account, case.asks = case.draft.account, []
            case.known = known_of(account, told.of(account.id), told.kin.get(account.id, ALONE), policy)


def _due(case: _Case, vendors: Vendors, memory: Memory, now: float) -> Iterator[Ask]:
    """Answers that were promised and may have come: fetched whatever they are worth by now, they are paid."""
    for subject in case.subjects:
        waiting = memory.of(subject.request.account_id).pending
        for enricher in vendors:
            job = waiting.get(enricher.name)
            if job is not None and job[1] <= now and enricher.name not in subject.waiting:
                yield Ask(
                    enricher=enricher, subject=subject, facts=dict.fromkeys(enricher.facts, 1.0), fetch=True
                )


def _next(
    case: _Case,
    waterfall: Waterfall,
    resting: Mapping[str, VendorState],
    found: dict[str, Bought],
    now: float,
) -> list[Ask]:
    """The account's next question, if there is any; all at once where everything is bought.

    A source that is left alone just now is looked at again later: one that only asked for patience is waited
    for, in place of any other the next in line has its turn.
    """
    while asks := waterfall.asks(case.draft, case.known, case.subjects, now):
        chosen = asks if waterfall.buys_everything else asks[:1]
        left_alone = [ask for ask in chosen if ask.enricher.name in resting]
        if not left_alone:
            return chosen
        for ask in left_alone:
            state, subject = resting[ask.enricher.name], ask.subject
            (subject.waiting if state.kind == THROTTLED else subject.asked).add(ask.enricher.name)
            found.setdefault(answer_key(ask.enricher, subject.request), Bought()).add(state.open_until)
    return []


def _learn(enricher: Enricher, said: Mapping[str, Said], found: dict[str, Bought], report: Report) -> None:
    for key, one in said.items():
        bought = found.setdefault(key, Bought())
        bought.add(one.again, one.answer.signals if isinstance(one.answer, Hit) else ())
        if one.over:
            report.over_budget[enricher.name] += 1
        if one.answer is None:
            continue
        report.asked[enricher.name] += 1
        report.credits[enricher.name] += one.answer.charge
        report.hits[enricher.name] += isinstance(one.answer, Hit)


def _tell(cases: Iterable[_Case], enricher: Enricher, said: Mapping[str, Said]) -> None:
    """Note at every account whose question this was that it has been asked, or has to wait."""
    for case in cases:
        for subject in case.subjects:
            one = said.get(answer_key(enricher, subject.request))
            if one is None:
                continue
            if _waits(one):
                subject.waiting.add(enricher.name)
            else:
                subject.asked.add(enricher.name)


def _waits(one: Said) -> bool:
    """Whether this source's word is worth waiting for, before the next in line is asked."""
    if one.answer is None:
        return not one.over
    soon = isinstance(one.answer, Unavailable) and one.answer.kind == THROTTLED
    return soon or isinstance(one.answer, Pending)


def _foresee(cases: Sequence[_Case], waterfall: Waterfall, now: float, report: Report) -> None:
    """What asking would cost: as experience has it, at most, and if everybody were asked everything."""
    counted: set[tuple[str, str]] = set()
    everything: set[tuple[str, str]] = set()
    for case in cases:
        if not case.draft.evaluation.in_scope:
            continue
        for ask in waterfall.everything(case.subjects):
            name, key = ask.enricher.name, answer_key(ask.enricher, ask.subject.request)
            if (name, key) not in everything:
                everything.add((name, key))
                report.credits_everything[name] += ask.cost
        chance = 1.0
        asks = waterfall.asks(case.draft, case.known, case.subjects, now)
        while asks:
            for ask in asks if waterfall.buys_everything else asks[:1]:
                name, key = ask.enricher.name, answer_key(ask.enricher, ask.subject.request)
                ask.subject.asked.add(name)
                if (name, key) in counted:
                    continue
                counted.add((name, key))
                report.asked[name] += chance == 1.0
                report.credits[name] += chance * ask.cost
                report.credits_most[name] += ask.enricher.price
                if not waterfall.buys_everything:
                    chance *= 1.0 - ask.found
            asks = waterfall.asks(case.draft, case.known, case.subjects, now)


def with_answers(
    memory: Memory, drafts: Sequence[Draft], found: Mapping[str, Bought], policy: Policy
) -> Memory:
    """The memory as if what was learned now had been recalled, of these accounts and of those above them."""
    accounts = dict(memory.accounts)
    told: set[str] = set()

    def tell(account_id: str, domain: str) -> Iterator[float]:
        """Add the news about one account, once; yields until when it holds."""
        for key in (company_key(domain), account_key(account_id)):
            fresh = found.get(key)
            if fresh is None or fresh.until is None:
                continue
            yield fresh.until
            if account_id not in told:
                known = accounts.get(account_id, NOT_REMEMBERED)
                accounts[account_id] = replace(known, signals=(*known.signals, *fresh.signals))
        told.add(account_id)

    for d in drafts:
        above = [d.kin.above(level) for level in LEVELS] if policy.kin_facts else []
        around = [(d.account.id, d.account.domain), *(whose for whose in above if whose[0])]
        ends = [until for account_id, domain in around for until in tell(account_id, domain)]
        if ends:
            known = accounts.get(d.account.id, d.remembered)
            until = min([*ends, *([known.answers_until] if known.answers_until is not None else [])])
            accounts[d.account.id] = replace(known, answers_until=until)
    here = {d.account.id: d.account for d in drafts}
    return with_news_above(replace(memory, accounts=accounts), policy.kin_facts, here, policy.types)
