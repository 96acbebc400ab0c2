"""The part of `status` about the workers of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen


def show_cluster(screen: Screen, found: Mapping[str, Any] | None) -> None:
    """Nothing where there is no cluster. found: as `reporting.cluster` tells it."""
    from icp_sync.reporting.text import ago, counted, span

    if found is None:
        return
    screen.heading("Workers")
    rows = [
        (
            one["id"],
            one["version"],
            ago(one["since"]),
            "vanished" if one["vanished"] else f"{span(one['seen_seconds_ago'])} ago",
        )
        for one in found["workers"]
    ]
    screen.table(["worker", "version", "began", "last seen"], rows)
    screen.say("tasks: " + ", ".join(f"{n} {state}" for state, n in found["tasks"].items()))
    for one in found["failing"]:
        name = " ".join(filter(None, (one["stream"], one["partition"])))
        times = counted(one["failures"], "time")
        screen.say(
            f"{name} failed {times}, again in {span(one['again_in_seconds'])}: {one['error']}", "yellow"
        )
    for one in found["dead"]:
        name = " ".join(filter(None, (one["stream"], one["partition"])))
        screen.say(f"task {one['id']} ({name}) ended {ago(one['at'])} by a fault of ours: see the log", "red")
