"""A simulated portal whose companies nobody knows anything about, the vendors who do, and the real command.

One process after the other fills it: `run --backfill`, killed at fault points or at random instants.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import select

from icp_sync.domain.standing import Mode
from icp_sync.journal import schema
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import Wired, parse_profiles, wire
from tests import postgres
from tests.sync.processes import Ended, Nursery
from tests.vendors.reckoning import Evidence, Life, Limits, Purchase, Table, reckon
from tests.vendors.server import SOUND, TOKEN, Vendors

HERE = Path(__file__).parent
PROFILE = HERE.parent / "soak" / "profile.yaml"
PRICE = 3.0
"""Credits each manifest reserves for a look-up: what was never answered stays counted with so many."""
NAMES = ("plain", "several", "jobs")
FLIGHT = {"plain": 4, "several": 2 * 4, "jobs": 4}
"""Look-ups in flight at once: requests in parallel, times the companies in one."""
LIMITS = Limits(account=12.0, run=48.0, day=120.0, vendors={"plain": 45.0})
FEWER = 4
"""Companies that are new after a kill."""
ANYWHERE, SLOWEST = 0.2, 2.0
"""Share of the kills that may come before anything is asked, and seconds they wait at most."""
ASKING, LONGER, SHORTER = 0.3, 1.15, 0.8
"""Seconds a process may ask, at first; what becomes of that when it was killed, and when it was faster."""
PATIENCE = 40
"""Processes after which whatever was to settle has settled; a failure, not a measure."""
A_JOB = 1.05
"""Seconds until the result of an order is looked for."""
UNKNOWN_FOR = 0.4
"""Seconds after which a look-up of unknown fate is repeated."""


class Market:
    """journal: its URL, by default a file in the folder. companies: how many there are to begin with."""

    def __init__(self, folder: Path, nursery: Nursery, *, seed: int, journal: str = "", companies: int = 16):
        self.folder, self._nursery = folder, nursery
        self.dice = random.Random(seed)
        self.vendors = Vendors(folder / "vendors.log", seed=seed)
        self.crm = Simulator(crm="hubspot", accounts=0, index_lag=0.0).start()
        self.crm.admin("POST settings", property_lag=0)
        self.journal_url = journal or f"sqlite:///{folder}/journal.sqlite"
        self.config = folder / "icp-sync.toml"
        self.limits = LIMITS
        self._configure()
        self.wired: Wired = wire(load(self.config, {}), create_seal=True)
        documents = ((PROFILE.name, PROFILE.read_text()),)
        profiles = parse_profiles(documents, self.wired.types)
        self.wired.crm.provision(self.wired.blueprint(profiles), apply=True)
        self.wired.journal.activate(documents, now=time.time())
        self.wired.journal.set_mode(Mode.WRITE, now=time.time())
        self.lives: list[Life] = []
        self.companies = 0
        self.asking = ASKING
        self.found(companies)

    def _configure(self) -> None:
        said = self.limits
        entries = "".join(
            f"""
[[connections.main.enrichers]]
use = "rest"
manifest = "{HERE / f"{name}.yaml"}"
base_url = "{self.vendors.url}"
token = "{TOKEN}"
{f"budget_day = {said.vendors[name]}" if name in said.vendors else ""}
"""
            for name in NAMES
        )
        budgets = (
            ""
            if said == Limits()
            else f"""
[connections.main.enrichment.budgets]
account = {said.account}
run = {said.run}
day = {said.day}
"""
        )
        self.config.write_text(
            f"""
journal = "{self.journal_url}"
seal_file = "{self.folder}/seal.key"
[connections.main]
crm = "hubspot"
base_url = "{self.crm.url}"
token = "{self.crm.token}"
profiles = ["{PROFILE}"]
{entries}
[connections.main.backfill]
canary = 0
wave = 0
watch = "0"
pause = "0"
changed = "100%"
[connections.main.guard]
downgrades = "100%"
floor = 1000000
[connections.main.enrichment]
retry_unknown_after = "{UNKNOWN_FOR}s"
{budgets}
"""
        )

    def close(self) -> None:
        self.wired.crm.close()  # type: ignore[attr-defined]
        self.wired.journal.close()
        self.crm.stop()
        self.vendors.close()

    def found(self, count: int) -> None:
        """New companies, of which the CRM knows the domain."""
        for _ in range(count):
            self.companies += 1
            name = f"company-{self.companies}"
            self.crm.admin("POST create", properties={"name": name, "domain": f"{name}.com"})
        self.crm.admin("POST clock", advance=5)

    # -- processes

    def _begin(self, fault: str = "") -> tuple[int, float]:
        began = time.time()
        args = ("run", "--backfill", "--restart", "--config", str(self.config))
        return self._nursery.start(*args, env={"ICP_SYNC_FAULT": fault}), began

    def _ended(self, pid: int, began: float) -> Ended:
        ended = self._nursery.wait(pid)
        self.vendors.hear_out()
        self.lives.append(Life(began=began, ended=time.time(), killed=ended.code != 0))
        return ended

    def whole(self) -> Ended:
        """A process that nobody kills."""
        ended = self._ended(*self._begin())
        assert ended.code == 0, ended.err[-2000:]
        return ended

    def dies_at(self, point: str, passage: int = 1) -> bool:
        """A process that ends at a fault point, if it comes by so often; new companies for the next."""
        ended = self._ended(*self._begin(f"{point}:{passage}"))
        assert ended.code in (0, 137), ended.err[-2000:]
        self.found(FEWER)
        return ended.code == 137

    def dies_at_random(self) -> bool:
        """A process killed at a random instant, as a rule once it asks; false if it was faster. New companies
        for the next."""
        pid, began = self._begin()
        if self.dice.random() < ANYWHERE:
            time.sleep(self.dice.uniform(0.0, SLOWEST))
        else:
            self._asks(began)
            time.sleep(self.dice.uniform(0.0, self.asking))
        os.kill(pid, signal.SIGKILL)
        killed = self._ended(pid, began).code == -signal.SIGKILL
        self.asking *= LONGER if killed else SHORTER
        self.found(FEWER)
        return killed

    def _asks(self, began: float) -> None:
        """Wait until the process asks a vendor; one that has nothing to ask is not waited for."""
        before = len(self.vendors.entries())
        while len(self.vendors.entries()) == before and time.time() < began + SLOWEST:
            time.sleep(0.01)

    def settle(self) -> None:
        """One process after the other, with the vendors in good health, until one asks nothing and waits for
        nothing. What is of unknown fate is repeated by then, as far as the budgets go."""
        self.vendors.habits = SOUND
        for _ in range(PATIENCE):
            time.sleep(A_JOB if self._waiting() else UNKNOWN_FOR)
            before = len(self.vendors.entries())
            self.whole()
            if len(self.vendors.entries()) == before and not self._waiting():
                return
        raise AssertionError(f"something was still asked by process {PATIENCE}")

    def _waiting(self) -> int:
        return sum(one.pending for one in self.wired.journal.vendor_report(now=time.time()).values())

    def without_limits(self) -> None:
        """The operator takes every budget away."""
        self.limits = Limits()
        self._configure()

    # -- what is to be judged

    def purchases(self) -> list[Purchase]:
        row = schema.purchase.c
        with self.wired.journal.reading() as conn:
            found = conn.execute(select(row.enricher, row.key, row.run, row.at, row.amount))
            return [Purchase(vendor=v, key=k, run=r, at=at, amount=a) for v, k, r, at, a in found]

    def judged(self) -> Table:
        """By the vendors' log and what was counted; by the limits only as long as they are in force."""
        return reckon(
            Evidence(
                entries=self.vendors.entries(),
                lives=self.lives,
                purchases=self.purchases(),
                price=dict.fromkeys(NAMES, PRICE),
                flight=FLIGHT,
                kept=self.kept(),
                limits=self.limits,
            )
        )

    def kept(self) -> frozenset[tuple[str, str]]:
        """(vendor, company) of every answer that was kept: hits, and clean misses."""
        row = schema.answer.c
        with self.wired.journal.reading() as conn:
            found = conn.execute(select(row.enricher, row.key).where(row.state.in_(("hit", "miss"))))
            return frozenset((vendor, key) for vendor, key in found)

    def would_ask(self) -> set[str]:
        """The vendors a dry run has questions for."""
        report = cycle(Stream.BACKFILL, self.wired.parts, Scope(apply=False, restart=True))
        assert report is not None
        return set(report.credits_most)


@contextmanager
def market(database: str, nursery: Nursery, *, seed: int, companies: int = 16) -> Iterator[Market]:
    """On a journal of its own, "sqlite" or "postgresql"."""
    folder = Path(mkdtemp(prefix="icp-sync-market-"))
    url = "" if database == "sqlite" else postgres.server().database()
    made = Market(folder, nursery, seed=seed, journal=url, companies=companies)
    try:
        yield made
    finally:
        made.close()
        if url:
            postgres.server().drop(url)
        shutil.rmtree(folder, ignore_errors=True)
