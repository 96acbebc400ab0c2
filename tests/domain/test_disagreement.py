"""Sources disagree when both cannot be right: more than one size band apart, or another choice."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.disagreement import HEADCOUNTS, disagreements, from_json, to_json
from icp_sync.domain.facts import (
    FactType,
    FactValue,
    Interval,
    Members,
    Money,
    Signal,
    choice,
    merge,
    number,
    yes_no,
)

TYPES = {
    "employees": FactType.NUMBER,
    "revenue": FactType.MONEY,
    "country": FactType.CHOICE,
    "name": FactType.CHOICE,
    "city": FactType.CHOICE,
    "open_jobs": FactType.NUMBER,
    "technologies": FactType.SET,
    "sells_online": FactType.YES_NO,
}


def apart(fact: str, *values: FactValue, floors: dict[str, float] | None = None) -> list[int]:
    """Bands between the first of these values and each of the others that contradicts it."""
    signals = [
        Signal(fact=fact, value=value, source=f"s{rank}", observed_at=1.0, rank=rank)
        for rank, value in enumerate(values)
    ]
    return [d.bands for d in disagreements(merge(signals, types=TYPES, floors=floors or {}), TYPES)]


@pytest.mark.parametrize(
    ("ours", "theirs", "bands"),
    [
        (number(120), number(199), []),
        (number(200), number(201), []),  # neighbours
        (number(50), number(500), [2]),  # 11-50 and 201-500
        (number(51, 200), number(501, 1000), [2]),
        (number(1, 10), number(10_001, inf), [7]),
        (number(5_000), number(10, 500), [2]),
        (number(1, 10_000), number(12), []),  # a wide band holds it
        (number(10, 50), number(201, 500), [2]),  # bands whose edges touch
    ],
)
def test_headcounts_more_than_one_band_apart_disagree(
    ours: Interval, theirs: Interval, bands: list[int]
) -> None:
    assert apart("employees", ours, theirs) == bands


@pytest.mark.parametrize(
    ("ours", "theirs", "bands"),
    [
        (Money(1e6, 10e6, "USD"), Money(10e6, 25e6, "USD"), []),
        (Money(1e6, 10e6, "USD"), Money(25e6, 50e6, "USD"), [2]),
        (Money(10e6, 10e6, "USD"), Money(26e6, 26e6, "USD"), []),  # an edge belongs to both its sides
        (Money(9e6, 9e6, "EUR"), Money(26e6, 26e6, "USD"), []),  # it may be 10.8 million dollars
        (Money(2e6, 2e6, "EUR"), Money(300e6, 300e6, "USD"), [5]),
        (Money(2e6, 2e6, ""), Money(4e6, 4e6, "USD"), []),  # nobody said what currency it is
    ],
)
def test_revenues_are_compared_in_dollars_however_wide_that_makes_them(
    ours: Money, theirs: Money, bands: list[int]
) -> None:
    assert apart("revenue", ours, theirs) == bands


def test_choices_that_differ_disagree_and_spellings_do_not() -> None:
    assert apart("country", choice("US"), choice("DE")) == [0]
    assert apart("city", choice("St. Gallen"), choice("st gallen")) == []
    assert apart("name", choice("Acme"), choice("Acme Inc.")) == []
    assert apart("sells_online", yes_no(True), yes_no(False)) == [0]
    assert apart("country", choice("US"), Members(frozenset(), True)) == []


def test_sets_and_facts_without_bands_never_disagree() -> None:
    assert apart("technologies", choice("hubspot"), choice("salesforce")) == []
    assert apart("open_jobs", number(3), number(3_000)) == []


def test_what_is_below_the_floor_can_still_contradict() -> None:
    signals = [
        Signal(fact="employees", value=number(40), source="ours", observed_at=1.0, confidence=0.9, rank=5),
        Signal(fact="employees", value=number(4_000), source="weak", observed_at=1.0, confidence=0.2),
    ]
    [found] = disagreements(merge(signals, types=TYPES, floors={"employees": 0.5}), TYPES)
    assert (found.winner.source, found.loser.source, found.bands) == ("ours", "weak", 4)


def test_one_source_never_contradicts_itself_and_every_other_is_named_once() -> None:
    told = [("a", 20.0), ("a", 9_000.0), ("b", 9_000.0), ("b", 8_000.0), ("c", 20.0)]
    signals = [
        Signal(fact="employees", value=number(n), source=who, observed_at=1.0, rank=rank)
        for rank, (who, n) in enumerate(told)
    ]
    found = disagreements(merge(signals, types=TYPES), TYPES)
    assert [(d.winner.source, d.loser.source) for d in found] == [("a", "b")]


def test_a_stored_disagreement_comes_back_and_nonsense_does_not() -> None:
    signals = [
        Signal(fact="employees", value=number(40), source="a", observed_at=1.0),
        Signal(fact="employees", value=number(4_000, inf), source="b", observed_at=1.0, rank=1),
    ]
    found = disagreements(merge(signals, types=TYPES), TYPES)
    back = from_json(to_json(found))
    assert to_json(back) == to_json(found)
    assert [(d.loser.value, d.bands) for d in back] == [(number(4_000, inf), 4)]
    assert from_json(None) == from_json([["employees"], 3, ["f", ["?"], "a", ["?"], "b", 1]]) == ()


SIZES = st.floats(0, 1e6)


@given(SIZES, SIZES, SIZES, SIZES)
def test_which_of_two_counts_makes_no_difference(a: float, b: float, c: float, d: float) -> None:
    ours, theirs = Interval(min(a, b), max(a, b)), Interval(min(c, d), max(c, d))
    assert apart("employees", ours, theirs) == apart("employees", theirs, ours)


@given(SIZES, SIZES, SIZES)
def test_values_that_may_be_equal_never_disagree(a: float, b: float, c: float) -> None:
    low, within, high = sorted((a, b, c))
    assert apart("employees", Interval(low, high), number(within)) == []
    assert len(HEADCOUNTS) == 7
