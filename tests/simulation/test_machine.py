"""Anything at all, in any order, to very few companies: the same office, driven by what finds the worst."""

from __future__ import annotations

import shutil
from math import inf
from pathlib import Path
from random import Random
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from icp_sync.domain.plan import Write
from icp_sync.ports import Editor, Stream, Unavailable
from tests.simulation.company import Company
from tests.simulation.connected import CARL
from tests.simulation.days import SHAPES
from tests.simulation.office import Office
from tests.simulation.oracle import DAY, STATES, Truth
from tests.sync.world import ANNA

STREAMS = (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP)
BOOK = Truth(size=120.0, trade="SOFTWARE")
which = st.integers(0, 3)
seeds = st.integers(0, 9)


class OfficeMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        quick = Path("/dev/shm")
        self.folder = Path(mkdtemp(prefix="icp-sync-machine-", dir=quick if quick.is_dir() else None))
        self.office = Office(self.folder, page_size=2)
        for truth in (Truth(size=100.0, trade="SOFTWARE"), Truth(trade="SOFTWARE"), Truth(size=663.0)):
            self.office.create(truth, book=BOOK if truth.size is None else None)
        self.office.roll_out()

    def teardown(self) -> None:
        if hasattr(self, "office"):
            try:
                self.come_to_rest()
            finally:
                self.office.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    def pick(self, n: int) -> Company:
        ids = self.office.crm.ids
        return self.office.companies[ids[n % len(ids)]]

    def many(self) -> bool:
        return len(self.office.crm.ids) > 1

    # People and other systems

    @precondition(lambda self: len(self.office.crm.ids) < 4)
    @rule(size=st.sampled_from([100.0, 5000.0, None]), late=st.sampled_from([0.0, 900.0]))
    def create(self, size: float | None, late: float) -> None:
        self.office.create(Truth(size=size, trade="RETAIL"), late=late)

    @rule(n=which, size=st.sampled_from([10.0, 100.0, 663.0, 672.0]), late=st.sampled_from([0.0, 1.0, 900.0]))
    def resize(self, n: int, size: float, late: float) -> None:
        self.office.change(self.pick(n), size=size, late=late)

    @rule(n=which, prospect=st.booleans())
    def change_stage(self, n: int, prospect: bool) -> None:
        self.office.change(self.pick(n), prospect=prospect)

    @rule(n=which, days=st.sampled_from([1, 100]))
    def raise_a_round(self, n: int, days: int) -> None:
        self.office.change(self.pick(n), funded=self.office.clock() - days * DAY)

    @rule(
        n=which,
        name=st.sampled_from(["tier", "lane", "profile"]),
        by=st.sampled_from([Editor.PERSON, Editor.WORKFLOW, Editor.IMPORT, Editor.APP]),
        seed=seeds,
    )
    def type_over(self, n: int, name: str, by: Editor, seed: int) -> None:
        self.office.type_over(self.pick(n), name, Random(seed), by)

    @rule(seed=seeds)
    def somebody_types_between_read_and_write(self, seed: int) -> None:
        def types(write: Write) -> None:
            company = self.office.companies[write.account_id]
            if "lane" in write.values and "lane" not in company.holds:
                self.office.type_over(company, "lane", Random(seed), Editor.PERSON)

        self.office.referee.between = types

    @rule(n=which, tier=st.sampled_from(["", *STATES]), days=st.sampled_from([3, inf]))
    def override(self, n: int, tier: str, days: float) -> None:
        self.office.override(self.pick(n), tier, days=days)

    @rule(n=which, owner=st.sampled_from([ANNA, CARL, ""]))
    def assign(self, n: int, owner: str) -> None:
        self.office.assign(self.pick(n), owner)

    @rule(active=st.booleans())
    def go_and_come(self, active: bool) -> None:
        self.office.crm.send_home(ANNA, active=active)

    @rule()
    def bulk_import(self) -> None:
        self.office.crm.bump(self.office.crm.ids)

    @precondition(many)
    @rule(n=which)
    def archive(self, n: int) -> None:
        self.office.archive(self.pick(n))

    @rule(seed=seeds)
    def restore(self, seed: int) -> None:
        self.office.restore(Random(seed))

    @precondition(many)
    @rule(n=which, m=which)
    def merge(self, n: int, m: int) -> None:
        if self.pick(n) is not self.pick(m):
            self.office.merge(self.pick(n), self.pick(m))

    # Operators

    @rule(shape=st.sampled_from(SHAPES))
    def activate(self, shape: dict[str, float]) -> None:
        self.office.activate(**shape)

    @rule()
    def release(self) -> None:
        self.office.release()

    @precondition(lambda self: self.office.runs)
    @rule(n=which, fields=st.sampled_from([(), ("tier",), ("lane",)]), crash=st.sampled_from([0, 0, 2, 5]))
    def undo(self, n: int, fields: tuple[str, ...], crash: int) -> None:
        recent = list(self.office.runs)[-4:]
        self.office.undo(recent[n % len(recent)], fields, crash=crash)

    @rule()
    def draw_plan(self) -> None:
        self.office.draw_plan()

    @precondition(lambda self: self.office.plans)
    @rule()
    def apply_plan(self) -> None:
        self.office.apply_plan(self.office.plans.pop())

    # What goes wrong

    @rule(mood=st.sampled_from(["well", "well", "refuses", "loses replies", "loses requests"]))
    def crm_changes(self, mood: str) -> None:
        self.office.referee.mood = mood

    @rule(down=st.booleans())
    def vendor_changes(self, down: bool) -> None:
        answer = Unavailable(kind="throttled") if down else None
        self.office.vendor.instead = lambda _: answer

    @rule(name=st.sampled_from(["certainty", "lane", "fit_high"]))
    def property_taken_away(self, name: str) -> None:
        if not self.office.taken:
            self.office.take_away(name)

    @rule(seconds=st.sampled_from([0.0005, 60, 3700, 8 * DAY, 31 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.office.pass_time(seconds)

    @rule(stream=st.sampled_from(STREAMS), crash=st.sampled_from([0, 0, 3, 9, 15, 24]), rival=st.booleans())
    def cycle(self, stream: Stream, crash: int, rival: bool) -> None:
        self.office.pass_time(6)
        self.office.cycle(stream, crash=crash, rival=rival)

    @rule()
    def come_to_rest(self) -> None:
        self.office.release()
        self.office.rest(sweep=True)
        self.office.judge(swept=True)


OfficeMachine.TestCase.settings = settings(
    max_examples=5,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
TestOfficeMachine = OfficeMachine.TestCase
