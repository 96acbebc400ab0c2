"""Whom to ask next about one account: the source whose answer changes most for the least.

Per fact the stated order holds: a source has its turn once those before it were asked. Among the sources
whose turn it is, the one with the most expected change a credit goes first; a free one before all others.
Decides only; asking is `sync/enrich.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, prod
from random import Random
from zlib import crc32

from icp_sync.domain.buying import ABOVE_CRM, Buy, Buying, Stop
from icp_sync.domain.facts import Facts, FactType, FactValue, Known, Members, Signal
from icp_sync.domain.kin import levels_alone
from icp_sync.domain.outcomes import Outcome
from icp_sync.domain.outlook import Past
from icp_sync.ports import Enricher
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.experience import EXPECTED_WEIGHT, Example, Experience, segment_of, size_of, tried
from icp_sync.sync.subjects import Subject, askable, country_of

EXPLORED = 200
"""Of so many questions that seem not worth their price, one is asked for every credit it costs."""
EXPLORED_ANEW = 30 * 86_400.0
"""Seconds after which others are the ones that are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question worth asking. facts: full name → the chance that it decides. value: the chance that the
    answer changes something. cost: credits expected."""

    enricher: Enricher
    subject: Subject
    facts: Mapping[str, float]
    value: float = 1.0
    cost: float = 0.0

    @property
    def worth(self) -> float:
        """Expected change a credit."""
        return inf if self.cost <= 0 else self.value / self.cost


@dataclass(slots=True)
class Case:
    """One account while facts are bought for it. known: with all that was learned so far. asks: this round's
    questions."""

    draft: Draft
    known: Known
    subjects: list[Subject]
    asks: list[Ask] = field(default_factory=list)

    def renew_country(self) -> None:
        """Who asks by country may learn it on the way."""
        for subject in self.subjects:
            if not subject.level:
                subject.request = replace(subject.request, country=country_of(self.known.facts))


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

    @property
    def account_budget(self) -> float:
        """The most credits one company may cost."""
        return self._buying.budgets.account

    def dearest(self, enricher: Enricher) -> float:
        """The most credits a question may cost, as far as anybody knows."""
        return max(enricher.price, self._experience.cost(enricher))

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
        return self._buying.place(enricher.name, fact, self._places[enricher.name])

    def asks(self, d: Draft, known: Known, subjects: Sequence[Subject], now: float) -> list[Ask]:
        """The questions whose turn it is and that may change something, the best first.

        known: of the account by now. An account that is out of scope costs nothing; of one whose tier people
        decided, only what its flags and its route depend on does.
        """
        if self.buys_everything:
            return list(self.everything(subjects)) if d.evaluation.in_scope else []
        if not d.evaluation.in_scope:
            return []
        turns = {name: turn for subject in subjects for name, turn in self._turns(d, known, subject, now)}
        outlook = self._policy.outlooks.of(
            self._open(known, turns),
            {name: whole for name, (_, _, whole) in turns.items()},
            account_id=d.account.id,
            owned=self._owned(d),
            now=now,
            past=self._past(d),
        )
        together: dict[tuple[str, str], dict[str, float]] = {}
        who: dict[tuple[str, str], tuple[Enricher, Subject]] = {}
        awaited: dict[tuple[str, str], float] = {}  # source and level → what that costs which it waits for
        for name, (left, subject, _) in turns.items():
            enricher = left[0]
            if name not in outlook.chances:
                continue
            if enricher.name in subject.waiting:
                for later in left[1:]:
                    key = (later.name, subject.level)
                    awaited[key] = min(awaited.get(key, inf), self._experience.cost(enricher))
            else:
                together.setdefault((enricher.name, subject.level), {})[name] = outlook.chances[name]
                who[enricher.name, subject.level] = enricher, subject
        asks = []
        for key, facts in together.items():
            enricher, subject = who[key]
            if self._experience.cost(enricher) > awaited.get(key, inf):
                continue  # a cheaper source that may tell some of it will answer soon
            may = [name for name, (left, whose, _) in turns.items() if enricher in left and whose is subject]
            moves = self._share(d, known, enricher, may, outlook.alike, now)
            asks.append(self._ask(known, enricher, subject, facts, moves))
        asks = [ask for ask in asks if self._worth_it(ask, now)]
        return sorted(asks, key=lambda a: (-a.worth, -a.value, self._places[a.enricher.name]))

    def _open(self, known: Known, turns: Iterable[str]) -> Facts:
        """The facts that count as known. A fact of which everybody is to be heard is open until all were."""
        heard = [
            name
            for name in turns
            if self._buying.rule(name.rpartition(".")[2]).stop is Stop.ALL
            and name in known.winners
            and known.winners[name].rank >= ABOVE_CRM
        ]
        return {f: v for f, v in known.facts.items() if f not in heard} if heard else known.facts

    def may_be_asked(self, case: Case, now: float) -> Iterator[Ask]:
        """Every question that may yet come up about an account, if the worst comes to the worst."""
        if self.buys_everything:
            yield from self.everything(case.subjects)
        elif self.asks(case.draft, case.known, case.subjects, now):
            for subject in case.subjects:
                turns = self._turns(case.draft, case.known, subject, now)
                knows = {e.name: e for _, turn in turns for e in turn[0]}
                yield from (Ask(enricher=e, subject=subject, facts={}) for e in knows.values())

    def supposed(self, case: Case, ask: Ask, draw: Random, now: float) -> Mapping[str, FactValue]:
        """What this source may tell of the account: full name → value, of the facts it could add to."""
        e, subject, known = ask.enricher, ask.subject, case.known
        may = {
            name: name.rpartition(".")[2]
            for name, (left, whose, _) in self._turns(case.draft, known, subject, now)
            if e in left and whose is subject
        }
        if examples := self._examples(e, size_of(known.facts)):
            facts = tried(known.facts, draw.choice(examples).told, may)
            return {name: facts[name] for name in may if facts.get(name) != known.facts.get(name)}
        segment, told = segment_of(known.facts), {}
        for name in ask.facts:
            values = self._policy.outlooks.values(name, known.facts.get(name), now)
            if values and draw.random() < self._experience.hits(e.name, may.get(name, name), segment):
                told[name] = draw.choice(values)
        return told

    def _worth_it(self, ask: Ask, now: float) -> bool:
        """Whether the chance is worth the price. One question in `EXPLORED` is asked all the same: else
        nobody would ever see that a source which knew little for a while knows more by now."""
        if ask.cost <= self._buying.change_worth * ask.value:
            return True
        drawn = f"{ask.enricher.name} {ask.subject.request.account_id} {now // EXPLORED_ANEW:.0f}"
        return crc32(drawn.encode()) % round(EXPLORED * max(1.0, ask.cost)) == 0

    def outcome(self, d: Draft, known: Known, now: float) -> Outcome:
        """Tier, flags and route of an account as things stand, to be compared."""
        return self._policy.outlooks.outcome(known.facts, d.account.id, self._owned(d), now, self._past(d))

    def _past(self, d: Draft) -> Past:
        """What decides beside facts: people's tier, the profile shown before, the family there is not."""
        override = d.evaluation.override
        return Past(
            decided=override.tier if override else "",
            previous=d.previous.profile if d.previous else "",
            alone=self._alone(d),
        )

    def _alone(self, d: Draft) -> frozenset[str]:
        return levels_alone(d.kin) if self._policy.kin_facts else frozenset()

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
        self, d: Draft, known: Known, subject: Subject, now: float
    ) -> Iterator[tuple[str, tuple[list[Enricher], Subject, bool]]]:
        """Full name of a fact → who may still tell it, in order, and whether its set could become whole. Who
        has nobody above it is asked about itself for the group's facts."""
        for name in self._policy.outlooks.asked(self._alone(d)):
            level, _, own = name.rpartition(".")
            if level != subject.level:
                continue
            left = [
                e for e in self.order(own) if self._may_tell(e, own, known.winners.get(name), subject, now)
            ]
            if left:
                whole = any(own in getattr(e, "complete", ()) for e in left)
                yield name, (left, subject, whole)

    def _may_tell(self, e: Enricher, fact: str, winner: Signal | None, subject: Subject, now: float) -> bool:
        """Whether a source could still add to what is known of a fact. winner: who tells it now."""
        if e.name in subject.asked or not askable(e, subject.request):
            return False
        if now < subject.answered.get(e.name, -inf) + min(self._buying.ttl(e, fact), e.miss_ttl):
            return False  # it told all it knew of it then
        if winner is None or self._policy.types.get(fact) is FactType.SET:
            return True
        if winner.rank >= ABOVE_CRM:
            if self._buying.rule(fact).stop is Stop.ALL:
                return True
            if _exact(winner.value):
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
            known = replace(known, facts=self._policy.outlooks.stated(known.facts))
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
        return self.outcome(d, replace(known, facts=facts), now) != before

    def _examples(self, e: Enricher, size: str) -> tuple[Example, ...]:
        key = (e.name, size)
        if key not in self._tried:
            self._tried[key] = self._experience.examples(e.name, size) if e.price else ()
        return self._tried[key]


def _exact(value: FactValue) -> bool:
    return value.complete if isinstance(value, Members) else value.low == value.high
