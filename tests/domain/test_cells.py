"""The few values of a fact between which questions differ."""

from __future__ import annotations

from math import inf

import pytest

from icp_sync.domain.cells import ELSE, MOST, cells_of
from icp_sync.domain.compile import compile_conditions
from icp_sync.domain.conditions import AllOf, AnyOf, Between, Leaf, NoneOf, Within
from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.domain.questions import Question
from tests.domain.cases import NOW


def some(*members: str) -> frozenset[str]:
    return frozenset(members)


def cells(
    *leaves: Leaf,
    held: FactValue | None = None,
    kind: FactType = FactType.NUMBER,
    whole: bool = False,
    currency: str = "",
) -> tuple[FactValue | None, ...]:
    """The values of one fact, one for each way of answering all these."""
    answer = compile_conditions(leaves, currency)
    fact = leaves[0].fact
    return cells_of(
        [Question(leaf=leaf, currency=currency) for leaf in leaves],
        held,
        kind,
        whole=whole,
        now=NOW,
        alike=lambda value: answer({} if value is None else {fact: value}, NOW),
    )


def numbers(values: tuple[FactValue | None, ...]) -> list[float]:
    return sorted(v.low for v in values if isinstance(v, Interval | Money))


def test_a_fact_stays_as_it_is_first_of_all():
    assert cells(Between(fact="employees", low=50))[0] is None
    assert cells(Between(fact="employees", low=50), held=number(10, 90))[0] == number(10, 90)


def test_every_bound_itself_is_a_value():
    only_one = cells(Between(fact="employees", low=1, high=1))
    assert number(1) in only_one
    above = cells(Between(fact="employees", low=50, low_open=True), Between(fact="employees", low=50))
    assert {n > 50.0 for n in numbers(above)} == {True, False}
    assert 50.0 in numbers(above), "above 50 and from 50 differ there alone"


def test_values_that_answer_everything_alike_are_one():
    band = cells(Between(fact="employees", low=50, high=500))
    assert len(band) == 3, "as it is, within, outside"


def test_a_taper_has_values_at_its_ends_and_between():
    answer = compile_conditions([Between(fact="employees", low=50, high=500, taper=0.5)], "")
    tapered = cells(Between(fact="employees", low=50, high=500, taper=0.5))
    credits = {answer({"employees": v}, NOW)[0] for v in tapered if v is not None}
    assert credits == {0.0, 0.5, 1.0}


def test_a_band_that_is_known_is_not_left():
    inside = cells(
        Between(fact="employees", low=50), Between(fact="employees", low=100), held=number(60, 200)
    )
    assert all(60 <= n <= 200 for n in numbers(inside[1:]))
    assert any(n < 100 for n in numbers(inside[1:]))
    open_ended = cells(Between(fact="employees", low=5_000), held=number(1_001, inf))
    assert {n >= 5_000 for n in numbers(open_ended[1:])} == {True, False}


def test_what_is_exact_or_whole_or_asked_nothing_has_one_value():
    assert cells(Between(fact="employees", low=50), held=number(70)) == (number(70),)
    whole = Members(some("aws"), True)
    assert cells(AnyOf(fact="technologies", values=some("b")), held=whole, kind=FactType.SET) == (whole,)
    assert cells_of([], None, FactType.NUMBER, whole=False, now=NOW) == (None,)


def test_a_choice_is_one_of_those_named_or_something_else():
    kinds = cells(
        AnyOf(fact="industry", values=some("a", "b")),
        NoneOf(fact="industry", values=some("c")),
        kind=FactType.CHOICE,
    )
    assert kinds[0] is None
    assert set(kinds[1:]) in (
        {choice("a"), choice("c"), choice(ELSE)},
        {choice("b"), choice("c"), choice(ELSE)},
    )


def test_an_exclusion_that_is_asked_last_is_seen():
    light = [AnyOf(fact="industry", values=some(f"A{n}")) for n in range(12)]
    last = AnyOf(fact="industry", values=some("GAMBLING"))
    assert choice("GAMBLING") in cells(*light, last, kind=FactType.CHOICE)
    bands = [Between(fact="employees", low=n, high=2 * n, taper=0.3) for n in (10, 50, 100, 200, 400)]
    assert any(n >= 5_000 for n in numbers(cells(*bands, Between(fact="employees", low=5_000))))


@pytest.mark.parametrize("kind", [FactType.CHOICE, FactType.SET])
def test_of_very_many_answers_each_question_is_met_by_some_value(kind: FactType):
    questions = [AnyOf(fact="industry", values=some(f"A{n}", f"B{n}", f"C{n}")) for n in range(30)]
    values = cells(*questions, kind=kind)
    assert len(values) <= MOST
    for question in questions:
        assert any(isinstance(v, Members) and question.values & v.known for v in values)


def test_of_very_many_bounds_both_ends_are_kept():
    bands = [Between(fact="employees", low=float(n)) for n in range(1, 200)]
    values = cells(*bands)
    assert len(values) <= MOST
    assert min(numbers(values)) < 1
    assert max(numbers(values)) >= 199


def test_an_incomplete_set_gains_members_and_never_becomes_whole():
    values = cells(
        AnyOf(fact="technologies", values=some("a")),
        AnyOf(fact="technologies", values=some("b")),
        held=Members(some("x"), False),
        kind=FactType.SET,
    )
    sets = [v for v in values if isinstance(v, Members)]
    assert {v.known for v in sets} == {some("x"), some("x", "a"), some("x", "b"), some("x", "a", "b")}
    assert not any(v.complete for v in sets)


def test_a_whole_set_may_also_hold_nothing_more():
    values = cells(AnyOf(fact="technologies", values=some("a")), kind=FactType.SET, whole=True)
    assert set(values) == {None, Members(some(), True), Members(some("a"), True)}


def test_all_of_is_met_by_all_together_only():
    want = AllOf(fact="technologies", values=some("a", "b"))
    values = cells(want, AnyOf(fact="technologies", values=some("a")), kind=FactType.SET)
    assert any(isinstance(v, Members) and want.values <= v.known for v in values)
    assert any(isinstance(v, Members) and v.known == some("a") for v in values)


def test_of_a_set_with_many_names_those_that_spare_one_question_are_seen():
    questions = [AnyOf(fact="technologies", values=some(f"T{n}")) for n in range(12)]
    values = [v for v in cells(*questions, kind=FactType.SET) if isinstance(v, Members)]
    everything = frozenset[str]().union(*(q.values for q in questions))
    for question in questions:
        assert any(v.known == everything - question.values for v in values)
        assert any(v.known == question.values for v in values)


def test_amounts_are_in_the_currency_of_the_question():
    wanted = Between(fact="revenue", low=1e6, money=True)
    values = cells(wanted, kind=FactType.MONEY, currency="EUR")
    assert {v.currency for v in values if isinstance(v, Money)} == {"EUR"}
    assert {n >= 1e6 for n in numbers(values)} == {True, False}


def test_a_band_in_another_currency_bounds_nothing_for_certain():
    wanted = Between(fact="revenue", low=1e6, money=True)
    dollars = cells(wanted, held=Money(9e5, 2e6, "USD"), kind=FactType.MONEY, currency="EUR")
    assert {n >= 1e6 for n in numbers(dollars[1:])} == {True, False}


def test_a_date_is_before_or_after_the_age_that_counts():
    recent = Within(fact="founded", seconds=365 * DAY)
    ages = {NOW - n > 365 * DAY for n in numbers(cells(recent, kind=FactType.DATE)) if n <= NOW}
    assert ages == {True, False}
