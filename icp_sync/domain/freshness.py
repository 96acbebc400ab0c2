"""How long changes waited for their standing on the record: many spans as a few counts that add up. Pure.

A digest is a number of spans per bucket; buckets grow by five per cent, so that any quantile is known within
two and a half, and the digests of runs, hours or processes are merged by adding.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log

GROWTH = 1.05
SHORTEST = 0.1
"""Seconds; what is shorter, or below zero by two clocks that differ, counts as this."""


def bucket_of(seconds: float) -> str:
    """The name of the bucket a span falls into."""
    return str(ceil(log(max(SHORTEST, seconds)) / log(GROWTH) - 1e-9))


def quantile(digest: Mapping[str, int], share: float) -> float | None:
    """Seconds within which this share (0 to 1) of the spans lay; None without any. What is no bucket counts
    for nothing."""
    counts = sorted((number, n) for name, n in digest.items() if (number := _number(name)) is not None)
    left = share * sum(n for _, n in counts)
    for number, n in counts:
        left -= n
        if left <= 1e-9:
            return 2 * GROWTH**number / (GROWTH + 1)
    return None


def _number(name: str) -> int | None:
    try:
        number = int(name)
    except ValueError:
        return None
    return number if abs(number) < 1_000 else None
