"""What an undo took back stays away: which fields may not change while the inputs are the same.

A value that was withdrawn is not written again. Nor is anything that only says the same standing anew, as
wording, instants and what decays do: otherwise an undone standing would trickle back. Only when time alone
brings another decision, a tier after its dwell or the end of an override, does that decision stand.
"""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.domain.standing import FIELDS, OWNERSHIP, FieldType, Standing

_TIERS = ("tier", "model_tier")
_FOLLOW = frozenset({"timing", "timing_grade", "priority", "previous_tier"})


def kept_away(withdrawn: Mapping[str, str], wanted: Standing) -> frozenset[str]:
    """The fields that must stay as they are. withdrawn: field → the value taken back; wanted: the standing
    as it should be now. Owners stay undone whomever a route would choose next."""
    if not withdrawn:
        return frozenset()
    moved = any(name in withdrawn and wanted.get(name, withdrawn[name]) != withdrawn[name] for name in _TIERS)
    return frozenset(
        name
        for name, taken in withdrawn.items()
        if name in OWNERSHIP or wanted.get(name, taken) == taken or not (moved or _decides(name))
    )


def _decides(name: str) -> bool:
    """Whether another value of this field is another decision, and not the same one said anew."""
    known = FIELDS.get(name)
    if known is None or name in _FOLLOW:
        return False
    return not (known.cosmetic or known.slack or known.type is FieldType.DATETIME)
