"""A worker is killed while it is at its tasks: how long the others cannot go on with what it held.

Procrastinate leaves such tasks "doing", and those behind their locks blocked, until somebody ends them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from icp_sync.journal.turns import Key
from tests.cluster.fleet import Fleet, fleet, until
from tests.cluster.portals import Wanted

LONGEST = 75.0
"""Seconds within which all of it goes on, with a lease of 60 s; what `deploy/README.md` states, and some."""
SLOWLY = 10.0
"""Seconds a reply takes while the worker is killed: all of its tasks wait for one."""

Told = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """held: tasks the killed worker was at. tasks: seconds until none of them hangs any more. streams: until
    each of those streams has ended a cycle well."""

    held: int
    tasks: float
    streams: float

    def right(self) -> bool:
        return self.held > 0 and self.streams < LONGEST

    def row(self) -> dict[str, object]:
        return {
            "tasks it was at": self.held,
            "tasks ended after": f"{self.tasks:.0f} s",
            "all streams go on after": f"{self.streams:.0f} s",
        }


def run(
    portals: int, workers: int, *, lease: str = "60s", slowly: float = SLOWLY, told: Told = lambda _: None
) -> Recovered:
    """One worker is at tasks of every portal; then the others are begun, and it is killed."""
    wanted = [Wanted(accounts=60, seed=n + 1, made=True) for n in range(portals)]
    with fleet(wanted, cluster=f'lease = "{lease}"') as at:
        (dies,) = at.start(1)
        until(at.all_backfilled, "every portal is backfilled")
        for one in at.portals.values():
            one.admin("POST settings", latency=slowly)
        held = until(lambda: _held_by(at, dies, portals), "it is at a task of every portal")
        at.start(workers - 1)
        until(lambda: len(at.root.workers()) == workers, "the others are there")
        held = until(lambda: _held_by(at, dies, 1), "it is at a task")
        at.kill(dies)
        killed, moment, doing = time.monotonic(), time.time(), _doing(at)
        for one in at.portals.values():
            one.admin("POST settings", latency=0)
        told(f"killed at {sorted(held)}")
        until(lambda: not doing & _doing(at), "no task of it is left", patience=LONGEST)
        tasks = time.monotonic() - killed
        until(lambda: _all_went_on(at, held, moment), "every stream goes on", patience=2 * LONGEST)
        streams = time.monotonic() - killed
        at.stop()
        return Recovered(held=len(held), tasks=tasks, streams=streams)


def _held_by(at: Fleet, pid: int, least: int) -> set[Key]:
    """The streams this process is at, if they are of so many portals."""
    found = {key for key, turn in at.root.all_turns().items() if f":{pid}:" in turn.worker}
    return found if len({connection for connection, _, _ in found}) >= least else set()


def _doing(at: Fleet) -> set[int]:
    """Tasks that the queue believes somebody to be at."""
    with at.root.engine.connect() as conn:
        return set(conn.execute(text("SELECT id FROM procrastinate_jobs WHERE status = 'doing'")).scalars())


def _all_went_on(at: Fleet, keys: set[Key], since: float) -> bool:
    turns = at.root.all_turns()
    return all((turn := turns.get(key)) is not None and (turn.last_success or 0.0) > since for key in keys)
