"""Anything people, vendors, crashes and clocks may do to three accounts, in any order.

Whatever happened: once things come to rest, every field that is ours says what the evaluation of the facts
says, every value that people wrote is still there, nobody else's value is called a person's, nothing is
written any more, and the owners' loads are what a recount gives.
"""

from __future__ import annotations

import shutil
from collections import Counter
from math import inf
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from icp_sync import observe
from icp_sync.crm.memory import OURS
from icp_sync.domain.account import Account, Memory
from icp_sync.domain.evaluation import Evaluation, evaluate, overridden
from icp_sync.domain.facts import choice, merge, number
from icp_sync.domain.override import Override
from icp_sync.domain.plan import Outcome, Result
from icp_sync.domain.profile import DAY
from icp_sync.ports import Stream, Unavailable
from tests import postgres
from tests.sync.world import ANNA, BEN, Vendor, World, facts

PEOPLES = {"tier": ("Not ICP",), "lane": ("success",), "profile": ("theirs", "mine")}
"""Values nobody but a person ever writes here, by field."""

STREAMS = (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP, Stream.BACKFILL)
BOOK = {"employees": number(120), "industry": choice("SOFTWARE")}


class Crash(BaseException):
    """The process is gone: nothing catches it, and nothing more is done."""


class SyncMachine(RuleBasedStateMachine):
    database = "sqlite"

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp(prefix="icp-sync-machine-"))
        self.vendor = Vendor(ttl=20 * DAY, miss_ttl=5 * DAY)
        held = {"": inf}  # when what people hold ends is `test_overrides`' business
        server = postgres.server() if self.database == "postgresql" else None
        self.world = World(
            folder=self.folder, enrichers=(self.vendor,), page_size=2, editors=held, server=server
        )
        self.people: dict[tuple[str, str], str] = {}
        self.checked = 0
        self.made = 0
        for size in (100, None, 663):
            self.create(size)
        self.world.backfill()
        self.look()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.come_to_rest()
            finally:
                observe.arm_faults(None)
                self.world.journal.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    # What there is

    def ids(self) -> list[str]:
        return [key[1] for key in self.world.crm._order]

    def pick(self, n: int) -> str:
        ids = self.ids()
        return ids[n % len(ids)]

    def some(self) -> bool:
        return bool(self.ids())

    # What people and processes do

    @precondition(lambda self: len(self.ids()) < 4)
    @rule(employees=st.sampled_from([100, 5000, None]), late=st.sampled_from([0.0, 120.0]))
    def create(self, employees: int | None, late: float = 0.0) -> None:
        self.made += 1
        self.world.company(
            f"C{self.made}",
            employees=employees,
            industry="SOFTWARE" if employees else "",
            domain=f"c{self.made}.com",
            late=late,
        )

    @precondition(some)
    @rule(
        n=st.integers(0, 3),
        employees=st.sampled_from([10, 100, 663, 672, 5000]),
        late=st.sampled_from([0.0, 1.0, 900.0]),
    )
    def resize(self, n: int, employees: int, late: float) -> None:
        self.world.crm.edit(self.pick(n), signals=facts(employees=employees, lifecycle=""), late=late)

    @precondition(some)
    @rule(n=st.integers(0, 3), stage=st.sampled_from(["prospect", "customer"]))
    def change_stage(self, n: int, stage: str) -> None:
        self.world.crm.edit(self.pick(n), signals=facts(lifecycle=stage))

    @precondition(some)
    @rule(n=st.integers(0, 3), days=st.sampled_from([1, 100, 400]))
    def raise_a_round(self, n: int, days: int) -> None:
        funded = self.world.clock() - days * DAY
        self.world.crm.edit(self.pick(n), signals=facts(funded=funded, lifecycle=""))

    @precondition(some)
    @rule(n=st.integers(0, 3), field=st.sampled_from(sorted(PEOPLES)), v=st.integers(0, 1))
    def write_by_hand(self, n: int, field: str, v: int) -> None:
        value = PEOPLES[field][v % len(PEOPLES[field])]
        self.world.crm.edit(self.pick(n), live={field: value})
        self.people[self.pick(n), field] = value

    @precondition(some)
    @rule(n=st.integers(0, 3), owner=st.sampled_from([ANNA, BEN]))
    def assign_by_hand(self, n: int, owner: str) -> None:
        self.world.crm.edit(self.pick(n), owner=owner)

    @precondition(some)
    @rule(n=st.integers(0, 3))
    def bump(self, n: int) -> None:
        self.world.crm.bump([self.pick(n)])

    @precondition(lambda self: len(self.ids()) > 1)
    @rule(n=st.integers(0, 3))
    def delete(self, n: int) -> None:
        gone = self.pick(n)
        self.world.crm.delete(gone)
        self._forget(gone)

    @precondition(lambda self: len(self.ids()) > 1)
    @rule(n=st.integers(0, 3), m=st.integers(0, 3), keeps=st.booleans())
    def merge(self, n: int, m: int, keeps: bool) -> None:
        """`keeps`: the survivor takes the loser's values of our fields, as a CRM may decide."""
        loser, survivor = self.pick(n), self.pick(m)
        if loser == survivor:
            return
        values = {name: v for name, v in self.world.live(loser).items() if v and name != "owner"}
        theirs = {field: v for (id, field), v in self.people.items() if id == loser}
        self.world.crm.merge(loser, survivor)
        if keeps:
            self.world.crm.edit(survivor, live=values)
            for field in PEOPLES:
                if field in theirs:
                    self.people[survivor, field] = theirs[field]
                elif field in values:
                    self.people.pop((survivor, field), None)
        self._forget(loser)

    def _forget(self, id: str) -> None:
        for key in [key for key in self.people if key[0] == id]:
            del self.people[key]

    # What goes wrong

    @rule(mood=st.sampled_from(["knows", "knows nothing", "cannot say"]))
    def vendor_changes(self, mood: str) -> None:
        known = {f"c{n}.com": BOOK for n in range(1, self.made + 1)}
        self.vendor.book = known if mood == "knows" else {}
        down = Unavailable(kind="throttled") if mood == "cannot say" else None
        self.vendor.instead = lambda _: down

    @rule(mood=st.sampled_from(["well", "well", "refuses", "loses replies", "loses requests"]))
    def crm_changes(self, mood: str) -> None:
        crm = self.world.crm
        result = {"refuses": Result.REFUSED, "loses requests": Result.UNCERTAIN}.get(mood)
        crm.refuse = lambda w: Outcome(account_id=w.account_id, result=result) if result else None
        crm.lose_reply = lambda _: mood == "loses replies"

    @rule(seconds=st.sampled_from([0.0005, 1, 60, 3700, 8 * DAY, 31 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.step(seconds)

    @rule(stream=st.sampled_from(STREAMS))
    def cycle(self, stream: Stream) -> None:
        self.world.cycle(stream)
        self.look()

    @rule(stream=st.sampled_from(STREAMS), nth=st.integers(1, 30))
    def crash(self, stream: Stream, nth: int) -> None:
        """The process ends at the nth fault point it passes; the next one opens the same journal."""
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
        self.look()

    # What must hold

    def look(self) -> None:
        """No write of ours ever hits a value that a person holds."""
        for _, id, field, value in self.world.crm.writes[self.checked :]:
            assert (id, field) not in self.people, f"{value!r} over {self.people[id, field]!r}"
        self.checked = len(self.world.crm.writes)

    @rule()
    def come_to_rest(self) -> None:
        self.world.crm.refuse = lambda _: None
        self.world.crm.lose_reply = lambda _: False
        self.vendor.instead = lambda _: None
        self.world.quiesce(most=40)
        self.look()
        for held in self.world.journal.left_alone():
            key = held.account_id, held.field
            assert key in self.people, f"{held.live!r} in {held.field} is nobody's edit"
        memory = self.world.journal.recall(
            {id: self.world.account(id).domain for id in self.ids()}, now=self.world.clock()
        )
        for id in self.ids():
            self._must_stand(self.world.account(id), memory)
        for (id, field), value in self.people.items():
            assert self.world.live(id)[field] == value
        recount = Counter(self.world.account(id).owner for id in self.ids() if self._in_scope(id, memory))
        loads = {owner: n for owner, n in memory.roster.loads.items() if n}
        assert loads == {owner: n for owner, n in recount.items() if owner}

    def _evaluation(self, id: str, memory: Memory) -> Evaluation:
        remembered = memory.of(id)
        known = merge((*self.world.account(id).signals, *remembered.signals))
        model = evaluate(
            self.world.policy().compiled, known.facts, remembered.previous, self.world.clock(), version=1
        )
        typed = self.people.get((id, "tier"))
        return overridden(model, Override(tier=typed, since=0.0, direct=True) if typed else None)

    def _in_scope(self, id: str, memory: Memory) -> bool:
        return self._evaluation(id, memory).in_scope

    def _must_stand(self, account: Account, memory: Memory) -> None:
        evaluation = self._evaluation(account.id, memory)
        ours = {n: v for n, v in account.live.items() if (account.id, n) not in self.people}
        if not evaluation.in_scope:
            blank = {n: v for n, v in ours.items() if v and n in OURS and n not in ("seal", "owner")}
            assert blank == {}
            return
        expected = {
            "tier": evaluation.tier,
            "model_tier": evaluation.model_tier,
            "certainty": evaluation.certainty,
            "priority": evaluation.priority,
            "timing": str(evaluation.timing.number),
            "timing_grade": str(evaluation.timing.grade),
            "profile": evaluation.shown.profile.name,
        }
        assert {n: ours[n] for n in expected if n in ours} == {n: v for n, v in expected.items() if n in ours}
        bounds = {"fit_score": evaluation.score, "fit_low": evaluation.low, "fit_high": evaluation.high}
        assert all(abs(int(ours[n]) - value) <= 1 for n, value in bounds.items())


class SyncMachineOnPostgres(SyncMachine):
    database = "postgresql"


SyncMachine.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=18,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),  # explaining traces every line: too slow for whole cycles
)
SyncMachineOnPostgres.TestCase.settings = settings(SyncMachine.TestCase.settings, max_examples=2)
TestSyncMachine = SyncMachine.TestCase
TestSyncMachineOnPostgres = SyncMachineOnPostgres.TestCase
