"""What the readers of Wikipedia infobox texts share: their answers, dates and footnotes."""

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


DATES = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?![a-z])|\bq[1-4]\b|\b[1-4]q\b"
    r"|\b(?:fye?|jfy) ?\d{2,4}(?:\.\d)?\b|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b|\b\d{1,2}/\d{4}\b"
    r"|\b\d{4}(?:[/-]\d{2,4})?\b|\b\d{1,2}(?:st|nd|rd|th)?\b"
)
"""Pieces of dates in text made plain: months, quarters, fiscal years, days, years."""

FOOTNOTE = re.compile(r" : \d{1,3}(?=\s*(?:\(|$))|\[$")
"""A page number left behind by a reference ("c. 16,000 : 2 (2025)")."""

_YEAR = re.compile(r"\b(?:(?:fye?|jfy) ?)?((?:19|20)\d\d)(?:[/-](\d{2,4}))?(?!\d)|\b(?:fye?|jfy) ?(\d{2})\b")


def words(listed: str) -> frozenset[str]:
    """A set of words from a line of them."""
    return frozenset(listed.split())


def year_in(text: str) -> int | None:
    """The newest year a plain text names ("fy25"; "2023/24" is 2024)."""
    years = []
    for plain, second, short in _YEAR.findall(text):
        year = int(plain or 2000 + int(short))
        years.append(year // 10 ** len(second) * 10 ** len(second) + int(second) if second else year)
    return max((year for year in years if year < 2200), default=None)


def outside_brackets(text: str) -> str:
    """The text with everything in brackets blanked out, positions kept."""
    depth, out = 0, []
    for letter in text:
        depth += letter == "("
        out.append(" " if depth else letter)
        depth = max(depth - (letter == ")"), 0)
    return "".join(out)
