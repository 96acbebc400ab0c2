"""What asking about one account came to, as plain JSON: what was worth it and why, what was learned or lost.

Decides nothing and asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.domain.buying import Buy
from icp_sync.domain.disagreement import agree, disagreements, to_json
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import FactType, Known, Signal, value_to_json
from icp_sync.domain.spelling import fact_text, value_text
from icp_sync.domain.words import missing_facts
from icp_sync.journal import Journal
from icp_sync.ports import account_key
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.report import Report
from icp_sync.sync.waterfall import Ask

Data = dict[str, object]
REFUSALS = {
    "throttled": "it asks for patience",
    "no_credit": "it has no credits left",
    "not_entitled": "its key was refused, or does not allow this",
    "bad_input": "it cannot be asked this",
    "error": "it failed",
    "unknown": "its reply was lost, and perhaps paid for",
}
"""Kind of an Unavailable → what it means."""
PENDING = "pending: its answer is fetched once it is ready"


def refusal(kind: str, message: str) -> str:
    """Why a source gave no answer, in words: "its key was refused, or does not allow this (HTTP 401)"."""
    said = REFUSALS.get(kind, kind.replace("_", " "))
    return f"{said} ({message})" if said and message else said or message


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One account before and after. asks: what was worth asking at first. learned: the signals that came.

    id: "" for a company that is no account.
    """

    id: str
    before: Draft
    after: Draft
    asks: tuple[Ask, ...]
    learned: tuple[Signal, ...]


def told_of(
    looked: Looked,
    journal: Journal,
    policy: Policy,
    report: Report,
    now: float,
    *,
    knowable: frozenset[str] = frozenset(),
) -> Data:
    """Everything about one account. knowable: the facts that sources here know.

    Where everything is bought nobody reckons what it is worth, and the chances are null.

    worth: per question its vendor, facts → the chance that they decide, credits expected and at most.
    nothing: why none was worth asking, "" where one was. outcomes: vendor → what became of its question;
    refusals: → the kind of its refusal, where there was one.
    learned and disagreements: values in words and as JSON.
    """
    before, after = looked.before, looked.after
    forced = policy.buying.mode is Buy.EVERYTHING
    account = before.account
    return {
        "account": {"id": looked.id, "name": account.name, "domain": account.domain},
        "worth": [_worth(ask, forced=forced) for ask in looked.asks],
        "nothing": "" if looked.asks else _why_nothing(before, knowable),
        "before": _standing(before.evaluation),
        "after": _standing(after.evaluation),
        "outcomes": _outcomes(looked, journal, report, now),
        "refusals": _refusals(looked, journal, report),
        "learned": [_learned(signal, after.known, policy) for signal in looked.learned],
        "disagreements": to_json(disagreements(after.known, policy.types)),
    }


def _worth(ask: Ask, *, forced: bool) -> Data:
    facts = sorted(ask.facts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "vendor": ask.enricher.name,
        "level": ask.subject.level,
        "facts": {name: None if forced else chance for name, chance in facts},
        "chance": None if forced else ask.value,
        "credits": ask.cost,
        "credits_most": ask.enricher.price,
    }


def _standing(evaluation: Evaluation) -> Data:
    return {
        "tier": evaluation.tier,
        "certainty": evaluation.certainty,
        "score": evaluation.score,
        "low": evaluation.low,
        "high": evaluation.high,
        "in_scope": evaluation.in_scope,
    }


def _why_nothing(d: Draft, knowable: frozenset[str]) -> str:
    """Why nobody needs to be asked about an account, or can be."""
    if not d.evaluation.in_scope:
        return "it is outside the profile's scope"
    if d.evaluation.override is not None:
        return "people decided its tier"
    missing = [name for name, _ in missing_facts(d.evaluation, d.known.facts)]
    if not missing:
        return "nothing the profiles ask about is missing"
    unknowable = [fact_text(name) for name in missing if name.rpartition(".")[2] not in knowable]
    beyond = f"no source here knows {', '.join(unknowable)}" if unknowable else ""
    if not d.account.domain and len(unknowable) < len(missing):
        return "; ".join(filter(None, ("it has no domain to ask by", beyond)))
    asked = ", ".join(sorted(d.remembered.asked))
    said = f"already asked, or not to be asked: {asked}" if asked else ""
    most = "nothing that a source could still tell changes its tier, flags or route"
    return "; ".join(filter(None, (most, said, beyond)))


def _outcomes(looked: Looked, journal: Journal, report: Report, now: float) -> dict[str, str]:
    """Vendor → what became of its question, in order; without a real run none was put."""
    if not report.apply:
        return {}
    account = looked.before.account
    keys = {account.id: account.domain}
    known = journal.recall(keys, now=now, also={account.id: account_key(account.id)}).of(account.id)
    names = dict.fromkeys([*(a.enricher.name for a in looked.asks), *report.asked, *report.over_budget])
    return {
        name: PENDING if name in known.pending else _outcome(name, journal, report, now) for name in names
    }


def _outcome(name: str, journal: Journal, report: Report, now: float) -> str:
    """ "hit", "miss", "over budget", "left alone: it asks for patience", "not asked: …" or "no answer: …"."""
    if report.hits[name]:
        return "hit"
    if report.over_budget[name]:
        return "over budget"
    state = journal.vendor(name)
    why = refusal(state.kind, state.message)
    if not report.asked[name]:
        return f"left alone: {why}" if state.open_until > now else "not asked: another answer settled it"
    return f"no answer: {why}" if why else "miss"


def _refusals(looked: Looked, journal: Journal, report: Report) -> dict[str, str]:
    """Vendor → why it gave no answer, in one of the kinds of Unavailable."""
    if not report.apply:
        return {}
    names = dict.fromkeys([*(a.enricher.name for a in looked.asks), *report.asked])
    kinds = {name: journal.vendor(name).kind for name in names if not report.hits[name]}
    return {name: kind for name, kind in kinds.items() if kind}


def _learned(signal: Signal, known: Known, policy: Policy) -> Data:
    """won: whether it is what counts; a set counts together with the others. agrees: it says the same as what
    counts. against: what it does not count against, "" where there is nothing of the kind."""
    winner = known.winners.get(signal.fact)
    united = policy.types.get(signal.fact) is FactType.SET and winner is not None
    won = united or (winner is not None and winner.source == signal.source)
    agrees = winner is not None and not won and agree(winner.value, signal.value)
    return {
        "fact": signal.fact,
        "value": value_to_json(signal.value),
        "text": value_text(signal.fact, signal.value),
        "source": signal.source,
        "confidence": signal.confidence,
        "until": signal.until,
        "won": won,
        "agrees": agrees,
        "against": "" if won or agrees or winner is None else _who(winner),
    }


def _who(winner: Signal) -> str:
    return f"{winner.source}: {value_text(winner.fact, winner.value)}"
