"""Two workers are faster than one: a backfill of one slow portal, each worker with one request under way.

Both wait, ready, until the connection is resumed; what counts is from the first run's beginning to the last
one's end, and the processor time all workers took meanwhile.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.fleet import STILL, Fleet, fleet, until
from tests.cluster.portals import Wanted

LATENCY = 0.25
ALONE = "at_once = 1\nburst = 10000\nsearch = 1000"
"""One request of a worker under way, and no limit of the CRM's that anybody would meet."""
ONE_RANGE = 'lease = "60s"\nlong = 1\npartitions = 8'
TICK = os.sysconf("SC_CLK_TCK")

Told = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """seconds: from the first page to the last. processor: seconds of all workers. by: accounts of each."""

    seconds: float
    processor: float
    accounts: int
    by: tuple[int, ...]


def took(accounts: int, workers: int, *, latency: float = LATENCY, settle: float = 3.0) -> Took:
    """settle: seconds for what workers do first, which is not to be counted."""
    wanted = [Wanted(accounts=accounts, made=True)]
    with fleet(wanted, apart=settle > 0, schedule=STILL, quota=ALONE, cluster=ONE_RANGE) as at:
        journal = at.root
        journal.pause_connection(by="somebody", why="until all are there", now=time.time())
        pids = at.start(workers)
        until(lambda: len(journal.workers()) == workers, "all workers are there")
        until(lambda: all("paused" in at.nursery.said_so_far(pid) for pid in pids), "each of them waits")
        time.sleep(settle)
        at.portals["portal0"].admin("POST settings", latency=latency)
        before = _processor(pids)
        journal.resume_connection(by="somebody", now=time.time())
        until(at.all_backfilled, "the portal is backfilled", 3600)
        processor = _processor(pids) - before
        at.stop()
        begun, ended = _span(at)
        return Took(
            seconds=ended - begun,
            processor=processor,
            accounts=accounts,
            by=tuple(sorted(at.worked().values())),
        )


def _span(at: Fleet) -> tuple[float, float]:
    runs = [run for run in at.root.runs(100_000) if run.kind == "backfill"]
    return min(run.started_at for run in runs), max(run.ended_at or 0.0 for run in runs)


def _processor(pids: Sequence[int]) -> float:
    """Seconds of processor time so far, of all threads."""
    seconds = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICK
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Faster:
    """ratio: of the medians of the time one worker and two took. processor: of theirs for each account."""

    one: float
    two: float
    ratio: float
    processor: float
    milliseconds: float

    def right(self) -> bool:
        return self.ratio >= 1.8 and abs(self.processor - 1) <= 0.1

    def row(self) -> dict[str, object]:
        return {
            "one worker": f"{self.one:.1f} s",
            "two": f"{self.two:.1f} s",
            "times as fast": f"{self.ratio:.2f}",
            "CPU ms an account": f"{self.milliseconds:.2f}",
            "CPU, two against one": f"{self.processor:.2f}",
        }


def run(accounts: int, *, times: int = 5, told: Told = lambda _: None) -> Faster:
    """In turn, so that what else the machine does meets both."""
    found: dict[int, list[Took]] = {1: [], 2: []}
    for _ in range(times):
        for workers, those in found.items():
            those.append(took(accounts, workers))
            told(f"{workers}: {those[-1]}")
    one, two = (statistics.median(took.seconds for took in found[n]) for n in (1, 2))
    first, second = (statistics.median(took.processor / took.accounts for took in found[n]) for n in (1, 2))
    return Faster(one=one, two=two, ratio=one / two, processor=second / first, milliseconds=first * 1000)
