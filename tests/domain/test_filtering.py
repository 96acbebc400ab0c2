"""Sets of a property's values and formulas over them obey the laws that filters rest upon."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.assessment import Fate, assess
from icp_sync.domain.compile import compile_conditions, compile_profile
from icp_sync.domain.conditions import Leaf
from icp_sync.domain.filtering import (
    EVERYBODY,
    NOBODY,
    Either,
    Every,
    Formula,
    Is,
    Numbers,
    Span,
    Values,
    Words,
    complement,
    either,
    every,
    inside,
    is_everything,
    is_nothing,
    join,
    meet,
)
from icp_sync.domain.filtering_boxes import Box, Limits, covered, fitted, simple_boxes
from icp_sync.domain.filtering_clauses import Role, clauses_of, may
from tests.domain.cases import NOW, profiles, some_facts

LEVELS = (0.0, 1.0, 2.0, 3.0)
BETWEEN = (None, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 9.0)
TEXTS = (None, "a", "b", "c", "other")
ACCOUNTS = [{"n": n, "m": m, "t": t} for n in BETWEEN for m in (None, 1.0, 2.0) for t in TEXTS]


def holds(values: Values, value: float | str | None) -> bool:
    """Membership, from the definition."""
    if value is None:
        return values.blank
    if isinstance(values, Words):
        return (value in values.words) is not values.inverted
    assert isinstance(value, float)
    return any(
        (value > s.low if s.low_open else value >= s.low)
        and (value < s.high if s.high_open else value <= s.high)
        for s in values.spans
    )


def true(formula: Formula, account: Mapping[str, float | str | None]) -> bool:
    if isinstance(formula, Is):
        return holds(formula.values, account[formula.property])
    assert isinstance(formula, Every | Either)
    answers = [true(part, account) for part in formula.parts]
    return all(answers) if isinstance(formula, Every) else any(answers)


def boxed(boxes: list[Box], account: Mapping[str, float | str | None]) -> bool:
    return any(all(holds(v, account[name]) for name, v in box.items()) for box in boxes)


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    found: Values = Numbers(blank=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        low, high = sorted((draw(st.sampled_from([-inf, *LEVELS])), draw(st.sampled_from([*LEVELS, inf]))))
        span = Span(low, high, draw(st.booleans()), draw(st.booleans()))
        if not span.empty:
            found = join(found, Numbers(spans=(span,)))
    assert isinstance(found, Numbers)
    return found


words = st.builds(
    Words,
    words=st.frozensets(st.sampled_from(["a", "b", "c"])),
    inverted=st.booleans(),
    blank=st.booleans(),
)
tests = st.one_of(
    st.builds(Is, property=st.sampled_from(["n", "m"]), values=numbers()),
    st.builds(Is, property=st.just("t"), values=words),
)
formulas = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda p: Every(parts=tuple(p))),
        st.lists(inner, max_size=3).map(lambda p: Either(parts=tuple(p))),
    ),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.tuples(numbers(), numbers()), st.tuples(words, words)))
def test_sets_of_values_combine_as_sets_do(pair):
    a, b = pair
    for value in BETWEEN if isinstance(a, Numbers) else TEXTS:
        assert holds(complement(a), value) is not holds(a, value)
        assert holds(meet(a, b), value) is (holds(a, value) and holds(b, value))
        assert holds(join(a, b), value) is (holds(a, value) or holds(b, value))
        if inside(a, b):
            assert holds(b, value) or not holds(a, value)
        assert not (is_nothing(a) and holds(a, value))
        assert not is_everything(a) or holds(a, value)
    assert complement(complement(a)) == a


@settings(max_examples=100, deadline=None)
@given(st.lists(formulas, max_size=3))
def test_joining_formulas_keeps_their_meaning(parts):
    both, any_of = every(parts), either(parts)
    for account in ACCOUNTS:
        assert true(both, account) is all(true(part, account) for part in parts)
        assert true(any_of, account) is any(true(part, account) for part in parts)


def test_all_of_nothing_is_everybody_and_any_of_nothing_is_nobody():
    assert every([]) == EVERYBODY
    assert either([]) == NOBODY
    assert every([NOBODY, Is(property="t", values=Words(blank=True))]) == NOBODY
    assert either([Is(property="t", values=Words(blank=True)), EVERYBODY]) == EVERYBODY


@settings(max_examples=100, deadline=None)
@given(formulas)
def test_boxes_say_the_same_as_their_formula(formula):
    boxes = simple_boxes(formula)
    for account in ACCOUNTS:
        assert boxed(boxes, account) is true(formula, account)


@settings(max_examples=100, deadline=None)
@given(formulas, st.integers(1, 4), st.integers(1, 3), st.integers(1, 6))
def test_fitting_keeps_the_limits_and_loses_nobody(formula, groups, in_group, in_all):
    limits = Limits(groups=groups, in_group=in_group, in_all=in_all, characters=120)
    found = fitted(
        simple_boxes(formula), limits, lambda box, _: len(box), lambda boxes: "x" * 50 * len(boxes)
    )
    assert len(found) <= min(groups, 2)
    assert all(len(box) <= in_group for box in found)
    assert sum(map(len, found)) <= in_all
    for account in ACCOUNTS:
        assert boxed(found, account) or not true(formula, account)


@settings(max_examples=100, deadline=None)
@given(formulas, formulas)
def test_a_box_said_to_be_covered_is(formula, other):
    for box in simple_boxes(formula):
        assert covered(box, formula)
        if covered(box, other):
            assert all(true(other, account) for account in ACCOUNTS if boxed([box], account))


@settings(max_examples=50, deadline=None)
@given(profiles(), some_facts())
def test_the_clauses_hold_exactly_when_the_profile_may_apply_and_has_not_failed(profile, facts):
    def leaf(asked: Leaf, wanted: bool) -> Formula:
        low, high = compile_conditions([asked], profile.currency)(facts, NOW)[:2]
        return EVERYBODY if (high > 0.0 if wanted else low < 1.0) else NOBODY

    clauses = [clause for clause in clauses_of(profile) if clause.role is not Role.PEOPLE]
    found = every(may(clause.when, clause.wanted, leaf) for clause in clauses)
    assessment = assess(compile_profile(profile), facts, NOW)
    assert (found == EVERYBODY) is (assessment.applies and assessment.fate is not Fate.FAILED)
