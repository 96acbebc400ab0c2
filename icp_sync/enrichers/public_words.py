"""What the readers of Wikipedia infobox texts share: their answers and footnotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from icp_sync.domain.facts import Interval, Money


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a text is not a fact."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a text states. `year`: the newest it names for this value, None when undated."""

    value: Interval | Money
    year: int | None = None


FOOTNOTE = re.compile(r" : \d{1,3}(?=\s*(?:\(|$))|\[$")
"""A page number left behind by a reference ("c. 16,000 : 2 (2025)")."""


def words(listed: str) -> frozenset[str]:
    """A set of words from a line of them."""
    return frozenset(listed.split())


def outside_brackets(text: str) -> str:
    """The text with everything in brackets blanked out, positions kept."""
    depth, out = 0, []
    for letter in text:
        depth += letter == "("
        out.append(" " if depth else letter)
        depth = max(depth - (letter == ")"), 0)
    return "".join(out)
