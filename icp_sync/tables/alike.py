"""Which facts are alike to a profile: those that answer every one of its questions in the same way.

A question asks about one fact, so rows whose facts are alike one by one are answered alike as a whole,
however different their values. Knows questions, nothing of what follows from the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from icp_sync.domain.compile import Answers, compile_conditions
from icp_sync.domain.conditions import Condition, Leaf, facts_of, leaves
from icp_sync.domain.facts import Facts, FactValue, Members
from icp_sync.domain.profile import Profile
from icp_sync.tables.answers import relation

_REMEMBERED = 8_192  # values, and kinds of answers, per fact

Likeness = tuple[int | None, ...]
"""Equal for rows that every profile answers alike; timing counts only as known or not."""


def settled(value: FactValue) -> bool:
    """Whether there is nothing left to learn about a fact."""
    return value[1] if type(value) is Members else value[0] == value[1]


@dataclass(slots=True)
class _Fact:
    """One fact, and the number of each way in which its values answer."""

    name: str
    answer: Callable[[Facts, float], Answers]
    moment: Callable[[Facts, float], Answers] | None
    values: dict[FactValue, int] = field(default_factory=dict)
    ways: dict[object, int] = field(default_factory=dict)
    count: int = 0

    def way(self, value: FactValue, now: float) -> int:
        """A number for how this value answers; odd where there is nothing left to learn about the fact."""
        facts = {self.name: value}
        open_to: tuple[bool, ...] = ()
        if self.moment is not None:
            moments = self.moment(facts, now)
            open_to = tuple(low < high for low, high in zip(moments[::2], moments[1::2], strict=True))
        beside = relation(facts) if self.name == "population" else ()
        said = (settled(value), self.answer(facts, now), open_to, beside)
        found = self.ways.get(said)
        if found is None:
            if len(self.ways) >= _REMEMBERED:
                self.ways.clear()
            found = self.ways[said] = self.count + said[0]
            self.count += 2
        if len(self.values) >= _REMEMBERED:
            self.values.clear()
        self.values[value] = found
        return found


class Alike:
    """The likeness of rows under some profiles as of `now`; `told` are the facts a row may hold at all."""

    def __init__(self, profiles: Sequence[Profile], now: float, told: Collection[str]) -> None:
        self._now = now
        asked = dict.fromkeys((*(f for p in profiles for f in asked_facts(p)), "population"))
        self.facts = tuple(name for name in asked if name in told)
        found = [_fact(name, profiles) for name in self.facts]
        self._each = [(fact.name, fact.values.get, fact) for fact in found]

    def of(self, facts: Mapping[str, FactValue]) -> Likeness:
        """What is alike about these facts."""
        get = facts.get
        found: list[int | None] = []
        for name, known, fact in self._each:
            value = get(name)
            if value is None:
                found.append(None)
            else:
                way = known(value)
                found.append(fact.way(value, self._now) if way is None else way)
        return tuple(found)


def _fact(name: str, profiles: Sequence[Profile]) -> _Fact:
    plain = [(leaf, p.currency) for p in profiles for leaf in _about(name, conditions(p))]
    moments = [(leaf, p.currency) for p in profiles for leaf in _about(name, [t.when for t in p.timing])]
    return _Fact(name, _answering(plain), _answering(moments) if moments else None)


def conditions(profile: Profile) -> list[Condition]:
    """A profile's questions but for timing, and for who may be given an owner, which no row says."""
    asked = [profile.score_scope, *(c.when for c in profile.criteria)]
    asked += [*(f.when for f in profile.flags), *(r.when for r in profile.routes)]
    return [when for when in asked if when is not None]


def asked_facts(profile: Profile) -> tuple[str, ...]:
    """Facts a profile's questions are about, each once."""
    asked = [*conditions(profile), *(t.when for t in profile.timing)]
    return tuple(dict.fromkeys(name for when in asked for name in facts_of(when)))


def _about(name: str, asked: Sequence[Condition]) -> Iterator[Leaf]:
    return (leaf for when in asked for leaf in leaves(when) if leaf.fact == name)


def _answering(asked: Sequence[tuple[Leaf, str]]) -> Callable[[Facts, float], Answers]:
    """One function for questions that may be put in several currencies."""
    by_currency: dict[str, list[Leaf]] = {}
    for leaf, currency in dict.fromkeys(asked):
        by_currency.setdefault(currency, []).append(leaf)
    compiled = [compile_conditions(found, currency) for currency, found in by_currency.items()]
    if len(compiled) == 1:
        return compiled[0]
    return lambda facts, now: tuple(credit for answer in compiled for credit in answer(facts, now))
