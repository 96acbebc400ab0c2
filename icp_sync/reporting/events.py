"""What others have told us of companies, source by source. What they said: `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icp_sync.reporting.opened import Opened


def told(at: Opened) -> list[dict[str, Any]]:
    """Of each source of events: how many are kept, of how many companies, and when the latest happened."""
    kept = at.journal.events_told()
    names = dict.fromkeys([*at.connection.inbound, *kept])
    found = {name: kept.get(name, (0, 0, None)) for name in names}
    return [
        {"source": name, "events": events, "companies": companies, "latest": latest}
        for name, (events, companies, latest) in found.items()
    ]
