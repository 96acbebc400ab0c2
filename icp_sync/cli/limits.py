"""The part of `icp-sync status` about limits: what is used, by whom, what is left to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

Data = dict[str, Any]


def show_limits(screen: Screen, found: object) -> None:
    """The day's calls in two sentences, and whatever is paused now. found: what `limits` returns."""
    from icp_sync.reporting.text import span

    assert isinstance(found, list)
    screen.heading("Calls to the CRM")
    for one in found:
        if one["day"] is not None:
            for line in _day(one, one["day"]):
                screen.say(line)
        if one["paused_for"]:
            screen.say(f"{one['name']}: paused for {span(one['paused_for'])}, as the CRM asked")


def _day(one: Data, day: Data) -> list[str]:
    from icp_sync.reporting.text import span

    if day["remaining"] is None:
        return [f"today: {one['used']:,} by us; the CRM has not said how many are left"]
    ends = f", it ends in {span(day['resets_in'])}" if day["resets_in"] is not None else " in any 24 hours"
    lines = [
        f"{day['remaining']:,} of {one['limit']:,} left{ends}; {one['used']:,} used by us "
        f"({day['backfill']:,} by backfills), {day['others']:,} by others; "
        f"{day['reserve']:,} are left to them"
    ]
    if day["stopped_for"] is not None:
        lines.append(
            f"our calls have waited for {span(day['stopped_for'])}: the rest is the reserve for others"
        )
    elif day["runs_out_in"] is not None:
        lines.append(f"at the present rate the reserve is reached in {span(day['runs_out_in'])}")
    return lines
