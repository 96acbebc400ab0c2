"""What a company's standing must be, worked out a second time and in another way.

Plain arithmetic over what the simulation itself knows of a company. Nothing of the engine is imported here:
not its evaluation, not its journal, not its idea of whose a value is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor

DAY = 86_400.0
NOISE = 1e-9
TIERS = "ABCD"
NEEDS_DATA = "Needs data"
POSSIBLE_SIZES = (5, 30, 40, 100, 550, 700, 5_000)
"""Headcounts that earn something different each."""
POSSIBLE_TRADES = ("SOFTWARE", "RETAIL")
STATES = (*TIERS, NEEDS_DATA, "Not ICP")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One version of the profile in numbers: what size and trade weigh, and where the tiers begin."""

    version: int
    size: float = 60.0
    trade: float = 40.0
    a: int = 80
    b: int = 60
    c: int = 40
    hysteresis: int = 3
    dwell: float = 7 * DAY
    min_coverage: float = 0.60

    def tier(self, score: int) -> str:
        return "A" if score >= self.a else "B" if score >= self.b else "C" if score >= self.c else "D"

    def bottom(self, tier: str) -> int:
        return {"A": self.a, "B": self.b, "C": self.c, "D": 0}[tier]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is so of a company, whoever said it. size: employees, a range, or None; trade "" unknown."""

    size: float | tuple[float, float] | None = None
    trade: str = ""
    prospect: bool = True
    funded: float | None = None
    agency: bool = False


@dataclass(frozen=True, kw_only=True)
class Fit:
    score: int
    low: int
    high: int
    firm: bool
    tier: str
    coverage: float


def fit(truth: Truth, shape: Shape) -> Fit:
    """The range, the score and the tier before any calm."""
    total = shape.size + shape.trade
    parts = [(100 * shape.size / total, _size(truth.size)), (100 * shape.trade / total, _trade(truth.trade))]
    low = sum(weight * lo for weight, (lo, _) in parts)
    high = sum(weight * hi for weight, (_, hi) in parts)
    shown = sum(weight * (lo + hi) / 2 for weight, (lo, hi) in parts)
    coverage = sum(weight * (1 - (hi - lo)) for weight, (lo, hi) in parts) / 100
    score = _whole(shown)
    possible = {shape.tier(points) for points in range(_whole(low), _whole(high) + 1)}
    firm = len(possible) == 1
    known = firm or coverage >= shape.min_coverage - NOISE
    return Fit(
        score=score,
        low=floor(low + NOISE),
        high=ceil(high - NOISE),
        firm=firm,
        tier=shape.tier(score) if known else NEEDS_DATA,
        coverage=coverage,
    )


def may_turn(truth: Truth, shape: Shape) -> bool:
    """Whether anything still unknown could give another tier, or make an A or B sure enough to be given to
    somebody: whatever else a fact does is not worth its price."""
    sizes = [truth.size] if truth.size is not None else [None, *map(float, POSSIBLE_SIZES)]
    trades = [truth.trade] if truth.trade else ["", *POSSIBLE_TRADES]
    found = [fit(replace(truth, size=size, trade=trade), shape) for size in sizes for trade in trades]
    return len({(one.tier, one.firm if one.tier in "AB" else None) for one in found}) > 1


def calm_tiers(found: Fit, shape: Shape) -> set[str]:
    """Tiers that may still stand in place of the right one until a small move has lasted its dwell."""
    margin = shape.hysteresis
    data = abs(found.coverage - shape.min_coverage) * 100 < margin
    if found.tier == NEEDS_DATA:
        return set(TIERS) if data else set()
    stays = {NEEDS_DATA} if data else set()
    at = TIERS.index(found.tier)
    if at < 3 and found.score - shape.bottom(found.tier) < margin:
        stays.add(TIERS[at + 1])
    if at and shape.bottom(TIERS[at - 1]) - found.score < margin:
        stays.add(TIERS[at - 1])
    return stays


def timing(truth: Truth, now: float) -> int:
    """0 to 100 in tens: a round halves in worth every ninety days, and is nothing after twice that."""
    if truth.funded is None or truth.funded > now or now - truth.funded >= 180 * DAY:
        return 0
    worth = float(0.5 ** ((now - truth.funded) / (90 * DAY)))
    return 10 * floor(10 * worth + 0.5 + NOISE)


def standing(truth: Truth, shape: Shape, model: str, decided: str, now: float) -> dict[str, str]:
    """Our fields. model: our own tier as it stands, calm or not; decided: people's in place of it, or ""."""
    found = fit(truth, shape)
    tier, firm = decided or model, found.firm or bool(decided)
    number = timing(truth, now)
    grade = 1 if number >= 60 else 2 if number >= 30 else 3
    return {
        "tier": tier,
        "model_tier": model,
        "certainty": "firm" if firm else "provisional",
        "priority": f"{tier}{grade}" if tier in TIERS else "",
        "timing": str(number),
        "timing_grade": str(grade),
        "profile": "mid-market",
        "flags": "Agency" if truth.agency else "",
        "lane": lane(tier, firm=firm),
        "fit_score": str(found.score),
        "fit_low": str(found.low),
        "fit_high": str(found.high),
    }


def lane(tier: str, *, firm: bool) -> str:
    if tier == "Not ICP":
        return "none"
    if tier == NEEDS_DATA or (tier in "AB" and not firm):
        return "research"
    return "sales" if tier in "AB" else "nurture"


def _size(size: float | tuple[float, float] | None) -> tuple[float, float]:
    if size is None:
        return 0.0, 1.0
    low, high = size if isinstance(size, tuple) else (size, size)
    ends = _credit(low), _credit(high)
    return min(ends), 1.0 if low <= 500 and high >= 50 else max(ends)


def _credit(employees: float) -> float:
    if employees < 50:
        return max(0.0, (employees - 25) / 25)
    return 1.0 if employees <= 500 else max(0.0, (750 - employees) / 250)


def _trade(trade: str) -> tuple[float, float]:
    if not trade:
        return 0.0, 1.0
    return (1.0, 1.0) if trade == "SOFTWARE" else (0.0, 0.0)


def _whole(points: float) -> int:
    return floor(points + 0.5 + NOISE)
