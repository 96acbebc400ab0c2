"""Dates of exports are read as they were meant, or said not to be; none is decided today for want of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from icp_sync.cli.learn.cohorts import cohorts_json, show_cohorts
from icp_sync.cli.rendering import Screen
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.learn import Wish, learn
from icp_sync.learning.past.wanting import UNDATED
from tests.learning.exports import ACCOUNTS, SOLD, book, closed, decided, noted, refused, shops


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("45901", "45902"), ["2025-09-01", "2025-09-02"]),
        (("04/19/25", "05/06/25"), ["2025-04-19", "2025-05-06"]),
        (("01/09/2025", "30/09/2025"), ["2025-09-01", "2025-09-30"]),
    ],
)
def test_dates_of_spreadsheets_are_read(cells: Sequence[str], days: Sequence[str]) -> None:
    assert decided(book(ACCOUNTS, closed(*cells))) == days


@pytest.mark.parametrize(
    ("role", "days"),
    [
        ("deal:close_date:dmy", ["2025-09-01", "2025-09-02"]),
        ("deal:closed:dmy", ["2025-09-01", "2025-09-02"]),
        ("deal:close_date:mdy", ["2025-01-09", "2025-02-09"]),
    ],
)
def test_which_figure_is_the_day_can_be_said(role: str, days: Sequence[str]) -> None:
    found = book(ACCOUNTS, closed("01/09/2025", "02/09/2025"), columns={"Close Date": role})
    assert decided(found) == days


def test_which_figure_is_the_day_can_be_said_of_accounts_and_of_joined_files() -> None:
    accounts = "Record ID,Company name,Outcome,Day\n1,A,won,01/09/2025\n2,B,lost,02/09/2025\n"
    assert decided(book(accounts, columns={"Day": "decided:dmy"})) == ["2025-09-01", "2025-09-02"]
    join = "Website,Outcome,Day\nacme.com,won,01/09/2025\ninitech.com,lost,02/09/2025\n"
    for role in ("decided:mdy", "join:decided:mdy"):
        assert decided(book(ACCOUNTS, None, join, columns={"Day": role})) == ["2025-01-09", "2025-02-09"]


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("deal:amount:dmy", "'amount' cannot be read as 'dmy'"),
        ("deal:close_date:ymd", "'close_date' cannot be read as 'ymd'"),
    ],
)
def test_only_dates_can_be_said_to_begin_with_the_day(role: str, said: str) -> None:
    assert said in refused(ACCOUNTS, SOLD, columns={"Close Date": role})[0]


@pytest.mark.parametrize(
    ("cells", "said", "typed"),
    [
        (
            ("01/09/2025", "02/09/2025"),
            '--map "Close Date=deal:close_date:dmy" where the day',
            "close_date:dmy",
        ),
        (
            ("soon", "later"),
            "2 of 2 cells in column 'Close Date' cannot be read, such as 'soon'",
            "close_date",
        ),
        (("soon", "later", "2025-01-05"), "2 of 3 cells", "close_date"),
    ],
)
def test_deals_whose_dates_nobody_can_read_are_no_deals_of_today(
    cells: Sequence[str], said: str, typed: str
) -> None:
    message, next_step = refused(shops(3), closed(*cells))
    assert "no dates" in message
    assert said in message
    assert next_step.endswith(f'"COLUMN=deal:{typed}"')


def test_dates_of_outcomes_that_nobody_can_read_are_refused_as_well() -> None:
    accounts = "Record ID,Company name,Outcome,Decided\n1,A,won,soon\n2,B,lost,later\n"
    assert "no dates: 2 of 2 cells in column 'Decided'" in refused(accounts)[0]


def test_no_other_date_stands_in_for_one_that_nobody_can_read() -> None:
    found = book(shops(3), closed("2025-03-05", "2025-03-06", "soon"))
    assert decided(found) == ["2025-03-05", "2025-03-06"]
    assert noted(found, "column 'Close Date': 'soon' is no date")
    assert noted(found, "1 account left out: nobody says when its deals were decided")


def test_without_any_date_no_day_is_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    found = book(ACCOUNTS, "Deal ID,Associated Company IDs,Deal Stage\na,1,Closed Won\nb,2,Closed Lost\n")
    assert not found.dated
    show_cohorts(Screen(), found, Definitions())
    assert "2 cases among 2 accounts, and nothing says when they were decided" in capsys.readouterr().out
    assert cohorts_json(found, Definitions())["since"] is None
    assert learn(found, Wish()).enough == UNDATED


def test_the_day_a_spreadsheet_counts_is_the_day_it_shows() -> None:
    shown = date(2026, 2, 28)
    found = book(shops(1), closed(str((shown - date(1899, 12, 30)).days)))
    assert decided(found) == [shown.isoformat()]
