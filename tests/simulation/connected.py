"""One connection at work on an injected clock: its CRM, its cycles, its crashes, how it comes to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from random import Random

from icp_sync import observe
from icp_sync.crm.memory import OURS
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Account, Owner
from icp_sync.domain.guard import Limits
from icp_sync.domain.standing import Mode
from icp_sync.errors import LostLeaseError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.sync.backfill import backfill, finished
from icp_sync.sync.cycle import LEASE_SECONDS, Scope, cycle
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.plan_file import PlanFile
from icp_sync.sync.waves import HaltedError
from tests.postgres import Server
from tests.simulation.company import Company
from tests.simulation.oracle import DAY, Shape, calm_tiers, fit
from tests.simulation.referee import AN_HOUR, FLOOR, SHARE, BrokenPromise, Landed, Referee, WatchedCrm
from tests.sync.world import ANNA, BEN, Vendor, World

CARL = "carl@example.com"
TEAM = (
    Owner(id="1", email=ANNA, name="Anna"),
    Owner(id="2", email=BEN, name="Ben"),
    Owner(id="3", email=CARL, name="Carl"),  # in no pool: only people give him anything
)
EDITORS = {"person": 90 * DAY, "workflow": 0.0, "import": 7 * DAY, "app": inf, "": 90 * DAY}
"""How long what each class of editor types is theirs."""


class Crash(BaseException):
    """The process is gone: nothing catches it, and nothing more is done."""


class Connected:
    """A connection, and beside it what the simulation knows of every company."""

    def __init__(self, folder: Path, *, page_size: int = 100, server: Server | None = None) -> None:
        self.shape = Shape(version=1)
        self.vendor = Vendor(ttl=20 * DAY, miss_ttl=5 * DAY)
        self.world = World(
            folder,
            server=server,
            enrichers=(self.vendor,),
            editors=EDITORS,
            limits=Limits(downgrades=SHARE, floor=FLOOR, writes_an_hour=AN_HOUR),
        )
        self.clock = self.world.clock
        self.crm = WatchedCrm(
            clock=self.clock, owners=TEAM, fields=OURS, page_size=page_size, windows=Windows(), index_lag=5.0
        )
        self.world.crm = self.crm
        self.companies: dict[str, Company] = {}
        self.archived: dict[str, Account] = {}
        self.runs: dict[str, Sequence[Landed]] = {}
        self.referee = Referee(crm=self.crm, companies=self.companies, clock=self.clock)
        self.made = 0
        self.down = False
        self.taken: set[str] = set()
        self.plans: list[PlanFile] = []
        self.happened: Counter[str] = Counter()
        self.crm.before = self._before
        self._rival: Stream | None = None
        self.world.journal.set_mode(Mode.ROUTE, now=self.clock())
        self.world.journal.activate(self.documents, now=self.clock())

    @property
    def documents(self) -> tuple[tuple[str, str], ...]:
        return (("profile.yaml", f"{self.shape}"),)

    def close(self) -> None:
        observe.arm_faults(None)
        self.world.journal.close()

    # What is there

    def some(self, dice: Random) -> Company | None:
        ids = self.crm.ids
        return self.companies[dice.choice(ids)] if ids else None

    def touch(self, company: Company) -> None:
        """Something its standing is made of is another now."""
        company.changed = self.clock()
        company.undone.clear()
        company.loose.clear()
        company.keeps_owner = False
        self._may_mean(company)

    def _may_mean(self, company: Company) -> None:
        for truth in company.variants(self.shape, self.clock()):
            found = fit(truth, self.shape)
            company.ever.setdefault("tier", set()).update({found.tier}, calm_tiers(found, self.shape))

    def _before(self, call: str) -> None:
        if self.down:
            raise UnavailableError(f"the CRM is down, and so is {call}")
        if call == "write" and self._rival is not None:
            self._takes_over(self._rival)

    def _takes_over(self, stream: Stream) -> None:
        """We were paused for longer than our lease: another worker has begun meanwhile."""
        self._rival = None
        self.pass_time(LEASE_SECONDS + 10)
        journal = self.world.open()
        try:
            self.happened["rivals"] += cycle(stream, self.world.parts(journal, holder="two")) is not None
        except UnavailableError:
            self.happened["cut short"] += 1
        finally:
            journal.close()

    # Time, and what runs in it

    def pass_time(self, seconds: float) -> None:
        self.clock.step(seconds)

    def cycle(self, stream: Stream, *, crash: int = 0, rival: bool = False) -> None:
        """One cycle; what stops it is no news here. crash: at which fault point the process dies. rival: it
        is paused before its write until another worker has taken over."""
        self._rival = stream if rival else None
        if crash:
            self._guarded(lambda: self._dying(crash, lambda: cycle(stream, self.world.parts())))
        else:
            self._guarded(lambda: cycle(stream, self.world.parts()))
        self._rival = None

    def _guarded(self, act: Callable[[], object]) -> None:
        before, known = len(self.referee.log), {run.id for run in self.world.journal.runs(9)}
        self.referee.begin()
        try:
            act()
        except UnavailableError:
            self.happened["cut short"] += 1
        except LostLeaseError:
            self.happened["fenced"] += 1
            self.referee.forgive()
        written = self.referee.log[before:]
        fresh = [run.id for run in self.world.journal.runs(9) if run.id not in known]
        if written and len(fresh) == 1:
            self.runs[fresh[0]] = written

    def _dying(self, nth: int, act: Callable[[], object]) -> None:
        passed = 0

        def die(_: str) -> None:
            nonlocal passed
            passed += 1
            if passed >= nth:
                raise Crash

        observe.arm_faults(die)
        try:
            act()
        except Crash:
            observe.arm_faults(None)
            self.happened["crashes"] += 1
            self.referee.forgive()
            self.world.reopen()
        finally:
            observe.arm_faults(None)

    def roll_out(self, *, restart: bool = False, resume: bool = False) -> None:
        self._guarded(lambda: self._backfill(restart=restart, resume=resume))

    def _backfill(self, *, restart: bool, resume: bool) -> None:
        parts = replace(self.world.parts(), pacing=Pacing(canary=10, wave=100, watch=300.0, pause=60.0))
        try:
            backfill(parts, Scope(restart=restart, wait=self.pass_time), resume=resume)
        except HaltedError:
            self.happened["halted"] += 1

    def give_back(self) -> None:
        for name in self.taken:
            self.crm.made.give_back(name)
        self.taken.clear()

    def rest(self, *, sweep: bool = False, most: int = 12) -> None:
        """Nothing goes wrong any more: let what is under way come to its end, until nothing is written."""
        self.referee.mood, self.referee.between, self.down = "well", lambda _: None, False
        self.vendor.instead = lambda _: None
        sweep = sweep or bool(self.taken)  # nothing else looks at every record again
        self.give_back()
        self.world.journal.retry(now=self.clock())
        if not finished(self.world.parts(), Scope()):
            self.roll_out(resume=True)
        self.pass_time(1000)
        quiet = 0
        for turn in range(most):
            before = self.referee.counts["writes"]
            for stream in (Stream.POLL, Stream.DUE, Stream.TRAILING):
                self.cycle(stream)
            if sweep and turn < 2:
                self.cycle(Stream.SWEEP)
            quiet = quiet + 1 if self.referee.counts["writes"] == before else 0
            if quiet == 2:
                return
            self.pass_time(3700 if turn < 2 else 120)
        raise BrokenPromise("it never comes to rest")
