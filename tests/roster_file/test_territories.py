"""Territory tables: what a row may say, and every mistake at its file and row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.profile import Member, Pool
from tests.roster_file.conftest import PROFILE, Load, problems_of


def at(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


def rows(load: Load, text: str | bytes):
    return load(territories=text).territories["territories.csv"].rows


def test_a_row_says_whose_which_and_when(load):
    (row,) = rows(
        load,
        "Territory;Owner;Weight;Cap;Priority;Effective From;effective_to;country;employees;revenue\n"
        "West;Ann@Example.com;1.5;200;2;2026-01-01;2026-06-30;United States|CA;50-500;<1M\n",
    )
    assert (row.line, row.territory, row.owner, row.weight, row.cap) == (
        2,
        "West",
        "ann@example.com",
        1.5,
        200,
    )
    assert (row.priority, row.start, row.end) == (2, at(2026, 1, 1), at(2026, 7, 1))
    assert row.wants == (
        AnyOf(fact="country", values=frozenset({"US", "CA"})),
        Between(fact="employees", low=50, high=500),
        Between(fact="revenue", high=1e6, high_open=True, money=True),
    )


@pytest.mark.parametrize(
    ("cell", "low", "high", "low_open", "high_open"),
    [
        ("50-500", 50, 500, False, False),
        ("50 – 500", 50, 500, False, False),
        ("50..500", 50, 500, False, False),
        ("50 to 500", 50, 500, False, False),
        ("1k-5k", 1000, 5000, False, False),
        ('"1,000-5,000"', 1000, 5000, False, False),
        (">=50", 50, inf, False, False),
        ("≥ 50", 50, inf, False, False),
        (">50", 50, inf, True, False),
        ("50+", 50, inf, False, False),
        ("<500", -inf, 500, False, True),
        ("<=500", -inf, 500, False, False),
        ("50", 50, 50, False, False),
        ("0-10k", 0, 10_000, False, False),
    ],
)
def test_a_band_is_read_as_people_write_it(load, cell, low, high, low_open, high_open):
    (row,) = rows(load, f"territory,owner,employees\nT,a@example.com,{cell}\n")
    assert row.wants == (
        Between(fact="employees", low=low, high=high, low_open=low_open, high_open=high_open),
    )


def test_two_columns_may_hold_the_ends_of_a_band(load):
    text = "territory,owner,employees_min,employees_max,revenue_min\nT,a@example.com,50,,$1M\n"
    (row,) = rows(load, text)
    assert row.wants == (Between(fact="employees", low=50), Between(fact="revenue", low=1e6, money=True))


def test_a_blank_cell_asks_nothing(load):
    (row,) = rows(load, "territory,owner,country,employees,weight,cap,effective_to\nT,a@example.com,,,,,\n")
    assert (row.wants, row.weight, row.cap, row.end) == ((), 1.0, 0, inf)


def test_words_are_read_as_in_profiles(load):
    (row,) = rows(
        load,
        "territory,owner,industry,sector,state,parent.country\n"
        "T,a@example.com,Computer Software,32,California;NEVADA,Germany\n",
    )
    assert [want.values for want in row.wants] == [
        {"COMPUTER_SOFTWARE"},
        {"31-33"},
        {"california", "nevada"},
        {"DE"},
    ]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-01", (2026, 3, 1)),
        ("1 March 2026", (2026, 3, 1)),
        ("Mar 1, 2026", (2026, 3, 1)),
        ("2026-03", (2026, 3, 1)),
        ("2026-03-01T00:00:00Z", (2026, 3, 1)),
    ],
)
def test_dates_in_five_formats_begin_at_midnight_utc(load, cell, day):
    (row,) = rows(load, f'territory,owner,effective_from\nT,a@example.com,"{cell}"\n')
    assert row.start == at(*day)


@pytest.mark.parametrize(
    "cell", ["9999-12-31", "31 Dec 9999", "Dec 31, 9999", "9999-12-31T23:59:59Z", "9999", "2999-12-31"]
)
def test_a_last_day_at_the_end_of_all_calendars_is_no_end(load, cell):
    (row,) = rows(load, f'territory,owner,effective_to\nT,a@example.com,"{cell}"\n')
    assert row.end == inf


@pytest.mark.parametrize(
    ("column", "cell"),
    [("effective_to", "9999-12-32"), ("effective_to", "never 9999"), ("effective_from", "9999-12-31")],
)
def test_only_a_date_that_ends_something_may_lie_there(load, column, cell):
    found = problems_of(load, territories=f"territory,owner,{column}\nT,a@example.com,{cell}\n")
    assert found[0].startswith(f"territories.csv:2: {column}: '{cell}' is not a date")


def test_any_encoding_and_delimiter_that_a_spreadsheet_writes_is_read(load):
    text = "territory\towner\tcity\r\nMünchen\ta@example.com\tMünchen\r\n"
    for data in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("cp1252")):
        (row,) = rows(load, data)
        assert row.territory == "München"
        assert row.wants == (AnyOf(fact="city", values=frozenset({"münchen"})),)


@pytest.mark.parametrize(
    ("header", "cells", "said"),
    [
        ("territory,owner", "T,bob", "territories.csv:2: owner: 'bob' is not an email address"),
        ("territory,owner", ",a@example.com", "territories.csv:2: names no territory"),
        ("territory,owner,pool", "T,,", "territories.csv:2: names neither an owner nor a pool"),
        ("territory,owner,pool", "T,a@example.com,emea", "territories.csv:2: names an owner and a pool"),
        ("territory,pool", "T,emeo", "territories.csv:2: unknown pool 'emeo' (did you mean 'emea'?)"),
        ("territory,pool,cap", "T,emea,5", "territories.csv:2: a weight or cap beside a pool"),
        ("territory,owner,weight", "T,a@example.com,0", "territories.csv:2: weight: a weight of '0'"),
        ("territory,owner,weight", "T,a@example.com,-2", "territories.csv:2: weight: a weight of '-2'"),
        ("territory,owner,weight", "T,a@example.com,=1+1", "territories.csv:2: weight: '=1+1' is a formula"),
        ("territory,owner,cap", "T,a@example.com,-1", "territories.csv:2: cap: a cap of '-1'"),
        ("territory,owner,cap", "T,a@example.com,2.5", "territories.csv:2: cap: '2.5' is not a whole number"),
        (
            "territory,owner,priority",
            "T,a@example.com,first",
            "territories.csv:2: priority: 'first' is not a",
        ),
        (
            "territory,owner,effective_from,effective_to",
            "T,a@example.com,2026-05-02,2026-05-01",
            "territories.csv:2: effective_to lies before effective_from",
        ),
        (
            "territory,owner,effective_from",
            "T,a@example.com,05/06/2026",
            "territories.csv:2: effective_from: '05/06/2026' is not a date, or could be two",
        ),
        (
            "territory,owner,effective_from",
            "T,a@example.com,2026-02-30",
            "territories.csv:2: effective_from:",
        ),
        (
            "territory,owner,country",
            "T,a@example.com,Atlantis",
            "territories.csv:2: country: 'Atlantis' is not",
        ),
        ("territory,owner,country", "T,a@example.com,;", "territories.csv:2: country: names nothing"),
        ("territory,owner,employees", "T,a@example.com,500-50", "territories.csv:2: employees: the band is"),
        (
            "territory,owner,employees",
            "T,a@example.com,1-5k",
            "territories.csv:2: employees: '1-5k' leaves open",
        ),
        (
            "territory,owner,employees",
            "T,a@example.com,many",
            "territories.csv:2: employees: 'many' is not a",
        ),
        (
            "territory,owner,revenue",
            "T,a@example.com,>1M EUR",
            "territories.csv:2: revenue: '1M EUR' is in EUR",
        ),
        (
            "territory,owner,founded",
            "T,a@example.com,1990",
            "territories.csv:2: founded: a territory cannot ask",
        ),
        (
            "territory,owner,contry",
            "T,a@example.com,US",
            "territories.csv:1: unknown column 'contry' (did you",
        ),
        ("territory,owner,city_min", "T,a@example.com,1", "territories.csv:1: unknown column 'city_min'"),
        ("owner,country", "a@example.com,US", "territories.csv:1: there is no column 'territory'"),
        ("territory,country", "T,US", "territories.csv:1: there is neither a column 'owner' nor 'pool'"),
        (
            "territory,owner,employees,employees_min",
            "T,a@example.com,5,5",
            "territories.csv:1: 'employees_min' beside 'employees'",
        ),
        (
            "territory,owner,country,Country",
            "T,a@example.com,US,US",
            "territories.csv:1: the column 'country'",
        ),
        ("territory,owner,country", "T,a@example.com,US,more", "territories.csv:2: has 4 cells instead of 3"),
    ],
)
def test_a_mistake_is_named_with_its_row_and_reason(load, header, cells, said):
    found = problems_of(load, territories=f"{header}\n{cells}\n")
    assert any(problem.startswith(said) for problem in found), found


def test_every_mistake_of_every_file_is_said_at_once(load):
    found = problems_of(
        load,
        territories="territory,owner\nT,bob\nU,eve\n",
        strategic="domain,owner\nnot a domain,a@example.com\n",
        absences="email,from\na@example.com,yesterday\n",
    )
    assert [problem.split(": ")[0] for problem in found] == [
        "territories.csv:2",
        "territories.csv:3",
        "strategic.csv:2",
        "absences.csv:2",
    ]


def test_an_empty_table_and_a_header_alone_are_problems(load):
    assert problems_of(load, territories="")[0].startswith("territories.csv: is empty")
    assert problems_of(load, territories="territory,owner\n")[0].startswith("territories.csv: holds a header")


def test_a_thousand_mistakes_are_not_a_thousand_lines(load):
    found = problems_of(load, territories="territory,owner\n" + "T,bob\n" * 1000)
    assert len(found) == 101
    assert sum("and more" in problem for problem in found) == 1


def test_several_people_share_a_territory_but_nobody_twice(load):
    text = "territory,owner,country\nT,a@example.com,US\nT,b@example.com,US\n"
    assert len(rows(load, text)) == 2
    found = problems_of(load, territories=text + "T,a@example.com,US\n")
    assert found == [
        "territories.csv:4: says the same as row 2: a@example.com in T (keep one of the two)",
    ]


def test_the_table_in_the_documentation_is_one(load):
    page = (Path(__file__).parents[2] / "config" / "README.md").read_text(encoding="utf-8")
    text = page.split("```csv\n")[1].split("```")[0]
    pool = Pool(name="dach-team", members=(Member(email="ann@example.com"),))
    profile = replace(PROFILE, pools={"dach-team": pool})
    table = load(profile, territories=text).territories["territories.csv"]
    assert len(table.rows) == text.count("\n") - 1
