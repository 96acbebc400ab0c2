"""What a record of the soak's portal must show, told from its raw properties alone, by hand.

It knows `profile.yaml` as a person reads it: neither the engine, nor the journal, nor a normaliser.
"""

from __future__ import annotations

from collections.abc import Mapping

NEAR = frozenset({"France", "Germany"})
FAR = frozenset({"United States", "Japan"})
TIERS = ((90, "A"), (60, "B"), (40, "C"), (0, "D"))
LANES = {
    "A": "sales",
    "B": "sales",
    "C": "nurture",
    "D": "nurture",
    "Needs data": "research",
    "Not ICP": "none",
}

INPUTS = ("employees", "country")
"""What people change, and what decides everything here."""

TOLD = ("tier", "model_tier", "fit_score", "fit_low", "fit_high", "certainty", "lane")
"""The fields of which it knows the value."""


def standing(employees: str, country: str, override: str = "", typed: str = "") -> dict[str, str]:
    """Field → value. employees: digits or blank; country: one of the four names.

    override: what people chose for `tier_override`; typed: a tier that somebody typed over ours and holds.
    """
    near = 40 if country in NEAR else 0
    if employees == "":
        low, shown, high, model = near, near + 30, near + 60, "Needs data"
    else:
        size = int(employees)
        shown = near + (60 if 50 <= size <= 5000 else 0)
        low = high = shown
        model = "Not ICP" if size > 100_000 else next(tier for least, tier in TIERS if shown >= least)
    tier = override or typed or model
    return {
        "tier": tier,
        "model_tier": model,
        "fit_score": str(shown),
        "fit_low": str(low),
        "fit_high": str(high),
        "certainty": "firm" if employees or override or typed else "provisional",  # what people say is firm
        "lane": LANES[tier],
    }


def of(inputs: Mapping[str, str], override: str = "", typed: str = "") -> dict[str, str]:
    return standing(inputs.get("employees", ""), inputs.get("country", ""), override, typed)
