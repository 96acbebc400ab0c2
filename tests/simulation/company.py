"""What the simulation itself knows of one company: its facts, who holds which value, what was taken back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

from tests.simulation.oracle import DAY, STATES, Shape, Truth, calm_tiers, fit, may_turn, standing

SLACK = {"fit_score": 1, "fit_low": 1, "fit_high": 1}
"""Fields that may stand so far off without a write of their own."""
SHOWN = (
    "tier",
    "model_tier",
    "certainty",
    "priority",
    "timing",
    "timing_grade",
    "profile",
    "flags",
    "lane",
    *SLACK,
)


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A value somebody typed over ours, and until when it is theirs."""

    value: str
    until: float = inf


@dataclass(kw_only=True)
class Company:
    id: str
    truth: Truth
    book: Truth | None = None  # what the vendor knows
    deal: bool = False
    changed: float = 0.0  # when anything its tier is made of changed last
    holds: dict[str, Hold] = field(default_factory=dict)
    override: str = ""
    override_until: float = inf
    hand: dict[str, str] = field(default_factory=dict)  # field → "ours" or "people", whoever wrote it last
    ever: dict[str, set[str]] = field(
        default_factory=dict
    )  # field → values we ever sent or may have meant to
    undone: dict[str, str] = field(default_factory=dict)  # field → what it must stay at
    loose: set[str] = field(default_factory=set)  # may stand as an undo left it, or as evaluated
    unsure: set[str] = field(default_factory=set)  # fields of which nobody outside can say whose they are
    owner: str | None = None  # whom people gave it to; "" cleared by them; None ours to give
    cleared_at: float = 0.0
    keeps_owner: bool = False  # an undo took the owner back

    def held(self, name: str, now: float) -> Hold | None:
        hold = self.holds.get(name)
        return hold if hold is not None and now < hold.until else None

    def field_override(self, now: float) -> str:
        return self.override if now < self.override_until else ""

    def overrides(self, now: float) -> bool:
        """Whether the override is written over a tier somebody typed: outside the scope nothing is."""
        return self.truth.prospect and bool(self.field_override(now))

    def decided(self, now: float) -> str:
        """The tier people put in place of ours."""
        if found := self.field_override(now):
            return found
        hold = self.held("tier", now)
        return hold.value if hold is not None and hold.value in STATES else ""

    def variants(self, shape: Shape, now: float) -> list[Truth]:
        """What we may know of it: with the vendor's answer, and without where nobody need ask."""
        if self.book is None:
            return [self.truth]
        bought = replace(
            self.truth,
            size=self.book.size if self.truth.size is None else self.truth.size,
            trade=self.truth.trade or self.book.trade,
        )
        if bought == self.truth:
            return [self.truth]
        certain = bool(self.decided(now)) or not self.truth.prospect or not may_turn(self.truth, shape)
        return [bought, self.truth] if certain else [bought]

    def wrong(self, live: dict[str, str], shape: Shape, now: float) -> list[str]:
        """What is not as it must be, in words; [] where all is well."""
        found: list[list[str]] = []
        for truth in self.variants(shape, now):
            right = fit(truth, shape)
            models = {right.tier}
            if now - self.changed < shape.dwell + DAY:
                models |= calm_tiers(right, shape)
            for model in sorted(models, key=lambda m: m != right.tier):
                wanted = dict.fromkeys(SHOWN, "")
                if truth.prospect:
                    wanted = standing(truth, shape, model, self.decided(now), now)
                found.append([w for name in SHOWN if (w := self._off(name, live, wanted[name], now))])
                if not found[-1]:
                    return []
        return min(found, key=len)

    def _off(self, name: str, live: dict[str, str], wanted: str, now: float) -> str:
        if name not in live or name in self.unsure:
            return ""
        value = live[name]
        hold = self.held(name, now)
        if hold is not None and not (name == "tier" and self.overrides(now)):
            return "" if value == hold.value else f"{name} is {value!r}, somebody holds it at {hold.value!r}"
        if name in self.loose:
            return ""
        if name in self.undone:
            fine = value == self.undone[name]
            return "" if fine else f"{name} is {value!r}, an undo left it at {self.undone[name]!r}"
        if value == wanted or (value and wanted and _near(name, value, wanted)):
            return ""
        return f"{name} is {value!r}, must be {wanted!r}"


def _near(name: str, value: str, wanted: str) -> bool:
    return name in SLACK and value.isdecimal() and abs(int(value) - int(wanted)) <= SLACK[name]
