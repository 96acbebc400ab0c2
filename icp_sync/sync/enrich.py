"""Buying facts: in rounds, each account's most telling question first, until nothing left could matter.

A dry run asks nobody; it says what would be asked and what that would cost. Whom to ask is decided in
`waterfall`, the asking done by `asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.domain.account import ALONE, NOT_REMEMBERED, Memory
from icp_sync.domain.buying import Buy
from icp_sync.domain.facts import LEVELS, Signal
from icp_sync.domain.kin import with_news_above
from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal
from icp_sync.journal.bought import VendorState
from icp_sync.ports import Enricher, Hit, Miss, Pending, Unavailable, account_key
from icp_sync.sync.asking import Asker, Said, questions_of
from icp_sync.sync.draft import Draft, Policy, known_of
from icp_sync.sync.experience import segment_of
from icp_sync.sync.foresight import foresee
from icp_sync.sync.report import Report
from icp_sync.sync.subjects import answer_key, company_key, subjects_of
from icp_sync.sync.vendors import THROTTLED, Vendors
from icp_sync.sync.waterfall import Ask, Case, Waterfall

PATIENCE = 3
"""How often in a row a source may ask for patience before the next in line has its turn."""


@dataclass(slots=True)
class Bought:
    """What was learned under one key now. until: when the first of it must be asked again. sources: whose
    earlier word it takes the place of."""

    signals: tuple[Signal, ...] = ()
    until: float | None = None
    sources: frozenset[str] = frozenset()

    def add(self, until: float) -> None:
        self.until = until if self.until is None else min(self.until, until)

    def told(self, source: str, signals: Iterable[Signal], now: float) -> None:
        """A source's answer, hit or miss. What has ended already is not used."""
        holding = tuple(s for s in signals if s.until is None or s.until > now)
        self.signals = (*self.signals, *holding)
        self.sources |= {source}
        for signal in holding:
            if signal.until is not None:
                self.add(signal.until)


def affordable(vendors: Vendors, policy: Policy, *, spend: bool) -> Sequence[Enricher]:
    """Whom to ask: only who costs nothing, where nothing is to be bought, or written yet."""
    writes = policy.mode.allows(Mode.WRITE) or not spend
    return vendors if writes and policy.buying.mode is not Buy.NOTHING else vendors.free


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
    clock: Callable[[], float] | None = None,
    unasked: bool = False,
) -> Mapping[str, Bought]:
    """Ask about these accounts whatever may still change them, adding to `report`. Key of the answer → the
    news. Several accounts of one company are one question.

    unasked: nobody asked for it, so that what the mode forbids is not bought; what is paid is fetched.
    """
    found: dict[str, Bought] = {}
    if not drafts or not enrichers:
        return found
    vendors = Vendors.of(enrichers)
    vendors.experience.read(journal, vendors)
    waterfall = Waterfall(vendors, policy, vendors.experience)
    cases = [Case(d, d.known, subjects_of(d, memory, policy, vendors)) for d in drafts]
    cases = [case for case in cases if case.subjects]
    states = {e.name: vendors.resting(e.name, journal, now) for e in vendors}
    resting = {name: state for name, state in states.items() if state is not None}
    if unasked:
        allowed = {e.name for e in affordable(vendors, policy, spend=spend)}
        for subject in (subject for case in cases for subject in case.subjects):
            subject.asked |= {e.name for e in vendors if e.name not in allowed}
    if not spend:
        foresee(cases, waterfall, resting, now, report)
        return found
    asker = Asker(vendors, journal, policy, waterfall, run=run, clock=clock or (lambda: now))
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
            _learn(enricher, said, found, report, now)
            _tell(cases, enricher, said, _patient(vendors.resting(enricher.name, journal, now)))
        told = with_answers(memory, [case.draft for case in cases], found, policy)
        for case in cases:
            account, case.asks = case.draft.account, []
            case.known = known_of(account, told.of(account.id), told.kin.get(account.id, ALONE), policy)
            case.renew_country()


def _due(case: Case, vendors: Vendors, memory: Memory, now: float) -> Iterator[Ask]:
    """Answers that were promised and may have come: fetched whatever they are worth by now, they are paid."""
    for subject in case.subjects:
        waiting = memory.of(subject.request.account_id).pending
        for enricher in vendors:
            job = waiting.get(enricher.name)
            if job is not None and job[1] <= now and enricher.name not in subject.waiting:
                yield Ask(enricher=enricher, subject=subject, facts=dict.fromkeys(enricher.facts, 1.0))


def _next(
    case: Case,
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
            (subject.waiting if _patient(state) else subject.asked).add(ask.enricher.name)
            found.setdefault(answer_key(ask.enricher, subject.request), Bought()).add(state.open_until)
    return []


def _learn(
    enricher: Enricher, said: Mapping[str, Said], found: dict[str, Bought], report: Report, now: float
) -> None:
    for key, one in said.items():
        bought = found.setdefault(key, Bought())
        bought.add(one.again)
        if isinstance(one.answer, Hit | Miss):
            bought.told(enricher.name, one.answer.signals if isinstance(one.answer, Hit) else (), now)
        if one.over:
            report.over_budget[enricher.name] += 1
        if one.answer is None:
            continue
        report.asked[enricher.name] += 1
        report.credits[enricher.name] += one.answer.charge
        report.hits[enricher.name] += isinstance(one.answer, Hit)


def _patient(state: VendorState | None) -> bool:
    """Whether a source that cannot answer just now is worth waiting for."""
    return state is None or (state.kind == THROTTLED and state.failures < PATIENCE)


def _tell(cases: Iterable[Case], enricher: Enricher, said: Mapping[str, Said], patient: bool) -> None:
    """Note at every account whose question this was that it has been asked, or has to wait."""
    for case in cases:
        for subject in case.subjects:
            one = said.get(answer_key(enricher, subject.request))
            if one is None:
                continue
            if _waits(one, patient):
                subject.waiting.add(enricher.name)
            else:
                subject.asked.add(enricher.name)


def _waits(one: Said, patient: bool) -> bool:
    """Whether this source's word is worth waiting for, before the next in line is asked."""
    if one.answer is None:
        return not one.over
    soon = isinstance(one.answer, Unavailable) and one.answer.kind == THROTTLED
    return (soon and patient) or isinstance(one.answer, Pending)


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
                kept = tuple(s for s in known.signals if s.source not in fresh.sources)
                accounts[account_id] = replace(known, signals=(*kept, *fresh.signals))
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
    memory = replace(memory, accounts=accounts)
    return with_news_above(memory, policy.kin_facts, here, policy.types, policy.buying)
