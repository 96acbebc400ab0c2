"""Which facts are worth asking for, and asking: every answer journaled on arrival, none paid for twice.

A dry run asks nobody; it only counts what would be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from traceback import format_exception_only

from icp_sync.domain.account import Memory
from icp_sync.domain.facts import Signal
from icp_sync.domain.words import missing_facts
from icp_sync.journal import Answered, Journal
from icp_sync.observe import enrichment_total, log
from icp_sync.ports import Answer, Enricher, Hit, Miss, Request, Unavailable
from icp_sync.sync.draft import Draft
from icp_sync.sync.heard import one_each, well_formed
from icp_sync.sync.report import Report

BATCH = 50
"""Requests handed to an enricher at once; also how much work a crash may repeat per enricher."""


RETRY_AFTER = 900.0
"""Seconds until a source that could not answer, or that another worker is asking, is looked at again."""


@dataclass(slots=True)
class Bought:
    """What was learned about one company now. until: when the first of it must be asked again."""

    signals: tuple[Signal, ...] = ()
    until: float | None = None

    def add(self, until: float, signals: Iterable[Signal] = ()) -> None:
        self.signals = (*self.signals, *signals)
        self.until = until if self.until is None else min(self.until, until)


def company_key(domain: str) -> str:
    """Under which key answers about a company are remembered; "" cannot be asked about."""
    return domain.strip().lower()


def wanted(drafts: Iterable[Draft]) -> list[Request]:
    """One request per company whose tier a fact could still change, with the facts that could."""
    requests: dict[str, Request] = {}
    for d in drafts:
        key = company_key(d.account.domain)
        if not key or d.evaluation.firm or not d.evaluation.in_scope:
            continue
        facts = frozenset(name for name, _ in missing_facts(d.evaluation, d.known.facts))
        if not facts:
            continue
        if first := requests.get(key):  # of several accounts of one company, each may lack something else
            requests[key] = replace(first, wanted=first.wanted | facts)
        else:
            requests[key] = Request(account_id=d.account.id, domain=key, name=d.account.name, wanted=facts)
    return list(requests.values())


def enrich(
    requests: Sequence[Request],
    enrichers: Sequence[Enricher],
    journal: Journal,
    memory: Memory,
    *,
    now: float,
    run: str,
    spend: bool,
    report: Report,
) -> Mapping[str, Bought]:
    """Ask in the stated order, each only where the earlier ones left open what it knows.

    Who is asked is asked for all it knows: its answer stands for the company until it expires, and so for
    accounts and facts that become of interest only later. Company key → the news.
    """
    found: dict[str, Bought] = {}
    for place, enricher in enumerate(enrichers, start=1):
        knows = frozenset(enricher.facts)
        open_requests = [
            replace(r, wanted=knows)
            for r in requests
            if enricher.name not in memory.of(r.account_id).asked
            and (r.wanted - _told(found.get(r.domain))) & knows
        ]
        if not spend:
            report.asked[enricher.name] += len(open_requests)
            report.credits[enricher.name] += round(len(open_requests) * enricher.price)
            continue
        asked = _ask(open_requests, enricher, place, journal, now=now, run=run)
        for request in open_requests:
            bought = found.setdefault(request.domain, Bought())
            answer = asked.get(request.domain)
            if answer is None:  # another worker is asking just now
                bought.add(now + RETRY_AFTER)
                continue
            report.asked[enricher.name] += 1
            if isinstance(answer, Unavailable):
                bought.add(now + max(answer.retry_after or 0.0, RETRY_AFTER))
                continue
            report.credits[enricher.name] += round(answer.charge)
            if isinstance(answer, Hit):
                report.hits[enricher.name] += 1
                bought.add(now + enricher.ttl, answer.signals)
            else:
                bought.add(now + enricher.miss_ttl)
    return found


def _told(bought: Bought | None) -> frozenset[str]:
    return frozenset(s.fact for s in bought.signals) if bought else frozenset()


def _ask(
    requests: Sequence[Request], enricher: Enricher, place: int, journal: Journal, *, now: float, run: str
) -> dict[str, Answer]:
    """Reserve, ask in parallel batches, journal each batch as it arrives. Company key → answer.

    place: the enricher's in the stated order, from 1; it ranks behind the CRM and the earlier ones.
    """
    if not requests:
        return {}
    allowed = set(
        journal.reserve(enricher.name, [r.domain for r in requests], enricher.price, now=now, run=run)
    )
    free = [r for r in requests if r.domain in allowed]
    batches = [free[i : i + BATCH] for i in range(0, len(free), BATCH)]

    def ask(batch: Sequence[Request]) -> list[tuple[str, Answer]]:
        answers = [
            (r.domain, _ranked(a, place)) for r, a in zip(batch, _answers(enricher, batch), strict=True)
        ]
        for _, answer in answers:
            kind = type(answer).__name__.lower()
            enrichment_total.labels(journal.connection, enricher.name, kind).inc()
        journal.record_all(enricher.name, [_answered(k, a, enricher, now) for k, a in answers], now=now)
        return answers

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix=f"enrich-{enricher.name}") as pool:
        return {key: answer for answers in pool.map(ask, batches) for key, answer in answers}


def _ranked(answer: Answer, place: int) -> Answer:
    """The answer as it will be recalled, too: where a source stands in the order is part of what it said."""
    if not isinstance(answer, Hit):
        return answer
    return replace(answer, signals=tuple(replace(s, rank=s.rank + 10 * place) for s in answer.signals))


def _answers(enricher: Enricher, batch: Sequence[Request]) -> list[Answer]:
    """The enricher's answers; a plain Unavailable where it breaks its promises, which stops nobody."""
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
    what = "".join(format_exception_only(error)).strip()  # also of an error that cannot say what it is
    return Unavailable(kind="error", message=f"{enricher.name}: {what}")


def _answered(key: str, answer: Answer, enricher: Enricher, now: float) -> Answered:
    if isinstance(answer, Hit):
        return Answered(
            key=key,
            kind="hit",
            signals=answer.signals,
            charge=answer.charge,
            expires_at=now + enricher.ttl,
            unread=answer.unread,
        )
    if isinstance(answer, Miss):
        return Answered(key=key, kind="miss", charge=answer.charge, expires_at=now + enricher.miss_ttl)
    return Answered(key=key, kind="none")


def with_answers(memory: Memory, drafts: Iterable[Draft], found: Mapping[str, Bought]) -> Memory:
    """The memory as if what was learned now had been recalled."""
    accounts = dict(memory.accounts)
    for d in drafts:
        fresh = found.get(company_key(d.account.domain))
        if fresh is None or fresh.until is None:
            continue
        until = d.remembered.answers_until
        accounts[d.account.id] = replace(
            d.remembered,
            signals=(*d.remembered.signals, *fresh.signals),
            answers_until=fresh.until if until is None else min(fresh.until, until),
        )
    return replace(memory, accounts=accounts)
