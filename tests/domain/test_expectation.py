"""What stands between an evaluation and what was expected, in words."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.expectation import obstacles, said_as
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile
from icp_sync.domain.standing import STATES
from tests.domain.cases import NOW, facts, profile_sets, some_facts

PROFILE = Profile(
    name="p",
    currency="USD",
    criteria=(
        Criterion(
            name="Size", layer="firmographic", when=Between(fact="employees", low=50, high=500), weight=6
        ),
        Criterion(
            name="Field", layer="firmographic", when=AnyOf(fact="industry", values=frozenset("a")), weight=4
        ),
    ),
    flags=(Flag(name="Tiny", when=Between(fact="employees", high=9), effect=Effect.CAP, cap="D"),),
)
GATED = replace(
    PROFILE,
    criteria=(
        *PROFILE.criteria,
        Criterion(
            name="Stack",
            layer="technographic",
            when=AnyOf(fact="technologies", values=frozenset("a")),
            required=True,
        ),
    ),
)


def judged(profile=PROFILE, **known):
    some = facts(**known)
    return evaluate([compile_profile(profile)], some, None, NOW), some


def why(expected, profile=PROFILE, **known):
    evaluation, some = judged(profile, **known)
    return obstacles(evaluation, some, expected)


def test_what_is_as_expected_has_no_obstacle():
    assert why("A", employees=100, industry="a") == []


def test_too_few_points_are_counted_and_their_losses_named_in_the_accounts_own_words():
    assert why("A", employees=620, industry="a") == [
        "40 points short of A (80)",
        "−60 620 employees, over 500",
    ]


def test_a_cap_is_named_before_points():
    assert why("B", employees=5, industry="a")[0] == "capped at D by Tiny"


def test_too_many_points_are_counted_with_what_gave_them():
    assert why("C", employees=100, industry="a") == ["41 points above C (below 60)", "+60 Size", "+40 Field"]


def test_a_failed_gate_is_named():
    some = facts(employees=100, industry="a")
    some["technologies"] = facts(industry="b")["industry"]
    evaluation = evaluate([compile_profile(GATED)], some, None, NOW)
    assert obstacles(evaluation, some, "A") == ["must-have Stack is not met"]


def test_an_undecided_gate_is_why_nothing_is_certainly_out():
    said = why("Not ICP", GATED, employees=100, industry="a")
    assert said[:2] == [
        "no gate is certainly unmet and no exclude flag certainly true",
        "must-have Stack is unknown",
    ]
    assert said[-1] == "missing: technologies (decides)"


def test_missing_facts_are_named_with_what_they_are_worth():
    assert why("A", replace(PROFILE, flags=()), industry="a") == [
        "40 % of the profile is known, below 60 %",
        "missing: employees (up to 60)",
    ]


def test_out_of_scope_says_what_the_scope_asks_for():
    scoped = replace(PROFILE, score_scope=AnyOf(fact="country", values=frozenset({"US"})))
    evaluation, some = judged(scoped, country="DE")
    assert said_as(evaluation) == "out of scope"
    assert obstacles(evaluation, some, "A") == ["outside the scope of p: it asks for country is US"]


def test_a_range_and_provisional_are_said():
    evaluation, _ = judged(employees=100)
    assert said_as(evaluation) == "A (60–100), provisional"


@given(profile_sets(), some_facts(), st.sampled_from(STATES))
@settings(max_examples=40, deadline=None)
def test_whatever_differs_from_the_expected_has_a_reason(profiles, known, expected):
    evaluation = evaluate([compile_profile(p) for p in profiles], known, None, NOW)
    said = obstacles(evaluation, known, expected)
    assert bool(said) == (not evaluation.in_scope or evaluation.tier != expected)
    assert all(said)
