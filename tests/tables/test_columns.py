"""Columns find their facts by names that leave no doubt, and everything else is said or left alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from icp_sync.domain.facts import CATALOGUE, FactType, Members, Money, choice, number
from icp_sync.errors import ConfigError
from icp_sync.normalize.dates import instant
from icp_sync.tables.accounts import AccountTable, read_accounts
from icp_sync.tables.columns import parse_map


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export.csv"


def accounts(
    path: Path, text: str, stated: Mapping[str, str] | None = None, **options: object
) -> AccountTable:
    path.write_text(text, encoding="utf-8")
    return read_accounts(path, columns=stated, **options)  # type: ignore[arg-type]


def feeds(table: AccountTable) -> dict[str, str]:
    return {s.property: s.fact for s in table.sources}


def test_a_hubspot_export_is_understood_by_its_labels(path: Path) -> None:
    table = accounts(
        path,
        "Record ID,Company name,Company Domain Name,Number of Employees,Annual Revenue,Country/Region,"
        "Industry,Lifecycle Stage,Company owner,Web Technologies,Total Revenue\n"
        "12,Acme Inc.,www.acme.com,51-200,2500000,United States,Computer Software,Marketing Qualified Lead,"
        "Ada@Example.com,HubSpot; Slack,9\n",
        currency="EUR",
    )
    (acme,) = table
    assert (acme.row, acme.id, acme.name, acme.domain, acme.owner) == (
        2, "12", "Acme Inc.", "acme.com", "ada@example.com",
    )  # fmt: skip
    assert {k: v for k, v in acme.facts.items() if k not in ("name", "domain")} == {
        "employees": number(51, 200),
        "revenue": Money(2.5e6, 2.5e6, "EUR"),
        "country": choice("US"),
        "industry": choice("COMPUTER_SOFTWARE"),
        "sector": choice("51"),
        "lifecycle": Members(frozenset({"marketingqualifiedlead", "prospect"}), True),
        "population": choice("prospect"),
        "technologies": Members(frozenset({"hubspot", "slack"}), False),
    }
    assert table.unmapped == ("Total Revenue",)


@pytest.mark.parametrize(
    "header",
    [
        "Account ID 18,Account Name,Website,Employees,Annual Revenue,Billing Country,Billing State,Type",
        "Id,Name,Website,NumberOfEmployees,AnnualRevenue,BillingCountryCode,BillingState,Type",
        "Account: Account ID,Account: Account Name,Account: Website,Account: Employees,"
        "Account: Annual Revenue,Account: Billing Country,Account: Billing State/Province,Account: Type",
    ],
)
def test_salesforce_reports_and_api_names_are_understood(path: Path, header: str) -> None:
    table = accounts(
        path, header + "\n0015g00000XYZ,Acme,acme.com,120,USD 5000000,Germany,Bayern,Customer - Direct\n"
    )
    (acme,) = table
    assert set(feeds(table).values()) == {
        "name", "domain", "employees", "revenue", "country", "state", "account_type",
    }  # fmt: skip
    assert (acme.id, acme.facts["revenue"], acme.facts["population"]) == (
        "0015g00000XYZ",
        Money(5e6, 5e6, "USD"),
        choice("customer"),
    )


def test_doubtful_names_are_left_alone(path: Path) -> None:
    table = accounts(path, "domain,ARR,Turnover,Region,Total Revenue\nacme.com,1,2,3,4\n")
    assert feeds(table) == {"domain": "domain"}
    assert table.unmapped == ("ARR", "Turnover", "Region", "Total Revenue")


def test_what_is_stated_beats_what_is_guessed_and_blanks_fall_back(path: Path) -> None:
    table = accounts(path, "domain,Employees,Staff\na.com,10,20\nb.com,10,\n", {"Staff": "employees"})
    assert [a.facts["employees"] for a in table] == [number(20), number(10)]


def test_columns_may_be_ignored_or_be_facts_of_ones_own(path: Path) -> None:
    table = accounts(
        path,
        "domain;Employees;Segment;Umsatz;Sitz\na.com;5;Mid Market;1,5 Mio;x\n",
        {"Employees": "ignore", "Segment": "segment:choice", "Umsatz": "revenue:EUR", "Sitz": "rank"},
        types={**CATALOGUE, "rank": FactType.CHOICE},
    )
    (found,) = table
    assert found.facts["segment"] == choice("mid market")
    assert found.facts["revenue"] == Money(1.5e6, 1.5e6, "EUR")
    assert found.facts["rank"] == choice("x")
    assert "employees" not in found.facts


def test_a_currency_column_speaks_for_its_own_row(path: Path) -> None:
    table = accounts(
        path,
        "domain,Annual Revenue,Annual Revenue Currency\na.com,5,eur\nb.com,5,USD\nc.com,5,?\n",
        currency="GBP",
    )
    assert [a.facts["revenue"] for a in table] == [Money(5, 5, code) for code in ("EUR", "USD", "GBP")]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["25/12/2024", "05/06/2024"], ["2024-12-25", "2024-06-05"]),
        (["12/25/2024", "05/06/2024 3:04 PM"], ["2024-12-25", "2024-05-06"]),
        (["25.12.2024", "05.06.2024"], ["2024-12-25", "2024-06-05"]),
        (["25/12/2024", "12/25/2024", "05/06/2024"], ["2024-12-25", "2024-12-25", None]),
        (["05/06/2024", "06/06/2024"], [None, "2024-06-06"]),
        (["2024-05-06", "6 May 2024", "May 6, 2024", "1714953600000", "05/06/2024"],
         ["2024-05-06", "2024-05-06", "2024-05-06", "2024-05-06", None]),
    ],
    ids=["day first", "month first", "points", "both", "neither", "five formats"],
)  # fmt: skip
def test_a_column_settles_whether_day_or_month_comes_first(
    path: Path, cells: list[str], read: list[str | None]
) -> None:
    table = accounts(path, "domain,Last Activity\n" + "".join(f'a.com,"{cell}"\n' for cell in cells))
    for account, cell, wanted in zip(table, cells, read, strict=True):
        found = account.facts.get("last_activity")
        if wanted is None:
            assert (found, account.unread["last_activity"]) == (None, cell)
        else:
            day = instant(wanted)
            assert day is not None
            assert found is not None
            assert day.low <= found[0] <= found[1] <= day.high


def test_sets_are_split_by_what_their_cells_use(path: Path) -> None:
    table = accounts(path, 'domain;Tech Stack\na.com;"HubSpot, Slack"\nb.com;Slack\n')
    assert [a.facts["technologies"][0] for a in table] == [{"hubspot", "slack"}, {"slack"}]


@pytest.mark.parametrize(
    ("text", "stated", "said"),
    [
        ("domain,employees\n", {}, "has a header and no rows"),
        ("domain\nacme.com\n", {}, "has one column, 'domain'"),
        ("acme.com,120,https://acme.com\nbeta.io,3,x\n", {}, "has no header"),
        ("foo,bar\n1,2\n", {}, "no column feeds a fact: foo, bar"),
        ("domain,Employees,Employees\na.com,1,2\n", {}, "the column 'Employees' stands twice"),
        ("domain,Staff\na.com,1\n", {"Staf": "employees"}, "did you mean 'Staff'"),
        ("domain,Staff\na.com,1\n", {"Staff": "employes"}, "did you mean 'employees'"),
        ("domain,Staff\na.com,1\n", {"Staff": "employees:text"}, "'text' does not give a number"),
        ("domain,Staff\na.com,1\n", {"Staff": "employees:EUR"}, "only money has a currency"),
        ("domain,Staff\na.com,1\n", {"Staff": "Bad Name:text"}, "must be lower-case letters"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(
    path: Path, text: str, stated: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        accounts(path, text, stated)
    assert said in str(caught.value)


def test_every_mistake_is_named_at_once(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        accounts(path, "domain,a,a\nx.com,1,2\n", {"b": "employees", "domain": "nothing"})
    assert len(caught.value.problems) == 3


def test_map_texts_are_read_or_refused_together() -> None:
    assert parse_map(["Number = of  staff=employees", "Notes=ignore"]) == {
        "Number = of staff": "employees",
        "Notes": "ignore",
    }
    with pytest.raises(ConfigError) as caught:
        parse_map(["employees", "=employees", "a=", "b=name", "b=city"])
    assert len(caught.value.problems) == 4


def test_a_formula_is_text(path: Path) -> None:
    (found,) = accounts(path, 'domain,City\nacme.com,"=HYPERLINK(""http://x"")"\n')
    assert found.facts["city"] == choice('=hyperlink("http://x")')
