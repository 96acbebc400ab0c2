"""Sources that contradict each other about an account, in words; for explain and for enrich."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icp_sync.domain.disagreement import Disagreement, agree, disagreements, from_json
from icp_sync.domain.facts import CATALOGUE, FactType, Known, Signal
from icp_sync.domain.spelling import fact_text, value_text
from icp_sync.domain.why import facts_of_evidence
from icp_sync.ports import account_key

if TYPE_CHECKING:
    from icp_sync.journal import Journal, StoredAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementRow:
    """The value that counts and one that contradicts it. bands: how many size bands apart, 0 for none."""

    fact: str
    counts: str
    source: str
    against: str
    other: str
    bands: int


def bought_about(stored: StoredAccount, journal: Journal, now: float) -> tuple[Signal, ...]:
    """What sources beside the CRM said about an account and what still holds."""
    id = stored.account_id
    return journal.recall({id: stored.domain}, now=now, also={id: account_key(id)}).of(id).signals


def differing(stored: StoredAccount, bought: Sequence[Signal]) -> tuple[Disagreement, ...]:
    """What contradicted the facts the account was last evaluated on, then or since: a source that changes
    nothing about an account is no reason to settle it again, and yet it may disagree."""
    known = known_then(stored, bought)
    found = disagreements(known)
    named = {(d.fact, d.loser.source) for d in found}
    earlier = from_json(stored.evaluation.get("disagreements"))
    return (*found, *(d for d in earlier if (d.fact, d.loser.source) not in named and _stands(d, known)))


def overruled_since(stored: StoredAccount, bought: Sequence[Signal]) -> Mapping[str, tuple[str, ...]]:
    """Fact → "apollo: 4,000" for each source beside the CRM whose word does not count, and is another."""
    known = known_then(stored, bought)
    found = {
        fact: tuple(said_by(s) for s in losers if not agree(known.facts[fact], s.value))
        for fact, losers in known.losers.items()
        if CATALOGUE.get(fact) is not FactType.SET
    }
    return {fact: said for fact, said in found.items() if said}


def agreeing(stored: StoredAccount, bought: Sequence[Signal]) -> Mapping[str, frozenset[str]]:
    """Fact → "apollo: 51–200" for each source beside the CRM that says the same as what counts."""
    known = known_then(stored, bought)
    return {
        fact: frozenset(said_by(s) for s in losers if agree(known.facts[fact], s.value))
        for fact, losers in known.losers.items()
    }


def said_by(signal: Signal) -> str:
    return f"{signal.source}: {value_text(signal.fact, signal.value)}"


def known_then(stored: StoredAccount, bought: Sequence[Signal]) -> Known:
    """The facts of the last evaluation with who won, against whatever else was bought."""
    facts, raw = facts_of_evidence(stored.evidence), stored.evidence.get("facts")
    sources = {name: str(pair[1]) for name, pair in raw.items()} if isinstance(raw, dict) else {}
    winners = {n: Signal(fact=n, value=v, source=sources[n], observed_at=0.0) for n, v in facts.items()}
    losers: dict[str, tuple[Signal, ...]] = {}
    for signal in bought:
        if signal.fact in winners and signal.source != winners[signal.fact].source:
            losers[signal.fact] = (*losers.get(signal.fact, ()), signal)
    return Known(facts=facts, winners=winners, losers=losers, unread={})


def _stands(d: Disagreement, known: Known) -> bool:
    return known.facts.get(d.fact) == d.winner.value


def disagreement_rows(found: Iterable[Disagreement]) -> tuple[DisagreementRow, ...]:
    return tuple(
        DisagreementRow(
            fact=d.fact,
            counts=value_text(d.fact, d.winner.value),
            source=d.winner.source,
            against=value_text(d.fact, d.loser.value),
            other=d.loser.source,
            bands=d.bands,
        )
        for d in found
    )


def disagreement_words(row: DisagreementRow) -> str:
    """ "employees: 51–200 (crm:numberofemployees) against 4,000 (apollo), 4 size bands apart"."""
    apart = f", {row.bands} size bands apart" if row.bands else ""
    return f"{fact_text(row.fact)}: {row.counts} ({row.source}) against {row.against} ({row.other}){apart}"
