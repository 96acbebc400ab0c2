"""What a record must show, told from its raw properties and its people alone, by hand.

It knows `profile.yaml` as a person reads it: neither the engine, nor the journal, nor a normaliser.
"""

from __future__ import annotations

from collections.abc import Mapping

NEAR = frozenset({"France", "Germany"})
FAR = frozenset({"United States", "Japan"})
LANES = {
    "A": "sales",
    "B": "sales",
    "C": "nurture",
    "D": "nurture",
    "Needs data": "research",
    "Not ICP": "none",
}

TOLD = ("tier", "model_tier", "fit_score", "fit_low", "fit_high", "certainty", "lane")
"""The fields of which it knows the value."""


def undecided(employees: str, country: str) -> bool:
    """Whether the tier hangs on who works there."""
    return (
        country in NEAR and employees != "" and not 50 <= int(employees) <= 5000 and int(employees) <= 100_000
    )


def standing(
    employees: str, country: str, *, titled: bool, override: str = "", meanwhile: bool = False
) -> Mapping[str, frozenset[str]]:
    """Field → the values it may have. employees: digits or blank; country: one of the four names.

    titled: whether a head of sales works there. override: what people chose for `tier_override`; then it
    decides nothing who works there, and need not be asked. meanwhile: while nobody was asked yet.
    """
    asked = undecided(employees, country) and not override and not meanwhile
    near = 30 if country in NEAR else 0
    size = int(employees) if employees else None
    fits = 60 if size is not None and 50 <= size <= 5000 else 0
    if size is None:
        low, high, models = near, near + 60, {"Needs data"}
    else:
        low = high = near + fits
        titles = (titled,) if asked else (True, False)
        models = {_tier(size, low + 10 * told) for told in titles}
    people = {10 * titled} if asked else {0, 10}
    # Unknown people may add nothing or ten points and are shown as five, unknown sizes as thirty.
    shown = {
        low + (30 if size is None else 0) + told for told in people | ({5} if len(people) > 1 else set())
    }
    tiers = {override} if override else models
    certain = {"firm" if override or size is not None else "provisional"}
    if meanwhile:
        certain = {"firm", "provisional"}
    return {
        "tier": frozenset(tiers),
        "model_tier": frozenset(models),
        "fit_score": frozenset(map(str, shown)),
        "fit_low": frozenset(str(low + told) for told in people),
        "fit_high": frozenset(str(high + told) for told in people),
        "certainty": frozenset(certain),
        "lane": frozenset(LANES[tier] for tier in tiers),
    }


def _tier(size: int, points: int) -> str:
    if size > 100_000:
        return "Not ICP"
    return next(tier for least, tier in ((90, "A"), (60, "B"), (40, "C"), (0, "D")) if points >= least)
