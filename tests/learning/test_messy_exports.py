"""Exports as people have them: what was not read is said, and nothing is made up in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from icp_sync.cli.learn.cohorts import cohorts_json, show_cohorts
from icp_sync.cli.rendering import Screen
from icp_sync.domain.facts import Interval, choice
from icp_sync.errors import ConfigError
from icp_sync.learning.cases import Goal
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.past.wanting import CHURN_UNTOLD, of_goal
from icp_sync.learning.sources.labelled import book_from_files
from tests.learning.exports import ACCOUNTS, DEALS, NOW, SOLD, book, file, noted, refused, shops


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_cells_nobody_can_read_are_counted_by_column_with_the_commonest() -> None:
    accounts = "Account ID,Industry,Employees\n1,Technology,n/a\n2,Healthcare,12\n3,Technology,\n"
    found = book(accounts, DEALS + "a,1,Closed Won,2025-01-05,2025-03-05\n")
    assert noted(
        found, "Industry: 2 cells nobody can read, such as 'Technology', which spans information tech"
    )
    assert noted(found, "Employees: 1 cell nobody can read, such as 'n/a'")
    assert found.crowd["2"]["industry"] == choice("HOSPITAL_HEALTH_CARE")


def test_how_much_is_known_of_the_cases_is_told_for_every_fact_the_worst_on_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    accounts = "Record ID,Company name,Employees,Country,Type\n1,A,5,,Customer\n2,B,,,\n3,C,7,US,\n"
    found = book(accounts, SOLD)
    assert found.known() == {"country": 0.0, "employees": 0.5, "name": 1.0}
    assert cohorts_json(found, Definitions())["known"] == found.known()
    show_cohorts(Screen(), found, Definitions())
    shown = capsys.readouterr().out
    assert "Known least often, as a share of the cases: country 0%, employees 50%." in shown


def test_how_a_point_was_read_is_said() -> None:
    accounts = 'Record ID,Company name,Employees\n1,A,2.345\n2,B,"12,0"\n'
    found = book(accounts, SOLD)
    assert found.crowd["1"]["employees"] == Interval(2345, 2345)
    assert noted(found, "column 'Employees': '2.345' is read as 2345")
    join = 'Website,Contract value\nacme.com,2.345\ninitech.com,"1.234.567,8"\n'
    found = book(ACCOUNTS, SOLD, join, currency="EUR")
    assert [case.value for case in found.cases] == [2345, None]
    assert noted(found, "join.csv: column 'Contract value': '2.345' is read as 2345")


def test_where_nothing_tells_who_left_nobody_is_said_to_have_stayed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = book(ACCOUNTS, SOLD)
    assert not found.churn_told
    assert CHURN_UNTOLD in found.notes
    show_cohorts(Screen(), found, Definitions())
    shown = capsys.readouterr().out
    assert "not known: nothing says who left" in shown
    assert "whether or not they stayed: 1 of 2" in shown
    assert "was won and left" not in shown
    assert "a customer for" not in shown
    told = cohorts_json(found, Definitions())
    assert told["cohorts"] == {**{str(c): n for c, n in found.counts().items()}, "churned": None}


@pytest.mark.parametrize(
    ("deals", "join"),
    [
        (SOLD, "Website,Churn date\nacme.com,\ninitech.com,\n"),
        (SOLD, "Website,ARR\nacme.com,100 EUR\n"),
        (None, "Website,Outcome,Decided\nacme.com,retained,2025-01-05\ninitech.com,lost,2025-02-05\n"),
    ],
)
def test_a_place_for_churn_that_nobody_is_in_tells_that_they_stayed(deals: str | None, join: str) -> None:
    found = book(ACCOUNTS, deals, join)
    assert found.churn_told
    assert CHURN_UNTOLD not in found.notes
    assert cohorts_json(found, Definitions())["cohorts"]["churned"] == 0  # type: ignore[index]


def test_a_column_of_churn_that_nobody_can_read_tells_nothing() -> None:
    join = "Website,Churn date\nacme.com,long ago\ninitech.com,never\n"
    assert not book(ACCOUNTS, SOLD, join).churn_told


def test_amounts_in_no_currency_are_said_to_be_unusable_as_in_scoring() -> None:
    accounts = "Record ID,Company name,Annual Revenue\n1,A,5000000\n2,B,2000000 EUR\n"
    said = "Annual Revenue: 1 amount in no currency that is said. Amounts without a currency could be in any"
    assert noted(book(accounts, SOLD), said, "--currency USD")
    assert not noted(book(accounts, SOLD, currency="USD"), said)


def test_facts_that_nobody_dated_are_said_to_be_todays() -> None:
    assert noted(
        book(ACCOUNTS, SOLD), "No row says when its facts were recorded: all 2 are as they stand today"
    )
    dated = "Record ID,Company name,Employees,Observed\n1,A,5,2025-01-01\n2,B,6,{}\n"
    assert not noted(book(dated.format("2025-01-01"), SOLD), "as they stand today")
    assert noted(book(dated.format(""), SOLD), "1 case without a day their facts were recorded on")


def test_dates_of_after_the_decision_are_left_out_case_by_case() -> None:
    accounts = "Record ID,Company name,Last Funding Date\n1,A,2025-05-01\n2,B,2025-03-30\n"
    found = book(accounts, SOLD)
    assert ["last_funding_date" in case.facts for case in found.cases] == [False, True]
    assert noted(found, "1 date of after the decision left out")


def test_the_goal_best_counts_only_cases_old_enough_for_somebody_to_have_stayed() -> None:
    lately = (datetime.fromtimestamp(NOW, UTC) - timedelta(days=100)).date().isoformat()
    amounts = DEALS.replace("\n", ",Amount\n") + "".join(
        f"d{n},{n + 1},Closed {'Won' if n < 4 else 'Lost'},,{day},{100 * n + 1} EUR\n"
        for n, day in enumerate(["2025-03-05", "2025-03-06", lately, lately, "2025-03-07", lately])
    )
    join = "Record ID,Churn date\n1,\n"
    by = Definitions(goal=Goal.BEST)
    found = book(shops(6), amounts, join, by=by)
    assert [(case.id, good) for case, good in found.labelled(Goal.BEST)] == [
        ("1", False),
        ("2", True),
        ("5", False),
    ]
    assert of_goal(found, by)[0].startswith("3 cases decided less than 365 days ago")
    assert cohorts_json(found, by)["notes"][0].startswith("3 cases decided")  # type: ignore[index]
    assert of_goal(found, Definitions())[0].startswith("2 customers won less than 365 days ago count as kept")
    assert len(found.labelled(Goal.WON)) == 6


def test_who_the_best_are_needs_no_waiting_where_somebody_says_it() -> None:
    accounts = (
        "Record ID,Company name,Outcome,Decided\n1,A,best,2026-10-05\n2,B,low-value retained,2026-10-06\n"
        "3,C,lost,2026-10-07\n"
    )
    assert [good for _, good in book(accounts).labelled(Goal.BEST)] == [True, False, False]


@pytest.mark.parametrize(
    ("deals", "said", "typed"),
    [
        ("Deal ID,Company,Amount\na,Acme,5\n", "which deals were won", '--map "COLUMN=deal:stage"'),
        ("Deal ID,Won,Amount\na,yes,5\n", "whose deal it is", '--map "COLUMN=deal:account"'),
        (DEALS, "has a header and no rows (export the deals again", "--deals FILE.csv"),
    ],
)
def test_what_a_file_of_deals_lacks_is_what_to_type_next(deals: str, said: str, typed: str) -> None:
    message, next_step = refused(ACCOUNTS, deals)
    assert said in message
    assert next_step.endswith(typed)


def test_ids_that_a_spreadsheet_cut_short_are_known_as_such() -> None:
    cut = "Record ID,Company name,Employees\n3E+10,A,5\n3E+10,B,6\n"
    message, _ = refused(cut, SOLD)
    assert "accounts.csv:2: 2 rows share 1 record id, such as '3E+10' (a spreadsheet has cut" in message
    assert (
        "a spreadsheet has cut"
        in refused(ACCOUNTS, SOLD.replace(",1,", ",3E+10,").replace(",2,", ",3E+10,"))[0]
    )
    assert "a spreadsheet has cut" in refused(ACCOUNTS, SOLD, "Record ID,NPS\n3E+10,9\n")[0]
    assert noted(book(ACCOUNTS, SOLD + "c,3E+10,Closed Lost,,2025-03-05\n"), "a spreadsheet has cut")


@pytest.mark.parametrize(
    ("join", "said", "typed"),
    [
        ("Website,Colour\nacme.com,red\n", "so it adds nothing", '--map "COLUMN=join:churned_on"'),
        ("Shape,NPS\nround,9\n", "which account a row is about", '--map "COLUMN=join:id"'),
        ("Website,NPS\n", "has a header and no rows", "--join FILE.csv"),
    ],
)
def test_a_joined_file_that_adds_nothing_is_refused_with_what_it_could_add(
    join: str, said: str, typed: str
) -> None:
    message, next_step = refused(ACCOUNTS, SOLD, join)
    assert said in message
    assert next_step.endswith(typed)


@pytest.mark.parametrize(
    ("deals", "join", "said"),
    [
        ("accounts.csv", None, "--deals accounts.csv: is the file that --accounts names"),
        ("deals.csv", "./accounts.csv", "--join accounts.csv: is the file that --accounts names"),
        ("deals.csv", "link.csv", "--join link.csv: is the file that --deals names"),
    ],
)
def test_one_file_cannot_be_two(deals: str, join: str | None, said: str) -> None:
    file("accounts.csv", ACCOUNTS)
    file("deals.csv", SOLD)
    Path("link.csv").symlink_to("deals.csv")
    paths = Path("accounts.csv"), Path(deals), None if join is None else Path(join)
    with pytest.raises(ConfigError, match="is the file that") as caught:
        book_from_files(*paths, Definitions(), now=NOW)
    assert said in str(caught.value)
    assert caught.value.next_step
