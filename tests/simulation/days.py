"""Days at an office, event to event: a seed and a number of days say everything that happens."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from tempfile import mkdtemp

from icp_sync.domain.plan import Write
from icp_sync.ports import Editor, Stream, Unavailable
from tests import postgres
from tests.postgres import Server
from tests.simulation.connected import CARL
from tests.simulation.office import Office
from tests.simulation.oracle import DAY, STATES, Truth
from tests.simulation.referee import BrokenPromise
from tests.sync.world import ANNA, BEN

HOUR = 3600.0
SIZES = (10, 30, 48, 100, 300, 655, 663, 672, 700, 5000, None, (20, 100), (400, 700))
TRADES = ("SOFTWARE", "SOFTWARE", "RETAIL", "")
SHAPES: Sequence[dict[str, float]] = (
    {"size": 60.0, "trade": 40.0, "a": 80, "b": 60, "c": 40},
    {"size": 55.0, "trade": 45.0, "a": 80, "b": 60, "c": 40},
    {"size": 70.0, "trade": 30.0, "a": 85, "b": 65, "c": 45},
    {"size": 60.0, "trade": 40.0, "a": 75, "b": 55, "c": 35},
)
MOODS = ("refuses", "loses replies", "loses requests", "down", "no vendor")
FIELDS_TAKEN = ("certainty", "flags", "lane", "fit_high", "profile")


@dataclass(kw_only=True)
class Told:
    """What came of a simulation: how many days and writes, and what happened how often."""

    seed: int
    days: int
    writes: int
    happened: Counter[str]


class Days:
    """One simulation. `run` raises BrokenPromise, with seed and day, as soon as something is wrong."""

    def __init__(self, folder: Path, seed: int, accounts: int, server: Server | None = None) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.office = Office(folder, server=server)
        self.happened = self.office.happened
        self.day = 0
        for _ in range(accounts):
            self._newcomer()
        self.office.roll_out()

    def run(self, days: int) -> Told:
        office = self.office
        try:
            for self.day in range(1, days + 1):
                self._one_day()
        except (BrokenPromise, AssertionError) as error:
            raise BrokenPromise(f"seed {self.seed}, day {self.day}: {error}") from error
        counts = self.happened + office.referee.counts
        return Told(seed=self.seed, days=days, writes=office.referee.counts["writes"], happened=counts)

    def _one_day(self) -> None:
        office, dice = self.office, self.dice
        office.referee.freed.clear()
        begins = office.clock()
        hours = sorted(dice.uniform(0, 20) for _ in range(dice.choice((0, 2, 4, 6, 9))))
        trouble = dice.choice(MOODS) if dice.random() < 0.15 else ""
        for hour in hours:
            self._until(begins + hour * HOUR)
            self._mood(trouble if 6 <= hour <= 10 else "")
            dice.choices(*self._deeds())[0]()
            self._streams()
        self._mood("")
        self._until(begins + 20.5 * HOUR)
        if self.day % 28 == 0:
            office.activate(**dice.choice(SHAPES))
            self.happened["profiles"] += 1
        if dice.random() < 0.5:
            office.release()
        sunday = self.day % 7 == 0
        office.rest(sweep=sunday)
        office.judge(swept=sunday)
        self._until(begins + DAY)

    def _until(self, instant: float) -> None:
        if instant > self.office.clock():
            self.office.pass_time(instant - self.office.clock())

    def _streams(self) -> None:
        """The minutes after an event, as a scheduler would have them; where nothing happens nothing runs."""
        self.office.pass_time(60)
        crash = self.dice.randint(1, 30) if self.dice.random() < 0.05 else 0
        self.office.cycle(Stream.POLL, crash=crash, rival=self.dice.random() < 0.05)
        if self.dice.random() < 0.5:
            self.office.cycle(self.dice.choice((Stream.DUE, Stream.DUE, Stream.TRAILING)))

    def _mood(self, trouble: str) -> None:
        office, dice = self.office, self.dice
        office.down = trouble == "down"
        office.referee.mood = trouble if trouble in MOODS[:3] else "well"
        down = Unavailable(kind="throttled") if trouble == "no vendor" else None
        office.vendor.instead = lambda _: down
        office.referee.between = self._between if dice.random() < 0.3 and not trouble else lambda _: None
        self.happened[trouble or "well"] += 1

    # What may happen

    def _deeds(self) -> tuple[list[Callable[[], object]], list[int]]:
        deeds: dict[Callable[[], object], int] = {
            self._newcomer: 4,
            self._facts: 20,
            self._typing: 16,
            self._overriding: 6,
            self._owning: 6,
            self._import: 3,
            self._merging: 2,
            self._leaving: 2,
            partial(self.office.restore, self.dice): 2,
            self._undoing: 5,
            self._planning: 3,
            self._robot: 1,
            self._absence: 1,
            self._property: 1,
        }
        return list(deeds), list(deeds.values())

    def _newcomer(self) -> None:
        dice = self.dice
        truth = Truth(
            size=dice.choice(SIZES),
            trade=dice.choice(TRADES),
            prospect=dice.random() < 0.9,
            agency=dice.random() < 0.1,
        )
        book = Truth(size=120, trade="SOFTWARE") if dice.random() < 0.4 else None
        late = dice.choice((0.0, 0.0, 120.0, 900.0))
        self.office.create(truth, book=book, owner=dice.choice(("", "", CARL)), late=late)
        self.happened["created"] += 1

    def _facts(self) -> None:
        if company := self.office.some(self.dice):
            self._change(company.id)

    def _change(self, account_id: str) -> None:
        office, dice = self.office, self.dice
        company, late = office.companies[account_id], dice.choice((0.0, 0.0, 1.0, 120.0, 900.0))
        kind = dice.choice(("size", "size", "trade", "prospect", "funded", "bump"))
        if kind == "size":
            office.change(company, size=dice.choice([s for s in SIZES if s is not None]), late=late)
        elif kind == "trade":
            office.change(company, trade=dice.choice(("SOFTWARE", "RETAIL")), late=late)
        elif kind == "prospect":
            office.change(company, prospect=dice.random() < 0.7, late=late)
        elif kind == "funded":
            office.change(company, funded=office.clock() - dice.choice((0, 30, 100, 300)) * DAY, late=late)
        else:
            office.crm.bump([account_id], late=late)
        self.happened[kind] += 1

    def _typing(self) -> None:
        if company := self.office.some(self.dice):
            by = self.dice.choice((Editor.PERSON, Editor.PERSON, Editor.WORKFLOW, Editor.IMPORT, Editor.APP))
            name = self.dice.choice(("tier", "lane", "profile"))
            self.happened["typed"] += bool(self.office.type_over(company, name, self.dice, by))

    def _between(self, write: Write) -> None:
        """Somebody types into a field just before our write of it lands."""
        company = self.office.companies[write.account_id]
        names = [name for name in ("lane", "profile") if name in write.values and name not in company.holds]
        if names and self.dice.random() < 0.3:
            self.office.type_over(company, names[0], self.dice, self.dice.choice((Editor.PERSON, Editor.APP)))
            self.happened["between"] += 1

    def _overriding(self) -> None:
        if company := self.office.some(self.dice):
            tier = "" if company.override else self.dice.choice(STATES)
            self.office.override(company, tier, days=self.dice.choice((3, 40, inf)))
            self.happened["overridden"] += 1

    def _owning(self) -> None:
        if company := self.office.some(self.dice):
            self.office.assign(company, self.dice.choice((ANNA, BEN, CARL, "")))
            self.happened["assigned"] += 1

    def _import(self) -> None:
        """Many records of one stamp: facts, or values of ours."""
        office, dice = self.office, self.dice
        ids = dice.sample(office.crm.ids, min(len(office.crm.ids), dice.choice((10, 40))))
        if dice.random() < 0.5:
            office.crm.bump(ids)
        for account_id in ids[: len(ids) // 2]:
            if dice.random() < 0.5:
                self._change(account_id)
            else:
                office.type_over(office.companies[account_id], "profile", dice, Editor.IMPORT)
        self.happened["imports"] += 1

    def _merging(self) -> None:
        one, other = self.office.some(self.dice), self.office.some(self.dice)
        if one and other and one is not other:
            self.office.merge(one, other)
            self.happened["merged"] += 1

    def _leaving(self) -> None:
        if (company := self.office.some(self.dice)) and len(self.office.crm.ids) > 3:
            self.office.archive(company)
            self.happened["archived"] += 1

    def _undoing(self) -> None:
        office, dice = self.office, self.dice
        recent = list(office.runs)[-12:]
        if recent:
            fields = dice.choice(((), (), ("tier",), ("lane", "profile")))
            office.undo(dice.choice(recent), fields, crash=dice.choice((0, 0, 0, 2, 4, 7)))

    def _planning(self) -> None:
        """A plan is drawn, or one drawn days ago is applied."""
        office, dice = self.office, self.dice
        if not office.plans or dice.random() < 0.4:
            office.draw_plan()
        else:
            office.apply_plan(office.plans.pop())

    def _robot(self) -> None:
        if company := self.office.some(self.dice):
            self.office.fight(company, self.dice)
            self.happened["fights"] += 1

    def _absence(self) -> None:
        email = self.dice.choice((ANNA, BEN))
        active = next(o.active for o in self.office.crm.owners() if o.email == email)
        self.office.crm.send_home(email, active=not active)
        self.happened["absences"] += 1

    def _property(self) -> None:
        self.office.take_away(self.dice.choice(FIELDS_TAKEN)) if not self.office.taken else None
        self.happened["properties taken"] += 1


def simulate(seed: int, days: int, accounts: int, database: str = "sqlite") -> Told:
    """Run so many days. Raises BrokenPromise naming the seed and the day."""
    quick = Path("/dev/shm")  # no disk need keep what is thrown away
    folder = Path(mkdtemp(prefix="icp-sync-simulation-", dir=quick if quick.is_dir() else None))
    simulation = None
    try:
        simulation = Days(folder, seed, accounts, postgres.server() if database == "postgresql" else None)
        return simulation.run(days)
    finally:
        if simulation is not None:
            simulation.office.close()
        shutil.rmtree(folder, ignore_errors=True)
