"""An undo cut short anywhere, with the daemon at work meanwhile, ends where one that was left alone ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from icp_sync import observe
from icp_sync.domain.account import Origin
from icp_sync.domain.guard import Limits
from icp_sync.domain.profile import DAY
from icp_sync.errors import ConfigError
from icp_sync.journal import Changed
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import LANDED, Wanted
from tests.sync.world import ANNA, BEN, GOOD, POOR, World, facts

STREAMS = (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP, Stream.BACKFILL)
PEOPLES = {"lane": "success", "profile": "theirs", "tier": "Not ICP"}
"""Values nobody but a person ever writes here, by field."""


class Crash(BaseException):
    """The process is gone."""


def dying_at(nth: int) -> Callable[[str], None]:
    """A hook that ends the process at the nth fault point it passes."""
    passed = 0

    def die(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed == nth:
            raise Crash

    return die


def cut_short(world: World, work: Callable[[], object], nth: int) -> bool:
    """Whether the process died before its work was done; the next one opens the same journal."""
    observe.arm_faults(dying_at(nth))
    try:
        work()
    except Crash:
        return True
    finally:
        observe.arm_faults(None)
        world.reopen()
    return False


def rest(world: World) -> None:
    """The daemon has had its time."""
    for stream in (Stream.POLL, Stream.DUE, Stream.SWEEP):
        world.clock.step(600)
        world.cycle(stream)


@dataclass
class Past:
    """A world with a run in it, and by account what each field the run wrote shall hold once it is undone."""

    world: World
    run: str
    after: dict[str, dict[str, str]]

    def again(self, folder: Path) -> Past:
        """The same once more, in a folder of its own."""
        world = World(folder=folder, version=self.world.version)
        world.journal.close()
        shutil.copy(self.world.folder / "journal.db", folder / "journal.db")
        world.journal = world.open()
        world.clock.now = self.world.clock.now
        world.crm._rows, world.crm._order = deepcopy(self.world.crm._rows), list(self.world.crm._order)
        return Past(world, self.run, self.after)

    def undo(self) -> None:
        undo(Wanted(run=self.run), self.world.parts(), Scope())

    def stands(self) -> dict[str, dict[str, str]]:
        return {id: {f: self.world.live(id)[f] for f in fields} for id, fields in self.after.items()}


def a_past(folder: Path) -> Past:
    """Three companies written by one run: untouched since, edited by a person, written again by a later run;
    and on the first a value of somebody's that the run went over."""
    world = World(folder=folder)
    ids = [world.company(f"C{n}", domain=f"c{n}.com", **(GOOD if n % 2 else POOR)) for n in range(3)]
    world.backfill()
    world.crm.edit(ids[0], live={"lane": "success"})
    rest(world)
    world.clock.step(91 * DAY)
    for id in ids:
        world.crm.edit(id, signals=facts(employees=300, industry="RETAIL", lifecycle=""))
    before = {id: dict(world.live(id)) for id in ids}
    world.version = 2
    world.backfill(Scope(restart=True))
    run = next(r.id for r in world.journal.runs(5) if r.kind == "backfill")
    changed = world.journal.changed_in(run)
    assert [c.field for c in changed[ids[0]] if c.origin == "human"] == ["lane"]
    world.clock.step(600)
    world.crm.edit(ids[1], live={"tier": "Not ICP"})
    world.crm.edit(ids[2], signals=facts(employees=100, industry="SOFTWARE", lifecycle=""))
    rest(world)
    before[ids[1]]["tier"] = "Not ICP"
    wrote = {id: {c.field for c in rows} - {"seal"} for id, rows in changed.items()}
    return Past(world, run, {id: {f: before[id][f] for f in fields} for id, fields in wrote.items()})


def test_wherever_it_is_cut_short_it_ends_the_same(tmp_path: Path) -> None:
    first = a_past(tmp_path)
    first.world.journal.close()
    before = first.stands()
    nth, cut = 0, True
    while cut:
        nth += 1
        folder = tmp_path / str(nth)
        folder.mkdir()
        past = first.again(folder)
        world = past.world
        cut = cut_short(world, past.undo, nth)
        if cut and nth % 2:
            rest(world)
        if cut:
            past.undo()
        assert past.stands() == past.after, f"cut at {nth}"
        rest(world)
        assert past.stands() == past.after, f"cut at {nth}: it does not stay undone"
        held = world.journal.account(next(iter(past.after)))
        assert held is not None
        assert held.confirmed["lane"].origin is Origin.HUMAN, f"cut at {nth}"
        own = [run.id for run in world.journal.runs(50) if run.detail.get("undoes") == past.run]
        logged = {
            (c.account_id, c.field)
            for run in own
            for rows in world.journal.changed_in(run).values()
            for c in rows
        }
        went = {(id, f) for id, held in past.after.items() for f in held if before[id][f] != held[f]}
        assert went <= logged, f"cut at {nth}: it cannot be undone itself"
        world.journal.close()
    assert nth > 12, "an undo passes more fault points than that"


class UndoMachine(RuleBasedStateMachine):
    """Three companies, people, a daemon, and undos of any run, some of them cut short."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp(prefix="icp-sync-undo-"))
        unguarded = Limits(downgrades=1.0, owner_moves=1000, writes_an_hour=1000, quarantined=1000)
        self.world = World(folder=self.folder, limits=unguarded)
        self.world.crm._page_size = 2
        self.people: dict[tuple[str, str], str] = {}
        self.undone: dict[tuple[str, str], str] = {}
        self.ids = [self.world.company(f"C{n}", domain=f"c{n}.com", **GOOD) for n in range(3)]
        self.world.backfill()
        self.checked = len(self.world.crm.writes)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                for _ in range(3):
                    rest(self.world)
                    self.look()
            finally:
                observe.arm_faults(None)
                self.world.journal.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    @rule(n=st.integers(0, 2), employees=st.sampled_from([10, 100, 5000]))
    def resize(self, n: int, employees: int) -> None:
        self.world.crm.edit(self.ids[n], signals=facts(employees=employees, lifecycle=""))
        self.forget(self.ids[n])

    @rule(n=st.integers(0, 2), field=st.sampled_from(sorted(PEOPLES)))
    def write_by_hand(self, n: int, field: str) -> None:
        self.world.crm.edit(self.ids[n], live={field: PEOPLES[field]})
        self.people[self.ids[n], field] = PEOPLES[field]
        if field == "tier":  # what follows the tier that people decide on follows it now
            self.forget(self.ids[n])
        self.undone.pop((self.ids[n], field), None)

    @rule(n=st.integers(0, 2), owner=st.sampled_from([ANNA, BEN]))
    def assign_by_hand(self, n: int, owner: str) -> None:
        self.world.crm.edit(self.ids[n], owner=owner)
        self.undone.pop((self.ids[n], "owner"), None)

    @rule(seconds=st.sampled_from([60, 3700]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.step(seconds)

    @rule(stream=st.sampled_from(STREAMS))
    def cycle(self, stream: Stream) -> None:
        self.world.clock.step(1)  # runs of one second have no order
        self.world.cycle(stream)
        self.look()

    @rule(stream=st.sampled_from(STREAMS), nth=st.integers(1, 20))
    def crash(self, stream: Stream, nth: int) -> None:
        self.world.clock.step(1)
        cut_short(self.world, lambda: self.world.cycle(stream), nth)
        self.look()

    def runs(self) -> list[str]:
        return [run.id for run in self.world.journal.runs(40)]

    @precondition(lambda self: self.runs())
    @rule(n=st.integers(0, 39), nth=st.integers(0, 16), meanwhile=st.sampled_from([None, *STREAMS]))
    def take_back(self, n: int, nth: int, meanwhile: Stream | None) -> None:
        """Undo some run, cut short at the nth fault point (0: not at all), a cycle before it goes on."""
        runs = self.runs()
        run = runs[n % len(runs)]
        changed = self.world.journal.changed_in(run)
        was = {id: dict(self.world.live(id)) for id in self.ids}
        self.world.clock.step(1)

        def work() -> None:
            undo(Wanted(run=run), self.world.parts(), Scope())

        try:
            if nth and cut_short(self.world, work, nth):
                self.world.clock.step(1)
                if meanwhile:
                    self.world.cycle(meanwhile)
                    self.world.clock.step(1)
                work()
            elif not nth:
                work()
        except ConfigError:
            assert not changed, "a run that wrote something can be undone"
            return
        self.goes_back(changed, was)
        self.look()

    def goes_back(self, changed: Mapping[str, list[Changed]], was: Mapping[str, Mapping[str, str]]) -> None:
        """Each field the run wrote holds what it held before, or what a person wrote; and what is withdrawn
        shall stay so."""
        memory = self.world.journal.recall(dict.fromkeys(self.ids, ""), now=self.world.clock())
        for id, rows in changed.items():
            live = self.world.live(id)
            withdrawn = memory.of(id).withdrawn
            first: dict[str, str] = {}
            for c in rows:
                if c.result in LANDED and c.field != "seal":
                    first.setdefault(c.field, c.before)
            for name, before in first.items():
                confirmed = memory.of(id).confirmed.get(name)
                theirs = (
                    confirmed is None or live[name] != confirmed.value or confirmed.origin is Origin.HUMAN
                )
                held = live[name] == self.people.get((id, name)) or (name == "owner" and theirs)
                if was[id][name] == before:  # nothing to restore: what new facts say may be written meanwhile
                    continue
                assert live[name] == before or held, f"{name} of {id}: {live[name]!r}, before {before!r}"
                if self.undone.get((id, name)) != live[name]:
                    self.undone.pop((id, name), None)
                if live[name] == before != was[id][name] and withdrawn and name in withdrawn.fields:
                    self.undone[id, name] = before

    def forget(self, id: str) -> None:
        for key in [key for key in self.undone if key[0] == id]:
            del self.undone[key]

    def look(self) -> None:
        """Nothing of people's is ever written over, and what was undone stays undone."""
        for _, id, field, value in self.world.crm.writes[self.checked :]:
            assert (id, field) not in self.people, f"{value!r} over {self.people[id, field]!r}"
        self.checked = len(self.world.crm.writes)
        for (id, field), value in self.undone.items():
            assert self.world.live(id)[field] == value, f"{field} of {id} was undone"
        for (id, field), value in self.people.items():
            assert self.world.live(id)[field] == value


UndoMachine.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
TestUndoMachine = UndoMachine.TestCase
