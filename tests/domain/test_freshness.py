"""A digest of spans: quantiles within two and a half per cent, and merging is adding."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.freshness import bucket_of, quantile

spans = st.lists(st.floats(0.1, 90 * 86_400.0), min_size=1, max_size=60)
shares = st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 1.0])


def digest(seconds: list[float]) -> Counter[str]:
    return Counter(map(bucket_of, seconds))


@given(spans, shares)
def test_a_quantile_is_within_two_and_a_half_per_cent_of_a_span_that_was(
    seconds: list[float], share: float
) -> None:
    true = sorted(seconds)[max(1, ceil(share * len(seconds) - 1e-9)) - 1]
    assert quantile(digest(seconds), share) == pytest.approx(true, rel=0.0251)


@given(spans, spans, shares)
def test_digests_that_are_added_say_what_all_their_spans_would(
    one: list[float], other: list[float], share: float
) -> None:
    assert quantile(digest(one) + digest(other), share) == quantile(digest([*one, *other]), share)


def test_the_goals_of_42_and_75_seconds_are_told_apart_from_their_neighbours() -> None:
    assert len({bucket_of(s) for s in (40, 42, 45, 71, 75, 79)}) == 6


def test_without_any_span_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_clocks_that_differ_and_damaged_digests_count_for_nothing() -> None:
    assert bucket_of(-3.0) == bucket_of(0.0) == bucket_of(0.1)
    assert quantile({"no number": 7, "99999": 3, "81": 1}, 0.5) == pytest.approx(50, rel=0.1)
