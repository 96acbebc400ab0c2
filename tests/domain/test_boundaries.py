"""Evaluation exactly at its boundaries: calm, ranges over several profiles, percents, what ends first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, carried, evaluate, overridden, possible_tiers
from icp_sync.domain.override import Override, override_from_json, override_note
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile
from icp_sync.domain.standing import Standing
from tests.domain.cases import NOW, facts
from tests.domain.test_evaluation import after, by_employees, compiled, score


def gated(name: str, member: str) -> Profile:
    gate = Criterion(
        name=f"{member} only",
        layer="technographic",
        when=AnyOf(fact="industry", values=frozenset(member)),
        required=True,
    )
    return by_employees(name=name, criteria=(*by_employees().criteria, gate))


@pytest.mark.parametrize(
    ("before", "now", "tier"),
    [
        (81, 78, "A"),
        (81, 77, "B"),
        (79, 82, "B"),
        (79, 83, "A"),
        (59, 62, "C"),
        (59, 63, "B"),
        (61, 58, "B"),
        (61, 57, "C"),
    ],
)
def test_a_move_of_less_than_three_points_waits_and_one_of_three_passes(
    before: int, now: int, tier: str
) -> None:
    _, was = after(None, before, NOW)
    assert after(was, now, NOW + DAY)[0].tier == tier


@pytest.mark.parametrize(("known", "tier"), [(61, "A"), (58, "A"), (56, NEEDS_DATA)])
def test_coverage_has_the_same_margin(known: int, tier: str) -> None:
    def partly(percent: int) -> dict[str, object]:
        return dict(facts(employees=(200, 200 + 200 * (1 - percent / 100))))

    first = evaluate(compiled(by_employees()), partly(61), None, NOW)
    assert (first.tier, first.firm, first.coverage) == ("A", False, 61)
    was = carried(first, None, NOW, why="")
    assert evaluate(compiled(by_employees()), partly(known), was, NOW + DAY).tier == tier


def test_the_range_is_guaranteed_by_the_best_certain_profile_and_reaches_the_best_of_all() -> None:
    known = facts(employees=(200, 300), industry="a")  # 50 to 100 points
    less = replace(by_employees(name="less"), criteria=(_weak(),))
    two = evaluate(compiled(by_employees(), less), known, None, NOW)
    assert (two.low, two.high) == (50, 100)
    assert (evaluate(compiled(less), known, None, NOW).low, two.shown.profile.name) == (0, "p0")
    mixed = evaluate(compiled(gated("open", "z"), less), facts(employees=150), None, NOW)
    assert (mixed.low, mixed.high) == (0, 100), "an open profile guarantees nothing"


def test_without_a_certain_profile_the_range_spans_all_that_are_open_and_so_it_does_when_all_failed() -> None:
    weak = replace(gated("weak", "b"), criteria=(_weak(), gated("weak", "b").criteria[1]))
    both = compiled(gated("one", "a"), weak)
    unknown = evaluate(both, facts(employees=150), None, NOW)
    assert (unknown.low, unknown.high) == (0, 100)
    failed = evaluate(both, facts(employees=150, industry="c"), None, NOW)
    assert (failed.tier, failed.low, failed.high) == (NOT_ICP, 0, 100)


def _weak() -> Criterion:
    """A criterion that nothing here meets."""
    return Criterion(
        name="none", layer="firmographic", when=AnyOf(fact="country", values=frozenset({"XX"})), weight=1
    )


def test_the_profile_shown_before_stays_while_it_is_within_the_margin_and_no_further() -> None:
    def shown(other: int) -> str:
        one = evaluate(compiled(by_employees(name="one")), score(80), None, NOW)
        was = carried(one, None, NOW, why="")
        rival = by_employees(name="rival", criteria=(replace(by_employees().criteria[0], weight=1),))
        rivals = compiled(rival, by_employees(name="one"))
        return evaluate(rivals, score(other), was, NOW).shown.profile.name

    assert shown(80) == "one", "equal scores: the one shown before, though another stands first"


def test_what_ends_first_is_when_an_overridden_account_wakes() -> None:
    _, was = after(None, 81, NOW)
    held, _ = after(was, 79, NOW + DAY)
    assert held.valid_until == NOW + 8 * DAY
    for until, wakes in ((NOW + 2 * DAY, NOW + 2 * DAY), (NOW + 20 * DAY, NOW + 8 * DAY)):
        decided = overridden(held, Override(tier="C", since=NOW, until=until))
        assert (decided.tier, decided.firm, decided.valid_until) == ("C", True, wakes)


def test_full_knowledge_is_a_hundred_percent() -> None:
    assert evaluate(compiled(by_employees()), facts(employees=150), None, NOW).coverage == 100


@pytest.mark.parametrize("length", [40, 41])
def test_what_stands_in_the_override_fields_is_quoted_up_to_forty_characters(length: int) -> None:
    quoted = "x" * 40
    no_tier: Standing = {"tier_override": "x" * length}
    assert override_note(no_tier, NOW) == f"The override '{quoted}' is no tier."
    no_date: Standing = {"tier_override": "A", "tier_override_until": "x" * length}
    assert override_note(no_date, NOW) == f"The override to A does not count: until '{quoted}' is no date."


def test_an_override_needs_its_tier_and_its_beginning_and_no_more_to_be_read_back() -> None:
    assert override_from_json({"tier": "A", "since": 5.0}) == Override(tier="A", since=5.0)
    assert override_from_json({"tier": "A"}) is None


@pytest.mark.parametrize(
    ("points", "tier"),
    [(100, "A"), (80, "A"), (79, "B"), (60, "B"), (59, "C"), (40, "C"), (39, "D"), (0, "D")],
)
def test_a_score_known_exactly_leaves_one_tier_possible(points: int, tier: str) -> None:
    seen = evaluate(compiled(by_employees()), score(points), None, NOW)
    assert (seen.score, possible_tiers(seen.assessments), seen.firm) == (points, {tier}, True)


def test_a_profile_that_cannot_reach_what_another_guarantees_adds_no_tier_and_no_exclusion() -> None:
    weak = replace(gated("weak", "b"), criteria=(_weak(), gated("weak", "b").criteria[1]))
    seen = evaluate(compiled(by_employees(), weak), facts(employees=150, country="US"), None, NOW)
    assert possible_tiers(seen.assessments) == {"A"}
    alone = evaluate(compiled(weak), facts(employees=150, country="US"), None, NOW)
    assert possible_tiers(alone.assessments) == {"D", NOT_ICP}


@pytest.mark.parametrize(
    ("effect", "points", "tiers"),
    [(Effect.CAP, 100, {"A", "C"}), (Effect.CAP, 10, {"D"}), (Effect.MARK, 100, {"A"})],
)
def test_only_a_cap_that_may_apply_makes_a_lower_tier_possible(
    effect: Effect, points: int, tiers: set[str]
) -> None:
    flag = Flag(name="x", when=AnyOf(fact="industry", values=frozenset("a")), effect=effect, cap="C")
    seen = evaluate(compiled(by_employees(flags=(flag,))), score(points), None, NOW)
    assert possible_tiers(seen.assessments) == tiers


def test_when_and_why_a_tier_changed_is_carried_until_it_changes_again() -> None:
    first = evaluate(compiled(by_employees()), score(90), None, NOW)
    was = carried(first, None, NOW, why="new")
    assert (was.tier_changed_at, was.why, was.previous_tier) == (NOW, "new", "")
    same = carried(first, was, NOW + DAY, why="other")
    assert (same.tier_changed_at, same.why, same.previous_tier) == (NOW, "new", "")
    low = evaluate(compiled(by_employees()), score(10), same, NOW + 2 * DAY)
    moved = carried(low, same, NOW + 2 * DAY, why="shrank")
    assert (moved.tier_changed_at, moved.why, moved.previous_tier) == (NOW + 2 * DAY, "shrank", "A")
