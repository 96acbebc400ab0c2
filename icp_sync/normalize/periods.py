"""The year a figure belongs to, as people write it beside it: "(FY2024)", "(2023/24)", "TTM June 2025".

A note is only taken off where nothing else is in it: what is not a date or a word of dates may change what
the figure is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DATES = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?![a-z])|\bq[1-4]\b|\b[1-4]q\b"
    r"|\b(?:fye?|jfy|cy) ?'?\d{2,4}(?:\.\d)?(?:[/-]\d{2,4})?\b"
    r"|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b|\b\d{1,2}/\d{4}\b"
    r"|\b\d{4}(?:[/-]\d{2,4})?\b|\b\d{1,2}(?:st|nd|rd|th)?\b"
)
"""Pieces of dates in text made plain: months, quarters, fiscal years, days, years."""

QUARTER = re.compile(r"\bq[1-4]\b|\b[1-4]q\b|\b(?:half|h[12]|[12]h|quarter)\b")
"""Words of a part of a year, in text made plain."""

_YEAR = re.compile(
    r"\b(?:(?:fye?|jfy|cy) ?'?)?((?:19|20)\d\d)(?:[/-](\d{2,4}))?(?!\d)"
    r"|\b(?:fye?|jfy|cy) ?'?(\d{2})(?:[/-](\d{2}))?\b"
)
_NEUTRAL = frozenset((
    "annual", "annualised", "annualized", "as", "at", "business", "calendar", "consolidated", "cy", "during",
    "end", "ended", "ending", "est", "estimate", "estimated", "figures", "financial", "fiscal", "for", "from",
    "fy", "fye", "in", "jfy", "last", "ltm", "months", "of", "on", "report", "reported", "the", "to",
    "trailing", "ttm", "twelve", "until", "y/e", "year",
))  # fmt: skip
_WORD = re.compile(r"[^\W\d_][\w./'-]*")
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{0,100})[)\]]$")
_TAIL = re.compile(
    r"[ ,;]\s*(?:(?:in|as of|as at|for|during)(?: the)? )?"
    r"(?:fye?|jfy|cy|ttm|ltm|fiscal|financial|business|year|y/e"
    r"|(?<=in )(?=(?:19|20)\d\d)|(?<=as of )|(?<=as at )|(?<=for )(?=(?:19|20)\d\d)).{0,100}$"
)
_HEAD = re.compile(r"(?:fye?|jfy|cy) ?'?\d{2,4}(?:[/-]\d{2,4})?\b|(?:ttm|ltm|trailing twelve months)\b")


class Noted(NamedTuple):
    """A figure's text without the note of its period. `partial`: the note says it is not a whole year's."""

    text: str
    year: int | None
    partial: bool


def year_in(text: str) -> int | None:
    """The newest year a plain text names ("fy25"; "2023/24" is 2024)."""
    years = []
    for plain, second, short, then in _YEAR.findall(text):
        year = int(plain or 2000 + int(short))
        second = second or then
        years.append(year // 10 ** len(second) * 10 ** len(second) + int(second) if second else year)
    return max((year for year in years if 1900 <= year < 2200), default=None)


def noted(text: str) -> Noted:
    """A text made plain, parted into the figure and the period beside it, if there is one."""
    figure, notes = text, list[str]()
    for _ in range(3):
        found = _BRACKETS.search(figure) or _TAIL.search(figure)
        if not found or not found.start() or not _is_note(found[0]):
            break
        figure, notes = figure[: found.start()].strip(), [*notes, found[0]]
    head = _HEAD.match(figure)
    if head and figure[head.end() :].strip(" :=-"):
        figure, notes = figure[head.end() :].lstrip(" :=-"), [*notes, head[0]]
    said = " ".join(notes)
    return Noted(figure, year_in(said), bool(QUARTER.search(said)))


def _is_note(text: str) -> bool:
    if year_in(text) is None and not re.search(r"\b(?:ttm|ltm|twelve months)\b", text):
        return False
    rest = DATES.sub(" ", text)
    return not re.search(r"[\d$€£¥₹%]", rest) and all(
        word.rstrip(".") in _NEUTRAL or word in ("quarter", "half") for word in _WORD.findall(rest)
    )
