"""Asking sources: reserve, ask in parallel batches, journal every answer the moment it arrives.

A question is written down with its price before it is sent, so that after a crash nobody pays for it again
unawares. A source that breaks its promises stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf
from traceback import format_exception_only

from icp_sync.domain.buying import ABOVE_CRM, NO_BUDGETS
from icp_sync.domain.facts import Signal
from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal
from icp_sync.journal.bought import Answered, Reserved, Tally
from icp_sync.observe import enrichment_total, fault_point, log
from icp_sync.ports import Answer, Enricher, Hit, Miss, Request, Unavailable, account_key
from icp_sync.quota import Carrying, still_ours
from icp_sync.sync.draft import Policy
from icp_sync.sync.fitting import count_of
from icp_sync.sync.heard import one_each, well_formed
from icp_sync.sync.noting import RETRY_AFTER, Question, again, in_time, noted
from icp_sync.sync.subjects import answer_key, company_key
from icp_sync.sync.vendors import Vendors
from icp_sync.sync.waterfall import Ask, Waterfall

BATCH = 50
"""Requests handed to an enricher at once, unless it says otherwise; also what a crash may repeat of it."""
PARALLEL = 4
"""Batches of one enricher at a time, unless it says otherwise."""
AHEAD = 4
"""Times as many are reserved as are under way at once: a crash leaves no more reserved that were never sent,
and what an answer gives back of its price is there for the next."""
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


class Asker:
    """Asks on behalf of one run. clock: UTC epoch seconds; a page with a slow source may take hours."""

    def __init__(
        self,
        vendors: Vendors,
        journal: Journal,
        policy: Policy,
        waterfall: Waterfall,
        *,
        run: str,
        clock: Callable[[], float],
    ) -> None:
        self._vendors, self._journal, self._policy = vendors, journal, policy
        self._waterfall, self._run, self._clock = waterfall, run, clock

    def ask(self, enricher: Enricher, questions: Mapping[str, Question]) -> dict[str, Said]:
        """Key → what the question about it came to."""
        keys, said = list(questions), dict[str, Said]()
        workers = count_of(enricher, "parallel", PARALLEL)
        size = count_of(enricher, "batch", BATCH)
        most = size * workers * AHEAD
        limited = self._policy.buying.budgets != NO_BUDGETS  # their charges may exceed one
        start = 0
        with Carrying(max_workers=workers, thread_name_prefix=f"enrich-{enricher.name}") as pool:
            while start < len(keys):
                together = self._vendors.charges.at_once(enricher, most) if limited else most
                some = {key: questions[key] for key in keys[start : start + together]}
                start += together
                until = self._clock() + self._policy.buying.retry_unknown_after
                free = self._reserved(enricher, some, said)
                batches = [free[i : i + size] for i in range(0, len(free), size)]
                if batches and self._vendors.recovering(enricher.name, self._journal, self._clock()):
                    said |= self._batch(
                        enricher, batches.pop(0), until
                    )  # the others wait to see how it fares
                for answers in pool.map(lambda batch, end=until: self._batch(enricher, batch, end), batches):
                    said |= answers
        return said

    def _reserved(
        self, enricher: Enricher, questions: Mapping[str, Question], said: dict[str, Said]
    ) -> list[tuple[str, Question]]:
        """Those that may be sent now; what becomes of the others is added to `said`."""
        buying, now, charges = self._policy.buying, self._clock(), self._vendors.charges
        if self._vendors.resting(enricher.name, self._journal, now):
            said |= {key: Said(answer=None, again=now + RETRY_AFTER) for key in questions}
            return []
        price = charges.of_order(enricher)
        reserved = self._journal.reserve(
            enricher.name,
            dict.fromkeys(questions, price),
            now=now,
            run=self._run,
            budgets=buying.budgets,
            retry_unknown_after=buying.retry_unknown_after,
            fetch=charges.of_fetch(enricher),
            beside={key: one.beside for key, one in questions.items()},
        )
        said |= {
            key: Said(answer=None, again=_renewed(budget, now), over=budget)
            for key, budget in reserved.over.items()
        }
        said |= {key: Said(answer=None, again=now + RETRY_AFTER) for key in reserved.busy}
        return [(key, _worded(questions[key], enricher, key, reserved)) for key in reserved.free]

    def _batch(
        self, enricher: Enricher, batch: Sequence[tuple[str, Question]], until: float
    ) -> dict[str, Said]:
        """Send a batch, if it may be sent now. until: when its reservation ends. Raises LostLeaseError,
        having given the reservation back, where another worker has taken over."""
        now = self._clock()
        try:
            still_ours()
        except LostLeaseError:
            self._give_back(enricher, batch, now)
            raise
        if now >= until or not self._vendors.begins(enricher.name, self._journal, now):
            self._give_back(enricher, batch, now)
            return {key: Said(answer=None, again=now + RETRY_AFTER) for key, _ in batch}
        try:
            return self._sent(enricher, batch)
        except BaseException:
            self._vendors.broke_off(enricher.name)
            raise

    def _give_back(self, enricher: Enricher, batch: Sequence[tuple[str, Question]], now: float) -> None:
        """Nothing was sent of these."""
        nothing = [Answered(key=key, kind="none") for key, _ in batch]
        self._journal.record_all(enricher.name, nothing, now=now, run=self._run)

    def _sent(self, enricher: Enricher, batch: Sequence[tuple[str, Question]]) -> dict[str, Said]:
        before_ask()
        raw = _answers(enricher, [question.request for _, question in batch])
        after_answer()
        now, questions = self._clock(), [question for _, question in batch]
        answers = [
            self._dated(enricher, in_time(q, answer, now), now)
            for q, answer in zip(questions, raw, strict=True)
        ]
        kept = [
            noted(key, q, a, enricher, self._policy.buying, now)
            for (key, q), a in zip(batch, answers, strict=True)
        ]
        tallies = list(self._tallies(questions, answers))
        self._vendors.charges.add(
            enricher, [(a, bool(q.request.job)) for q, a in zip(questions, raw, strict=True)]
        )
        self._journal.record_all(enricher.name, kept, now=now, tallies=tallies, run=self._run)
        self._vendors.experience.add(enricher.name, tallies, _examples(questions, answers))
        self._vendors.ended(enricher, raw, self._journal, now)
        for answer in answers:
            kind = type(answer).__name__.lower()
            enrichment_total.labels(self._journal.connection, enricher.name, kind).inc()
        return {
            one.key: Said(answer=answer, again=again(one, answer, now))
            for one, answer in zip(kept, answers, strict=True)
        }

    def _dated(self, enricher: Enricher, answer: Answer, now: float) -> Answer:
        """The answer as it will be recalled: where its source stands, and until when each value holds."""
        if not isinstance(answer, Hit):
            return answer
        signals = tuple(
            replace(
                s,
                rank=s.rank % ABOVE_CRM + ABOVE_CRM * self._waterfall.place(enricher, s.fact),
                until=min(s.until or inf, now + self._policy.buying.ttl(enricher, s.fact)),
            )
            for s in answer.signals
        )
        return replace(answer, signals=signals)

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
        beside = _beside(key, ask.subject.request)
        if known := questions.get(key):
            facts, beside = facts | known.facts, beside | known.beside
        questions[key] = Question(request=ask.subject.request, facts=facts, segment=segment, beside=beside)
    return grouped


def _beside(key: str, request: Request) -> frozenset[str]:
    """The keys under which others are asked about the same account: a source that knows companies, and one
    that knows accounts."""
    same = {company_key(request.domain), account_key(request.account_id) if request.account_id else ""}
    return frozenset(same - {key, ""})


def _worded(question: Question, enricher: Enricher, key: str, reserved: Reserved) -> Question:
    """Who is asked is asked for all it knows: its answer stands for the company until it expires."""
    job = reserved.jobs.get(key, "")
    request = replace(question.request, wanted=frozenset(enricher.facts), job=job)
    return replace(question, request=request, ordered=reserved.ordered.get(key, 0.0))


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
