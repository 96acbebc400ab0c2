"""Alerts of streams: those whose cycles have failed for long, and those that settle nothing.

Looked for from outside: a stream that is left alone for hours, or hangs, says nothing itself; and what was
raised before a restart must end when its stream works again, or is followed no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from icp_sync.daemon.streams import DOWN, WATCH, Loop, State
from icp_sync.journal import Journal
from icp_sync.observe import redact
from icp_sync.ports import Stream
from icp_sync.sync.alarms import HALTED, settle_alerts
from icp_sync.sync.following import DEALS


def of_streams(journal: Journal, loops: Sequence[Loop], now: float) -> None:
    """Raise the alert of each stream that has failed for long or is late; end that of one that is well, or
    not there any more, and that of a halt that a restart has ended."""
    found = {DOWN + loop.stream: _late(loop) for loop in loops if loop.state is State.LATE}
    found |= {
        DOWN + loop.stream: f"{redact(loop.error)}. next: icp-sync status"
        for loop in loops
        if loop.state is State.DOWN and loop.failing_for_long
    }
    works = all(loop.portal.accepted and not loop.portal.halted for loop in loops)
    well = {DOWN + loop.stream for loop in loops if loop.state in (State.OK, State.WAITING)}
    settle_alerts(journal, found, well | _not_there(loops) | ({HALTED} if works else set()), "", now=now)


def _late(loop: Loop) -> str:
    since = max(loop.last_page, loop.last_success or 0.0)
    at = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{loop.stream} has settled nothing since {at}. next: icp-sync status"


def _not_there(loops: Iterable[Loop]) -> set[str]:
    """Alerts of streams that this connection does not follow any more."""
    known = [*map(str, Stream), DEALS, WATCH]
    return {DOWN + name for name in known} - {DOWN + loop.stream for loop in loops}
