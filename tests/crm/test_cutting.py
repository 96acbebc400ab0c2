"""Ids cut into ranges of about the same size, however they are spread, for a bounded number of looks."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.cutting import FURTHER, LEAST, LOOKS, Look, cut_evenly


def shares(ids: list[int], parts: int, low: int = 0) -> tuple[list[int], int]:
    """How many ids each range has, and how many looks that took."""
    looks = [0]

    def look(at: int, upwards: bool) -> Look:
        assert low < at < ids[-1]
        looks[0] += 1
        below = bisect_right(ids, at)
        if upwards:
            beside = ids[below] if below < len(ids) else None
        else:
            beside = ids[below - 1] if below and ids[below - 1] > low else None
        return Look(below=below - bisect_right(ids, low), beside=beside)

    total = len(ids) - bisect_right(ids, low)
    cuts = cut_evenly(parts, low, ids[-1] if ids else low, total, look)
    assert cuts == sorted(set(cuts))
    ends = [bisect_right(ids, bound) for bound in (low, *cuts, ids[-1] if ids else low)]
    return [b - a for a, b in pairwise(ends)], looks[0]


@st.composite
def spread(draw: st.DrawFn) -> list[int]:
    """Dense imports, years of a few, jumps of billions."""
    runs = draw(st.lists(st.tuples(st.integers(1, 900), st.sampled_from([1, 3, 40, 10**6])), max_size=6))
    random, ids, at = Random(draw(st.integers(0, 10**6))), [], 5
    for many, step in runs:
        at += random.choice([1, 1000, 10**9, 10**11])
        for _ in range(many):
            at += random.randrange(1, step + 1)
            ids.append(at)
    return ids


@settings(max_examples=80, deadline=None)
@given(ids=spread(), parts=st.integers(1, 12), low=st.integers(0, 2_000))
def test_the_ranges_hold_everything_none_is_tiny_and_the_looks_are_bounded(
    ids: list[int], parts: int, low: int
) -> None:
    at = ids[low % len(ids)] if ids and low else 0
    found, looks = shares(ids, parts, at)
    total = len(ids) - bisect_right(ids, at)
    assert sum(found) == total
    assert len(found) <= max(1, min(parts, total // LEAST))
    assert looks <= LOOKS * (parts - 1) + FURTHER


@pytest.mark.parametrize("parts", [2, 8, 16])
@pytest.mark.parametrize("how", ["even", "two imports", "ever rarer", "years", "one far away"])
def test_shares_are_within_a_fifth_of_even_on_even_and_on_clustered_ids(how: str, parts: int) -> None:
    random = Random(how)
    ids = {
        "even": sorted(random.sample(range(10**9), 20_000)),
        "two imports": [*range(1_000, 11_000), *range(10**11, 10**11 + 10_000)],
        "ever rarer": sorted({int(10 ** random.uniform(3, 11)) for _ in range(20_000)}),
        "years": sorted(
            {year * 10**9 + random.randrange(4**year) for year in range(1, 15) for _ in range(1_500)}
        ),
        "one far away": [*range(5, 20_005), 10**12],
    }[how]
    found, _ = shares(ids, parts)
    even = len(ids) / parts
    assert len(found) == parts
    assert all(abs(share - even) <= 0.2 * even for share in found), found


def test_even_ids_take_about_one_look_a_cut() -> None:
    ids = sorted(Random(1).sample(range(10**9), 20_000))
    _, looks = shares(ids, 8)
    assert looks <= 14
