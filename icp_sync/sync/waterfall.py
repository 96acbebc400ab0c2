"""Whom to ask next about one account: the source whose answer changes most for the least.

Per fact the stated order holds: a source has its turn once those before it were asked. Among the sources
whose turn it is, the one with the most expected change a credit goes first; a free one before all others.
Decides only; asking is `sync/enrich.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, prod

from icp_sync.domain.account import Memory
from icp_sync.domain.buying import ABOVE_CRM, Buy, Buying, Stop
from icp_sync.domain.facts import LEVELS, FactType, FactValue, Known, Members, Signal
from icp_sync.domain.outlook import Outcome
from icp_sync.ports import Enricher, Request, account_key
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.experience import EXPECTED_WEIGHT, Example, Experience, segment_of, size_of, tried
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question worth asking. facts: full name → the chance that it decides. value: the chance that the
    answer changes something. cost: credits expected. found: the chance that it tells any of them. fetch: it
    was ordered before, and its answer may be there by now.
    """

    enricher: Enricher
    subject: Subject
    facts: Mapping[str, float]
    value: float = 1.0
    cost: float = 0.0
    found: float = 1.0
    fetch: bool = False

    @property
    def worth(self) -> float:
        """Expected change a credit."""
        return inf if self.cost <= 0 else self.value / self.cost


def subjects_of(d: Draft, memory: Memory, policy: Policy, enrichers: Sequence[Enricher]) -> list[Subject]:
    """The account and, where profiles ask about them, its parent and its group."""
    account = d.account
    country = d.known.facts.get("country")
    own = Request(
        account_id=account.id,
        domain=company_key(account.domain),
        name=account.name,
        country=next(iter(country.known)) if isinstance(country, Members) and len(country.known) == 1 else "",
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


class Waterfall:
    """What is worth asking under one policy. enrichers: in their configured order."""

    def __init__(self, enrichers: Sequence[Enricher], policy: Policy, experience: Experience) -> None:
        self._enrichers = tuple(enrichers)
        self._policy, self._experience = policy, experience
        self._buying: Buying = policy.buying
        self._places = {e.name: at for at, e in enumerate(self._enrichers, start=1)}
        self._orders: dict[str, tuple[Enricher, ...]] = {}
        self._tried: dict[tuple[str, str], tuple[Example, ...]] = {}
        self._shares: dict[tuple[str, str, object], tuple[int, int]] = {}

    @property
    def buys_everything(self) -> bool:
        return self._buying.mode is Buy.EVERYTHING

    def next_round(self) -> None:
        """Try what was told meanwhile, too."""
        self._tried.clear()
        self._shares.clear()

    def order(self, fact: str) -> tuple[Enricher, ...]:
        """Who is asked for a fact, in order."""
        if fact not in self._orders:
            named = self._buying.rule(fact).order
            by_name = {e.name: e for e in self._enrichers if fact in e.facts}
            chosen = [by_name[name] for name in named if name in by_name] if named else by_name.values()
            self._orders[fact] = tuple(chosen)
        return self._orders[fact]

    def place(self, enricher: Enricher, fact: str) -> int:
        """Where a source stands for a fact, from 1: what it says ranks behind the CRM and those before it."""
        stated = self._buying.places.get((enricher.name, fact))
        return stated or self._places[enricher.name]

    def asks(self, d: Draft, known: Known, subjects: Sequence[Subject], now: float) -> list[Ask]:
        """The questions whose turn it is and that may change something, the best first.

        known: of the account by now. An account that is out of scope, or whose tier people decided, costs
        nothing.
        """
        if self.buys_everything:
            return list(self.everything(subjects)) if d.evaluation.in_scope else []
        if not d.evaluation.in_scope or d.evaluation.override is not None:
            return []
        turns = {name: turn for subject in subjects for name, turn in self._turns(known, subject, now)}
        outlook = self._policy.outlooks.of(
            known.facts,
            {name: whole for name, (_, _, whole) in turns.items()},
            account_id=d.account.id,
            owned=self._owned(d),
            now=now,
        )
        together: dict[tuple[str, str], dict[str, float]] = {}
        who: dict[tuple[str, str], tuple[Enricher, Subject]] = {}
        patience = inf  # while a source is waited for, no dearer one is asked
        for name, (left, subject, _) in turns.items():
            enricher = left[0]
            if name not in outlook.chances:
                continue
            if enricher.name in subject.waiting:
                patience = min(patience, self._experience.cost(enricher))
            else:
                together.setdefault((enricher.name, subject.level), {})[name] = outlook.chances[name]
                who[enricher.name, subject.level] = enricher, subject
        asks = []
        for key, facts in together.items():
            enricher, subject = who[key]
            may = [name for name, (left, whose, _) in turns.items() if enricher in left and whose is subject]
            moves = self._share(d, known, enricher, may, outlook.alike, now)
            asks.append(self._ask(known, enricher, subject, facts, moves))
        most = self._buying.change_worth
        asks = [ask for ask in asks if ask.cost <= min(patience, most * ask.value)]
        return sorted(asks, key=lambda a: (-a.worth, -a.value, self._places[a.enricher.name]))

    def outcome(self, d: Draft, known: Known, now: float) -> Outcome:
        """Tier, flags and route of an account as things stand, to be compared."""
        return self._policy.outlooks.outcome(known.facts, d.account.id, self._owned(d), now)

    def _owned(self, d: Draft) -> bool:
        """Whether no route can change its owner."""
        return bool(d.account.owner) or not self._policy.may_assign(d.account)

    def everything(self, subjects: Iterable[Subject]) -> Iterator[Ask]:
        """Every source that was not asked yet, about everything it knows."""
        for subject in subjects:
            for e in self._enrichers:
                if e.name in subject.asked | subject.waiting or not askable(e, subject.request):
                    continue
                facts = dict.fromkeys(e.facts, 1.0)
                cost = self._experience.cost(e)
                yield Ask(enricher=e, subject=subject, facts=facts, cost=cost)

    def _turns(
        self, known: Known, subject: Subject, now: float
    ) -> Iterator[tuple[str, tuple[list[Enricher], Subject, bool]]]:
        """Full name of a fact → who may still tell it, in order, and whether its set could become whole."""
        prefix = f"{subject.level}." if subject.level else ""
        for name in self._policy.outlooks.facts:
            level, _, own = name.rpartition(".")
            if level != subject.level:
                continue
            left = [
                e for e in self.order(own) if self._may_tell(e, own, known.winners.get(name), subject, now)
            ]
            if left:
                whole = any(own in getattr(e, "complete", ()) for e in left)
                yield f"{prefix}{own}", (left, subject, whole)

    def _may_tell(self, e: Enricher, fact: str, winner: Signal | None, subject: Subject, now: float) -> bool:
        """Whether a source could still add to what is known of a fact. winner: who tells it now."""
        if e.name in subject.asked or not askable(e, subject.request):
            return False
        if now < subject.answered.get(e.name, -inf) + min(self._buying.ttl(e, fact), e.miss_ttl):
            return False  # it told all it knew of it then
        if winner is None or self._policy.types.get(fact) is FactType.SET:
            return True
        content = self._buying.rule(fact).stop is Stop.FIRST and winner.rank >= ABOVE_CRM
        if content and _exact(winner.value):
            return False
        return winner.rank >= ABOVE_CRM * self.place(e, fact)

    def _ask(
        self,
        known: Known,
        e: Enricher,
        subject: Subject,
        facts: Mapping[str, float],
        moves: tuple[int, int],
    ) -> Ask:
        """The question with its chances. moves: how many past answers would change the account, of how many.

        Where nothing is known yet of what the source tells, each fact is taken to be as decisive as its
        values could make it.
        """
        segment = segment_of(known.facts)
        hits = {name: self._experience.hits(e.name, name.rpartition(".")[2], segment) for name in facts}
        guess = 1.0 - prod(1.0 - chance * hits[name] for name, chance in facts.items())
        moved, tried_ones = moves
        return Ask(
            enricher=e,
            subject=subject,
            facts=facts,
            value=(moved + EXPECTED_WEIGHT * guess) / (tried_ones + EXPECTED_WEIGHT),
            cost=self._experience.cost(e),
            found=max(hits.values()),
        )

    def _share(
        self, d: Draft, known: Known, e: Enricher, may: Sequence[str], alike: object, now: float
    ) -> tuple[int, int]:
        """How many of a source's past answers would change this account, of how many. may: every fact its
        answer could add to, whoever's turn it is."""
        size = size_of(known.facts)
        key = (e.name, size, alike)
        if key not in self._shares:
            examples = self._examples(e, size)
            before = self.outcome(d, known, now)
            names = {name: name.rpartition(".")[2] for name in may}
            moved = sum(self._moves(d, known, one, names, before, now) for one in examples)
            self._shares[key] = moved, len(examples)
        return self._shares[key]

    def _moves(
        self,
        d: Draft,
        known: Known,
        example: Example,
        names: Mapping[str, str],
        before: Outcome,
        now: float,
    ) -> bool:
        """Whether this account would be another, had it been told what the example was told."""
        if not any(fact in example.told for fact in names.values()):
            return False
        facts = tried(known.facts, example.told, names)
        return self._policy.outlooks.outcome(facts, d.account.id, self._owned(d), now) != before

    def _examples(self, e: Enricher, size: str) -> tuple[Example, ...]:
        key = (e.name, size)
        if key not in self._tried:
            self._tried[key] = self._experience.examples(e.name, size) if e.price else ()
        return self._tried[key]


def _exact(value: FactValue) -> bool:
    return value.complete if isinstance(value, Members) else value.low == value.high


def askable(enricher: Enricher, request: Request) -> bool:
    """Whether a source can be asked about this one at all."""
    return bool(answer_key(enricher, request)) and takes(enricher, request)
