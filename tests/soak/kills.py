"""Real processes killed at random instants beside people at work; after each, integrity and the checker."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.plan_file import Drawn
from icp_sync.sync.plan_file.binding import header
from icp_sync.sync.plan_file.document import PlanWriter
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import UNDO, Wanted
from tests import postgres
from tests.soak.checker import Table, check
from tests.soak.ground import Ground, OrgGround
from tests.sync.processes import Nursery

KINDS = {"hubspot": Ground, "salesforce": OrgGround}
PLACES = (
    ("hubspot", "sqlite"),
    ("hubspot", "postgresql"),
    ("salesforce", "sqlite"),
    ("salesforce", "postgresql"),
)
ACTS = ("backfill", "poll", "undo", "apply")
ROUNDS_TO_REST = 8
LATENCY = 0.01
"""Seconds a reply takes: so that most of a process's life is between two of its steps."""
SLOWEST = 1.5
"""Seconds after which a process is killed at the latest, at first; how long one lives here is found out."""
LONGER, SHORTER = 1.15, 0.7
"""What becomes of that after a process that was killed, and after one that was faster."""


@contextmanager
def ground(crm: str, database: str, nursery: Nursery, accounts: int = 40) -> Iterator[Ground]:
    """A portal or org, backfilled by the real command, its journal on either database."""
    folder = Path(mkdtemp(prefix="icp-sync-kills-"))
    url = "" if database == "sqlite" else postgres.server().database()
    waves = 'canary = 5\nwatch = "1s"\nwave = 20\npause = "0"'
    made = KINDS[crm](folder, nursery, accounts=accounts, journal=url, backfill=waves)
    try:
        made.pass_time()
        made.cycle(Stream.BACKFILL)
        yield made
    finally:
        made.close()
        if url:
            postgres.server().drop(url)
        shutil.rmtree(folder, ignore_errors=True)


class Killing:
    """Kill after kill on one ground. Figures of all so far are in `table`."""

    def __init__(self, at: Ground, seed: int) -> None:
        self.at = at
        self.dice = random.Random(seed)
        self.kills: list[int] = []
        self.reversals: list[tuple[int, int]] = []
        self.finished = 0  # processes that were faster
        self.slowest = dict.fromkeys(ACTS, SLOWEST)
        self.table = Table()
        self.reads = 0  # of records, in rounds after one that wrote nothing
        self._back: set[str] = set()  # undos that were taken back

    def one(self, act: str) -> Table:
        """People work, a process begins, people go on, it is killed; what follows comes to rest."""
        at, dice = self.at, self.dice
        touched = self._people_work()
        begun = at.now()
        args = self._args(act)
        at.crm.admin("POST settings", latency=LATENCY)
        pid = at.start(*args)
        lives = dice.uniform(0.03, self.slowest[act])
        time.sleep(lives / 2)
        if at.kind == "hubspot":  # in an org people cannot type over fields of ours
            at.type_over(dice.sample(touched, 2), dice)
        time.sleep(lives / 2)
        os.kill(pid, signal.SIGKILL)
        finished = at.nursery.wait(pid).code != -signal.SIGKILL
        self.finished += finished
        self.slowest[act] *= SHORTER if finished else LONGER
        self.kills.append(at.now())
        at.crm.admin("POST settings", latency=0)
        self._whole()
        at.wired.journal.break_leases()
        if act == "undo":
            self._there_and_back(args[1])
            self.reversals.append((begun, at.now()))
        return self._checked(self._rest())

    def _people_work(self) -> list[str]:
        """Companies change size, some are new, one has a value typed over ours; those that changed."""
        at, dice = self.at, self.dice
        touched = dice.sample(at.companies, 4)
        at.resize(touched, dice)
        at.found(2, dice)
        if at.kind == "hubspot":
            at.type_over(touched[:1], dice)
        at.pass_time()
        return touched

    def _args(self, act: str) -> tuple[str, ...]:
        match act:
            case "backfill":
                return "run", "--backfill", "--restart"
            case "undo":
                return "undo", self._written_last(), "--apply"
            case "apply":
                return "apply", str(self._plan()), "--force"
        return "run", "--once"

    def _plan(self) -> Path:
        """A plan of everything, made in this process: only what applies it is to be killed."""
        parts, path = self.at.wired.parts, self.at.folder / f"plan-{len(self.kills)}.json"
        version, documents = self.at.wired.journal.active() or (0, ())
        made = header(parts, documents, version, Mode.ROUTE, author="ada@desk")
        with path.open("w", encoding="ascii") as stream:
            writer = PlanWriter(stream, made)
            drawn = Drawn(writer.row)
            cycle(Stream.BACKFILL, parts, Scope(apply=False, restart=True, report=drawn))
            writer.end({"guard": drawn.guarded.to_json()})
        return path

    def _written_last(self) -> str:
        journal = self.at.wired.journal
        runs = (r.id for r in journal.runs(200) if r.kind != UNDO and r.detail.get("apply", True))
        return next(run for run in runs if journal.changed_in(run, limit=1))

    def _there_and_back(self, run: str) -> None:
        """Finish the undo that died, then take it back, so that the oracle holds again."""
        parts, journal = self.at.wired.parts, self.at.wired.journal
        assert undo(Wanted(run=run), parts, Scope()).done
        undone = [r.id for r in journal.runs(200) if r.kind == UNDO and r.detail.get("undoes") == run]
        for again in undone:  # two of them where the process had just ended its own
            if again not in self._back and journal.changed_in(again, limit=1):
                assert undo(Wanted(run=again), parts, Scope()).done
        self._back.update(undone)

    def _whole(self) -> None:
        """The journal is in one piece."""
        at = self.at
        if at.file is not None:
            with closing(sqlite3.connect(at.file)) as file:
                assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert at.wired.journal.audit_broken() is None, "the audit's chain holds"

    def _rest(self) -> int:
        """Cycles until one writes nothing."""
        quiet = 0
        for n in range(1, ROUNDS_TO_REST + 1):
            self.at.pass_time()
            before = self.at.reads()
            reports = self.at.cycle(Stream.POLL, Stream.DUE)
            quiet = quiet + 1 if not any(report.written for report in reports) else 0
            if quiet == 2:
                self.reads += self.at.reads() - before
                return n - 1
        raise AssertionError(f"something was still written in round {ROUNDS_TO_REST}")

    def _checked(self, cycles: int) -> Table:
        at = self.at
        cycles = max(self.table.cycles, cycles)
        spans = {"kills": self.kills, "reversals": self.reversals}
        self.table = check(at.ledger.evidence(at.companies, **spans, reads=self.reads, cycles=cycles))
        return self.table


def run(
    budget_seconds: float, kills: int = 200, told: Callable[[str], object] = lambda _: None
) -> dict[str, int | str]:
    """So many kills, in turn at each place and of each command, or as many as the time allows."""
    folder = Path(mkdtemp(prefix="icp-sync-nursery-"))
    nursery = Nursery(folder)
    ends, total, done = time.monotonic() + budget_seconds, Table(), 0
    try:
        for number, (crm, database) in enumerate(PLACES):
            with ground(crm, database, nursery) as at:
                killing = Killing(at, seed=number)
                for n in range(kills // len(PLACES)):
                    if time.monotonic() > ends - budget_seconds * (len(PLACES) - 1 - number) / len(PLACES):
                        break
                    table = killing.one(ACTS[n % len(ACTS)])
                    done += 1
                    if not table.clean():
                        told(f"{crm} on {database}, kill {n}: {table.said()}")
                        break
                total.add(killing.table)
    finally:
        nursery.close()
        shutil.rmtree(folder, ignore_errors=True)
    return {"kills": done, **total.figures()}


def proven(figures: Mapping[str, int | str]) -> bool:
    """Whether every column of these figures is 0."""
    return not any(figures[name] for name in Table().findings)
