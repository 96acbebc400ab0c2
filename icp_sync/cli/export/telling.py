"""What an export of evaluations wrote, for people: how many, where, and what is missing in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from icp_sync.cli.output import STDOUT


def show(told: Mapping[str, Any]) -> None:
    """One file. On the standard error, as rows may go to the standard output."""
    from icp_sync.cli.rendering import note

    note(_said(told) if told["out"] == str(STDOUT) else f"{_said(told)}, written to {told['out']}")
    for remark in _remarks(told):
        note(remark)


def show_months(told: Mapping[str, Any]) -> None:
    """Every month: those that were written, and why others were not."""
    from icp_sync.cli.rendering import Screen

    screen = Screen.here()
    for one in told["written"]:
        screen.say(f"{one['month']}: {_said(one)}, written to {one['out']}")
        for remark in _remarks(one):
            screen.say(f"  {remark}", "yellow")
    if not told["written"]:
        screen.say("No month is over that has no file there yet.")
    if told["there"]:
        screen.say(f"there already, and left as they are: {', '.join(told['there'])}")
    if told["not_covered"]:
        screen.say(f"no longer covered by the history that is kept: {', '.join(told['not_covered'])}")


def _said(told: Mapping[str, Any]) -> str:
    from icp_sync.reporting.text import counted

    return counted(told["accounts"], "account")


def _remarks(told: Mapping[str, Any]) -> Iterator[str]:
    """What the rows do not tell."""
    from icp_sync.reporting.text import counted

    if n := told["not_proved"]:
        yield f"{n:,} could not be made again as they were kept: they show tier and score alone"
    if n := told.get("erased", 0):
        gone = counted(n, "account")
        yield f"up to {gone} may be missing: gone from the CRM since, and erased (retention.gone)"
    if told["unread"]:
        yield f"{told['unread']}; no fact has a column"
