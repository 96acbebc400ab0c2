"""Which facts are worth asking for, and asking: every answer journaled on arrival, none paid for twice.

A dry run asks nobody; it only counts what would be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from traceback import format_exception_only

from icp_sync.domain.account import NOT_REMEMBERED, Memory
from icp_sync.domain.facts import LEVELS, Signal
from icp_sync.domain.kin import with_news_above
from icp_sync.domain.words import missing_facts
from icp_sync.journal import Answered, Journal
from icp_sync.observe import enrichment_total, log
from icp_sync.ports import Answer, Enricher, Hit, Miss, Request, Unavailable, account_key
from icp_sync.quota import Carrying
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.heard import one_each, well_formed
from icp_sync.sync.report import Report

BATCH = 50
"""Requests handed to an enricher at once, unless it says otherwise; also what a crash may repeat of it."""


RETRY_AFTER = 900.0
"""Seconds until a source that could not answer, or that another worker is asking, is looked at again."""


@dataclass(slots=True)
class Bought:
    """What was learned under one key now. until: when the first of it must be asked again."""

    signals: tuple[Signal, ...] = ()
    until: float | None = None

    def add(self, until: float, signals: Iterable[Signal] = ()) -> None:
        self.signals = (*self.signals, *signals)
        self.until = until if self.until is None else min(self.until, until)


def company_key(domain: str) -> str:
    """Under which key answers about a company are remembered; "" cannot be asked about."""
    return domain.strip().lower()


def per_account(enricher: Enricher) -> bool:
    """Whether it knows accounts, not companies: what it says of one holds for no other of the same domain."""
    return bool(getattr(enricher, "per_account", False))


def answer_key(enricher: Enricher, request: Request) -> str:
    """Under which key this source's answer is remembered; "" cannot be asked about."""
    return account_key(request.account_id) if per_account(enricher) else request.domain


def wanted(drafts: Iterable[Draft]) -> list[Request]:
    """What to ask: of each account whose tier a fact could still change those facts, and of its parent or
    group what the profile asks of them."""
    requests = []
    for d in drafts:
        if d.evaluation.firm or not d.evaluation.in_scope:
            continue
        about: dict[tuple[str, str], set[str]] = {}
        own = (d.account.id, company_key(d.account.domain))
        for name, _ in missing_facts(d.evaluation, d.known.facts):
            level, _, fact = name.rpartition(".")
            if level and d.kin.problem:
                continue  # whose it would be is not known, and an answer about anybody else helps nobody
            whose = d.kin.above(level) if level else own
            about.setdefault(whose if whose[0] else own, set()).add(fact)
        requests += [
            Request(
                account_id=account_id,
                domain=company_key(domain),
                name=d.account.name if account_id == d.account.id else "",
                wanted=frozenset(facts),
            )
            for (account_id, domain), facts in about.items()
        ]
    return requests


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
    accounts and facts that become of interest only later; several accounts of one company are one question.
    Key of the answer → the news.
    """
    found: dict[str, Bought] = {}
    for place, enricher in enumerate(enrichers, start=1):
        knows = frozenset(enricher.facts)
        open_requests: dict[str, Request] = {}
        for request in requests:
            key = answer_key(enricher, request)
            asked_before = enricher.name in memory.of(request.account_id).asked
            if key and not asked_before and (request.wanted - _told(found, request)) & knows:
                open_requests.setdefault(key, replace(request, wanted=knows))
        if not spend:
            report.asked[enricher.name] += len(open_requests)
            report.credits[enricher.name] += round(len(open_requests) * enricher.price)
            continue
        asked = _ask(open_requests, enricher, place, journal, now=now, run=run)
        for key in open_requests:
            bought = found.setdefault(key, Bought())
            answer = asked.get(key)
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


def _told(found: Mapping[str, Bought], request: Request) -> frozenset[str]:
    news = (found.get(key) for key in (request.domain, account_key(request.account_id)))
    return frozenset(s.fact for bought in news if bought for s in bought.signals)


def _ask(
    requests: Mapping[str, Request],
    enricher: Enricher,
    place: int,
    journal: Journal,
    *,
    now: float,
    run: str,
) -> dict[str, Answer]:
    """Reserve, ask in parallel batches, journal each batch as it arrives. Key → request to key → answer.

    place: the enricher's in the stated order, from 1; it ranks behind the CRM and the earlier ones.
    """
    if not requests:
        return {}
    allowed = set(journal.reserve(enricher.name, list(requests), enricher.price, now=now, run=run))
    free = [(key, request) for key, request in requests.items() if key in allowed]
    size = max(1, int(getattr(enricher, "batch", BATCH)))
    batches = [free[i : i + size] for i in range(0, len(free), size)]

    def ask(batch: Sequence[tuple[str, Request]]) -> list[tuple[str, Answer]]:
        said = _answers(enricher, [request for _, request in batch])
        answers = [(key, _ranked(answer, place)) for (key, _), answer in zip(batch, said, strict=True)]
        for _, answer in answers:
            kind = type(answer).__name__.lower()
            enrichment_total.labels(journal.connection, enricher.name, kind).inc()
        journal.record_all(enricher.name, [_answered(k, a, enricher, now) for k, a in answers], now=now)
        return answers

    with Carrying(max_workers=4, thread_name_prefix=f"enrich-{enricher.name}") as pool:
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
