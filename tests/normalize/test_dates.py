"""Dates become closed intervals of UTC epoch seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.dates import instant


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [
        ("2024", at(2024, 1, 1), at(2025, 1, 1) - 1),
        ("1900", at(1900, 1, 1), at(1901, 1, 1) - 1),
        ("2099", at(2099, 1, 1), at(2100, 1, 1) - 1),
        ("2024-05", at(2024, 5, 1), at(2024, 6, 1) - 1),
        ("2024-12", at(2024, 12, 1), at(2025, 1, 1) - 1),
        ("2024-02-29", at(2024, 2, 29), at(2024, 3, 1) - 1),
        ("6 May 2024", at(2024, 5, 6), at(2024, 5, 7) - 1),
        ("May 6, 2024", at(2024, 5, 6), at(2024, 5, 7) - 1),
        ("september 2024", at(2024, 9, 1), at(2024, 10, 1) - 1),
    ],
)
def test_a_period_is_the_whole_period(raw: str, low: float, high: float) -> None:
    assert instant(raw) == (low, high)


@pytest.mark.parametrize(
    ("raw", "second"),
    [
        ("2024-05-06T01:02:03Z", at(2024, 5, 6, 1, 2, 3)),
        ("2024-05-06T01:02:03.250Z", at(2024, 5, 6, 1, 2, 3) + 0.25),
        ("2024-05-06T01:02:03+02:00", at(2024, 5, 5, 23, 2, 3)),
        ("2024-05-06T01:02:03.000+0000", at(2024, 5, 6, 1, 2, 3)),
        ("2024-05-06 01:02", at(2024, 5, 6, 1, 2)),
        ("1700000000000", 1_700_000_000),
        ("-2208988800000", at(1900, 1, 1)),
    ],
)
def test_a_moment_is_exact(raw: str, second: float) -> None:
    assert instant(raw) == (pytest.approx(second), pytest.approx(second))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "-",
        "N/A",
        "0",
        "0000",
        "9999999",
        "2024-13",
        "2024-02-30",
        "2024-05-06T25:00:00Z",
        "05/06/2024",
        "1700000000",
        "99999999999999",
        "2024-05-06T01:02:03+99:99",
        "soon",
        "32 May 2024",
        "\x00",
        "２０２４",
        "2" * 70_000,
        "3024",
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_names_no_date_is_unknown(raw: str) -> None:
    assert instant(raw) is None


@given(st.datetimes(datetime(1000, 1, 1), datetime(2199, 12, 31)))
def test_a_day_holds_each_of_its_moments(moment: datetime) -> None:
    day, exact = instant(f"{moment:%Y-%m-%d}".zfill(10)), instant(moment.isoformat(timespec="seconds") + "Z")
    assert day is not None
    assert exact is not None
    assert day.low <= exact.low <= day.high
