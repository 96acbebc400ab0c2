"""About whom sources are asked for an account, and under which key each answer is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from icp_sync.domain.account import Memory
from icp_sync.domain.facts import LEVELS, Facts, Members
from icp_sync.ports import Enricher, Request, account_key
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.vendors import takes


@dataclass(slots=True)
class Subject:
    """A company that is asked about for an account: the account itself, its parent or its group.

    level: "" for itself. answered: source → when it told what still counts. asked: sources that were,
    whatever they said. waiting: sources that must not be asked now, though they may know: the facts that are
    theirs next wait for them.
    """

    request: Request
    level: str = ""
    answered: Mapping[str, float] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


def subjects_of(d: Draft, memory: Memory, policy: Policy, enrichers: Sequence[Enricher]) -> list[Subject]:
    """The account and, where profiles ask about them, its parent and its group."""
    account = d.account
    own = Request(
        account_id=account.id,
        domain=company_key(account.domain),
        name=account.name,
        country=country_of(d.known.facts),
    )
    about = [("", own)]
    for level in LEVELS if policy.kin_facts and not d.kin.problem else ():
        account_id, domain = d.kin.above(level)
        if account_id:
            about.append((level, Request(account_id=account_id, domain=company_key(domain))))
    subjects = []
    for level, request in about:
        if any(answer_key(e, request) for e in enrichers):
            past = memory.of(request.account_id)
            waiting = set(past.asked & past.pending.keys())  # their answers are ordered, and not due yet
            asked = set(past.asked) - waiting
            subject = Subject(request=request, level=level, answered=past.answered, asked=asked)
            subject.waiting |= waiting
            subjects.append(subject)
    return subjects


def country_of(facts: Facts) -> str:
    """The one country that is known, "" where none is or several are."""
    country = facts.get("country")
    return next(iter(country.known)) if isinstance(country, Members) and len(country.known) == 1 else ""


def company_key(domain: str) -> str:
    """Under which key answers about a company are remembered; "" cannot be asked about."""
    return domain.strip().lower()


def per_account(enricher: Enricher) -> bool:
    """Whether it knows accounts, not companies: what it says of one holds for no other of the same domain."""
    return bool(getattr(enricher, "per_account", False))


def needs_account_key(enricher: Enricher) -> bool:
    """Whether its answers may be kept under an account, not a company."""
    return per_account(enricher) or callable(getattr(enricher, "takes", None))


def answer_key(enricher: Enricher, request: Request) -> str:
    """Under which key this source's answer is remembered; "" cannot be asked about.

    A source that is asked by name and country, and is asked about an account without a domain, knows that
    account alone.
    """
    if per_account(enricher):
        return account_key(request.account_id)
    if request.domain or not needs_account_key(enricher):
        return request.domain
    return account_key(request.account_id) if takes(enricher, request) else ""


def askable(enricher: Enricher, request: Request) -> bool:
    """Whether a source can be asked about this one at all."""
    return bool(answer_key(enricher, request)) and takes(enricher, request)
