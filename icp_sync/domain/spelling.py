"""Names, values and dates in plain English, on one line and not too long. Knows no profile, no evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import inf

from icp_sync.domain.facts import FactValue, Members, Money

REASONS_LIMIT = 500  # characters a rep reads at a glance
WORDS = 64
"""Characters of one name or value in a list of several."""
DIGITS = 3
"""Digits of a large amount, and one less than those of a fraction, that people read without effort."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_SOFT_HYPHEN = "\u00ad"
_JOINERS = "\u200c\u200d"  # zero-width: part of how Persian, Hindi and emoji are spelled
_DATE_FACTS = frozenset({"founded", "last_funding_date", "last_activity", "last_touch", "last_visit"})


def bound_text(fact: str, value: float, digits: int = DIGITS) -> str:
    """A bound of a fact: a UTC date for dates, else a number."""
    return date_text(value) if is_date(fact) else amount_text(value, digits)


@lru_cache(maxsize=1_024)
def is_date(name: str) -> bool:
    """Whether a fact is an instant, by its name."""
    return name.rpartition(".")[2] in _DATE_FACTS or name.endswith(("_date", "_at"))


@lru_cache(maxsize=1_024)
def fact_text(name: str) -> str:
    """A fact's name for people; one of the parent's or the group's says so: "group employees"."""
    return name.replace("_", " ").replace(".", " ")


def source_text(source: str) -> str:
    """A source for people: not which of a CRM's fields it was."""
    field = source.removeprefix("crm:")
    return source if field == source else field.partition(", ")[2] or "CRM"


def value_text(name: str, value: FactValue, digits: int = DIGITS) -> str:
    """A fact value for people: "51–200", "EUR 2.0B", "2024-03-01", "hubspot, salesforce"."""
    if isinstance(value, Members):
        return _listed(sorted(value.known)) + ("" if value.complete else " (maybe more)")
    if isinstance(value, Money):
        return f"{value.currency or 'currency unknown,'} {_range(value.low, value.high, digits)}"
    if is_date(name):
        first, last = date_text(value.low), date_text(value.high)
        if first.endswith("-01-01") and last == f"{first[:4]}-12-31":
            return first[:4]
        return first if first == last else f"{first} to {last}"
    return _range(value.low, value.high, digits)


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return (", ".join(values[:5]) or "none") + more


def spoken_value(name: str, value: FactValue) -> str:
    """A fact value in a rep's words: as `value_text`, and no code of a vocabulary: "Computer software"."""
    if not isinstance(value, Members):
        return value_text(name, value)
    return _listed([_spoken(one) for one in sorted(value.known)])


def _spoken(one: str) -> str:
    """A member of a set as people say it; short codes such as a country's stay."""
    said = one.replace("_", " ")
    return said.capitalize() if len(said) > 3 and said.isupper() else said


def _range(low: float, high: float, digits: int) -> str:
    first, last = amount_text(low, digits), amount_text(high, digits)
    if low == high:
        return first
    if high == inf:
        return f"{first} or more"
    return f"up to {last}" if low == -inf else f"{first}–{last}"


def amount_text(value: float, digits: int = DIGITS) -> str:
    """A number as people write it: "1,193", "2.5M"; "any" for an open end. digits: of a large one."""
    if value in (inf, -inf):
        return "any"
    if abs(value) >= 1e6:
        near = float(f"{value:.{digits}g}")  # 999,999,999 is a billion
        size, unit = next(one for one in _UNITS if abs(near) >= one[0])
        return f"{near / size:.{digits}g}{unit}" if abs(near) < 1000 * size else f"{near / size:,.0f}{unit}"
    said = f"{value:,.0f}" if value == round(value) else f"{value:,.{digits + 1}g}"
    return f"{value:,.0f}" if "e+" in said else said


_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def date_text(seconds: float) -> str:
    """An instant as a UTC date; open ends and years nobody can hold are said so."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return "long ago" if seconds < 0 else "far ahead"


def cut(text: str, limit: int = REASONS_LIMIT) -> str:
    """One line, cut at a word and marked with … when longer than the limit.

    Company facts may carry control characters or half a character; a CRM drops them in its own way, and
    what it then holds would not be what we wrote.
    """
    text = _inert(text)
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at = head.rfind(" ")
    whole = head[:at] if at > 0 else head
    return (whole.rstrip(f" ,;:{_JOINERS}") or head) + "…"


def _inert(text: str) -> str:
    """The same with a space for every character that is not seen. Joiners stay where letters or emoji need
    them; a soft hyphen goes without a trace."""
    if text.isprintable():
        return text
    text = text.replace(_SOFT_HYPHEN, "")
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return "".join(c if c.isprintable() or _joins(before, c, after) else " " for before, c, after in around)


def _joins(before: str, one: str, after: str) -> bool:
    return one in _JOINERS and all(c.isprintable() and not c.isascii() for c in (before, after))


def plain(text: str, limit: int) -> str:
    """One line that nothing runs, turns or breaks, cut at a word.

    What people and vendors typed may hold line breaks, marks that turn the reading direction, or a tag that
    a page or a mail would take for its own.
    """
    if text.isprintable() and "<" not in text and "  " not in text and len(text) <= limit:
        return text.strip()
    return cut(_TAG.sub("‹", " ".join(_inert(text).split())), limit)


@lru_cache(maxsize=1_024)
def named(name: str) -> str:
    """A name out of a profile, or a fact's, as one of several. There are few, and every account has them."""
    return plain(name, WORDS)


def ended(text: str) -> str:
    """A sentence with its full stop; one that was cut has its end already."""
    return text if text.endswith((".", "…", "!", "?")) else f"{text}."
