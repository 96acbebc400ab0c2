"""CSV exports become a book of cases; what cannot be used is named with file, row and column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.cli.learn.cohorts import cohorts_json, show_cohorts
from icp_sync.cli.rendering import Screen
from icp_sync.domain.facts import CATALOGUE, FactType, Interval, Money
from icp_sync.errors import ConfigError
from icp_sync.learning.cases import Book, Case, Cohort
from icp_sync.learning.past.cohorts import Definitions, Subject
from icp_sync.learning.past.wanting import UNDATED
from icp_sync.learning.sources import told_names
from icp_sync.learning.sources.labelled import book_from_files, with_joined
from icp_sync.learning.sources.told_names import TOLD_ROLES, Said
from icp_sync.normalize.dates import instant

NOW = 1_795_046_400.0  # 2026-11-18
ACCOUNTS = (
    "Record ID,Company name,Website,Number of Employees\n1,Acme,acme.com,50\n2,Initech,initech.com,900\n"
)
DEALS = "Record ID,Associated Company IDs,Deal Stage,Amount,Deal currency,Create Date,Close Date\n"


@pytest.fixture(autouse=True, scope="module")
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with chdir(tmp_path_factory.mktemp("files")):
        yield


def file(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def book(
    accounts: str,
    deals: str | None = None,
    join: str | None = None,
    *,
    by: Definitions | None = None,
    **more: Any,
) -> Book:
    return book_from_files(
        file("accounts.csv", accounts),
        None if deals is None else file("deals.csv", deals),
        None if join is None else file("join.csv", join),
        by or Definitions(),
        now=NOW,
        **more,
    )


def by_id(found: Book) -> dict[str, Case]:
    return {case.id: case for case in found.cases}


def day(text: str) -> float:
    found = instant(text)
    assert found is not None
    return found.low


def refused(accounts: str, deals: str | None = None, join: str | None = None, **more: Any) -> str:
    """What is said of files that cannot be used; the next command is always named."""
    with pytest.raises(ConfigError) as caught:
        book(accounts, deals, join, **more)
    assert caught.value.next_step
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_accounts_and_deals_of_hubspot_become_cases() -> None:
    found = book(
        ACCOUNTS,
        DEALS + "900,1,Closed Won,12000,EUR,2025-03-01 10:15,2025-05-06 14:30\n"
        "901,2,Closed Lost,500,EUR,2026-01-02,2026-02-03\n",
    )
    acme, initech = by_id(found)["1"], by_id(found)["2"]
    assert (acme.name, acme.domain, acme.deal, acme.won, acme.value) == (
        "Acme",
        "acme.com",
        "900",
        True,
        12_000,
    )
    assert (acme.begun, acme.decided) == (day("2025-03-01T10:15"), day("2025-05-06T14:30"))
    assert acme.facts["employees"] == Interval(50, 50)
    assert (initech.cohort, initech.decided) == (Cohort.LOST, day("2026-02-03"))
    assert found.currency == "EUR"


def test_opportunities_of_a_salesforce_report_become_cases() -> None:
    accounts = "Account ID,Account Name,Website\n001Hs00000abcde,Acme,acme.com\n001Hs00000abcdf,Initech,\n"
    opportunities = (
        "Opportunity ID,Account ID,Stage,Won,Closed,Amount,Created Date,Close Date\n"
        "006A,001Hs00000abcdeIAB,Signed,1,1,$12.00,1/31/2025,5/6/2025\n"
        "006B,001Hs00000abcdfIAB,Dead,0,1,,5/6/2025,5/7/2025\n"
    )
    found = by_id(book(accounts, opportunities))
    assert (found["001Hs00000abcde"].won, found["001Hs00000abcde"].decided) == (True, day("2025-05-06"))
    assert found["001Hs00000abcde"].value == 12
    assert (found["001Hs00000abcdf"].cohort, found["001Hs00000abcdf"].decided) == (
        Cohort.LOST,
        day("2025-05-07"),  # the other column of dates has shown that the month comes first
    )


def test_deals_are_joined_by_id_else_by_domain_else_by_exact_name() -> None:
    deals = (
        "Deal ID,Associated Company IDs,Company domain,Associated Company,Stage,Close Date\n"
        "a,77;2,,,Closed Lost,2026-01-05\n"
        "b,,https://www.acme.com/en,Nobody,Closed Lost,2026-01-06\n"
        "c,,,initech,Closed Lost,2026-01-07\n"
        "d,,,Globex,Closed Lost,2026-01-08\n"
    )
    found = book(ACCOUNTS, deals)
    assert {case.id: case.deal for case in found.cases} == {"1": "b", "2": "c"}
    assert "deals.csv: 1 of 4 deals left out, of no account, or of several: 'Globex'" in found.notes


def test_a_domain_of_two_accounts_means_neither() -> None:
    accounts = ACCOUNTS + "3,Acme Labs,acme.com,5\n"
    deals = (
        "Deal ID,Company domain,Stage,Close Date\n"
        "a,acme.com,Closed Won,2026-01-05\nb,initech.com,Closed Lost,2026-01-05\n"
    )
    assert list(by_id(book(accounts, deals))) == ["2"]


def test_columns_of_deals_may_be_named_by_hand() -> None:
    deals = "Kunde,Gewonnen,Ende,Wert\n1,yes,2025-01-02,300 EUR\n"
    columns = {
        "Kunde": "deal:account",
        "Gewonnen": "deal:won",
        "Ende": "deal:close_date",
        "Wert": "deal:amount",
    }
    case = by_id(book(ACCOUNTS, deals, columns=columns))["1"]
    assert (case.won, case.value, case.decided) == (True, 300, day("2025-01-02"))


def test_a_stage_nobody_knows_is_left_out_and_listed() -> None:
    found = book(
        ACCOUNTS,
        DEALS + "900,1,Verhandlung,,,2025-01-01,2026-12-31\n901,2,7 - Closed Won,,,2025-01-01,2025-02-02\n",
    )
    assert list(by_id(found)) == ["2"]
    assert any("'Verhandlung' (1)" in note for note in found.notes)


def test_flags_say_which_deals_of_any_stage_are_open_won_or_lost() -> None:
    accounts = "Record ID,Website\n" + "".join(f"{i},company{i}.com\n" for i in range(1, 6))
    deals = (
        "Deal ID,Company ID,Stage,Is Closed Won,Is Deal Closed?,Create Date,Close Date\n"
        "a,1,Gewonnen,true,true,2025-01-01,2025-02-01\n"
        "b,2,Verloren,false,true,2025-01-01,2025-02-01\n"
        "c,3,Offen,false,false,2025-01-01,2027-02-01\n"
        "d,4,Offen,false,false,2026-11-01,2027-02-01\n"
        "e,5,Offen,,,2025-01-01,2025-02-01\n"
    )
    found = book(accounts, deals)
    assert {i: case.won for i, case in by_id(found).items()} == {"1": True, "2": False, "3": False}
    assert (by_id(found)["2"].cohort, by_id(found)["3"].cohort) == (Cohort.LOST, Cohort.NEVER)


OUTCOMES = (
    "Company name,Website,Employees,Outcome,Deal created,Decided,Customer value,NPS\n"
    "Acme,acme.com,50,Won,2024-12-01,2025-01-05,90000 EUR,9\n"
    "Initech,initech.com,60,closed lost,2025-12-01,2026-01-05,,\n"
    "Globex,globex.com,70,churned,2024-12-01,2025-01-06,100 EUR,\n"
    "Hooli,hooli.com,80,never closed,2025-01-01,,,\n"
    "Umbrella,umbrella.com,90,open,2026-10-01,,,\n"
    "Stark,stark.com,10,,,,,\n"
    "Wayne,wayne.com,10,Won,2024-12-01,2025-01-07,10 EUR,\n"
    "Cyberdyne,cyberdyne.com,10,pending review,2024-12-01,2025-01-08,,\n"
)


def test_the_accounts_may_carry_their_outcome_themselves() -> None:
    found = book(OUTCOMES)
    assert {case.name: case.cohort for case in found.cases} == {
        "Acme": Cohort.BEST,
        "Wayne": Cohort.LOW,
        "Globex": Cohort.CHURNED,
        "Initech": Cohort.LOST,
        "Hooli": Cohort.NEVER,
    }
    assert [case.name for case in found.cases] == ["Acme", "Globex", "Wayne", "Hooli", "Initech"]
    assert len(found.crowd) == 8


def test_an_outcome_nobody_knows_is_listed_and_left_out() -> None:
    notes = book(OUTCOMES).notes
    said = next(note for note in notes if "pending review" in note)
    assert said.startswith("accounts.csv:9: column 'Outcome': 1 row left out, whose outcome nobody knows")
    assert "'pending review' (1)" in said


def test_what_a_column_was_taken_for_by_its_name_is_said() -> None:
    read = next(note for note in book(OUTCOMES).notes if note.startswith("accounts.csv: read "))
    assert "'Outcome' as outcome" in read
    assert "'Decided' as decided" in read


def test_a_column_of_outcomes_is_named_by_hand_and_may_say_yes_and_no_or_the_cohort_itself() -> None:
    text = "Website,Kunde?,Entschieden\na-company.com,1,2026-05-01\nb-company.com,0,2026-05-02\n"
    text += "c-company.com,high-value retained,2026-05-03\nd-company.com,low-value retained,2026-05-04\n"
    found = book(text, columns={"Kunde?": "outcome", "Entschieden": "decided"})
    assert [(c.won, c.cohort) for c in found.cases] == [
        (True, Cohort.UNPLACED),
        (False, Cohort.LOST),
        (True, Cohort.BEST),
        (True, Cohort.LOW),
    ]


def test_without_dates_the_cases_keep_the_order_of_the_file_and_no_proof_is_possible() -> None:
    rows = "".join(f"company{i}.com,{'won' if i % 3 else 'lost'}\n" for i in range(9))
    found = book("Website,Outcome\n" + rows)
    assert [case.id for case in found.cases] == [f"row {i}" for i in range(2, 11)]
    assert {case.decided for case in found.cases} == {NOW}
    assert UNDATED in found.notes


def test_a_joined_file_tells_churn_value_renewals_and_nps_by_id_or_domain() -> None:
    accounts = "Record ID,Website\n" + "".join(f"{i},company{i}.com\n" for i in range(1, 7))
    deals = "Deal ID,Company ID,Stage,Close Date\n"
    deals += "".join(f"d{i},{i},Closed Won,2025-01-0{i}\n" for i in range(1, 6))
    deals += "d6,6,Closed Won,2026-10-01\n"
    join = (
        "Company ID,Domain,ARR,Churn date,Renewals,NPS score\n"
        "1,,90k EUR,,,9\n2,,95k EUR,,,2\n,www.company3.com,10 EUR,,,\n4,,20 EUR,2026-01-01,,\n"
        "6,,94k EUR,,2,\n99,other.com,5 EUR,,,\n1,,1 EUR,,,\n"
    )
    by = Definitions(high_value=0.6)
    found = book(accounts, deals, join, by=by)
    assert {i: case.cohort for i, case in by_id(found).items()} == {
        "1": Cohort.BEST,
        "2": Cohort.UNPLACED,
        "3": Cohort.LOW,
        "4": Cohort.CHURNED,
        "5": Cohort.UNPLACED,
        "6": Cohort.BEST,
    }
    assert by_id(found)["1"].value == 90_000
    assert "join.csv: 1 row left out, of no account, or of several: 'other.com'" in found.notes
    assert "join.csv: 1 row left out, of an account that a row above is of" in found.notes


def test_a_joined_column_called_like_a_fact_of_the_definitions_is_found() -> None:
    by = Definitions(value="jahresumsatz_bei_uns")
    join = "Website,Jahresumsatz bei uns\nacme.com,100\ninitech.com,7\n"
    deals = DEALS + "a,1,Closed Won,,,,2025-01-05\nb,2,Closed Won,,,,2025-01-05\n"
    found = book(ACCOUNTS, deals, join, by=by, currency="EUR")
    assert {i: (case.value, case.cohort) for i, case in by_id(found).items()} == {
        "1": (100, Cohort.BEST),
        "2": (7, Cohort.LOW),
    }
    assert not any("no account has the fact" in note for note in found.notes)


def test_what_the_accounts_tell_themselves_stands_before_what_a_joined_file_tells() -> None:
    join = "Website,LTV,NPS\nacme.com,5 EUR,3\nwayne.com,7 EUR,3\ninitech.com,7 EUR,3\n"
    found = {case.name: case for case in book(OUTCOMES, None, join).cases}
    assert (found["Acme"].value, found["Acme"].cohort) == (90_000, Cohort.BEST)


def test_a_plain_role_speaks_of_the_accounts_where_both_files_have_the_column() -> None:
    text = "Website,Wert,Outcome,Decided\nacme.com,100 EUR,won,2025-01-05\n"
    join = "Website,Wert,NPS\nacme.com,7 EUR,9\n"
    found = book(text, None, join, columns={"Wert": "value"})
    assert [case.value for case in found.cases] == [100]
    found = book(text, None, join, columns={"Wert": "join:value"})
    assert [case.value for case in found.cases] == [7]
    with_name = join.replace("Wert", "Worth")
    found = book(text, None, with_name, columns={"Worth": "value"})
    assert [case.value for case in found.cases] == [7]


def test_who_is_said_to_be_retained_has_stayed_and_who_is_said_to_be_best_may_have_left() -> None:
    text = (
        "Website,Outcome,Decided,LTV,Churned on\n"
        "acme.com,retained,2026-09-01,900 EUR,\n"
        "initech.com,retained,2026-09-02,5 EUR,\n"
        "globex.com,high-value retained,2025-09-03,900 EUR,2026-02-03\n"
    )
    assert [case.cohort for case in book(text).cases] == [Cohort.CHURNED, Cohort.BEST, Cohort.LOW]


def test_a_joined_file_may_carry_the_outcome_of_accounts_that_do_not() -> None:
    join = "Website,Outcome,Closed on\nacme.com,won,2025-01-05\ninitech.com,lost,2025-01-06\n"
    assert [case.won for case in book(ACCOUNTS, None, join).cases] == [True, False]


def test_accounts_from_elsewhere_are_told_by_a_joined_file() -> None:
    subjects = [Subject(id="17", domain="acme.com"), Subject(id="18", name="Initech")]
    rows = "Nobody,acme.com,100 EUR,\ninitech,,5 USD,high-value retained\n"
    join = file("join.csv", f"Company,Website,ARR,Outcome\n{rows}")
    found, told = with_joined(join, subjects, Definitions())
    assert [subject.told for subject in found] == [
        {"value": Money(100, 100, "EUR")},
        {"value": Money(5, 5, "USD")},
    ]
    assert [subject.placed for subject in found] == [None, Cohort.BEST]
    assert told.notes == []
    assert "value" in told.telling


def test_rows_observed_after_the_decision_keep_only_facts_that_hardly_change() -> None:
    text = (
        "Website,Country,Employees,Outcome,Decided,Facts as of\n"
        "acme.com,US,50,won,2026-01-05,2025-12-31\n"
        "initech.com,US,50,lost,2026-01-05,2026-03-01\n"
        "hooli.com,US,50,lost,2026-01-05,\n"
    )
    found = book(text)
    acme, initech, hooli = found.cases
    assert ("employees" in acme.facts, acme.recorded) == (True, True)
    assert ("employees" in initech.facts, "country" in initech.facts, initech.recorded) == (
        False,
        True,
        False,
    )
    assert ("employees" in hooli.facts, hooli.recorded) == (True, False)
    assert any(note.startswith("1 case recorded after the decision") for note in found.notes)


def test_columns_of_outcomes_feed_no_facts_and_facts_that_deals_move_are_left_out() -> None:
    text = "Website,Number of Employees,NPS,Type,Outcome\nacme.com,50,9,Customer,won\n"
    by = Definitions(nps="nps")
    found = book(text, by=by, types={**CATALOGUE, "nps": FactType.NUMBER})
    assert "nps" not in found.cases[0].facts
    assert {"nps", "account_type", "population"} <= set(found.left_out)
    assert "employees" not in found.left_out


def test_custom_facts_are_mapped_as_for_scoring() -> None:
    text = "Website,Seats,Outcome\nacme.com,50,won\n"
    found = book(text, columns={"Seats": "seats:number"})
    assert found.cases[0].facts["seats"] == Interval(50, 50)
    assert found.types["seats"] is FactType.NUMBER


def test_cells_that_cannot_be_read_are_unknown_and_named_with_row_and_column() -> None:
    found = book(
        ACCOUNTS,
        DEALS
        + "a,1,Closed Won,lots,EUR,,2025-01-05\nb,2,Closed Lost,,,,soon\nc,2,Closed Lost,,,,2025\n"
        + "d,1,Closed Lost,,,,2024-12-05\n",
    )
    assert (
        "deals.csv:2: column 'Amount': 'lots' is no amount; taken as unknown (write 12000, or 12000 EUR)"
        in (found.notes)
    )
    assert any(
        "deals.csv:3: column 'Close Date': 'soon' is no date, and 1 more cell" in n for n in found.notes
    )
    assert list(by_id(found)) == ["1"]


def test_rows_of_the_wrong_width_are_named_and_left_out() -> None:
    found = book(OUTCOMES + "too,few\n")
    assert any(note.startswith("accounts.csv:10: has 2 cells instead of 8") for note in found.notes)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((ACCOUNTS, None), "accounts.csv: nothing says what became of these accounts"),
        ((ACCOUNTS, "Name,Stage\nx,Closed Won\n"), "deals.csv: no column says whose deal it is: Name, Stage"),
        ((ACCOUNTS, "Company ID,Name\n1,x\n"), "deals.csv: no column says which deals were won"),
        ((ACCOUNTS, "Company ID,Stage\n"), "deals.csv: has a header and no rows"),
        ((ACCOUNTS, "Company ID,Stage\n7,Closed Won\n"), "deals.csv: none of its deals (1) is of an account"),
        ((ACCOUNTS, ""), "deals.csv: is empty"),
        ((ACCOUNTS, "PK\x03\x04"), "deals.csv: is an Excel workbook"),
        (
            ("Website,Outcome\nacme.com,perhaps\n",),
            "accounts.csv:2: column 'Outcome' holds no outcome: 'perhaps' (1)",
        ),
        ((OUTCOMES, None, "Website,Colour\nacme.com,red\n"), "join.csv: no column tells of churn, value"),
        ((OUTCOMES, None, "ARR\n5\n"), "join.csv: no column says which account a row is about"),
        ((OUTCOMES, None, "Website,ARR\nother.com,5\n"), "join.csv: none of its rows (1) is of an account"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_says_is_refused(files: tuple[Any, ...], said: str) -> None:
    found = refused(*files)
    assert said in found, found


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"Nichts": "outcome"}, "there is no column 'Nichts'"),
        ({"Outcome": "outcom"}, "there is no fact 'outcom' (did you mean 'outcome'?)"),
        ({"Outcome": "deal:won"}, "speaks of a file that is not there (name it with --deals FILE.csv)"),
        ({"Outcome": "join:nps"}, "speaks of a file that is not there (name it with --join FILE.csv)"),
        ({"NPS": "decided"}, "accounts.csv:2: column 'NPS': '9' is no date (write 2026-05-31)"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(columns: dict[str, str], said: str) -> None:
    assert said in refused(OUTCOMES, columns=columns)


def test_a_currency_that_is_none_is_refused() -> None:
    assert "--currency 'EURO': is no currency" in refused(OUTCOMES, currency="EURO")


def test_a_misspelt_role_of_a_deal_is_named_with_what_is_near() -> None:
    said = refused(ACCOUNTS, DEALS + "a,1,Closed Won,,,,\n", columns={"Amount": "deal:amout"})
    assert "there is no 'amout' to be read (did you mean 'amount'?)" in said


def test_a_column_can_be_kept_from_being_read() -> None:
    found = book(OUTCOMES, columns={"Decided": "ignore", "Deal created": "ignore"})
    assert UNDATED in found.notes


def test_a_column_named_outcome_beside_deals_decides_nothing_and_stops_nothing() -> None:
    text = (
        ACCOUNTS.replace("Number of Employees", "Outcome")
        .replace("50", "pending")
        .replace("900", "in review")
    )
    found = book(text, DEALS + "a,1,Closed Won,5,EUR,,2025-01-05\n")
    assert [(case.id, case.won) for case in found.cases] == [("1", True)]


def test_what_is_shown_first_counts_each_cohort_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = book(OUTCOMES)
    show_cohorts(Screen(), found, Definitions())
    shown = capsys.readouterr().out
    assert "5 cases among 8 accounts, decided from 2025-01-05 to 2026-01-05" in shown
    for words in ("high-value retained      1    20%", "Good under the goal 'won': 2 of 5", "pending review"):
        assert words in shown
    plain = cohorts_json(found, Definitions())
    assert (plain["cases"], plain["good"], plain["told"]) == (5, 2, 5)
    assert plain["cohorts"] == {str(cohort): int(cohort is not Cohort.UNPLACED) for cohort in Cohort}
    assert plain["notes"] == list(found.notes)


def test_no_case_at_all_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    found = book("Website,Outcome,Decided\nacme.com,won,2010-01-01\n")
    show_cohorts(Screen(), found, Definitions())
    assert (
        "0 cases among 1 account: nothing that was decided in the last 24 months" in capsys.readouterr().out
    )
    assert cohorts_json(found, Definitions())["since"] is None


_ODD = (
    *("", "1", "2", "won", "Closed Won", "Closed Lost", "true", "no", "acme.com", "Acme", "2025-01-05"),
    *("5/6/2025", "13/5/2025", "9999-99-99", "1e400", "-5", "NaN", "12 EUR", "\u20ac", "=1+1", "2025"),
    "99999999999999",
)
_PRINTABLE = st.characters(codec="utf-8", exclude_characters=',"', exclude_categories=["C", "Z"])
_CELLS = st.sampled_from(_ODD) | st.text(_PRINTABLE, max_size=6)


def _text(header: str, rows: list[list[str]]) -> str:
    width = header.count(",") + 1
    return "\n".join([header, *(",".join(row[:width]) for row in rows)]) + "\n"


_ROWS = st.lists(st.lists(_CELLS, min_size=8, max_size=8), max_size=5)


@settings(max_examples=60)
@given(_ROWS, _ROWS, _ROWS, st.booleans())
def test_any_cells_become_a_book_or_a_clear_refusal(
    accounts: list[list[str]], deals: list[list[str]], join: list[list[str]], sold: bool
) -> None:
    files = (
        _text("Record ID,Website,Company name,Employees,Outcome,Decided,LTV,Observed", accounts),
        _text("Company ID,Company domain,Stage,Is Won,Closed,Amount,Create Date,Close Date", deals),
        _text("Company ID,Website,ARR,Churn date,Renewals,NPS,Outcome,Currency", join),
    )
    found = _book_or_problems(*files, sold=sold)
    if not isinstance(found, Book):
        assert all(problem.where and problem.what for problem in found.problems)
        assert found.next_step
        return
    assert len(found.crowd) >= len(found.cases)
    assert all(case.id in found.crowd and case.begun <= case.decided <= NOW for case in found.cases)
    assert all(case.value is None or isfinite(case.value) for case in found.cases)


def _book_or_problems(accounts: str, deals: str, join: str, *, sold: bool) -> Book | ConfigError:
    try:
        return book(accounts, deals if sold else None, join)
    except ConfigError as error:
        return error


def test_whatever_a_column_may_be_is_in_the_readme() -> None:
    text = (Path(__file__).parents[2] / "config" / "README.md").read_text(encoding="utf-8")
    section = text.partition("### Who was a good customer")[2].partition("\n### ")[0]
    for role in (
        *TOLD_ROLES,
        *(f"deal:{role}" for role in told_names.DEALS),
        "join:id",
        "join:domain",
        "join:name",
    ):
        assert f"`{role}`" in section, role
    for said in Said:
        assert said in section, said
