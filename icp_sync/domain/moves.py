"""What a plan moves: from which tier to which, from whose hands to whose, and which of it goes down. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from icp_sync.domain.plan import Change

BLANK = "blank"

_EXCLUDED = "Not ICP"
_ORDER = {tier: rank for rank, tier in enumerate(("A", "B", "C", "D", _EXCLUDED, ""))}
"""Down this list is a downgrade; losing the tier altogether is the last step. Needs data is no step."""


def tier_move(changes: Iterable[Change]) -> tuple[str, str] | None:
    """The tier before and after, None where the tier stays as it is."""
    return next(((c.live, c.desired) for c in changes if c.field == "tier" and c.live != c.desired), None)


def is_downgrade(before: str, after: str) -> bool:
    """Whether a tier move goes down: A, B, C, D, Not ICP, none. A first tier never does."""
    if not before or before not in _ORDER or after not in _ORDER:
        return False
    return _ORDER[after] > _ORDER[before]


def is_exclusion(before: str, after: str) -> bool:
    """Whether an account people have worked with becomes Not ICP. A first verdict takes nothing from them."""
    return after == _EXCLUDED and before not in ("", _EXCLUDED)


def owner_move(changes: Iterable[Change]) -> tuple[str, str] | None:
    """Who loses an account and who gets it, None where nobody loses one: filling a vacancy is no move."""
    return next(((c.live, c.desired) for c in changes if c.field == "owner" and c.live), None)


def moved_key(before: str, after: str) -> str:
    """What is held, in words that stay the same however often it is evaluated: "A → C"."""
    return f"{before or BLANK} → {after or BLANK}"
