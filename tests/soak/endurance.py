"""A daemon on a busy portal for minutes: people, merges, deletions, faults, a lagging index, another clock,
restarts. Its memory, descriptors and files are sampled; in the end the checker looks.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from icp_sync.ports import Stream
from tests.postgres import journal_url
from tests.soak.checker import Table, check
from tests.soak.ground import Ground
from tests.soak.worker import worker
from tests.sync.processes import Nursery

FAULTS = (
    "503",
    "429",
    "502_html",
    "reset",
    "reset_after_apply",
    "truncated",
    "empty_200",
    "500",
    "207_mixed",
)
STEP = 0.5
"""Seconds between two things that people do."""
EVERY, SHOWN = 5.0, 20
"""Seconds between two samples, and about how many of them are shown."""
LIVES = ((0.1, signal.SIGKILL), (0.1, signal.SIGTERM), (0.1, signal.SIGKILL), (0.7, signal.SIGTERM))
"""Shares of the time that daemons live one after another, and how each ends; the last shows what grows."""

MOST_WAL = 64 << 20
MOST_GROWTH = 30 << 20
MOST_FDS = 80
MOST_BYTES = 16_000
"""Bounds: of the write-ahead log, of memory in the second half of the last life, of open files, and of the
journal's bytes for each company and each write."""


@dataclass(slots=True)
class Samples:
    """One daemon's resident bytes, open files and bytes of its write-ahead log, over its life."""

    at: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    open_files: list[int] = field(default_factory=list)
    wal: list[int] = field(default_factory=list)

    def take(self, pid: int, wal: int) -> None:
        self.at.append(time.monotonic())
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.open_files.append(len(os.listdir(f"/proc/{pid}/fd")))
        self.wal.append(wal)

    def __str__(self) -> str:
        some = self.resident[:: max(1, len(self.resident) // SHOWN)]
        course = " ".join(str(size >> 20) for size in some)
        return f"resident MB {course}; {self.open_files[-1]} open files, WAL {max(self.wal) >> 20} MB"

    def growth(self) -> int:
        """Bytes from the middle of its life, when all is loaded, to its end."""
        return self.resident[-1] - self.resident[len(self.resident) // 2]

    def slope(self) -> float:
        """Bytes a second over the same time."""
        half = len(self.at) // 2
        return slope(self.at[half:], self.resident[half:])


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Least squares; 0 for fewer than two points."""
    if len(xs) < 2:
        return 0.0
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def run(
    budget_seconds: float,
    accounts: int = 2_000,
    told: Callable[[str], object] = lambda _: None,
    database: str = "sqlite",
) -> dict[str, int | str]:
    """So long, on so many companies."""
    folder = Path(mkdtemp(prefix="icp-sync-endurance-"))
    nursery = Nursery(folder)
    try:
        pace = 'poll = "1s"\ntrailing = "2s"\ndue = "2s"'
        with journal_url(database) as url:
            at = Ground(folder, nursery, accounts=accounts, schedule=pace, journal=url)
            try:
                return _endured(at, budget_seconds, told)
            finally:
                at.close()
    finally:
        nursery.close()
        shutil.rmtree(folder, ignore_errors=True)


def _endured(at: Ground, seconds: float, told: Callable[[str], object]) -> dict[str, int | str]:
    at.crm.admin("POST settings", index_lag=3.0, index_jitter=2.0, history_lag=1.0)
    at.pass_time(400)  # the portal's clock is not ours
    dice, kills = random.Random(3), []
    lives: list[Samples] = []
    for share, end in LIVES:
        lives.append(_lived(at, share * seconds, end, dice))
        if end is signal.SIGKILL:
            kills.append(at.now())
        told(str(lives[-1]))
    cycles = _come_to_rest(at)
    table = check(at.ledger.evidence(at.companies, kills=kills, cycles=cycles))
    if not table.clean():
        told(table.said())
    return {**_bounded(at, lives, table), **table.figures()}


def _lived(at: Ground, seconds: float, end: signal.Signals, dice: random.Random) -> Samples:
    """One daemon's life, ended by this signal."""
    samples = Samples()
    with worker(at, {"schedule__sweep": "20s"}) as pid:
        ends = time.monotonic() + seconds
        while not samples.at or time.monotonic() < ends:
            _something_happens(at, dice)
            at.ledger.take()
            if not samples.at or time.monotonic() - samples.at[-1] > EVERY:
                samples.take(pid, _size(at, "-wal"))
            time.sleep(STEP)
        if end is signal.SIGKILL:
            os.kill(pid, end)
            at.nursery.wait(pid)
    return samples


def _bounded(at: Ground, lives: Sequence[Samples], table: Table) -> dict[str, int | str]:
    """What grew and how far, of the last life in its second half; `unbounded` is 1 beyond a bound."""
    each = at.wired.journal.size() / (len(at.companies) + table.writes)
    wal, files = max(max(one.wal) for one in lives), max(max(one.open_files) for one in lives)
    growth = lives[-1].growth()
    small = each < MOST_BYTES or at.file is None  # the tests' server never vacuums
    bounded = wal < MOST_WAL and growth < MOST_GROWTH and files < MOST_FDS and small
    return {
        "restarts": len(lives) - 1,
        "resident MB": max(max(one.resident) for one in lives) >> 20,
        "growth MB": growth >> 20,
        "MB an hour": round(lives[-1].slope() * 3600 / (1 << 20)),
        "open files": files,
        "WAL MB": wal >> 20,
        "journal bytes each": round(each),
        "unbounded": int(not bounded),
    }


def _something_happens(at: Ground, dice: random.Random) -> None:
    """People work on some; now and then one is merged or deleted, a request fails, time jumps."""
    ours = [id for id in at.ledger.written if id not in at.gone]
    if len(ours) < 100:
        return  # it has only begun
    living = [id for id in at.companies if id not in at.gone]
    at.resize(dice.sample(living, 3), dice)
    at.type_over(dice.sample(ours, 1), dice)
    chance = dice.random()
    if chance < 0.1:
        at.found(2, dice)
    elif chance < 0.15:
        at.merge(*dice.sample(sorted(set(living) - at.typed), 2))
    elif chance < 0.2:
        at.delete(dice.choice(living))
    elif chance < 0.3:
        at.crm.admin("POST faults", kind=dice.choice(FAULTS), count=2, seconds=5.0)
    elif chance < 0.35:
        at.pass_time(dice.choice((1, 30, 200)))


def _size(at: Ground, suffix: str) -> int:
    file = Path(f"{at.file}{suffix}")
    return file.stat().st_size if at.file is not None and file.exists() else 0


def _come_to_rest(at: Ground) -> int:
    """Nothing fails any more, the index catches up; cycles until two rounds of every stream wrote nothing."""
    at.crm.admin("DELETE faults")
    at.crm.admin("POST settings", index_lag=0.0, index_jitter=0.0, history_lag=0.0)
    at.crm.admin("POST flush")
    at.wired.journal.break_leases()
    quiet = 0
    for n in range(1, 11):
        at.pass_time(4000)
        reports = at.cycle(Stream.POLL, Stream.DUE, Stream.TRAILING, Stream.SWEEP)
        quiet = quiet + 1 if not any(report.written for report in reports) else 0
        if quiet == 2:
            return n - 1
    raise AssertionError("it never comes to rest")
