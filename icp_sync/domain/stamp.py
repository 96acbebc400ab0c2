"""What a deal is stamped with when it is created: how its company stood then. Written once, changed never.

Whoever measures outcomes by a tier that goes on changing measures the outcome twice: a company that bought
is known better, and its tier moves. Tier, score and profile as they stood when the deal began do not know
how it ended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from icp_sync.domain.standing import STATES, Field, FieldType, number_text

_SAID = re.compile(r"(?:(.*\S) )?v([1-9][0-9]{0,8})")
_SCORE = re.compile(r"100|[1-9]?[0-9]")

STAMP: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field(
            name="tier",
            label="ICP tier at creation",
            type=FieldType.ENUM,
            options=STATES,
            description="The company's tier when this deal was created. Written once, never changed.",
        ),
        Field(
            name="score",
            label="ICP score at creation",
            type=FieldType.NUMBER,
            description="The company's fit score, 0 to 100, when this deal was created.",
        ),
        Field(
            name="profile",
            label="ICP profile at creation",
            type=FieldType.TEXT,
            description="The profile that said so, and its version.",
        ),
    )
}
"""Field of the stamp → what it is, on every CRM; a property or field of the deal holds each."""


def stamp_values(tier: str, score: int | None, profile: str, version: int) -> dict[str, str]:
    """The stamp in canonical form: tier "A", score "72", profile "mid-market v7"; empty without a tier."""
    if not tier:
        return {}
    said = " ".join(filter(None, (profile, f"v{version}" if version else "")))
    return {"tier": tier, "score": "" if score is None else number_text(score), "profile": said}


def stamp_from(values: Mapping[str, str]) -> tuple[str, int | None, str, int] | None:
    """Tier, score, profile and version a stamp in canonical form tells; None where it is none of ours: each
    of its fields must hold what `stamp_values` gives. Only a state may come without a score."""
    tier, score = values.get("tier", ""), values.get("score", "")
    said = _SAID.fullmatch(values.get("profile", ""))
    if tier not in STATES or said is None or "score" not in values:
        return None
    if not _SCORE.fullmatch(score) and (score or len(tier) == 1):
        return None
    return tier, int(score) if score else None, said[1] or "", int(said[2])
