"""What a stamp says is read from it again; what is no stamp of ours is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.stamp import stamp_from, stamp_values

NAMES = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=20)


@given(
    tier=st.sampled_from("ABCD"),
    score=st.integers(0, 100),
    profile=st.one_of(st.just(""), NAMES, st.builds("{} {}".format, NAMES, NAMES)),
    version=st.integers(1, 999),
)
def test_what_is_stamped_is_read_again(tier: str, score: int, profile: str, version: int) -> None:
    assert stamp_from(stamp_values(tier, score, profile, version)) == (tier, score, profile, version)


@pytest.mark.parametrize("state", ["Needs data", "Not ICP"])
def test_a_state_may_come_without_a_score(state: str) -> None:
    assert stamp_from(stamp_values(state, None, "mid", 3)) == (state, None, "mid", 3)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tier": "A", "score": "72"},
        {"tier": "A", "profile": "mid v3"},
        {"tier": "Needs data", "profile": "mid v3"},
        {"tier": "A", "score": "", "profile": "mid v3"},
        {"tier": "A", "score": "72.5", "profile": "mid v3"},
        {"tier": "A", "score": "٧٢", "profile": "mid v3"},
        {"tier": "a", "score": "72", "profile": "mid v3"},
        {"tier": "", "score": "", "profile": ""},
        {"tier": "A", "score": "72", "profile": "mid"},
        {"tier": "A", "score": "72", "profile": "mid v0"},
        {"tier": "A", "score": "72", "profile": "mid v3 (by hand)"},
    ],
)
def test_anything_else_is_no_stamp_of_ours(values: dict[str, str]) -> None:
    assert stamp_from(values) is None
