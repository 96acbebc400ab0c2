"""Asking sources: reserve, ask in parallel batches, journal every answer the moment it arrives.

A question is written down with its price before it is sent, so that after a crash nobody pays for it again
unawares. A source that breaks its promises stops nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf
from traceback import format_exception_only

from icp_sync.domain.buying import ABOVE_CRM
from icp_sync.domain.facts import Signal
from icp_sync.journal import Journal
from icp_sync.journal.bought import Answered, Tally
from icp_sync.observe import enrichment_total, fault_point, log
from icp_sync.ports import Answer, Enricher, Hit, Miss, Pending, Request, Unavailable
from icp_sync.quota import Carrying
from icp_sync.sync.draft import Policy
from icp_sync.sync.heard import one_each, well_formed
from icp_sync.sync.vendors import Vendors
from icp_sync.sync.waterfall import Ask, Waterfall, answer_key

BATCH = 50
"""Requests handed to an enricher at once, unless it says otherwise; also what a crash may repeat of it."""
PARALLEL = 4
"""Batches of one enricher at a time, unless it says otherwise."""
AHEAD = 4
"""Times as many are reserved as are under way at once: a crash leaves no more reserved that were never sent,
and what an answer gives back of its price is there for the next."""
RETRY_AFTER = 900.0
"""Seconds until a source that could not answer, or that another worker is asking, is looked at again."""
REFUSED = 86_400.0
"""Seconds until a question that a source cannot read, or has charged for without an answer, is asked again."""

before_ask = fault_point("enrich.ask.before", "a question that was reserved and never sent")
after_answer = fault_point("enrich.answer.after", "an answer that arrived and was never journaled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one question came to. answer: None when it was not sent. again: when to look at it again.

    over: the budget there was nothing left of.
    """

    answer: Answer | None
    again: float
    over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to one source. facts: those it is asked for; segment: of whom, for what is learned. fetch:
    it was ordered before, and only its answer is fetched."""

    request: Request
    facts: frozenset[str]
    segment: str
    fetch: bool = False


class Asker:
    """Asks on behalf of one run. now: epoch seconds of the page."""

    def __init__(
        self,
        vendors: Vendors,
        journal: Journal,
        policy: Policy,
        waterfall: Waterfall,
        *,
        run: str,
        now: float,
    ) -> None:
        self._vendors, self._journal, self._policy = vendors, journal, policy
        self._waterfall, self._run, self._now = waterfall, run, now

    def ask(self, enricher: Enricher, questions: Mapping[str, Question]) -> dict[str, Said]:
        """Key → what the question about it came to."""
        keys, said = list(questions), dict[str, Said]()
        workers = max(1, int(getattr(enricher, "parallel", PARALLEL)))
        size = max(1, int(getattr(enricher, "batch", BATCH)))
        together = size * workers * AHEAD
        with Carrying(max_workers=workers, thread_name_prefix=f"enrich-{enricher.name}") as pool:
            for start in range(0, len(keys), together):
                some = {key: questions[key] for key in keys[start : start + together]}
                free = self._reserved(enricher, some, said)
                batches = [free[i : i + size] for i in range(0, len(free), size)]
                if batches and self._vendors.recovering(enricher.name, self._journal):
                    said |= self._batch(enricher, batches.pop(0))  # the others wait to see how it fares
                for answers in pool.map(lambda batch: self._batch(enricher, batch), batches):
                    said |= answers
        return said

    def _reserved(
        self, enricher: Enricher, questions: Mapping[str, Question], said: dict[str, Said]
    ) -> list[tuple[str, Question]]:
        """Those that may be sent now; what becomes of the others is added to `said`."""
        buying, now = self._policy.buying, self._now
        if self._vendors.resting(enricher.name, self._journal, now):
            said |= {key: Said(answer=None, again=now + RETRY_AFTER) for key in questions}
            return []
        reserved = self._journal.reserve(
            enricher.name,
            {key: 0.0 if one.fetch else enricher.price for key, one in questions.items()},
            now=now,
            run=self._run,
            budgets=buying.budgets,
            retry_unknown_after=buying.retry_unknown_after,
        )
        said |= {
            key: Said(answer=None, again=_renewed(budget, now), over=budget)
            for key, budget in reserved.over.items()
        }
        said |= {key: Said(answer=None, again=now + RETRY_AFTER) for key in reserved.busy}
        return [(key, _worded(questions[key], enricher, reserved.jobs.get(key, ""))) for key in reserved.free]

    def _batch(self, enricher: Enricher, batch: Sequence[tuple[str, Question]]) -> dict[str, Said]:
        if not self._vendors.begins(enricher.name, self._journal, self._now):
            nothing = [Answered(key=key, kind="none") for key, _ in batch]
            self._journal.record_all(enricher.name, nothing, now=self._now, run=self._run)
            return {key: Said(answer=None, again=self._now + RETRY_AFTER) for key, _ in batch}
        before_ask()
        raw = _answers(enricher, [question.request for _, question in batch])
        after_answer()
        answers = [self._dated(enricher, answer) for answer in raw]
        kept = [self._answered(key, q, a, enricher) for (key, q), a in zip(batch, answers, strict=True)]
        tallies = list(self._tallies([q for _, q in batch], answers))
        self._journal.record_all(enricher.name, kept, now=self._now, tallies=tallies, run=self._run)
        self._vendors.experience.add(enricher.name, tallies, _examples([q for _, q in batch], answers))
        self._vendors.ended(enricher, answers, self._journal, self._now)
        for answer in answers:
            kind = type(answer).__name__.lower()
            enrichment_total.labels(self._journal.connection, enricher.name, kind).inc()
        return {
            one.key: Said(answer=answer, again=self._again(one, answer))
            for one, answer in zip(kept, answers, strict=True)
        }

    def _dated(self, enricher: Enricher, answer: Answer) -> Answer:
        """The answer as it will be recalled: where its source stands, and until when each value holds."""
        if not isinstance(answer, Hit):
            return answer
        signals = tuple(
            replace(
                s,
                rank=s.rank % ABOVE_CRM + ABOVE_CRM * self._waterfall.place(enricher, s.fact),
                until=min(s.until or inf, self._now + self._policy.buying.ttl(enricher, s.fact)),
            )
            for s in answer.signals
        )
        return replace(answer, signals=signals)

    def _answered(self, key: str, question: Question, answer: Answer, enricher: Enricher) -> Answered:
        now = self._now
        if isinstance(answer, Hit):
            lives = {s.fact: self._policy.buying.ttl(enricher, s.fact) for s in answer.signals}
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
            again = now + max(1.0, answer.retry_after)
            return Answered(key=key, kind="pending", job=answer.job, charge=answer.charge, expires_at=again)
        if question.request.job:  # it was ordered and is paid: it will be fetched
            return Answered(key=key, kind="none", charge=answer.charge)
        if answer.kind == "unknown":
            again = now + self._policy.buying.retry_unknown_after
            return Answered(key=key, kind="unknown", expires_at=again)
        if answer.charge:  # asked again at once it would be paid for at once
            return Answered(key=key, kind="unknown", expires_at=now + REFUSED)
        if answer.kind == "bad_input":
            return Answered(key=key, kind="miss", expires_at=now + REFUSED)
        return Answered(key=key, kind="none")

    def _again(self, one: Answered, answer: Answer) -> float:
        if isinstance(answer, Unavailable) and one.kind == "none":
            return self._now + max(answer.retry_after or 0.0, RETRY_AFTER)
        return one.expires_at

    def _tallies(self, questions: Sequence[Question], answers: Sequence[Answer]) -> Iterator[Tally]:
        """What a batch adds to experience: of questions that were answered, hit or miss; told is a fact whose
        value answers something that is asked."""
        tells = self._policy.outlooks.tells
        for question, answer in zip(questions, answers, strict=True):
            if not isinstance(answer, Hit | Miss):
                continue
            signals = answer.signals if isinstance(answer, Hit) else ()
            told = {s.fact for s in signals if tells(s.fact, s.value)}
            segment, charge = question.segment, answer.charge
            yield Tally(fact="", segment=segment, asked=1, told=bool(signals), charge=charge)
            for fact in question.facts:
                yield Tally(fact=fact, segment=segment, asked=1, told=fact in told, charge=0.0)


def _examples(
    questions: Sequence[Question], answers: Sequence[Answer]
) -> Iterator[tuple[str, tuple[Signal, ...]]]:
    """Answers, hits and misses, with the segments of those they are about."""
    for question, answer in zip(questions, answers, strict=True):
        if isinstance(answer, Hit | Miss):
            yield question.segment, answer.signals if isinstance(answer, Hit) else ()


def questions_of(asks: Iterable[tuple[Ask, str]]) -> dict[str, tuple[Enricher, dict[str, Question]]]:
    """Asks with their accounts' segments, by enricher and key: one company is one question."""
    grouped: dict[str, tuple[Enricher, dict[str, Question]]] = {}
    for ask, segment in asks:
        _, questions = grouped.setdefault(ask.enricher.name, (ask.enricher, {}))
        key = answer_key(ask.enricher, ask.subject.request)
        facts = frozenset(name.rpartition(".")[2] for name in ask.facts)
        fetch = ask.fetch
        if known := questions.get(key):
            facts, fetch = facts | known.facts, fetch or known.fetch
        questions[key] = Question(request=ask.subject.request, facts=facts, segment=segment, fetch=fetch)
    return grouped


def _worded(question: Question, enricher: Enricher, job: str) -> Question:
    """Who is asked is asked for all it knows: its answer stands for the company until it expires."""
    request = replace(question.request, wanted=frozenset(enricher.facts), job=job)
    return replace(question, request=request)


def _renewed(budget: str, now: float) -> float:
    """When there is something of a budget again."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if budget.endswith("day"):
        return (today + timedelta(days=1)).timestamp()
    if budget.endswith("month"):
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()
    return now + (86_400.0 if budget == "account" else RETRY_AFTER)


def _answers(enricher: Enricher, batch: Sequence[Request]) -> list[Answer]:
    """The enricher's answers; Unavailable where it breaks its promises, which stops nobody."""
    try:
        said = one_each(enricher.answer(tuple(batch)), len(batch))
    except Exception as error:  # a third party's plugin may fail in any way
        failed = _broken(enricher, error)
        log("enrich").warning("enricher failed", enricher=enricher.name, error=failed.message)
        return [failed] * len(batch)
    answers: list[Answer] = []
    broken: list[Unavailable] = []
    for one in said:
        try:
            answers.append(well_formed(one))
        except Exception as error:  # and return objects that do
            broken.append(_broken(enricher, error))
            answers.append(broken[-1])
    if broken:
        log("enrich").warning(
            "enricher gave answers that cannot be used",
            enricher=enricher.name,
            answers=len(broken),
            first=broken[0].message,
        )
    return answers


def _broken(enricher: Enricher, error: Exception) -> Unavailable:
    """What failed on its way may have been paid for, where answers are paid for."""
    what = "".join(format_exception_only(error)).strip()  # also of an error that cannot say what it is
    return Unavailable(kind="unknown" if enricher.price else "error", message=f"{enricher.name}: {what}")
