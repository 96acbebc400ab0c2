"""What people decide stands for as long as it was said to, and what an undo took back stays away."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from icp_sync.domain.account import Account, Confirmed, Memory, Origin, Remembered, Roster, Withdrawn
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.confirming import learned
from icp_sync.domain.differences import cosmetic
from icp_sync.domain.override import OVERRIDE_FIELDS
from icp_sync.domain.profile import DAY
from icp_sync.domain.standing import FIELDS, STATES, Mode, instant_text
from icp_sync.ports import Editor, Stream
from icp_sync.sync.draft import Draft, Policy, draft, inputs_mark
from tests.sync.world import GOOD, KEY, PEOPLE, POOR, PROFILE, START, World, facts

OURS_ONLY = tuple(name for name, known in FIELDS.items() if not known.native and not known.theirs)


def settled(world: World) -> None:
    """What is due or changed, and what follows from that."""
    for _ in range(2):
        world.clock.step(60)
        world.poll()
        world.due()


def test_an_override_moves_priority_lane_and_owner_and_ends_by_itself(world: World) -> None:
    low = world.company(employees=663, industry="RETAIL")
    world.backfill()
    assert (world.live(low)["tier"], world.live(low)["owner"]) == ("D", "")
    until = instant_text(world.clock() + 10 * DAY)
    world.crm.edit(low, live={"tier_override": "A", "tier_override_until": until})
    settled(world)
    live = world.live(low)
    assert (live["tier"], live["model_tier"], live["previous_tier"]) == ("A", "D", "D")
    assert (live["priority"], live["certainty"], live["lane"]) == ("A3", "firm", "sales")
    assert live["owner"] == live["routed_owner"] != ""
    assert world.journal.overridden() == {("D", "A"): 1}
    before = len(world.writes(low))
    settled(world)
    assert len(world.writes(low)) == before
    world.clock.step(10 * DAY)
    world.due()
    live = world.live(low)
    assert (live["tier"], live["previous_tier"], live["lane"]) == ("D", "A", "nurture")
    assert (live["tier_override"], live["tier_override_until"]) == ("A", until)
    assert f"The override to A ended on {until[:10]}." in live["reasons"]
    assert "the override ended" in live["reasons"]
    assert world.journal.overridden() == {}


def test_blanking_the_override_gives_our_tier_back(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier_override": "D", "tier_override_reason": "a competitor's daughter"})
    settled(world)
    first, second, *_ = world.live(acme)["reasons"].split("\n")
    assert first == "D, set by a person: a competitor's daughter."
    assert second.startswith("The profile says B, score ")
    world.crm.edit(acme, live={"tier_override": "", "tier_override_reason": ""})
    settled(world)
    assert world.live(acme)["tier"] == world.live(acme)["model_tier"] == "B"


def test_a_tier_typed_by_hand_is_an_override_with_a_date_and_then_ours_again(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier": "A"})
    settled(world)
    live = world.live(acme)
    assert (live["tier"], live["model_tier"], live["priority"]) == ("A", "B", "A3")
    assert live["reasons"].startswith("A, typed over ours by a person on ")
    world.clock.step(89 * DAY)
    world.due()
    assert world.live(acme)["tier"] == "A"
    world.clock.step(2 * DAY)
    world.due()
    live = world.live(acme)
    assert (live["tier"], live["previous_tier"], live["priority"]) == ("B", "A", "B3")
    assert "the override ended" in live["reasons"]
    written = [c for c in world.journal.history(acme) if c.field == "tier"]
    assert (written[-1].before, written[-1].after, written[-1].origin) == ("A", "B", "human")
    assert "Held at 'A' by a person until" in written[-1].reason


def test_a_tier_typed_by_hand_can_be_released_at_once(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier": "A"})
    settled(world)
    assert [(h.field, h.live, h.desired) for h in world.journal.left_alone()] == [("tier", "A", "B")]
    world.journal.release(acme, None, now=world.clock())
    settled(world)
    assert world.live(acme)["tier"] == "B"


@pytest.mark.parametrize(
    ("by", "stays"), [(Editor.PERSON, True), (Editor.WORKFLOW, False), (Editor.IMPORT, False)]
)
def test_whose_edit_it_was_decides_how_long_it_stays(world: World, by: Editor, stays: bool) -> None:
    world.editors = {"workflow": 0.0, "import": 0.0, "person": inf}
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, live={"lane": "research"}, by=by)
    settled(world)
    assert world.live(acme)["lane"] == ("research" if stays else "sales")
    world.clock.step(400 * DAY)
    world.due()
    assert world.live(acme)["lane"] == ("research" if stays else "sales")


def test_a_value_typed_over_any_other_field_comes_due_when_its_time_is_over(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, live={"lane": "research"})
    settled(world)
    assert world.live(acme)["lane"] == "research"
    world.clock.step(91 * DAY)
    world.due()
    assert world.live(acme)["lane"] == "sales"


def test_an_account_with_an_edit_of_a_known_editor_can_be_merged_away(world: World) -> None:
    loser, survivor = world.company(**GOOD), world.company("Other", **GOOD)
    world.backfill()
    world.crm.edit(loser, live={"lane": "research"})
    settled(world)
    world.crm.merge(loser, survivor)
    world.cycle(Stream.SWEEP)
    stored = world.journal.account(loser)
    assert stored is not None
    assert stored.survivor == survivor
    assert world.live(survivor)["lane"] == "sales"


def test_a_lost_journal_writes_nothing_over_an_override_it_finds(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier_override": "A"})
    other = world.company("Other", **POOR)
    world.backfill()
    world.crm.edit(other, live={"tier": "A"})
    settled(world)
    before = len(world.crm.writes)
    world.lose_journal()
    world.clock.step(60)
    world.backfill()
    assert [w for w in world.crm.writes[before:] if not FIELDS[w[2]].cosmetic] == []
    assert world.live(acme)["tier"] == world.live(other)["tier"] == "A"


# Histories of overrides, edits and undos, without a journal: what a draft makes of its own past

SOME = st.sampled_from
CLASSES = {"person": 90 * DAY, "workflow": 20 * DAY, "import": 0.0, "": 30 * DAY}
TYPED = {
    "tier": ("A", "D", "Not ICP", "gold", ""),
    "lane": ("success", ""),
    "fit_score": ("7",),
    "profile": ("x",),
}


class OverrideMachine(RuleBasedStateMachine):
    """One account, settled after every step."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.version = 1
        live = dict.fromkeys((*OURS_ONLY, *OVERRIDE_FIELDS, "owner"), "")
        self.account = Account(id="1", name="Acme", signals=facts(employees=100), live=live)
        self.remembered = Remembered()
        self.typed: dict[str, Confirmed] = {}
        self.edits: dict[str, Confirmed] = {}
        self.last_write: dict[str, str] = {}
        self.undone_under: tuple[object, ...] | None = None
        self.settle()

    def policy(self) -> Policy:
        compiled = (compile_profile(PROFILE),)
        return Policy(compiled=compiled, version=self.version, key=KEY, mode=Mode.ROUTE, editors=CLASSES)

    def draft(self) -> Draft:
        memory = Memory(
            accounts={"1": self.remembered},
            roster=Roster(owners={one.email: one for one in PEOPLE}),
            edits={"1": self.edits},
        )
        return draft([self.account], self.policy(), memory, self.now)[0]

    def put(self, values: dict[str, str]) -> None:
        live = {**self.account.live, **values}
        self.account = replace(self.account, live=live, owner=live["owner"])

    # What happens

    @rule(employees=SOME([10, 100, 560, 663, 5000]))
    def learn(self, employees: int) -> None:
        self.account = replace(self.account, signals=facts(employees=employees))
        self.settle()

    @rule(field=SOME(sorted(TYPED)), n=st.integers(0, 4), by=SOME(sorted(CLASSES)), told=st.booleans())
    def write_by_hand(self, field: str, n: int, by: str, told: bool) -> None:
        value = TYPED[field][n % len(TYPED[field])]
        if value == self.account.live[field] or (not value and self.remembered.version == 0):
            return
        self.put({field: value})
        edit = Confirmed(value=value, origin=Origin.HUMAN, at=self.now, by=by if told else "")
        self.typed[field] = edit
        self.edits.pop(field, None)
        if told:
            self.edits[field] = edit
        self.settle()

    @rule(tier=SOME([*STATES, "", "gold"]), days=SOME([None, -1, 10, 200, "soon"]))
    def decide(self, tier: str, days: int | str | None) -> None:
        until = days if isinstance(days, str) else "" if days is None else instant_text(self.now + days * DAY)
        self.put({"tier_override": tier, "tier_override_until": until})
        self.settle()

    @rule(days=SOME([0.001, 1, 8, 25, 95]))
    def wait(self, days: float) -> None:
        self.now += days * DAY
        self.settle()

    @rule()
    def activate(self) -> None:
        self.version += 1
        self.settle()

    @precondition(lambda self: self.last_write)
    @rule()
    def undo(self) -> None:
        """What of the last write is still ours becomes what it was, and what we would write is withdrawn."""
        would = self.draft()
        held = {
            name: before
            for name, before in self.last_write.items()
            if name not in would.differences.claims and self.account.live[name] != before
        }
        wanted = {c.field: c.desired for c in would.differences.changes}
        taken = {name: wanted.get(name, self.account.live[name]) for name in held}
        self.put(held)
        mine = {n: Confirmed(value=v, origin=Origin.OURS, at=self.now) for n, v in held.items()}
        mark = inputs_mark(would.evidence, self.account.live, self.policy())
        self.remembered = replace(
            self.remembered,
            confirmed={**self.remembered.confirmed, **mine},
            withdrawn=Withdrawn(mark=mark, fields=taken),
        )
        self.last_write = {}
        self.undone_under = self.inputs() if taken else None
        self.settle()

    def inputs(self) -> tuple[object, ...]:
        """All that a standing is made from, less time."""
        said = tuple(self.account.live[name] for name in OVERRIDE_FIELDS)
        return (*self.account.signals, said, self.version)

    # What must hold

    def settle(self) -> None:
        before = dict(self.account.live)
        d = self.draft()
        self.write(d)
        self.nothing_held_is_overwritten(before, d)
        self.nothing_withdrawn_comes_back(before, d)
        again = self.draft()
        assert [c for c in again.differences.changes if not cosmetic(c)] == []
        assert again.carried == d.carried

    def write(self, d: Draft) -> None:
        changes = d.differences.changes
        sent = {c.field: c.desired for c in changes}
        mine = {n: Confirmed(value=v, origin=Origin.OURS, at=self.now) for n, v in sent.items()}
        news = learned(d.account, d.differences, d.remembered, self.now)
        self.remembered = replace(
            self.remembered,
            version=self.remembered.version + 1,
            previous=d.carried,
            confirmed={**self.remembered.confirmed, **news, **mine},
            evidence=d.evidence,
            withdrawn=d.withdrawn,
        )
        self.put(sent)
        if sent:
            self.last_write = {c.field: c.live for c in changes if c.field != "seal"}

    def nothing_held_is_overwritten(self, before: dict[str, str], d: Draft) -> None:
        overruled = {"tier"} if d.evaluation.override and not d.evaluation.override.direct else set()
        for name, edit in list(self.typed.items()):
            ends = edit.at + CLASSES[edit.by]
            if (
                before[name] != edit.value
            ):  # an undo or ours has come in its place, as the step before allowed
                del self.typed[name]
            elif self.now < ends and name not in overruled:
                assert self.account.live[name] == edit.value
            else:
                assert name not in d.differences.left_alone
                if name not in d.differences.withdrawn:
                    del self.typed[name]
        assert all(self.account.live[name] == before[name] for name in OVERRIDE_FIELDS)

    def nothing_withdrawn_comes_back(self, before: dict[str, str], d: Draft) -> None:
        if self.undone_under != self.inputs():
            self.undone_under = None
        assert bool(d.withdrawn and d.withdrawn.fields) is (self.undone_under is not None)
        if d.withdrawn is None:
            assert d.differences.withdrawn == {}
            return
        sent = {c.field: c.desired for c in d.differences.changes}
        taken = d.withdrawn.fields
        assert not {name for name, value in taken.items() if sent.get(name) == value and name != "seal"}
        if d.evaluation.tier == taken.get("tier") and d.evaluation.model_tier == taken.get("model_tier"):
            followers = ("reasons", "timing", "priority", "tier_changed_at", "coverage", "owner")
            assert not {name for name in followers if name in taken and name in sent}


OverrideMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
)
TestOverrideMachine = OverrideMachine.TestCase
