"""The guard: what lands unseen, what waits for a person, and that releasing is for exactly what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.guard import (
    EVERY_WRITE,
    Counted,
    Limits,
    Rule,
    Split,
    allowed,
    split,
)
from icp_sync.domain.moves import is_downgrade, is_exclusion, owner_move, tier_move
from icp_sync.domain.plan import Change, Hold
from icp_sync.domain.standing import STATES

NOW = 1_795_000_000.0
NOBODY: Counted = Counted(population=1000)
NONE = Limits(downgrades=0.0, floor=0, owner_moves=0)
ANN, BEN = "ann@example.com", "ben@example.com"
OWNERS = {"owner", "routed_owner", "routed_at"}

Plan = Mapping[str, tuple[Change, ...]]


def tier(account_id: str, before: str, after: str) -> tuple[Change, ...]:
    values = {"tier": (before, after), "fit_score": ("70", "40"), "seal": ("old", "new")}
    return tuple(
        Change(account_id=account_id, field=name, live=live, desired=want)
        for name, (live, want) in values.items()
    )


def moved(account_id: str, before: str, after: str) -> tuple[Change, ...]:
    values = {
        "owner": (before, after),
        "routed_owner": (before, after),
        "routed_at": ("", "2026-11-22T00:00:00.000Z"),
    }
    return tuple(
        Change(account_id=account_id, field=name, live=live, desired=want)
        for name, (live, want) in values.items()
    )


def judged(
    plan: Plan, limits: Limits = NONE, counted: Counted = NOBODY, deals: set[str] | None = None
) -> Split:
    return split(plan, (deals or set()).__contains__, counted, limits, NOW)


def held_before(*holds: Hold, **more: int) -> Counted:
    by_account: dict[str, tuple[Hold, ...]] = {}
    for hold in holds:
        by_account[hold.account_id] = (*by_account.get(hold.account_id, ()), hold)
    return Counted(population=1000, held=by_account, robots=more.get("robots", 0))


def hold(account_id: str, rule: Rule, key: str, by: str = "") -> Hold:
    return Hold(account_id=account_id, rule=rule.value, key=key, since=NOW - 500, released_by=by)


@pytest.mark.parametrize(
    ("before", "after", "down"),
    [
        ("A", "B", True),
        ("A", "Not ICP", True),
        ("D", "Not ICP", True),
        ("B", "", True),
        ("B", "A", False),
        ("", "D", False),
        ("", "Not ICP", False),
        ("A", "Needs data", False),
        ("Needs data", "D", False),
        ("Not ICP", "D", False),
    ],
)
def test_down_the_tiers_is_a_downgrade_and_a_first_tier_or_missing_data_is_none(
    before: str, after: str, down: bool
) -> None:
    assert is_downgrade(before, after) is down


def test_a_small_portal_may_be_downgraded_up_to_the_floor_a_large_one_up_to_its_share() -> None:
    limits = Limits()
    assert [allowed(Rule.DOWNGRADES, n, limits) for n in (0, 100, 400, 1_000, 10_000)] == [
        20,
        20,
        20,
        50,
        500,
    ]
    assert allowed(Rule.OWNER_MOVES, 10_000, limits) == 50


def test_downgrades_land_in_order_until_the_day_is_full_and_the_rest_waits() -> None:
    plan = {str(n): tier(str(n), "A", "C") for n in range(6)} | {"up": tier("up", "C", "A")}
    found = judged(plan, Limits(floor=3, downgrades=0.0), Counted(moved={"downgrades": 1}))
    assert list(found.plan) == ["0", "1", "up"]
    assert {a: (h.rule, h.key, h.since) for a, (h,) in found.holds.items()} == {
        str(n): ("downgrades", "A → C", NOW) for n in (2, 3, 4, 5)
    }
    assert found.counted == {"0": ("downgrades",), "1": ("downgrades",)}


def test_a_held_downgrade_holds_everything_of_its_account() -> None:
    found = judged({"1": tier("1", "A", "C") + moved("1", ANN, BEN)}, Limits(floor=0, downgrades=0.0))
    assert found.plan == {}
    assert {c.field for c in found.holds["1"][0].changes} == {"tier", "fit_score", "seal"} | OWNERS


def test_a_held_owner_move_lets_the_rest_of_its_account_land() -> None:
    found = judged({"1": tier("1", "C", "A") + moved("1", ANN, BEN)})
    assert {c.field for c in found.plan["1"]} == {"tier", "fit_score", "seal"}
    assert {c.field for c in found.holds["1"][0].changes} == OWNERS
    assert found.holds["1"][0].key == f"{ANN} → {BEN}"
    assert found.counted == {}


def test_of_an_account_whose_owner_alone_moves_nothing_lands_not_even_the_seal() -> None:
    seal = Change(account_id="1", field="seal", live="a", desired="b")
    assert judged({"1": (*moved("1", ANN, BEN), seal)}).plan == {}


def test_filling_a_vacancy_is_no_owner_move() -> None:
    found = judged({"1": moved("1", "", BEN)})
    assert (list(found.plan), found.holds, found.counted) == (["1"], {}, {})


@pytest.mark.parametrize("before", ["A", "D", "Needs data"])
def test_an_account_with_an_open_deal_is_never_excluded_unseen(before: str) -> None:
    plan = {n: tier(n, before, "Not ICP") for n in ("deal", "none")} | {"new": tier("new", "", "Not ICP")}
    found = judged(plan, Limits(), deals={"deal", "new"})
    assert list(found.plan) == ["none", "new"]
    assert found.holds["deal"][0].rule == Rule.EXCLUSIONS
    assert judged(plan, Limits(exclusions=False), deals={"deal"}).holds == {}


def test_what_is_held_stays_held_with_its_date_even_when_there_is_room_again() -> None:
    before = held_before(hold("1", Rule.DOWNGRADES, "A → C"))
    found = judged({"1": tier("1", "A", "C")}, Limits(), before)
    assert (found.plan, found.holds["1"][0].since) == ({}, NOW - 500)


def test_a_hold_ends_with_the_wish_for_it() -> None:
    before = held_before(hold("1", Rule.DOWNGRADES, "A → C"))
    assert judged({"1": tier("1", "C", "A")}, Limits(), before).holds == {}
    assert judged({}, Limits(), before).holds == {}


def test_what_a_person_let_pass_lands_counts_for_no_limit_and_is_kept_until_it_has() -> None:
    before = held_before(hold("1", Rule.DOWNGRADES, "A → C", by="ada"))
    found = judged({"1": tier("1", "A", "C"), "2": tier("2", "A", "C")}, counted=before)
    assert list(found.plan) == ["1"]
    assert found.holds["1"][0].released_by == "ada"
    assert found.counted == {}


def test_a_person_let_pass_exactly_what_they_saw_and_nothing_further() -> None:
    before = held_before(hold("1", Rule.DOWNGRADES, "A → C", by="ada"))
    found = judged({"1": tier("1", "A", "D")}, counted=before)
    assert found.plan == {}
    assert [(h.key, h.released_by) for h in found.holds["1"]] == [("A → D", "")]


def test_an_exclusion_that_was_let_pass_is_not_held_again_as_a_downgrade() -> None:
    before = held_before(hold("1", Rule.EXCLUSIONS, "A → Not ICP", by="ada"))
    assert list(judged({"1": tier("1", "A", "Not ICP")}, counted=before, deals={"1"}).plan) == ["1"]


def test_an_account_we_write_too_often_is_put_in_quarantine() -> None:
    counted = Counted(population=1000, writes={"1": 6, "2": 5})
    found = judged({n: tier(n, "C", "B") for n in ("1", "2")}, Limits(), counted)
    assert list(found.plan) == ["2"]
    assert (found.holds["1"][0].rule, found.holds["1"][0].key) == (Rule.ROBOTS, EVERY_WRITE)


def test_a_quarantine_lasts_after_the_hour_and_while_nothing_is_wanted_until_somebody_lifts_it() -> None:
    before = held_before(hold("1", Rule.ROBOTS, EVERY_WRITE))
    assert judged({"1": tier("1", "C", "B")}, Limits(), before).plan == {}
    assert [h.since for h in judged({}, Limits(), before).holds["1"]] == [NOW - 500]
    lifted = held_before(hold("1", Rule.ROBOTS, EVERY_WRITE, by="ada"))
    assert list(judged({"1": tier("1", "C", "B")}, Limits(), lifted).plan) == ["1"]
    assert judged({}, Limits(), lifted).holds == {}


def test_many_quarantines_within_an_hour_stop_the_whole_portal() -> None:
    limits = Limits(quarantined=3)
    plan = {n: tier(n, "C", "B") for n in ("1", "2", "3")}
    counted = Counted(population=1000, writes={"1": 9, "2": 9}, robots=1)
    found = judged(plan, limits, counted)
    assert found.plan == {}
    assert {a: h[0].rule for a, h in found.holds.items()} == {
        "1": Rule.ROBOTS,
        "2": Rule.ROBOTS,
        "3": Rule.PORTAL,
    }
    assert list(judged(plan, limits, Counted(population=1000, writes={"1": 9}, robots=1)).plan) == ["2", "3"]


def test_the_limits_nobody_set_are_those_the_documents_state() -> None:
    stated = Limits(
        downgrades=0.05, floor=20, owner_moves=50, exclusions=True, writes_an_hour=6, quarantined=20
    )
    assert Limits() == stated
    assert Counted() == Counted(population=0, moved={}, writes={}, held={}, robots=0)


def test_where_one_write_an_hour_is_the_most_an_account_never_written_is_not_in_quarantine() -> None:
    assert list(judged({"1": tier("1", "C", "B")}, Limits(writes_an_hour=1)).plan) == ["1"]


def test_quarantines_that_stood_or_were_lifted_before_do_not_count_towards_stopping_the_portal() -> None:
    plan = {n: tier(n, "C", "B") for n in ("stood", "lifted", "fresh", "calm")}
    held = held_before(
        hold("stood", Rule.ROBOTS, EVERY_WRITE), hold("lifted", Rule.ROBOTS, EVERY_WRITE, "ada")
    )
    writes = {"stood": 9, "lifted": 9, "fresh": 9}
    found = judged(plan, Limits(quarantined=2), replace(held, writes=writes))
    assert list(found.plan) == ["lifted", "calm"]
    assert {h.rule for several in found.holds.values() for h in several} == {Rule.ROBOTS}


def test_lifting_a_quarantine_does_not_let_an_account_pass_when_the_portal_stops() -> None:
    lifted = held_before(hold("1", Rule.ROBOTS, EVERY_WRITE, by="ada"), robots=20)
    found = judged({"1": tier("1", "C", "B")}, Limits(), lifted)
    assert (found.plan, found.holds["1"][0].rule) == ({}, Rule.PORTAL)
    both = held_before(
        hold("1", Rule.ROBOTS, EVERY_WRITE, by="ada"),
        hold("1", Rule.PORTAL, EVERY_WRITE, by="ada"),
        robots=20,
    )
    assert list(judged({"1": tier("1", "C", "B")}, Limits(), both).plan) == ["1"]


def test_a_hold_is_dated_by_the_first_of_its_own_rule_and_key() -> None:
    older = replace(hold("1", Rule.DOWNGRADES, "A → D"), since=NOW - 900)
    same = hold("1", Rule.DOWNGRADES, "A → C")
    others = (hold("1", Rule.DOWNGRADES, "A → B"), hold("1", Rule.EXCLUSIONS, "A → D"))
    plan = {"1": tier("1", "A", "D")}
    assert judged(plan, counted=held_before(same, *others)).holds["1"][0].since == NOW
    twice = replace(older, since=NOW - 300)
    assert judged(plan, counted=held_before(twice, older, *others)).holds["1"][0].since == NOW - 900


def test_on_a_day_on_which_nothing_landed_yet_exactly_the_limits_land() -> None:
    owners = {str(n): moved(str(n), ANN, BEN) for n in range(4)}
    assert list(judged(owners, Limits(owner_moves=3)).plan) == ["0", "1", "2"]
    tiers = {str(n): tier(str(n), "A", "C") for n in range(4)}
    assert list(judged(tiers, Limits(floor=3, downgrades=0.0)).plan) == ["0", "1", "2"]


def test_a_held_owner_move_stays_held_when_there_is_room_again() -> None:
    before = held_before(hold("1", Rule.OWNER_MOVES, f"{ANN} → {BEN}"))
    found = judged({"1": moved("1", ANN, BEN), "2": moved("2", ANN, BEN)}, Limits(), before)
    assert (list(found.plan), found.holds["1"][0].since) == (["2"], NOW - 500)


def test_a_single_change_is_held_in_the_name_of_its_account() -> None:
    (only,) = judged({"7": tier("7", "A", "C")[:1]}).holds["7"]
    assert (only.account_id, len(only.changes)) == ("7", 1)


ids = st.sampled_from("abcdefgh")
states = st.sampled_from(("", *STATES))
people = st.sampled_from(("", ANN, BEN))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    found: dict[str, tuple[Change, ...]] = {}
    for account_id in draw(st.lists(ids, unique=True)):
        before, after = draw(states), draw(states)
        owner, new = draw(people), draw(people)
        changes = tier(account_id, before, after)[0 if before != after else 1 :]
        if owner != new:
            changes += moved(account_id, owner, new)
        found[account_id] = changes
    return found


def keys_of(changes: tuple[Change, ...]) -> list[tuple[Rule, str]]:
    found = [(Rule.ROBOTS, EVERY_WRITE), (Rule.PORTAL, EVERY_WRITE)]
    if move := tier_move(changes):
        key = f"{move[0] or 'blank'} → {move[1] or 'blank'}"
        found += [(Rule.DOWNGRADES, key), (Rule.EXCLUSIONS, key)]
    if gone := owner_move(changes):
        found.append((Rule.OWNER_MOVES, f"{gone[0]} → {gone[1] or 'blank'}"))
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, Counted, Limits, set[str]]:
    plan = draw(plans())
    held: dict[str, tuple[Hold, ...]] = {}
    for account_id, changes in plan.items():
        several = draw(st.lists(st.sampled_from(keys_of(changes)), unique_by=lambda pair: pair[0]))
        if several:
            by = st.sampled_from(("", "ada"))
            held[account_id] = tuple(hold(account_id, rule, key, draw(by)) for rule, key in several)
    few = st.integers(0, 4)
    counted = Counted(
        population=draw(st.integers(0, 60)),
        moved={rule.value: draw(few) for rule in (Rule.DOWNGRADES, Rule.OWNER_MOVES)},
        again={rule.value: draw(st.sets(ids)) for rule in (Rule.DOWNGRADES, Rule.OWNER_MOVES)},
        writes=draw(st.dictionaries(ids, st.integers(0, 4))),
        held=held,
        robots=draw(few),
    )
    limits = Limits(
        downgrades=draw(st.sampled_from((0.0, 0.05, 0.2))),
        floor=draw(few),
        owner_moves=draw(few),
        exclusions=draw(st.booleans()),
        writes_an_hour=draw(st.integers(1, 4)),
        quarantined=draw(st.integers(1, 6)),
    )
    return plan, counted, limits, draw(st.sets(ids))


def released(counted: Counted, account_id: str, rule: Rule, key: str) -> bool:
    several = counted.held.get(account_id, ())
    return any(h.released_by and h.key == key and (h.rule == rule or key != EVERY_WRITE) for h in several)


@given(cases())
def test_every_change_lands_or_waits_and_none_does_both(case: tuple[Plan, Counted, Limits, set[str]]) -> None:
    plan, counted, limits, deals = case
    found = judged(plan, limits, counted, deals)
    for account_id, changes in plan.items():
        landing = Counter(found.plan.get(account_id, ()))
        waiting = Counter(c for h in found.holds.get(account_id, ()) if not h.released_by for c in h.changes)
        assert not landing & waiting
        left = Counter(changes) - landing - waiting
        assert {c.field for c in left} <= {"seal"}
        assert not left or not landing  # a seal is left out only where nothing else lands
    assert found.plan.keys() <= plan.keys()


@given(cases())
def test_no_more_than_the_limits_ever_land_beside_what_people_let_pass(
    case: tuple[Plan, Counted, Limits, set[str]],
) -> None:
    plan, counted, limits, deals = case
    found = judged(plan, limits, counted, deals)
    landed, more = Counter[Rule](), Counter[Rule]()
    for account_id, changes in found.plan.items():
        if (move := tier_move(changes)) and is_downgrade(*move):
            key = f"{move[0]} → {move[1] or 'blank'}"
            if not released(counted, account_id, Rule.DOWNGRADES, key):
                landed[Rule.DOWNGRADES] += 1
                more[Rule.DOWNGRADES] += account_id not in counted.again[Rule.DOWNGRADES]
        if gone := owner_move(changes):
            key = f"{gone[0]} → {gone[1] or 'blank'}"
            if not released(counted, account_id, Rule.OWNER_MOVES, key):
                landed[Rule.OWNER_MOVES] += 1
                more[Rule.OWNER_MOVES] += account_id not in counted.again[Rule.OWNER_MOVES]
        if move and limits.exclusions and account_id in deals and is_exclusion(*move):
            key = f"{move[0] or 'blank'} → {move[1]}"
            assert released(counted, account_id, Rule.EXCLUSIONS, key)
        if counted.writes.get(account_id, 0) >= limits.writes_an_hour:
            assert released(counted, account_id, Rule.ROBOTS, EVERY_WRITE)
    for rule, n in more.items():
        assert counted.moved[rule.value] + n <= max(
            allowed(rule, counted.population, limits), counted.moved[rule.value]
        )
    said = Counter(rule for rules in found.counted.values() for rule in rules)
    assert said == Counter({rule.value: n for rule, n in landed.items()})


@given(plans(), st.sets(ids))
def test_released_changes_pass_once_and_the_same_wish_is_held_anew(plan: Plan, deals: set[str]) -> None:
    first = judged(plan, NONE, deals=deals)
    waiting = {i: tuple(replace(h, released_by="ada") for h in held) for i, held in first.holds.items()}
    second = judged(plan, NONE, Counted(held=waiting), deals)
    assert second.counted == {}
    for account_id, held in waiting.items():
        owner_alone = {c for h in second.holds[account_id] if not h.released_by for c in h.changes}
        assert {c.field for c in owner_alone} <= OWNERS  # seen for the first time: it was held whole before
        seen = {c for h in held for c in h.changes if c.field != "seal"}
        assert seen - owner_alone <= set(second.plan.get(account_id, ()))
    again = judged(plan, NONE, deals=deals)  # it has landed: the journal holds nothing any more
    assert again == first
