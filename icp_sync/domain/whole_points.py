"""Points as people read them: whole ones that add up."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

EPSILON = 1e-9
"""Float noise of a sum must not move a floor or a ceiling."""


def rounded(points: float) -> int:
    """Half up, so that a bound rounds as the score between it does."""
    return floor(points + 0.5 + EPSILON)


def largest_remainder(shares: Sequence[float], total: int, most: Sequence[int]) -> list[int]:
    """Whole numbers that add up to `total`, each its share rounded down or up, none above its `most`.

    Requires floor(sum(shares)) ≤ total ≤ sum(most). Ties go to the earlier share.
    """
    whole: list[int] = []
    lost: list[float] = []
    for share, top in zip(shares, most, strict=True):
        low = floor(share + EPSILON)
        lost.append(low - share)
        whole.append(low if low < top else top)
    left = total - sum(whole)
    order = sorted(range(len(whole)), key=lost.__getitem__) if left > 0 else []
    while left > 0:
        before = left
        for i in order:
            if left > 0 and whole[i] < most[i]:
                whole[i] += 1
                left -= 1
        if left == before:
            break  # only when total exceeds sum(most); callers never ask for that
    return whole
