"""Which streams a connection has, and how often each runs. One list, whoever triggers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icp_sync.daemon.portal import Portal
from icp_sync.daemon.stopping import Stopping
from icp_sync.daemon.streams import WATCH, Loop
from icp_sync.ports import Stream
from icp_sync.sync.following import DEALS
from icp_sync.sync.requests import LANES
from icp_sync.sync.telling.stream import TELLING

ASKED_WATCH = 900.0  # seconds between looks whether it is time to look for drift
ASKED_EVERY = 1.0  # seconds between looks whether a command has handed something over


def loops_of(portal: Portal, stopping: Stopping, clock: Callable[[], float]) -> list[Loop]:
    """Every stream of a connection, each with its interval in seconds."""
    return [Loop(portal, stream, every, stopping, clock) for stream, every in _streams(portal)]


def _streams(portal: Portal) -> Iterator[tuple[str, float]]:
    settings = portal.wired.settings
    every = settings.schedule
    yield Stream.POLL, every.poll
    yield Stream.TRAILING, every.trailing
    yield Stream.DUE, every.due
    yield Stream.BACKFILL, every.poll
    yield Stream.SWEEP, every.sweep
    if settings.deals.followed:
        yield DEALS, settings.deals.every
    if portal.wired.parts.outgoing:
        yield TELLING, settings.telling.every
    yield WATCH, min(every.watch, ASKED_WATCH)
    for lane in LANES:
        yield lane, ASKED_EVERY


def first_at(loop: Loop, now: float) -> float:
    """When a stream that nothing is known of runs first: at once; a sweep an interval after the last one,
    which may have been before this start."""
    if loop.stream != Stream.SWEEP:
        return now
    position, at = loop.portal.wired.journal.positions().get((Stream.SWEEP.value, ""), (None, now))
    finished = position is None or position.finished
    return max(now, at + loop.interval) if finished else now
