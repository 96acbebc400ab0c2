"""How the accounts in scope are made up, compared with how they were when the profile was activated.

Two censuses in, findings out. What differs must be large, and more than chance: few accounts, bands of few
accounts, and accounts that count in several places are no shift. Knows no journal and no clock.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from icp_sync.domain.facts import FactType
from icp_sync.learning.drift.census import STATES, Census
from icp_sync.learning.drift.finding import LEAST, LIKELY, Finding, State, few, named, state_of
from icp_sync.learning.figures.chance import (
    FEW,
    benjamini_hochberg,
    chi_square,
    simes,
    stability,
    two_rates,
    wilson,
)

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
"""Adjusted p above which a difference is no alert, however large it looks; one that stands stays one up to
`LIKELY`."""


def compared(before: Census, now: Census, standing: Container[str] = ()) -> list[Finding]:
    """Tier shares, input stability, fill rates and overrides. now: counted with the bands of before.

    standing: names of findings that are alerts already; one that has become too few to compare stays one.
    """
    if before.n < ENOUGH or now.n < ENOUGH:
        why = f"{now.n} accounts in scope, {before.n} when the profile was activated; {ENOUGH} are needed"
        names = [
            "tier-shares",
            *(named("inputs", fact) for fact in before.bands),
            *(named("fill", fact) for fact in before.bands),
        ]
        found = _kept(names if before.n >= ENOUGH and now.n else (), standing, why)
        kinds = {one.kind for one in found}
        found += [few(kind, why) for kind in ("tier-shares", "inputs", "fill") if kind not in kinds]
    else:
        found = [_tier_shares(before, now, standing)]
        found += _inputs(before, now, standing)
        found += _fills(before, now, standing)
    return [*found, *overrides(now, standing)]


def _kept(names: Iterable[str], standing: Container[str], why: str) -> list[Finding]:
    """Alerts nobody can tell the end of."""
    said = f"Too few to tell whether it lasts: {why}"
    return [Finding(name=name, state=State.ALERT, sentence=said) for name in names if name in standing]


@dataclass(frozen=True, slots=True)
class _Shift:
    """How far a spread has moved. index: population stability index. shares: share now less then, and which
    band, of each."""

    index: float
    p: float
    shares: list[tuple[float, int]]


def _moved(old: Sequence[int], new: Sequence[int]) -> _Shift:
    """Of accounts that count in one band each."""
    n, m = sum(old), sum(new)
    pooled = _pooled(old, new)
    shares = [(b / m - a / n, at) for at, (a, b) in enumerate(zip(old, new, strict=True))]
    two = len(pooled[0]) == 2  # few of them, perhaps, and then exactly
    p = two_rates(pooled[0][0], n, pooled[1][0], m) if two else chi_square(pooled).p
    return _Shift(stability(*pooled), p, shares)


def _moved_set(old: Sequence[int], n: int, new: Sequence[int], m: int) -> _Shift:
    """Of n and m accounts that count in several bands each: every band by itself, the one that moved most."""
    pairs = list(zip(old, new, strict=True))
    index = max(stability((a, n - a), (b, m - b)) for a, b in pairs)
    p = simes([two_rates(a, n, b, m) for a, b in pairs])
    return _Shift(index, p, [(b / m - a / n, at) for at, (a, b) in enumerate(pairs)])


def _pooled(old: Sequence[int], new: Sequence[int]) -> tuple[list[int], list[int]]:
    """The counts with the smallest bands put together, to no fewer than two, until each may expect `FEW`
    accounts on both sides. Shares of a handful wander by themselves; the index does not know it."""
    n, m = sum(old), sum(new)
    least = FEW * (n + m) / min(n, m)  # of both sides together
    bands = sorted(zip(old, new, strict=True), key=sum)
    while len(bands) > 2 and sum(bands[0]) < least:
        (a, b), (c, d), *rest = bands
        bands = sorted([(a + c, b + d), *rest], key=sum)
    return [a for a, _ in bands], [b for _, b in bands]


def _tier_shares(before: Census, now: Census, standing: Container[str]) -> Finding:
    kind = "tier-shares"
    shift = _moved(*([census.tiers[s] for s in STATES] for census in (before, now)))
    state = _shifted(shift, shift.p, kind in standing)
    moved = {s: by for s, (by, _) in zip(STATES, shift.shares, strict=True)}
    grown = max(moved, key=lambda s: moved[s])
    shares = ", ".join(
        f"{s} {before.tiers[s] / before.n:.0%} → {now.tiers[s] / now.n:.0%}"
        for s in STATES
        if before.tiers[s] or now.tiers[s]
    )
    return Finding(
        name=kind,
        state=state,
        sentence=f"Stability index {shift.index:.2f} since the profile was activated: {shares}",
        figures={
            "index": shift.index,
            "p": shift.p,
            "accounts": now.n,
            **{f"moved {s}": moved[s] for s in STATES if moved[s]},
        },
        accounts=() if state is State.OK else tuple(now.who.get(f"tiers/{grown}", ())),
        behind=0 if state is State.OK else now.tiers[grown],
    )


def _shifted(shift: _Shift, p: float, stands: bool) -> State:
    return state_of(
        strong=p <= CERTAIN and shift.index >= SHIFTED,
        weak=p <= LIKELY and shift.index >= SHIFTING,
        stands=stands,
    )


def _counted(census: Census, fact: str) -> int:
    """Accounts that have a band of the fact."""
    if census.bands[fact].kind is FactType.SET:
        return census.known[fact]
    return sum(census.counts.get(fact, ()))


def _shift_of(before: Census, now: Census, fact: str) -> _Shift:
    old, new = before.counts[fact], now.counts[fact]
    if before.bands[fact].kind is FactType.SET:
        return _moved_set(old, before.known[fact], new, now.known[fact])
    return _moved(old, new)


def _inputs(before: Census, now: Census, standing: Container[str]) -> list[Finding]:
    """Facts whose values are spread otherwise than they were."""
    kind = "inputs"
    known = [
        fact for fact, bands in before.bands.items() if bands.width > 1 and _counted(before, fact) >= ENOUGH
    ]
    asked = [fact for fact in known if _counted(now, fact) >= ENOUGH]
    why = f"fewer than {ENOUGH} accounts have it known"
    found = _kept([named(kind, f) for f in known if f not in asked and now.known[f]], standing, why)
    shifts = [_shift_of(before, now, fact) for fact in asked]
    ps = benjamini_hochberg([shift.p for shift in shifts])
    for fact, shift, p in zip(asked, shifts, ps, strict=True):
        name = named(kind, fact)
        state = _shifted(shift, p, name in standing)
        if state is State.OK:
            continue
        (up, grown), (down, shrunk) = max(shift.shares), min(shift.shares)
        words = before.bands[fact].words(fact, before.currency)
        found.append(
            Finding(
                name=name,
                state=state,
                sentence=f"{fact} is spread otherwise, stability index {shift.index:.2f}: {words[grown]} "
                f"{100 * up:+.0f} points, {words[shrunk]} {100 * down:+.0f}",
                figures={"index": shift.index, "adjusted_p": p, "accounts": _counted(now, fact)},
                accounts=tuple(now.who.get(f"{fact}/{grown}", ())),
                behind=now.counts[fact][grown],
            )
        )
    if not asked and not found:
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
        old, new, name = before.known[fact] / before.n, now.known[fact] / now.n, named(kind, fact)
        state = state_of(
            strong=p <= CERTAIN and old - new >= FELL,
            weak=p <= LIKELY and old - new >= FALLING,
            stands=name in standing,
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
    few_now = [t for t in STATES if t not in asked and now.overridden[t] >= OVERRIDING * now.tiers[t] > 0]
    found = _kept([named(kind, tier) for tier in few_now], standing, f"fewer than {LEAST} accounts")
    if not asked and not found:
        return [few(kind, f"no tier has {LEAST} accounts")]
    for tier in asked:
        n, hits, name = now.tiers[tier], now.overridden[tier], named(kind, tier)
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
