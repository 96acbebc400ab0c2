"""Who moves between two profiles, and that the amendment named is the one that decides."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import Previous
from icp_sync.domain.amendments import amendments
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.movement import Comparison, How, standing
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile, Tiers
from tests.domain.cases import NOW, facts, mostly_known, profiles

SIZE = Criterion(
    name="Size", layer="firmographic", when=Between(fact="employees", low=50, high=500), weight=60
)
FIELD = Criterion(
    name="Field", layer="firmographic", when=AnyOf(fact="industry", values=frozenset("a")), weight=40
)
STACK = Criterion(
    name="Stack", layer="technographic", when=AnyOf(fact="technologies", values=frozenset("a")), required=True
)
AGENCY = Flag(name="Agency", when=AnyOf(fact="industry", values=frozenset("b")), effect=Effect.EXCLUDE)
BASE = Profile(name="p", currency="USD", criteria=(SIZE, FIELD))


def moved(after: Profile, before: Profile = BASE, **known: object):
    return Comparison((before,), (after,)).move(facts(**known), NOW)


def names(move) -> list[str]:
    return [a.name for a in move.cause.by]


def test_equal_profiles_have_no_amendment_and_move_nobody():
    assert amendments((BASE,), (replace(BASE, review_minor="2027-01-01"),)) == ()
    assert moved(BASE, employees=100, industry="a").cause is None


def test_a_weight_that_moves_an_account_is_named_though_other_points_change_too():
    heavier = replace(BASE, criteria=(replace(SIZE, weight=20), FIELD))
    move = moved(heavier, employees=100, industry="b")
    assert (move.before, move.after) == ("B", "D")
    assert move.cause.how is How.ALONE
    assert str(move.cause) == "Size: weight 60 → 20"


def test_a_band_is_named_with_its_old_and_new_question():
    wider = replace(BASE, criteria=(replace(SIZE, when=replace(SIZE.when, high=1000.0)), FIELD))
    move = moved(wider, employees=800, industry="a")
    assert (move.before, move.after) == ("C", "A")
    assert str(move.cause) == ("Size: asks employees between 50 and 1,000 (was employees between 50 and 500)")


def test_a_new_gate_that_is_unmet_is_named():
    move = moved(
        replace(BASE, criteria=(*BASE.criteria, STACK)), employees=100, industry="a", technologies={"b"}
    )
    assert move.after == "A"  # an incomplete set leaves the gate open
    known = Comparison((BASE,), (replace(BASE, criteria=(*BASE.criteria, STACK)),))
    there = facts(employees=100, industry="a")
    there["technologies"] = facts(industry="b")["industry"]
    move = known.move(there, NOW)
    assert (move.before, move.after, str(move.cause)) == ("A", "Not ICP", "Stack: new gate")


def test_a_new_flag_is_named_and_so_is_one_that_went():
    flagged = replace(BASE, flags=(AGENCY,))
    move = moved(flagged, employees=100, industry="b")
    assert (move.before, move.after, str(move.cause)) == ("B", "Not ICP", "Agency: new flag")
    back = moved(BASE, flagged, employees=100, industry="b")
    assert (back.after, str(back.cause)) == ("B", "Agency: removed flag")


def test_moved_tiers_are_named_and_not_the_criteria():
    stricter = replace(BASE, tiers=Tiers(a=80, b=70, c=40))
    move = moved(stricter, employees=100, industry="b")
    assert (move.before, move.after, str(move.cause)) == ("B", "C", "tiers: B 60 → 70")


def test_a_criterion_added_or_removed_is_named():
    new = Criterion(
        name="Revenue", layer="firmographic", when=Between(fact="revenue", low=5e6, high=5e7), weight=100
    )
    more = replace(BASE, criteria=(*BASE.criteria, new))
    move = moved(more, employees=100, industry="a", revenue=1e6)
    assert (move.before, move.after, str(move.cause)) == ("A", "C", "Revenue: new criterion")
    back = moved(BASE, more, employees=100, industry="a", revenue=1e6)
    assert str(back.cause) == "Revenue: removed criterion"


def test_a_scope_that_leaves_an_account_out_is_named():
    scoped = replace(BASE, score_scope=AnyOf(fact="country", values=frozenset({"US"})))
    move = moved(scoped, employees=100, industry="a", country="DE")
    assert (move.before, move.after) == ("A", "out of scope")
    assert str(move.cause) == "scope: everybody → country is US"


def test_changes_that_only_together_move_an_account_are_all_named():
    easy = replace(BASE, tiers=Tiers(a=80, b=50, c=40))
    both = replace(easy, criteria=(replace(SIZE, weight=48), FIELD), tiers=Tiers(a=80, b=58, c=40))
    move = moved(both, easy, employees=100, industry="b")
    assert (move.before, move.after, move.cause.how) == ("B", "C", How.TOGETHER)
    assert sorted(names(move)) == ["Size", "tiers"]
    assert str(move.cause) == "Size: weight 60 → 48; with: tiers: B 50 → 58"


def test_each_of_two_changes_that_would_do_is_named():
    flagged = replace(BASE, flags=(AGENCY,), criteria=(replace(SIZE, required=True), FIELD))
    move = moved(flagged, employees=800, industry="b")
    assert (move.before, move.after) == ("D", "Not ICP")
    assert move.cause.how is How.ANY
    assert sorted(names(move)) == ["Agency", "Size"]


def test_a_renamed_criterion_and_a_renamed_profile_are_no_change():
    renamed = replace(BASE, name="q", criteria=(replace(SIZE, name="Mid-market"), FIELD))
    assert amendments((BASE,), (renamed,)) == ()


def test_a_profile_added_to_the_set_is_named():
    other = Profile(
        name="q", currency="USD", criteria=(replace(SIZE, when=Between(fact="employees", low=600)),)
    )
    move = Comparison((BASE,), (BASE, other)).move(facts(employees=800, industry="b"), NOW)
    assert (move.before, move.after, str(move.cause)) == ("D", "A", "q: new profile")


def test_a_move_that_was_only_waiting_is_no_amendments_doing():
    previous = Previous(tier="A", raw_tier="A", profile="p", profile_version=1, score=81)
    flat = replace(BASE, criteria=(SIZE, FIELD), tiers=Tiers(a=62, hysteresis=5, dwell=7 * DAY))
    known = facts(employees=100, industry="b")
    assert Comparison((flat,), (flat,)).move(known, NOW, previous=previous, version=1).cause is None
    routed = replace(flat, review_minor="2027-01-01")
    move = Comparison((flat,), (routed,)).move(known, NOW, previous=previous, version=1)
    assert (move.before, move.after, move.cause.how) == ("A", "B", How.CALM)
    assert str(move.cause) == "a move held back until now"


@given(profiles(), profiles(), st.lists(mostly_known(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_cause_said_to_decide_alone_does_so(before, after, known):
    comparison = Comparison((before,), (after,))
    for some in known:
        move = comparison.move(some, NOW)
        assert (move.cause is None) == (move.before == move.after)
        if move.cause is None or move.cause.how is not How.ALONE:
            continue
        [amendment] = move.cause.by
        for profile, wanted in (
            (amendment.applied((before,)), move.after),
            (amendment.reverted((after,)), move.before),
        ):
            tried = evaluate([compile_profile(p) for p in profile], some, None, NOW)
            assert standing(tried) == wanted


@given(profiles(), profiles())
@settings(max_examples=25, deadline=None)
def test_all_amendments_together_make_the_later_profile(before, after):
    changed = (before,)
    for amendment in amendments((before,), (after,)):
        changed = amendment.applied(changed)
    assert amendments(changed, (after,)) == ()
