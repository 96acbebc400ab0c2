"""Ranges, points, gates, several profiles, calm, timing: the promises of an evaluation as properties."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import Previous
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between, Within
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, carried, evaluate, possible_tiers
from icp_sync.domain.facts import Interval
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile, Tiers, TimingSignal
from icp_sync.domain.reasons import Beside, reasons
from icp_sync.domain.whole_points import largest_remainder
from icp_sync.domain.words import missing_facts
from tests.domain.cases import NOW, facts, mostly_known, profile_sets, profiles, refined, some_facts

previous_tiers = st.one_of(
    st.none(),
    st.builds(
        Previous,
        tier=st.sampled_from(["A", "B", "C", "D"]),
        raw_tier=st.sampled_from(["A", "B", "C", "D", NEEDS_DATA]),
        profile=st.sampled_from(["p0", "p1"]),
        score=st.integers(0, 100),
        pending_tier=st.sampled_from(["", "A", "B"]),
        pending_since=st.sampled_from([NOW - 8 * DAY, NOW - DAY]),
    ),
)


def compiled(*profiles):
    return tuple(compile_profile(p) for p in profiles)


def by_employees(**changes):
    profile = Profile(
        name="p0",
        currency="USD",
        criteria=(
            Criterion(
                name="size",
                layer="firmographic",
                when=Between(fact="employees", low=100, high=200, taper=1.0),
                weight=1,
            ),
        ),
    )
    return replace(profile, **changes)


@given(st.data(), profile_sets(), some_facts(), previous_tiers)
@settings(max_examples=120, deadline=None)
def test_refined_facts_leave_the_score_inside_the_range_stated_before(data, profiles, known, previous):
    before = evaluate(compiled(*profiles), known, previous, NOW)
    after = evaluate(compiled(*profiles), data.draw(refined(known)), previous, NOW)
    assert before.low <= before.score <= before.high or before.tier == NOT_ICP
    assume(after.tier != NOT_ICP or len(profiles) == 1)  # all failed: the range is over every profile then
    assert before.low <= after.score <= before.high


@given(st.data(), st.one_of(profiles().map(lambda p: (p,)), profile_sets()), mostly_known())
@settings(max_examples=120, deadline=None)
def test_a_firm_tier_survives_everything_we_may_still_learn(data, profiles, known):
    before = evaluate(compiled(*profiles), known, None, NOW)
    event("firm" if before.firm else "open")
    if not before.firm:
        return
    after = evaluate(compiled(*profiles), data.draw(refined(known)), None, NOW)
    assert (after.tier, after.firm) == (before.tier, True)


@given(profile_sets(), some_facts(), previous_tiers)
@settings(max_examples=60, deadline=None)
def test_points_add_up_to_the_score_and_to_a_hundred(profiles, known, previous):
    shown = evaluate(compiled(*profiles), known, previous, NOW).shown
    assert sum(got for got, _ in shown.points) == shown.score
    assert sum(of for _, of in shown.points) == 100
    assert all(0 <= got <= of for got, of in shown.points)


@given(profile_sets(), some_facts(), previous_tiers, st.floats(0, 40))
@settings(max_examples=60, deadline=None)
def test_evaluating_twice_gives_the_same(profiles, known, previous, days):
    now = NOW + days * DAY
    first = evaluate(compiled(*profiles), known, previous, now)
    remembered = carried(first, previous, now, why="because")
    second = evaluate(compiled(*profiles), known, remembered, now)
    assert carried(second, remembered, now, why="again") == remembered
    assert (second.tier, second.score, second.low, second.high) == (
        first.tier,
        first.score,
        first.low,
        first.high,
    )
    assert reasons(second, known, Beside(why="x")) == reasons(first, known, Beside(why="x"))


@given(profile_sets(), some_facts(), previous_tiers, st.lists(st.floats(0, 1), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_nothing_written_changes_before_valid_until(profiles, known, previous, shares):
    first = evaluate(compiled(*profiles), known, previous, NOW)
    remembered = carried(first, previous, NOW, why="")
    end = first.valid_until if first.valid_until is not None else NOW + 1000 * DAY
    assert end > NOW
    for share in shares:
        at = NOW + share * (end - NOW) * (1 - 1e-6)
        later = evaluate(compiled(*profiles), known, remembered, at)
        assert (later.tier, later.score, later.timing, later.coverage) == (
            first.tier,
            first.score,
            first.timing,
            first.coverage,
        )


@given(profile_sets(), some_facts())
@settings(max_examples=60, deadline=None)
def test_reasons_fit_in_five_hundred_characters_and_missing_facts_are_unsettled(profiles, known):
    evaluation = evaluate(compiled(*profiles), known, None, NOW)
    assert 0 < len(reasons(evaluation, known)) <= 500
    for name, worth in missing_facts(evaluation, known):
        assert worth > 0
        assert name not in known or not _exact(known[name])


def _exact(value):
    return value.complete if hasattr(value, "complete") else value.low == value.high


@given(st.lists(st.floats(0, 40), min_size=1, max_size=8), st.floats(0, 1))
def test_largest_remainders_are_whole_and_add_up(shares, part):
    most = [int(s) + 1 for s in shares]
    total = min(round(sum(shares)), sum(most))
    total = max(total, sum(int(s + 1e-9) for s in shares))
    whole = largest_remainder(shares, total, most)
    assert sum(whole) == total
    assert all(0 <= n <= top for n, top in zip(whole, most, strict=True))


def test_an_unmet_gate_outranks_every_point():
    gate = Criterion(
        name="CRM", layer="technographic", when=AnyOf(fact="industry", values=frozenset("a")), required=True
    )
    profile = by_employees(criteria=(*by_employees().criteria, gate))
    known = facts(employees=150, industry="b")
    evaluation = evaluate(compiled(profile), known, None, NOW)
    assert (evaluation.tier, evaluation.firm, evaluation.score) == (NOT_ICP, True, 100)
    assert "must-have CRM is not met" in reasons(evaluation, known)


def test_an_unknown_gate_makes_a_full_score_provisional_and_stands_first():
    gate = Criterion(
        name="CRM",
        layer="technographic",
        when=AnyOf(fact="technologies", values=frozenset("a")),
        required=True,
    )
    profile = by_employees(criteria=(*by_employees().criteria, gate))
    known = facts(employees=150)
    evaluation = evaluate(compiled(profile), known, None, NOW)
    assert (evaluation.tier, evaluation.certainty) == ("A", "provisional")
    assert missing_facts(evaluation, known)[0][0] == "technologies"


def test_a_cap_changes_the_tier_and_never_the_score():
    cap = Flag(
        name="Small",
        when=Between(fact="revenue", high=1e6, high_open=True, money=True),
        effect=Effect.CAP,
        cap="C",
    )
    known = facts(employees=150, revenue=5e5)
    evaluation = evaluate(compiled(by_employees(flags=(cap,))), known, None, NOW)
    assert (evaluation.tier, evaluation.raw_tier, evaluation.score) == ("C", "A", 100)


def test_too_little_known_is_a_state_of_its_own():
    evaluation = evaluate(compiled(by_employees()), {}, None, NOW)
    assert (evaluation.tier, evaluation.priority, evaluation.coverage) == (NEEDS_DATA, "", 0)


def test_the_best_profile_is_shown_and_all_failed_names_each():
    gate_a = Criterion(
        name="a only",
        layer="technographic",
        when=AnyOf(fact="industry", values=frozenset("a")),
        required=True,
    )
    gate_b = Criterion(
        name="b only",
        layer="technographic",
        when=AnyOf(fact="industry", values=frozenset("b")),
        required=True,
    )
    one = by_employees(name="one", criteria=(*by_employees().criteria, gate_a))
    two = by_employees(name="two", criteria=(*by_employees().criteria, gate_b))
    assert (
        evaluate(compiled(one, two), facts(employees=150, industry="b"), None, NOW).shown.profile.name
        == "two"
    )
    known = facts(employees=150, industry="c")
    failed = evaluate(compiled(one, two), known, None, NOW)
    assert failed.tier == NOT_ICP
    assert "one: must-have a only" in reasons(failed, known)
    assert "two: must-have b only" in reasons(failed, known)


def score(points):
    """Facts under which `by_employees` scores so many points: the band tapers to nothing at 400."""
    return facts(employees=200 + 200 * (1 - points / 100))


def after(previous, points, at):
    evaluation = evaluate(compiled(by_employees()), score(points), previous, at)
    return evaluation, carried(evaluation, previous, at, why="")


def test_a_small_move_across_a_boundary_waits_for_the_dwell():
    _, was = after(None, 81, NOW)
    held, was = after(was, 79, NOW + DAY)
    assert (held.tier, held.score, held.pending_tier, held.valid_until) == ("A", 79, "B", NOW + 8 * DAY)
    still, was = after(was, 79, NOW + 7.9 * DAY)
    assert still.tier == "A"
    moved, was = after(was, 79, NOW + 8 * DAY)
    assert (moved.tier, was.previous_tier, was.tier_changed_at) == ("B", "A", NOW + 8 * DAY)


def test_a_small_move_that_comes_back_starts_over():
    _, was = after(None, 81, NOW)
    _, was = after(was, 79, NOW + DAY)
    _, was = after(was, 81, NOW + 5 * DAY)
    held, _ = after(was, 79, NOW + 8 * DAY)
    assert (held.tier, held.pending_since) == ("A", NOW + 8 * DAY)


def test_a_large_move_passes_at_once():
    _, was = after(None, 81, NOW)
    assert after(was, 70, NOW + DAY)[0].tier == "B"


def test_a_new_profile_version_passes_at_once():
    _, was = after(None, 81, NOW)
    assert evaluate(compiled(by_employees()), score(79), was, NOW, version=2).tier == "B"


def test_timing_decays_in_steps_and_says_when_the_next_one_falls():
    profile = by_employees(
        timing=(
            TimingSignal(
                name="raised",
                when=Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY),
                weight=1,
            ),
        )
    )
    known = facts(employees=150) | {"last_funding_date": Interval(NOW, NOW)}
    now, numbers = NOW, []
    for _ in range(12):
        evaluation = evaluate(compiled(profile), known, None, now)
        numbers.append(evaluation.timing.number)
        if evaluation.valid_until is None:
            break
        now = evaluation.valid_until
    assert numbers == [100, 90, 80, 70, 60, 50, 40, 30, 0]
    assert evaluate(compiled(profile), known, None, NOW).priority == "A1"


def test_bands_of_the_file_decide_what_is_possible():
    profile = by_employees(tiers=Tiers(a=90, b=50, c=10))
    evaluation = evaluate(compiled(profile), facts(employees=(200, 300)), None, NOW)
    assert possible_tiers(evaluation.assessments) == {"A", "B"}
    assert (evaluation.low, evaluation.high, evaluation.score) == (50, 100, 75)


def test_a_score_that_rounds_into_one_tier_is_firm_though_its_bounds_straddle():
    third = Criterion(
        name="x", layer="firmographic", when=Between(fact="employees", low=100, high=200), weight=1
    )
    missed = [replace(third, name=n, when=AnyOf(fact="industry", values=frozenset("z"))) for n in ("y",)]
    profile = by_employees(criteria=(third, replace(third, name="w"), *missed), tiers=Tiers(a=67, b=50, c=40))
    evaluation = evaluate(compiled(profile), facts(employees=150, industry="a"), None, NOW)
    assert (evaluation.score, evaluation.low, evaluation.high) == (67, 66, 67)
    assert (evaluation.tier, evaluation.firm) == ("A", True)


def test_a_profile_whose_scope_certainly_excludes_the_account_has_no_say():
    prospects = by_employees(name="p0", score_scope=AnyOf(fact="industry", values=frozenset("a")))
    others = by_employees(
        name="p1",
        score_scope=AnyOf(fact="industry", values=frozenset("b")),
        criteria=(replace(by_employees().criteria[0], when=Between(fact="employees", low=1, high=2)),),
    )
    seen = evaluate(compiled(prospects, others), facts(employees=150, industry="b"), None, NOW)
    assert (seen.shown.profile.name, seen.tier, seen.in_scope) == ("p1", "D", True)
    assert not evaluate(compiled(prospects, others), facts(employees=150, industry="c"), None, NOW).in_scope
    unsure = evaluate(compiled(prospects), facts(employees=150), None, NOW)
    assert (unsure.tier, unsure.certainty) == ("A", "provisional")
