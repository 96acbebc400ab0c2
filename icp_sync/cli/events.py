"""What others have told us of companies, source by source, for `status`. What they said: `explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen


def show_told(screen: Screen, sources: object) -> None:
    """A line for each; nothing where nobody may send anything."""
    from icp_sync.reporting.text import counted, instant

    assert isinstance(sources, list)
    for one in sources:
        events = counted(one["events"], "event")
        companies = counted(one["companies"], "company", "companies")
        latest = f", the latest of {instant(one['latest'])}" if one["events"] else ""
        screen.say(f"{one['source']}: {events} of {companies}{latest}")
