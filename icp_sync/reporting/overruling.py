"""How often people put another tier in place of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import Journal


def overrides(journal: Journal) -> dict[str, dict[str, object]]:
    """What the profiles say → how many accounts, how many of them people put elsewhere, and where."""
    moved = journal.overridden()
    said = dict(journal.tiers())
    for (model, tier), n in moved.items():
        said[tier] = said.get(tier, 0) - n
        said[model] = said.get(model, 0) + n
    return {
        model: {
            "accounts": said[model],
            "overridden": sum(n for (m, _), n in moved.items() if m == model),
            "to": {tier: n for (m, tier), n in sorted(moved.items()) if m == model},
        }
        for model in sorted({m for m, _ in moved})
    }
