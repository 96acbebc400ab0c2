"""Any number of workers at one backfill, in any order, dying and coming back: as if one had made it alone.

A worker does some parts and stops, dies, or is overtaken by another in the midst of a part. Meanwhile people
edit, accounts come, leases run out, the backfill is paused, halted, let go on, and asked for anew.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.sync.backfill import halted
from icp_sync.sync.cycle import Scope
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.waves import HaltedError
from tests import postgres
from tests.sync.test_ranges import assert_done, refusing
from tests.sync.workers import Worker
from tests.sync.world import GOOD, POOR, World, facts

ACCOUNTS, PAGE = 20, 3
PACING = Pacing(canary=2, watch=5.0, wave=9, pause=2.0, partitions=3)

WORKERS = st.integers(0, 2)
PARTS = st.integers(1, 6)


class Ranges(RuleBasedStateMachine):
    database = "sqlite"
    place = Path()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(dir=self.place))
        server = postgres.server() if self.database == "postgresql" else None
        self.world = World(folder=self.folder, page_size=PAGE, server=server, mode=Mode.WRITE)
        self.workers = [Worker(self.world, f"worker {at}", PACING) for at in range(3)]
        self.asked = 0
        self.request: float | None = None
        self.changes = 0

    @initialize()
    def begin(self) -> None:
        for at in range(ACCOUNTS):
            self.world.company(f"C{at}", **GOOD)
        self.ask()

    @rule(worker=WORKERS, parts=PARTS, dies=st.booleans())
    def makes(self, worker: int, parts: int, dies: bool) -> None:
        with suppress(HaltedError):
            self.workers[worker].make(parts, dies=dies)

    @rule(worker=WORKERS, parts=PARTS, dies=st.booleans())
    def helps(self, worker: int, parts: int, dies: bool) -> None:
        self.workers[worker].help(parts, dies=dies)

    @rule(worker=WORKERS, parts=PARTS, other=WORKERS, others=PARTS, late=st.booleans(), dies=st.booleans())
    def is_overtaken(self, worker: int, parts: int, other: int, others: int, late: bool, dies: bool) -> None:
        """In the midst of one's work another does some; late: the lease of the first has run out by then."""
        if worker == other:
            return

        def meanwhile() -> None:
            self.workers[worker].meanwhile = lambda: None
            if late:
                self.world.clock.step(100)
            self.workers[other].make(others, dies=dies)

        self.workers[worker].meanwhile = meanwhile
        self.workers[worker].make(parts)
        self.workers[worker].meanwhile = lambda: None

    @rule()
    def time_passes(self) -> None:
        self.world.clock.step(100)

    @rule(at=st.integers(0, ACCOUNTS - 1))
    def somebody_edits(self, at: int) -> None:
        account_id = self.world.crm._order[at][1]
        self.changes += 1
        self.world.crm.edit(account_id, signals=facts(**(POOR if self.changes % 2 else GOOD)))  # type: ignore[arg-type]

    @rule()
    def an_account_is_created(self) -> None:
        self.world.company("New", **GOOD)

    @rule()
    def somebody_pauses(self) -> None:
        self.world.journal.pause_backfills(by="ada", now=self.world.clock())

    @rule(worker=WORKERS, parts=PARTS)
    def somebody_lets_it_go_on(self, worker: int, parts: int) -> None:
        self.workers[worker].make(parts, resume=True)

    @rule(worker=WORKERS)
    def the_crm_refuses(self, worker: int) -> None:
        self.world.crm.refuse = refusing
        self.workers[worker].make(6)
        self.world.crm.refuse = lambda _: None

    @rule()
    def ask(self) -> None:
        """For a backfill, once more or for the first time: one begun for another purpose begins again."""
        self.asked += 1
        self.world.clock.step(1)
        self.world.version += 1
        self.world.journal.request_backfill(f"version {self.world.version}", self.world.clock())

    @rule(worker=WORKERS, parts=PARTS)
    def somebody_restarts(self, worker: int, parts: int) -> None:
        self.workers[worker].make(parts, restart=True)

    @invariant()
    def nothing_is_passed_over(self) -> None:
        """Up to where a range stands everybody in it is settled, and what is closed has no range."""
        journal = self.world.journal
        for one in journal.ranges(now=self.world.clock()):
            assert not journal.position("backfill").finished
            up_to = one.up_to if one.position.finished else one.position.last_id
            for _, account_id in self.world.crm._order:
                beyond = bool(up_to) and int(account_id) > int(up_to)
                if int(account_id) > int(one.after or 0) and not beyond and one.position.last_id:
                    newer = one.position.finished and int(account_id) > int(one.position.last_id)
                    assert newer or journal.account(account_id) is not None, account_id

    @invariant()
    def a_request_is_struck_out_once_everybody_was_settled_for_it(self) -> None:
        journal = self.world.journal
        asked = journal.backfill_request()
        if self.request is not None and asked is None:
            position = journal.position("backfill")
            assert position.finished
            assert not journal.is_cut()
            for _, account_id in self.world.crm._order:
                known = journal.account(account_id)
                made = known.profile_version if known else 0
                assert made == self.world.version or int(account_id) > int(position.last_id), account_id
        self.request = asked.at if asked else None

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            for worker in self.workers:
                worker.close()
            self.world.journal.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _come_to_rest(self) -> None:
        world, last = self.world, self.workers[0]
        if self.asked == 0:
            return
        world.journal.request_backfill("the last", world.clock())
        for _ in range(40):
            world.clock.step(100)
            last.make(resume=bool(halted(world.journal)))
            if world.journal.backfill_request() is None:
                break
        world.clock.step(40 * 86_400)  # what was refused is tried again
        for stream in (Stream.DUE, Stream.POLL, Stream.TRAILING, Stream.DUE):
            world.cycle(stream)
            world.clock.step(4000)
        assert world.journal.backfill_request() is None
        assert world.journal.alerts() == []
        assert_done(world)
        before = len(world.writes())
        world.backfill(Scope(restart=True))
        assert len(world.writes()) == before


def tried(database: str, place: Path, examples: int, steps: int) -> None:
    machine = type("Machine", (Ranges,), {"database": database, "place": place})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(("database", "examples"), [("sqlite", 7), ("postgresql", 2)])
def test_whatever_happens_it_ends_as_if_one_had_made_it_alone(
    database: str, examples: int, tmp_path: Path
) -> None:
    tried(database, tmp_path, examples, 12)
