"""What a question tells beyond the strongest facts: its table within groups of cases that these rank alike.

Most of what decides is noise to a single question. Where some facts are sure, cases are grouped by what they
say, and a weaker fact is tested inside the groups (Mantel and Haenszel 1959): what it tells stands out more,
and a fact that only goes along with a strong one no longer does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import erfc, log, sqrt

from icp_sync.learning.figures.chance import FEW
from icp_sync.learning.marks.coded import NO, NOT_KNOWN, YES, Column, Question

MOST_GROUPS = 10
_GOOD_EACH = 20  # good ones in a group on average, at least
_PRIOR = 5.0  # cases of the base rate mixed into every band


def grouped(strong: Iterable[tuple[Column, Question]], labels: bytes) -> list[int]:
    """The cases in about equal groups, by how good the strong facts say they are; a bit a case, the first
    case the highest. strong: facts, and of each the question that is asked where it has no bands. labels: 1
    for a good case. No groups where there are too few good ones, or too few others."""
    n, good = len(labels), sum(labels)
    wanted = min(MOST_GROUPS, min(good, n - good) // _GOOD_EACH)
    if wanted < 2:
        return []
    odds = good / (n - good)
    risk = [0.0] * n
    for column, question in strong:
        codes = question.answers.translate(_AS_BANDS) if column.kind == "members" else column.codes
        said = _evidence(codes, labels, good / n, odds)
        risk = [so_far + said[code] for so_far, code in zip(risk, codes, strict=True)]
    order = sorted(range(n), key=risk.__getitem__)
    groups = [bytearray(b"0" * n) for _ in range(wanted)]
    for rank, index in enumerate(order):
        groups[rank * wanted // n][index] = ord("1")
    return [int(bytes(group), 2) for group in groups]


_AS_BANDS = bytes([NO, YES, NO] + [NOT_KNOWN] * 253)
"""A member that is not listed counts as one that is not there."""


def _evidence(codes: bytes, flags: bytes, base: float, odds: float) -> list[float]:
    """Code → logarithm of its odds against those of all, nothing where the band is not known."""
    pairs = bytes(code & 127 | flag << 7 for code, flag in zip(codes, flags, strict=True))
    found = [0.0] * 256
    for code in set(codes) - {NOT_KNOWN}:
        won, lost = pairs.count(code | 128), pairs.count(code)
        found[code] = log((won + _PRIOR * base) / (lost + _PRIOR * (1 - base)) / odds)
    return found


def within(yes: int, no: int, good: int, groups: Sequence[int]) -> float | None:
    """Two-sided p that yes and no have the same rate in every group, None where counts are too small for it.

    yes, no, good, groups: bits of cases.
    """
    seen = expected = variance = 0.0
    n_yes = n_good = n = 0
    for group in groups:
        of_yes, of_no = (yes & group).bit_count(), (no & group).bit_count()
        won = (yes & group & good).bit_count()
        total, all_won = of_yes + of_no, won + (no & group & good).bit_count()
        if total < 2:
            continue
        seen += won
        expected += of_yes * all_won / total
        variance += of_yes * of_no * all_won * (total - all_won) / (total * total * (total - 1))
        n_yes, n_good, n = n_yes + of_yes, n_good + all_won, n + total
    cells = (expected, n_yes - expected, n_good - expected, n - n_yes - n_good + expected)
    if variance <= 0 or min(cells) < FEW:
        return None
    return erfc(abs(seen - expected) / sqrt(2 * variance))
