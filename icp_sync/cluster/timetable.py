"""What is due: of each connection the streams whose turn has come and which nobody is at, longest due first.

Pure reading: the journal says when each is due, the queue who is at what. Whoever looks, and whenever, finds
the same; so it does not matter which worker does, or whether one look is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from icp_sync.cluster.queue import LONG, QUICK
from icp_sync.daemon.streams import LONGEST_DELAY, Loop
from icp_sync.journal import Journal
from icp_sync.journal.turns import Key, Turn
from icp_sync.ports import Stream
from icp_sync.sync.following import DEALS
from icp_sync.sync.requests import BACKFILLS, LANES, asked_lanes

LONGEST_WAIT = 2 * 86_400.0
"""Seconds a CRM may make us wait for calls: those of a day, and what it says itself of when it ends."""
LEEWAY = 5.0
URGENT, USUAL, PATIENT = 20, 10, 0
"""Priorities in the queue: what a person waits for, what follows the CRM, and the rest."""
_LONG = frozenset({Stream.BACKFILL.value, Stream.SWEEP.value, DEALS, BACKFILLS})
"""Streams that may take hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    key: Key
    since: float
    queue: str
    priority: int


def due(
    journal: Journal, loops: Iterable[Loop], ranges: Mapping[str, Iterable[str]], now: float
) -> list[Due]:
    """What may begin. journal: of any connection. ranges: connection → those of its backfill nobody is at."""
    turns, open_tasks = journal.all_turns(), journal.open_tasks()
    asked = asked_lanes(journal)
    found = [
        one
        for loop in loops
        for one in _of(loop, ranges.get(loop.portal.name, ()), turns, asked, now)
        if one.since <= now and one.key not in open_tasks
    ]
    return sorted(found, key=lambda one: (-one.priority, one.since))


def held_back(turn: Turn) -> bool:
    """Whether it failed, or waits for calls: then somebody's asking does not make it due."""
    return bool(turn.failures) or turn.waits_until > (turn.began_at or 0.0)


def due_at(turn: Turn, loop: Loop, now: float) -> float:
    """From when a stream may run. A turn further ahead than its schedule says was kept by a clock that was
    wrong, or before the schedule was changed: then now."""
    usual = max(loop.interval, LONGEST_DELAY) if turn.failures else loop.interval
    most = max(usual, LONGEST_WAIT) if held_back(turn) else usual
    return turn.due_at if turn.due_at <= now + most + LEEWAY else now


def _of(
    loop: Loop,
    ranges: Iterable[str],
    turns: Mapping[Key, Turn],
    asked: Mapping[tuple[str, str], float],
    now: float,
) -> Iterator[Due]:
    name = loop.portal.name
    if loop.rests:
        return
    if loop.stream in LANES:
        if (since := asked.get((name, loop.stream))) is None:
            return
        key = (name, loop.stream, "")
        turn = turns.get(key)
        later = due_at(turn, loop, now) if turn is not None and held_back(turn) else since
        yield Due(key=key, since=later, queue=queue_of(loop.stream), priority=URGENT)
        return
    partitions = ("", *ranges) if loop.stream == Stream.BACKFILL else ("",)
    for partition in partitions:
        key = (name, loop.stream, partition)
        turn = turns.get(key)
        since = due_at(turn, loop, now) if turn else loop.expected
        yield Due(key=key, since=since, queue=queue_of(loop.stream), priority=_priority(loop.stream))


def queue_of(stream: str) -> str:
    """Where tasks of a stream go."""
    return LONG if stream in _LONG else QUICK


def _priority(stream: str) -> int:
    return PATIENT if stream in _LONG else USUAL
