"""Headcounts of listed companies, as Wikipedia's infoboxes word them → an interval with its year.

Words outside the ones listed here may change what a number counts ("in France", "part-time"), so they are
a refusal. Full-time equivalents count as headcounts. A number called approximate is read as rounded to
its last significant digit: "c. 70,000" is 65,000–75,000, "c. 16,000" is 15,500–16,500.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from icp_sync.domain.facts import Interval
from icp_sync.enrichers.public_words import FOOTNOTE, Refused, Stated, outside_brackets, words
from icp_sync.normalize.numbers import LONGEST, numeral, plainly
from icp_sync.normalize.periods import DATES, year_in

MOST_EMPLOYEES = 3_000_000

_LOOSE_DATE = re.compile(
    r"(?<![(\w])(?:as of|as at|in|at)\s+((?:[a-z]+\.? )?(?:\d{1,2},? )?(?:19|20)\d\d)(?![^(]*\))"
)
_SAID_BEFORE = re.compile(r"\b(non-?consolidated|consolidated|total) ?: ?(\d[\d,.]*)")
_SAID_INSIDE = re.compile(r"\((?:(consolidated|group) ?:? ?(\d[\d,.]*)|(\d[\d,.]*) (consolidated))\)")
_NUMBER = re.compile(r"\d[\d,.']*(?: \d{3}(?![\d,.]))*")
_WORDS = re.compile(r"[^\W\d_][\w.'/-]*|[^\s\w(),;.:\[\]'\u2013-]")

_ABOUT = words("c. c ca. ca circa approx. approx approximately about ~ ≈ est est.")
_MORE = words("over more > +")
_WHOLE = words("consolidated group subsidiaries")
_PART = words("non-consolidated nonconsolidated holding")
_NEUTRAL = words(
    "employees employee people fte ftes full-time equivalent equivalents average avg worldwide globally "
    "as of end the at in on mid during year fiscal than including basis company fy jfy total to"
)
_KNOWN = _ABOUT | _MORE | _WHOLE | _PART | _NEUTRAL


@dataclass(frozen=True, slots=True)
class _Count:
    """One number of a text with the words that belong to it."""

    value: float
    step: float
    words: tuple[str, ...]
    year: int | None


def employees(raw: str) -> Stated | Refused:
    """How many people a text says a company employs; of several numbers, the group's newest."""
    if len(raw) > LONGEST:
        return Refused("too long")
    text = FOOTNOTE.sub("", plainly(raw))
    text = _SAID_INSIDE.sub(lambda m: f" {m[2] or m[3]} ({m[1] or m[4]})", text)
    text = _SAID_BEFORE.sub(r"\2 (\1)", text)
    text = _LOOSE_DATE.sub(r" (\1)", text)
    counts = _counts(text)
    if isinstance(counts, Refused):
        return counts
    chosen = _choose(counts)
    if isinstance(chosen, Refused):
        return chosen
    return _headcount(chosen, text)


def _counts(text: str) -> list[_Count] | Refused:
    """Every number outside brackets, with the words before the first and after each."""
    outside = list(_NUMBER.finditer(outside_brackets(text)))
    if not outside:
        return Refused("names no number")
    counts = []
    for index, found in enumerate(outside):
        end = outside[index + 1].start() if index + 1 < len(outside) else len(text)
        around = (text[: found.start()] + " " if index == 0 else "") + text[found.end() : end]
        read = numeral(found[0].rstrip(",."), decimal_thirds=False)
        if read is None or not read.value.is_integer():
            return Refused(f"'{found[0]}' can be read in two ways")
        beside = _words(around)
        if isinstance(beside, Refused):
            return beside
        counts.append(_Count(read.value, read.step, beside, year_in(around)))
    return counts


def _words(around: str) -> tuple[str, ...] | Refused:
    """The words beside a number once dates are gone; a number or word we do not know is a refusal."""
    if around.strip() == "-":
        return ("to",)
    rest = DATES.sub(" ", around.replace("full-time equivalent", "fte"))
    if re.search(r"\d", rest):
        return Refused("names a second number")
    found = tuple(_WORDS.findall(rest.replace("non consolidated", "non-consolidated")))
    strange = [word for word in found if word not in _KNOWN and word.rstrip(".") not in _KNOWN]
    if strange:
        return Refused(f"'{strange[0]}' may change what the number counts")
    if "full-time" in found:
        return Refused("counts only people in full-time work")
    return found


def _choose(counts: Sequence[_Count]) -> _Count | Refused | tuple[_Count, _Count]:
    """The number of the whole group; of several years the newest; two ends of a range as a pair."""
    if len(counts) == 2 and "to" in counts[0].words and counts[0].value < counts[1].value:
        return counts[0], counts[1]
    if any("to" in count.words for count in counts):
        return Refused("the range is not one")
    whole = [count for count in counts if _WHOLE & set(count.words)]
    total = [count for count in counts if "total" in count.words]
    if whole and total and {c.value for c in whole} != {c.value for c in total}:
        return Refused("its total and its consolidated number differ")
    left = whole or total or [count for count in counts if not _PART & set(count.words)]
    if not left:
        return Refused("counts only a part of the group")
    newest = max((count.year or 0 for count in left), default=0)
    best = [count for count in left if (count.year or 0) == newest]
    if len(best) > 1 or (len(left) > 1 and not newest):
        return Refused("names several numbers and does not say which is the group's")
    return best[0]


def _headcount(chosen: _Count | tuple[_Count, _Count], text: str) -> Stated | Refused:
    first, last = chosen if isinstance(chosen, tuple) else (chosen, chosen)
    beside = {*first.words, *last.words}
    slack = last.step / 2 if beside & _ABOUT and last.step > 1 else 0.0
    low, high = first.value - slack, inf if beside & _MORE else last.value + slack
    if not 1 <= low <= MOST_EMPLOYEES or (high > MOST_EMPLOYEES and high != inf):
        return Refused("no company employs so many" if low > 1 else "employs nobody")
    return Stated(value=Interval(low, high), year=last.year or year_in(text))
