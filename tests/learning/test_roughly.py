"""How many cases would be enough: one significant figure, and no more than anybody can know."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.learning.figures.roughly import FAR, roughly


@given(st.integers(1, 10**9), st.integers(0, 10**6))
def test_a_number_has_one_figure_and_is_never_too_small(n: int, there: int) -> None:
    said = roughly(n, there)
    if said == "far more":
        assert n > FAR * there
        return
    number = said.removeprefix("about ").replace(",", "")
    assert number.rstrip("0") in {*"123456789"}
    assert n <= int(number) < 2 * n


def test_far_more_than_there_are_is_not_put_into_a_number() -> None:
    assert (roughly(114, 751), roughly(4_900, 1_729)) == ("about 200", "about 5,000")
    assert roughly(345_644, 1_729) == "far more"
