"""How the accounts in scope are made up, compared with how they were when the profile was activated.

Counted in one pass, whatever their number: tiers, bands and values of the facts the profile asks about, what
is not known, what people override. Knows no journal and no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from icp_sync.domain.currency import convert
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Interval, Members, Money
from icp_sync.domain.profile import TIERS
from icp_sync.learning.chance import benjamini_hochberg, chi_square, stability, two_rates, wilson
from icp_sync.learning.cuts import bands_of, edges
from icp_sync.learning.drift import LEAST, MOST_ACCOUNTS, Finding, State, few, state_of
from icp_sync.learning.phrases import band_words, value_words

ENOUGH = 100
"""Accounts on both sides without which shares are not compared."""
SHIFTED, SHIFTING = 0.25, 0.10
"""Population stability index from which a shift is an alert, and from which it is worth watching: the usual
marks of credit scoring (Siddiqi, "Credit Risk Scorecards", 2006)."""
FELL, FALLING = 0.10, 0.05
"""By so much (of all accounts) the share of accounts of which a fact is known must have fallen."""
OVERRIDDEN, OVERRIDING = 0.10, 0.05
"""Lower bound of the share of a tier that people override."""
CERTAIN = 0.01
"""Adjusted p above which a difference may be chance, however large it looks."""
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


def compared(before: Census, now: Census, standing: Container[str] = ()) -> list[Finding]:
    """Tier shares, input stability, fill rates and overrides. now: counted with the bands of before."""
    if before.n < ENOUGH or now.n < ENOUGH:
        why = f"{now.n} accounts in scope, {before.n} when the profile was activated; {ENOUGH} are needed"
        found = [few(kind, why) for kind in ("tier-shares", "inputs", "fill")]
    else:
        found = [_tier_shares(before, now, standing)]
        found += _inputs(before, now, standing)
        found += _fills(before, now, standing)
    return [*found, *overrides(now, standing)]


def _tier_shares(before: Census, now: Census, standing: Container[str]) -> Finding:
    kind = "tier-shares"
    old, new = ([census.tiers[s] for s in STATES] for census in (before, now))
    index = stability(old, new)
    state = _shifted(index, chi_square([old, new]).p, kind in standing)
    moved = {s: now.tiers[s] / now.n - before.tiers[s] / before.n for s in STATES}
    grown = max(moved, key=lambda s: moved[s])
    shares = ", ".join(
        f"{s} {before.tiers[s] / before.n:.0%} → {now.tiers[s] / now.n:.0%}"
        for s in STATES
        if before.tiers[s] or now.tiers[s]
    )
    return Finding(
        name=kind,
        state=state,
        sentence=f"Stability index {index:.2f} since the profile was activated: {shares}",
        figures={"index": index, "accounts": now.n, **{f"moved {s}": moved[s] for s in STATES if moved[s]}},
        accounts=() if state is State.OK else tuple(now.who.get(f"tiers/{grown}", ())),
        behind=0 if state is State.OK else now.tiers[grown],
    )


def _shifted(index: float, p: float, stands: bool) -> State:
    sure = p <= CERTAIN
    return state_of(strong=sure and index >= SHIFTED, weak=sure and index >= SHIFTING, stands=stands)


def _inputs(before: Census, now: Census, standing: Container[str]) -> list[Finding]:
    """Facts whose values are spread otherwise than they were."""
    kind = "inputs"
    asked = [
        fact
        for fact, bands in before.bands.items()
        if bands.width > 1 and min(sum(before.counts[fact]), sum(now.counts.get(fact, ()))) >= ENOUGH
    ]
    ps = benjamini_hochberg([chi_square([before.counts[f], now.counts[f]]).p for f in asked])
    found = []
    for fact, p in zip(asked, ps, strict=True):
        old, new = before.counts[fact], now.counts[fact]
        index, name = stability(old, new), f"{kind}/{fact}"
        state = _shifted(index, p, name in standing)
        if state is State.OK:
            continue
        shares = [(b / sum(new) - a / sum(old), at) for at, (a, b) in enumerate(zip(old, new, strict=True))]
        (up, grown), (down, shrunk) = max(shares), min(shares)
        words = before.bands[fact].words(fact, before.currency)
        found.append(
            Finding(
                name=name,
                state=state,
                sentence=f"{fact} is spread otherwise, stability index {index:.2f}: {words[grown]} "
                f"{100 * up:+.0f} points, {words[shrunk]} {100 * down:+.0f}",
                figures={"index": index, "adjusted_p": p, "accounts": sum(new)},
                accounts=tuple(now.who.get(f"{fact}/{grown}", ())),
                behind=new[grown],
            )
        )
    if not asked:
        return [few(kind, f"no fact of the profile is known of {ENOUGH} accounts, then and now")]
    said = f"{len(asked)} facts are spread as they were when the profile was activated"
    return found or [Finding(name=kind, state=State.OK, sentence=said, figures={"facts": len(asked)})]


def _fills(before: Census, now: Census, standing: Container[str]) -> list[Finding]:
    """Facts that are known of fewer accounts than they were."""
    kind = "fill"
    asked = [fact for fact in before.bands if before.known[fact] or now.known[fact]]
    ps = benjamini_hochberg([two_rates(before.known[f], before.n, now.known[f], now.n) for f in asked])
    found = []
    for fact, p in zip(asked, ps, strict=True):
        old, new, name = before.known[fact] / before.n, now.known[fact] / now.n, f"{kind}/{fact}"
        sure = p <= CERTAIN
        state = state_of(
            strong=sure and old - new >= FELL, weak=sure and old - new >= FALLING, stands=name in standing
        )
        if state is not State.OK:
            found.append(
                Finding(
                    name=name,
                    state=state,
                    sentence=f"{fact} is known of {new:.0%} of {now.n:,} accounts, of {old:.0%} when the "
                    "profile was activated",
                    figures={"before": old, "now": new, "accounts": now.n, "adjusted_p": p},
                    accounts=tuple(now.who.get(f"{fact}/-", ())),
                    behind=now.n - now.known[fact],
                )
            )
    said = f"{len(asked)} facts are known of as many accounts as they were"
    return found or [Finding(name=kind, state=State.OK, sentence=said, figures={"facts": len(asked)})]


def overrides(now: Census, standing: Container[str] = ()) -> list[Finding]:
    """Tiers of the profile that people put another one in the place of too often."""
    kind = "overrides"
    asked = [tier for tier in STATES if now.tiers[tier] >= LEAST]
    if not asked:
        return [few(kind, f"no tier has {LEAST} accounts")]
    found = []
    for tier in asked:
        n, hits, name = now.tiers[tier], now.overridden[tier], f"{kind}/{tier}"
        low, high = wilson(hits, n, confidence=1 - CERTAIN)
        state = state_of(strong=low >= OVERRIDDEN, weak=low >= OVERRIDING, stands=name in standing)
        if state is not State.OK:
            found.append(
                Finding(
                    name=name,
                    state=state,
                    sentence=f"People override {hits / n:.0%} of {n:,} accounts in tier {tier}, "
                    f"{low:.0%} at least",
                    figures={"rate": hits / n, "low": low, "high": high, "accounts": n},
                    accounts=tuple(now.who.get(f"{kind}/{tier}", ())),
                    behind=hits,
                )
            )
    n = now.overridden.total()
    said = f"People override {n:,} of {now.n:,}, no tier more than {OVERRIDING:.0%} for certain"
    return found or [Finding(name=kind, state=State.OK, sentence=said, figures={"overridden": n})]
