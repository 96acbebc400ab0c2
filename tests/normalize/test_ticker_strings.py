"""Raw texts of `pytickersymbols`, read by a person first: `ticker_strings.csv` says what each one states.

Its `reading` is "refused", or: of headcounts and revenues "low..high currency @year" (one number where it is
exact, nothing behind ".." where it is open, "?" for a currency nobody names, "c." read as rounded to the last
digit that is not a zero); of foundings the first and the last day; of headquarters the country and, where it
is certain, the city; of websites the domains.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import inf
from pathlib import Path

import pytest
from pytickersymbols import PyTickerSymbols

from icp_sync.domain.facts import Interval, Money
from icp_sync.enrichers.public_strings import (
    Place,
    Refused,
    Stated,
    employees,
    founded,
    headquarters,
    revenue,
    websites,
)

READERS: Mapping[str, Callable[[str], object]] = {
    "employees": employees,
    "revenue": revenue,
    "founded": founded,
    "headquarters": headquarters,
    "website": websites,
}

ROWS = tuple(
    csv.DictReader(
        Path(__file__).with_name("ticker_strings.csv").read_text(encoding="utf-8").splitlines(), strict=True
    )
)


def expected(field: str, reading: str) -> object:
    if reading == "refused":
        return Refused
    if field == "website":
        return tuple(reading.split())
    if field == "headquarters":
        country, _, city = reading.partition(" ")
        return Place(country=country, city=city)
    if field == "founded":
        return reading
    span, _, said = reading.partition(" @")
    span, _, currency = span.partition(" ")
    low, dots, high = span.partition("..")
    ends = (float(low), float(high) if high else inf if dots else float(low))
    year = int(said) if said else None
    if field == "employees":
        return Stated(value=Interval(*ends), year=year)
    return Stated(value=Money(*ends, currency.replace("?", ""), year), year=year)


def read(field: str, raw: str) -> object:
    found = READERS[field](raw)
    if isinstance(found, Refused):
        assert found.reason
        return Refused
    if field == "founded" and isinstance(found, Stated):
        return "..".join(datetime.fromtimestamp(at, UTC).date().isoformat() for at in found.value[:2])
    return found


@pytest.mark.parametrize("field", READERS)
def test_every_text_on_the_list_says_what_a_person_read(field: str) -> None:
    rows = [row for row in ROWS if row["field"] == field]
    wrong = [
        (row["raw"], row["reading"], found)
        for row in rows
        if (found := read(field, row["raw"])) != expected(field, row["reading"])
    ]
    assert rows
    assert not wrong


def test_the_list_is_of_the_package_and_long_enough() -> None:
    assert len(ROWS) == 366
    assert len({(row["field"], row["raw"]) for row in ROWS}) == len(ROWS)
    assert all(row["raw"] in texts(row["field"]) for row in ROWS)


@cache
def texts(field: str) -> frozenset[str]:
    companies = PyTickerSymbols().get_all_stocks()
    said = [(company.get("metadata") or {}).get(field) for company in companies]
    return frozenset(str(text) for text in said if text is not None)


def outcome(field: str, found: object) -> str:
    """ "refused", "read", or for a figure of a year "dated"; "undated" where its text names no year."""
    if isinstance(found, Refused):
        assert found.reason
        return "refused"
    if isinstance(found, Stated):
        assert found.value.low <= found.value.high
        return "read" if field == "founded" else "dated" if found.year else "undated"
    assert found
    return "read"


def counted(field: str) -> Mapping[str, int]:
    return Counter(outcome(field, READERS[field](raw)) for raw in texts(field))


@pytest.mark.parametrize(
    ("field", "outcomes"),
    [
        ("employees", {"dated": 1201, "undated": 156, "refused": 31}),
        ("revenue", {"dated": 1311, "undated": 13, "refused": 16}),
        ("founded", {"read": 987, "refused": 117}),
        ("headquarters", {"read": 1065, "refused": 105}),
        ("website", {"read": 1507, "refused": 15}),
    ],
)
def test_every_text_of_the_package_states_something_or_is_refused_with_a_reason(
    field: str, outcomes: Mapping[str, int]
) -> None:
    assert counted(field) == outcomes


def reasons(field: str) -> Iterable[str]:
    return (found.reason for raw in texts(field) if isinstance(found := READERS[field](raw), Refused))


def test_a_reason_is_short_enough_to_be_shown() -> None:
    assert all(len(reason) < 120 for field in READERS for reason in reasons(field))
