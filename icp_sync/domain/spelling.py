"""Names, values and dates in plain English, on one line and not too long. Knows no profile, no evaluation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf

from icp_sync.domain.facts import FactValue, Members, Money

REASONS_LIMIT = 500  # characters a rep reads at a glance
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_DATE_FACTS = frozenset({"founded", "last_funding_date", "last_activity", "last_touch", "last_visit"})


def bound_text(fact: str, value: float) -> str:
    """A bound of a fact: a UTC date for dates, else a number."""
    return date_text(value) if is_date(fact) else amount_text(value)


def is_date(name: str) -> bool:
    """Whether a fact is an instant, by its name."""
    return name.rpartition(".")[2] in _DATE_FACTS or name.endswith(("_date", "_at"))


def fact_text(name: str) -> str:
    """A fact's name for people; one of the parent's or the group's says so: "group employees"."""
    return name.replace("_", " ").replace(".", " ")


def value_text(name: str, value: FactValue) -> str:
    """A fact value for people: "51–200", "EUR 2.0B", "2024-03-01", "hubspot, salesforce"."""
    if isinstance(value, Members):
        return _listed(sorted(value.known)) + ("" if value.complete else " (maybe more)")
    if isinstance(value, Money):
        return f"{value.currency or 'currency unknown,'} {_range(value.low, value.high)}"
    if is_date(name):
        first, last = date_text(value.low), date_text(value.high)
        if first.endswith("-01-01") and last == f"{first[:4]}-12-31":
            return first[:4]
        return first if first == last else f"{first} to {last}"
    return _range(value.low, value.high)


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


def _range(low: float, high: float) -> str:
    if low == high:
        return amount_text(low)
    if high == inf:
        return f"{amount_text(low)} or more"
    return f"up to {amount_text(high)}" if low == -inf else f"{amount_text(low)}–{amount_text(high)}"


def amount_text(value: float) -> str:
    """A number as people write it: "1,193", "2.5M"; "any" for an open end."""
    if value in (inf, -inf):
        return "any"
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


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
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at = head.rfind(" ")
    whole = head[:at] if at > 0 else head
    return (whole.rstrip(" ,;:") or head) + "…"


def plain(text: str, limit: int) -> str:
    """One line that nothing runs, turns or breaks, cut at a word.

    What people and vendors typed may hold line breaks, marks that turn the reading direction, or a tag that
    a page or a mail would take for its own.
    """
    if text.isprintable() and "<" not in text and "  " not in text and len(text) <= limit:
        return text.strip()
    line = "".join(c if c.isprintable() else " " for c in text)
    return cut(_TAG.sub("‹", " ".join(line.split())), limit)


def ended(text: str) -> str:
    """A sentence with its full stop; one that was cut has its end already."""
    return text if text.endswith((".", "…", "!", "?")) else f"{text}."
