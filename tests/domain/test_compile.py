"""The compiled evaluator against the plain one, and the laws of credit intervals."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import All, Any, AnyOf, Between, NoneOf, Not, Present, Within
from icp_sync.domain.facts import Interval, Members, Money, value_from_json
from icp_sync.domain.profile import DAY, Criterion, Profile
from tests.domain import oracle
from tests.domain.cases import NOW, conditions, facts, profiles, refined, some_facts


def credit_of(condition, known, now=NOW):
    profile = Profile(
        name="one",
        currency="USD",
        criteria=(Criterion(name="c", layer="firmographic", when=condition, weight=1),),
    )
    answers = compile_profile(profile).answer(known, now)[-1]
    return answers[4], answers[5]


@given(profiles(), some_facts())
@settings(max_examples=120)
def test_the_compiled_profile_answers_as_the_plain_walk(profile, known):
    low, high, shown, covered, answers = compile_profile(profile).answer(known, NOW)
    assert (low, high, shown, covered) == pytest.approx(oracle.sums(profile, known, NOW), abs=1e-7)
    asked = (
        [c.when for c in profile.criteria]
        + [t.when for t in profile.timing]
        + [f.when for f in profile.flags]
    )
    for place, condition in enumerate(asked):
        expected = oracle.credit(condition, known, NOW, profile.currency)
        assert (answers[4 + 2 * place], answers[5 + 2 * place]) == pytest.approx(expected)


@given(profiles(), some_facts())
@settings(max_examples=60)
def test_every_question_is_found_at_the_place_that_is_kept_for_it(profile, known):
    compiled = compile_profile(profile)
    answers, asking = compiled.answer(known, NOW)[-1], compiled.asking
    placed = [(asked.at, when.when) for asked, when in zip(asking.criteria, profile.criteria, strict=True)]
    placed += [(asked.at, when.when) for asked, when in zip(asking.signals, profile.timing, strict=True)]
    placed += [(at, flag.when) for at, flag in asking.flags]
    for at, condition in placed:
        expected = oracle.credit(condition, known, NOW, profile.currency)
        assert (answers[at], answers[at + 1]) == pytest.approx(expected)
    assert [asked.at for asked in asking.gates] == [
        asked.at for asked, c in zip(asking.criteria, profile.criteria, strict=True) if c.required
    ]
    assert sum(asking.possible) == 100


def test_an_amount_is_converted_for_the_questions_about_money_and_for_no_others():
    yen = {"revenue": Money(1e6, 1e6, "JPY")}
    dear = Between(fact="revenue", low=5e5, money=True)
    plain = Between(fact="revenue", low=5e5)
    for parts in ((dear, plain, dear), (plain, dear, plain)):
        assert credit_of(Any(parts=parts), yen) == (1.0, 1.0)
        assert credit_of(All(parts=parts), yen) == (0.0, 0.0)


@given(conditions(), some_facts())
def test_every_answer_is_an_interval_inside_zero_to_one(condition, known):
    low, high = credit_of(condition, known)
    assert 0 <= low <= high <= 1


@given(st.data(), conditions(), some_facts())
@settings(max_examples=120)
def test_learning_more_never_leaves_the_interval(data, condition, known):
    low, high = credit_of(condition, known)
    finer_low, finer_high = credit_of(condition, data.draw(refined(known)))
    assert low - 1e-9 <= finer_low <= finer_high <= high + 1e-9


@given(conditions(), conditions(), some_facts())
def test_not_and_or_obey_de_morgan(one, other, known):
    left = credit_of(Not(part=All(parts=(one, other))), known)
    right = credit_of(Any(parts=(Not(part=one), Not(part=other))), known)
    assert left == pytest.approx(right)
    assert credit_of(Not(part=Not(part=one)), known) == pytest.approx(credit_of(one, known))


@given(conditions(), conditions(), some_facts())
def test_and_is_never_above_its_parts_and_or_never_below(one, other, known):
    low_one, high_one = credit_of(one, known)
    both, either = credit_of(All(parts=(one, other)), known), credit_of(Any(parts=(one, other)), known)
    assert both[0] <= low_one + 1e-9
    assert both[1] <= high_one + 1e-9
    assert either[0] >= low_one - 1e-9
    assert either[1] >= high_one - 1e-9


@pytest.mark.parametrize(
    ("employees", "expected"),
    [
        (50, (1, 1)),
        (500, (1, 1)),
        (25, (0, 0)),
        (750, (0, 0)),
        (37.5, (0.5, 0.5)),
        (625, (0.5, 0.5)),
        ((51, 200), (1, 1)),
        ((10, 1000), (0, 1)),  # the best credit lies inside, not at an end
        ((625, inf), (0, 0.5)),
    ],
)
def test_a_taper_is_a_trapezoid(employees, expected):
    band = Between(fact="employees", low=50, high=500, taper=0.5)
    assert credit_of(band, facts(employees=employees)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("condition", "members", "expected"),
    [
        (AnyOf(fact="technologies", values=frozenset("a")), Members(frozenset("ab"), False), (1, 1)),
        (AnyOf(fact="technologies", values=frozenset("a")), Members(frozenset("b"), False), (0, 1)),
        (AnyOf(fact="technologies", values=frozenset("a")), Members(frozenset("b"), True), (0, 0)),
        (NoneOf(fact="technologies", values=frozenset("a")), Members(frozenset("a"), False), (0, 0)),
        (NoneOf(fact="technologies", values=frozenset("a")), Members(frozenset("b"), False), (0, 1)),
    ],
)
def test_absence_from_an_incomplete_set_is_unknown(condition, members, expected):
    assert credit_of(condition, {"technologies": members}) == expected


def test_an_instant_that_may_lie_ahead_is_unknown():
    raised = Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY)
    assert credit_of(raised, {"last_funding_date": Interval(NOW + 1, NOW + 1)}) == (0, 1)
    assert credit_of(raised, {"last_funding_date": Interval(NOW - DAY, NOW + 1)}) == (0, 1)
    assert credit_of(raised, {"last_funding_date": Interval(NOW - 90 * DAY, NOW)}) == pytest.approx((0.5, 1))
    assert credit_of(raised, {"last_funding_date": Interval(NOW - 200 * DAY, NOW - 180 * DAY)}) == (0, 0)


def test_money_in_an_unnamed_currency_is_unknown_only_near_the_threshold():
    above = Between(fact="revenue", low=1e6, money=True)
    assert credit_of(above, {"revenue": Money(5e6, 5e6, "")}) == (0, 1)
    assert credit_of(above, {"revenue": Money(1e12, 1e12, "")}) == (1, 1)
    assert credit_of(above, {"revenue": Money(5e6, 5e6, "EUR")}) == (1, 1)
    assert credit_of(above, {"revenue": Money(9.5e5, 9.5e5, "EUR")}) == (0, 1)
    assert credit_of(above, {"revenue": Money(5e6, 5e6, "JPY")}) == (0, 0)


def test_whether_a_fact_is_known_is_never_unknown():
    assert credit_of(Present(fact="employees"), {}) == (0, 0)
    assert credit_of(Present(fact="employees", known=False), {}) == (1, 1)


def test_a_profile_cannot_smuggle_code_into_the_evaluator():
    evil = '"); raise SystemExit(("'
    assert credit_of(
        AnyOf(fact=evil, values=frozenset([evil])), {evil: Members(frozenset([evil]), True)}
    ) == (1, 1)


@pytest.mark.parametrize("stored", [["interval", "x", 1], ["money", 1, [], "USD"], ["set", "a", True], []])
def test_a_stored_value_of_another_shape_is_refused(stored):
    with pytest.raises(ValueError, match="not a stored"):
        value_from_json(stored)
