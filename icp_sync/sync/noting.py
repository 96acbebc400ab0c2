"""What becomes of an answer: how it is kept, when its question is put again, how long a promise is believed.

Must not know who is asked next, nor what budgets are left.
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.domain.buying import Buying
from icp_sync.journal.bought import Answered
from icp_sync.ports import Answer, Enricher, Hit, Miss, Pending, Request, Unavailable
from icp_sync.sync.vendors import LASTING, THROTTLED

RETRY_AFTER = 900.0
"""Seconds until a source that could not answer, or that another worker is asking, is looked at again."""
REFUSED = 86_400.0
"""Seconds until a question that a source cannot read, or has charged for in vain, is asked again."""
LOOK_LEAST, LOOK_MOST = 10.0, 3_600.0
"""Seconds between looks for a promised answer: as long as was waited for it already, within these, or longer
where its source says so."""
PROMISED = 7 * 86_400.0
"""Seconds after which an answer that was promised is waited for no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one source. facts: those it is asked for; segment: of whom, for what is learned.
    ordered: when it was, where only its answer is to be fetched. beside: the other keys under which the same
    accounts are asked about."""

    request: Request
    facts: frozenset[str]
    segment: str
    ordered: float = 0.0
    beside: frozenset[str] = frozenset()


def noted(
    key: str, question: Question, answer: Answer, enricher: Enricher, buying: Buying, now: float
) -> Answered:
    """An answer as the journal keeps it."""
    if isinstance(answer, Hit):
        lives = {s.fact: buying.ttl(enricher, s.fact) for s in answer.signals}
        lacks = [] if question.facts <= lives.keys() else [enricher.miss_ttl]  # of that it was a miss
        return Answered(
            key=key,
            kind="hit",
            signals=answer.signals,
            charge=answer.charge,
            expires_at=now + min([*lives.values(), *lacks], default=enricher.ttl),
            until=now + max(lives.values(), default=0.0),
            unread=answer.unread,
        )
    if isinstance(answer, Miss):
        return Answered(key=key, kind="miss", charge=answer.charge, expires_at=now + enricher.miss_ttl)
    if isinstance(answer, Pending):
        waited = now - question.ordered if question.request.job else 0.0
        again = now + max(LOOK_LEAST, answer.retry_after, min(LOOK_MOST, waited))
        return Answered(key=key, kind="pending", job=answer.job, charge=answer.charge, expires_at=again)
    charge, again = answer.charge, now + buying.retry_unknown_after
    if _given_up(question, answer, now):
        again = max(again, now + enricher.miss_ttl)
        return Answered(key=key, kind="lost", charge=charge, expires_at=again)
    if question.request.job and not charge:  # it was ordered and is paid: it will be fetched
        return Answered(key=key, kind="none")
    if answer.kind == "unknown":
        return Answered(key=key, kind="unknown", charge=charge, expires_at=again)
    if charge or answer.kind == "bad_input":  # asked again at once it would be paid, or refused, at once
        return Answered(key=key, kind="refused", charge=charge, expires_at=now + REFUSED)
    return Answered(key=key, kind="none")


def again(one: Answered, answer: Answer, now: float) -> float:
    """When to look at a question again."""
    if isinstance(answer, Unavailable) and one.kind == "none":
        return now + max(answer.retry_after or 0.0, RETRY_AFTER)
    if isinstance(answer, Hit | Miss):  # what holds for no time at all is not bought every minute
        return max(one.expires_at, now + RETRY_AFTER)
    return one.expires_at


def _given_up(question: Question, answer: Answer, now: float) -> bool:
    """Whether a promised answer, that has still not come, is waited for no more: it is late, or its source
    knows nothing of it. A source that only cannot be reached is given more time."""
    if question.request.job and isinstance(answer, Unavailable) and answer.kind == "bad_input":
        return True
    late = bool(question.request.job) and now >= question.ordered + PROMISED
    away = isinstance(answer, Unavailable) and answer.kind in (THROTTLED, *LASTING)
    return late and not away and not isinstance(answer, Hit | Miss)


def in_time(question: Question, answer: Answer, now: float) -> Answer:
    """The answer; one that is promised for ever comes to nothing, so that the next source has its turn."""
    if isinstance(answer, Pending) and _given_up(question, answer, now):
        return Unavailable(kind="unknown", message="promised and never there", charge=answer.charge)
    return answer
