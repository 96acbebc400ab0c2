"""How a connection buys facts: whom it asks for each, when it is content, and how much it may spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from math import inf
from typing import Protocol

from icp_sync.domain.facts import Signal

CHANGE_WORTH = 100.0
"""Credits: a source of one credit is asked from a chance of 1 % on, one of 20 from 20 % on."""


class Lasting(Protocol):
    """What is said of how long a source's values hold: `ttl` seconds, and by fact in `ttls`, if it has it."""

    @property
    def ttl(self) -> float: ...


class Buy(StrEnum):
    VALUE = "value"  # only what can still change a tier, a flag or a route
    EVERYTHING = "everything"  # every source about every account in scope, to compare
    NOTHING = "nothing"  # only what is free; what was bought before still counts


class Stop(StrEnum):
    FIRST = "first"  # one acceptable value is enough
    ALL = "all"  # ask on while the fact could change anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The waterfall of one fact.

    order: names of enrichers, () for all that know it, as they are configured; one that is not named is not
    asked for it. floor: the least confidence of a value that counts. ttl: seconds, None for the source's own.
    """

    order: tuple[str, ...] = ()
    stop: Stop = Stop.FIRST
    floor: float = 0.0
    ttl: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The most credits that may be spent, reserved ones included.

    account: on one company in 30 days. run: in one run. day, month: of the connection, in UTC.
    vendors: enricher → the same two for it alone.
    """

    account: float = inf
    run: float = inf
    day: float = inf
    month: float = inf
    vendors: Mapping[str, tuple[float, float]] = field(default_factory=dict)


NO_BUDGETS = Budgets()


@dataclass(frozen=True, kw_only=True)
class Buying:
    """change_worth: the most credits a change of tier, flag or route may cost on average: what is less likely
    to bring one than its price says is not bought. retry_unknown_after: seconds until a request of unknown
    fate is sent again. sources: names of all enrichers in their configured order.
    """

    sources: tuple[str, ...] = ()
    mode: Buy = Buy.VALUE
    change_worth: float = CHANGE_WORTH
    rules: Mapping[str, Rule] = field(default_factory=dict)
    budgets: Budgets = NO_BUDGETS
    retry_unknown_after: float = 3_600.0

    @cached_property
    def digest(self) -> str:
        """Of the rules, budgets apart: another one is a reason to look at every account again."""
        rules = sorted((fact, rule) for fact, rule in self.rules.items() if rule != _USUAL)
        said = repr((self.mode, self.change_worth, rules))
        return blake2b(said.encode(), digest_size=12).hexdigest()

    def rule(self, fact: str) -> Rule:
        return self.rules.get(fact, _USUAL)

    def ttl(self, source: Lasting, fact: str) -> float:
        """Seconds a value of this source holds for this fact."""
        stated = self.rule(fact).ttl
        return stated if stated is not None else getattr(source, "ttls", {}).get(fact, source.ttl)

    def ranked(self, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        """Bought signals with the ranks the orders give them now, whatever they were bought at."""
        if not self.places and not self.sources:
            return signals
        return tuple(self._ranked(s) for s in signals)

    def _ranked(self, signal: Signal) -> Signal:
        place = self.place(signal.source, signal.fact, signal.rank // ABOVE_CRM)
        return replace(signal, rank=ABOVE_CRM * place + signal.rank % ABOVE_CRM)

    def place(self, source: str, fact: str, otherwise: int) -> int:
        """Where a source stands for a fact, from 1; who is not in its order stands behind all that are.

        otherwise: its place among all sources, where the configuration does not name it.
        """
        if stated := self.places.get((source, fact)):
            return stated
        among = self.sources.index(source) + 1 if source in self.sources else otherwise
        return len(self.rule(fact).order) + among

    @cached_property
    def places(self) -> Mapping[tuple[str, str], int]:
        """(enricher, fact) → its place in that fact's order, from 1, where one is stated."""
        ordered = ((fact, rule.order) for fact, rule in self.rules.items())
        return {(name, fact): at for fact, order in ordered for at, name in enumerate(order, start=1)}

    @cached_property
    def floors(self) -> Mapping[str, float]:
        """Fact → the least confidence that counts, where there is one."""
        return {fact: rule.floor for fact, rule in self.rules.items() if rule.floor > 0.0}


ABOVE_CRM = 10
"""Ranks of CRM fields stay below it; a bought signal's is this times its source's place, plus its own."""
_USUAL = Rule()
AS_USUAL = Buying()
