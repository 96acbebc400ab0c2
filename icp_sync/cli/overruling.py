"""How often people put another tier in place of ours: a part of `icp-sync status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen


def show_overrides(screen: Screen, found: object) -> None:
    """Where people put the accounts of a tier instead; nothing while they put none elsewhere."""
    from icp_sync.cli.profile.migration import ORDER

    assert isinstance(found, dict)
    rows = [
        (
            model,
            f"{found[model]['overridden']:,} of {found[model]['accounts']:,}",
            f"{found[model]['overridden'] / found[model]['accounts']:.0%}",
            ", ".join(f"{tier} {n:,}" for tier, n in found[model]["to"].items()),
        )
        for model in ORDER
        if model in found
    ]
    if rows:
        screen.heading("Overridden by people")
        screen.table(["the profile says", "overridden", "rate", "to"], rows, right=(1, 2))
