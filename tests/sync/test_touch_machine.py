"""Whatever people, absences, guards and crashes do to accounts that were given to somebody.

An account is never passed on twice for one breach, never more often than its route says, never away from
somebody who touched it, never back to somebody who let it lie; and once things rest nothing is written.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from icp_sync import observe
from icp_sync.domain.account import Owner
from icp_sync.domain.assignment import Action, How
from icp_sync.domain.guard import Limits
from icp_sync.domain.plan import Outcome, Result
from icp_sync.domain.profile import DAY
from icp_sync.domain.roster import Absence, Tables
from icp_sync.journal import REP
from icp_sync.ports import Stream
from tests.sync.touch_world import CYD, LEAD, activity, given, touch, touching
from tests.sync.world import ANNA, BEN, GOOD, POOR, World

TIMES = 2
TEAM = (ANNA, BEN, CYD)
STREAMS = (Stream.POLL, Stream.DUE, Stream.TRAILING, Stream.SWEEP)


class Crash(BaseException):
    """The process is gone: nothing catches it, and nothing more is done."""


class TouchMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp(prefix="icp-sync-touch-"))
        profile = touching(*TEAM, reroutes=TIMES, escalate=LEAD)
        self.world = World(folder=self.folder, profile=profile, page_size=2)
        self.world.crm._owners[CYD] = Owner(id="3", email=CYD)
        self.world.journal.listening({REP: DAY})
        self.kept: dict[str, str] = {}  # whoever touched it keeps it until a person says otherwise
        self.away: set[str] = set()
        self.ids = [self.world.company(f"C{n}", **how) for n, how in enumerate((GOOD, POOR))]  # type: ignore[arg-type]
        self.world.poll()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.come_to_rest()
            finally:
                observe.arm_faults(None)
                self.world.journal.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    # What people and time do

    @rule(hours=st.sampled_from([1, 20, 49, 49, 400]))
    def wait(self, hours: int) -> None:
        self.world.clock.step(hours * 3600.0)

    @rule(n=st.integers(0, 1))
    def call(self, n: int) -> None:
        account_id = self.ids[n]
        touch(self.world, account_id)
        if owner := self.world.account(account_id).owner:
            self.kept[account_id] = owner

    @rule(n=st.integers(0, 1))
    def take_a_note(self, n: int) -> None:
        self.world.crm.edit(self.ids[n], signals=activity("last_activity", self.world.clock.now))

    @rule(n=st.integers(0, 1), owner=st.sampled_from([ANNA, CYD, ""]))
    def change_the_owner(self, n: int, owner: str) -> None:
        if self.world.account(self.ids[n]).owner != owner:
            self.world.crm.edit(self.ids[n], owner=owner)
            self.kept.pop(self.ids[n], None)

    @rule(who=st.sampled_from(TEAM))
    def go_or_come_back(self, who: str) -> None:
        self.away ^= {who}
        absences = {one: (Absence(email=one, start=0.0, until=4e9),) for one in self.away}
        self.world.tables = Tables(absences=absences, digest="".join(sorted(self.away)))
        self.world.journal.wake_all(self.world.clock.now)

    @rule(most=st.sampled_from([0, 50]))
    def guard(self, most: int) -> None:
        self.world.limits = Limits(owner_moves=most)

    @rule(lost=st.booleans(), fails=st.booleans())
    def have_a_bad_day(self, lost: bool, fails: bool) -> None:
        self.world.crm.lose_reply = lambda _: lost
        self.world.crm.refuse = lambda write: (
            Outcome(account_id=write.account_id, result=Result.FAILED, code="DOWN") if fails else None
        )

    # What the worker does

    @rule(stream=st.sampled_from(STREAMS))
    def settle(self, stream: Stream) -> None:
        self.world.cycle(stream)
        self.look()

    @rule(stream=st.sampled_from(STREAMS), nth=st.integers(1, 12))
    def settle_and_die(self, stream: Stream, nth: int) -> None:
        passed = 0

        def die(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed >= nth:
                raise Crash

        observe.arm_faults(die)
        try:
            self.world.cycle(stream)
        except Crash:
            pass
        finally:
            observe.arm_faults(None)
        self.world.reopen()
        self.world.journal.listening({REP: DAY})
        self.look()

    @precondition(lambda self: len(self.ids) == 2)
    @rule()
    def come_to_rest(self) -> None:
        self.world.crm.lose_reply = lambda _: False
        self.world.crm.refuse = lambda _: None
        self.world.quiesce(most=60)
        self.look()
        for account_id in self.ids:
            last = given(self.world, account_id)[-1:]
            if last and last[0].ended_at is None:
                assert last[0].owner == self.world.account(account_id).owner

    # What must hold

    def look(self) -> None:
        for account_id in self.ids:
            owner = self.world.account(account_id).owner
            assert self.kept.get(account_id, owner) == owner, "taken from somebody who touched it"
            rows = given(self.world, account_id)
            assert sum(row.ended_at is None for row in rows) <= 1
            for row, after in itertools.pairwise(rows):
                if row.action == Action.REROUTE:
                    assert (row.how, row.touched_at) == (How.REROUTED, None)
                    assert after.rerouted == row.rerouted + 1
                    assert after.owner not in after.let_lie, "given back to somebody who let it lie"  # type: ignore[operator]
                else:
                    assert after.rerouted == 0
            assert all(row.rerouted <= TIMES for row in rows)
            news = [n for n in self.world.journal.notices() if n.subject == account_id]
            assert len({(n.to, n.key) for n in news}) == len(news), "told twice of one breach"


TouchMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),  # explaining traces every line: too slow for whole cycles
)
TestTouchMachine = TouchMachine.TestCase
