"""How the accounts in scope are made up, counted in one pass, whatever their number.

Tiers, bands and values of the facts the profile asks about, what is not known, what people override. Knows no
journal and no clock; `shifts` compares two of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icp_sync.domain.currency import convert
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Interval, Members, Money
from icp_sync.domain.profile import TIERS
from icp_sync.learning.drift.finding import MOST_ACCOUNTS
from icp_sync.learning.marks.cuts import bands_of, edges
from icp_sync.learning.marks.phrases import band_words, value_words

MOST_VALUES = 12
SAMPLE = 5_000
"""Accounts bands are chosen from."""

STATES = (*TIERS, NEEDS_DATA, NOT_ICP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """How one fact is counted: rising edges of numbers, or values; the last place is everything else."""

    kind: FactType
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.edges) + 1 if self.kind in _ORDERED else len(self.values) + 1

    def places(self, value: FactValue, currency: str) -> tuple[int, ...]:
        """Where a value counts; nowhere when it is a range across an edge."""
        if isinstance(value, Members):
            at = {word: place for place, word in enumerate(self.values)}
            return tuple(sorted({at.get(word, len(self.values)) for word in value.known}))
        first, last = bands_of(convert(value, currency) if isinstance(value, Money) else value, self.edges)
        return (first,) if first == last else ()

    def words(self, fact: str, currency: str) -> tuple[str, ...]:
        if self.kind in _ORDERED:
            return band_words(fact, self.kind, self.edges, currency)
        return (*map(value_words, self.values), "anything else")


_ORDERED = (FactType.NUMBER, FactType.MONEY)


@dataclass(slots=True, kw_only=True)
class Census:
    """Counts over accounts in scope. tiers: what the profile says, whatever people put in its place.

    who: "tiers/A", "employees/2", "employees/-", "overrides/B" → the first accounts that count there.
    """

    bands: Mapping[str, Bands]
    currency: str = "USD"
    n: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    overridden: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    counts: dict[str, list[int]] = field(default_factory=dict)
    who: dict[str, list[str]] = field(default_factory=dict)

    def add(self, account: str, tier: str, facts: Facts, *, overridden: bool = False) -> None:
        """One account in scope. tier: the profile's own."""
        self.n += 1
        self.tiers[tier] += 1
        self._note(f"tiers/{tier}", account)
        if overridden:
            self.overridden[tier] += 1
            self._note(f"overrides/{tier}", account)
        for fact, bands in self.bands.items():
            counts = self.counts.setdefault(fact, [0] * bands.width)
            value = facts.get(fact)
            if value is None:
                self._note(f"{fact}/-", account)
                continue
            self.known[fact] += 1
            for place in bands.places(value, self.currency):
                counts[place] += 1
                self._note(f"{fact}/{place}", account)

    def _note(self, where: str, account: str) -> None:
        named = self.who.setdefault(where, [])
        if len(named) < MOST_ACCOUNTS:
            named.append(account)

    def to_json(self) -> dict[str, Any]:
        """The counts as plain JSON, without who they are."""
        return {
            "n": self.n,
            "currency": self.currency,
            "tiers": dict(self.tiers),
            "facts": {
                fact: {
                    "kind": bands.kind.value,
                    "edges": list(bands.edges),
                    "values": list(bands.values),
                    "known": self.known[fact],
                    "counts": self.counts.get(fact, [0] * bands.width),
                }
                for fact, bands in self.bands.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Census:
        """The inverse of `to_json`."""
        facts = data["facts"]
        return cls(
            bands={
                fact: Bands(
                    kind=FactType(one["kind"]), edges=tuple(one["edges"]), values=tuple(one["values"])
                )
                for fact, one in facts.items()
            },
            currency=data["currency"],
            n=data["n"],
            tiers=Counter(data["tiers"]),
            known=Counter({fact: one["known"] for fact, one in facts.items()}),
            counts={fact: list(one["counts"]) for fact, one in facts.items()},
        )


def bands_from(
    sample: Sequence[Facts],
    names: Iterable[str],
    *,
    types: Mapping[str, FactType] = CATALOGUE,
    currency: str = "USD",
) -> dict[str, Bands]:
    """How these facts are counted, chosen from some accounts. Dates move by themselves and have no bands."""
    chosen: dict[str, Bands] = {}
    for name in dict.fromkeys(names):
        values = [facts[name] for facts in sample if name in facts]
        if (kind := types.get(name) or types.get(name.rpartition(".")[2])) is None:
            continue
        if kind in _ORDERED:
            spans = [convert(v, currency) if isinstance(v, Money) else v for v in values]
            cuts = edges(name, kind, [span for span in spans if isinstance(span, Interval)])
            chosen[name] = Bands(kind=kind, edges=cuts)
        elif kind is FactType.DATE:
            chosen[name] = Bands(kind=FactType.NUMBER)  # one band: only whether it is known
        else:
            seen = Counter(word for value in values if isinstance(value, Members) for word in value.known)
            common = sorted(seen, key=lambda word: (-seen[word], word))[:MOST_VALUES]
            chosen[name] = Bands(kind=kind, values=tuple(common))
    return chosen
