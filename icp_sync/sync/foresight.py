"""What buying would cost, asking nobody: each account's way through the waterfall, supposed step by step.

Each answer supposed is one the source gave about another company lately; of a source that has told nothing
yet it is one of the values that matter. Account by account that is a guess; over many it adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random

from icp_sync.domain.buying import ABOVE_CRM
from icp_sync.domain.facts import FactValue, Known, Signal
from icp_sync.journal.bought import VendorState
from icp_sync.sync.report import Report
from icp_sync.sync.subjects import answer_key
from icp_sync.sync.waterfall import Ask, Case, Waterfall


def foresee(
    cases: Iterable[Case],
    waterfall: Waterfall,
    resting: Mapping[str, VendorState],
    now: float,
    report: Report,
) -> None:
    """Add to `report` what would be asked, and the credits: expected, at most, and for everything.

    resting: sources that are left alone just now; they would not be asked.
    """
    counted: set[tuple[str, str]] = set()
    most: set[tuple[str, str]] = set()
    everything: set[tuple[str, str]] = set()
    for case in cases:
        if not case.draft.evaluation.in_scope:
            continue
        for subject in case.subjects:
            subject.asked |= resting.keys()
        for ask in waterfall.everything(case.subjects):
            if _first(ask, everything):
                report.credits_everything[ask.enricher.name] += ask.cost
        left = waterfall.account_budget
        for ask in waterfall.may_be_asked(case, now):
            price = waterfall.dearest(ask.enricher)
            if price <= left and _first(ask, most):
                left -= price
                report.credits_most[ask.enricher.name] += price
        for ask in _supposed(case, waterfall, now):
            price = waterfall.dearest(ask.enricher)
            if _first(ask, counted):
                report.asked[ask.enricher.name] += 1
                report.credits[ask.enricher.name] += ask.cost
            if _first(ask, most):  # its turn came by what was learned on the way
                report.credits_most[ask.enricher.name] += price
            if _first(ask, everything):
                report.credits_everything[ask.enricher.name] += ask.cost


def _first(ask: Ask, seen: set[tuple[str, str]]) -> bool:
    """Whether nobody was counted yet for this question; several accounts of one company ask it once."""
    key = (ask.enricher.name, answer_key(ask.enricher, ask.subject.request))
    if key in seen:
        return False
    seen.add(key)
    return True


def _supposed(case: Case, waterfall: Waterfall, now: float) -> Iterator[Ask]:
    """What would be asked about an account one after another, as far as its budget goes."""
    draw = Random(case.draft.account.id)  # noqa: S311  the same way each time
    left = waterfall.account_budget
    while asks := waterfall.asks(case.draft, case.known, case.subjects, now):
        for ask in asks if waterfall.buys_everything else asks[:1]:
            told = waterfall.supposed(case, ask, draw, now)
            ask.subject.asked.add(ask.enricher.name)
            if waterfall.dearest(ask.enricher) > left:
                continue
            left -= ask.cost
            yield ask
            case.known = _knowing(case.known, told, ask, waterfall)
        case.renew_country()


def _knowing(known: Known, told: Mapping[str, FactValue], ask: Ask, waterfall: Waterfall) -> Known:
    """What would be known, had a source told this. told: full name → value."""
    source = ask.enricher.name
    signals = {
        name: Signal(
            fact=name,
            value=value,
            source=source,
            observed_at=0.0,
            rank=ABOVE_CRM * waterfall.place(ask.enricher, name.rpartition(".")[2]),
        )
        for name, value in told.items()
    }
    return replace(known, facts={**known.facts, **told}, winners={**known.winners, **signals})
