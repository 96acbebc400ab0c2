"""Rows that want the same accounts: named with both rows and an example, in any table, never invented."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import CATALOGUE, Interval, Members
from icp_sync.domain.profile import DAY
from icp_sync.domain.roster import Territories, TerritoryRow
from icp_sync.roster_file import never_reached
from icp_sync.roster_file.overlaps import overlapping
from tests.domain.cases import NOW
from tests.roster_file.conftest import problems_of


def row(
    line: int, territory: str, *wants: AnyOf | Between, priority: int = 0, **times: float
) -> TerritoryRow:
    return TerritoryRow(
        line=line, territory=territory, wants=wants, owner="a@x.com", priority=priority, **times
    )


def country(*codes: str) -> AnyOf:
    return AnyOf(fact="country", values=frozenset(codes))


def test_an_overlap_names_both_rows_and_what_they_share(load):
    found = problems_of(
        load,
        territories="territory,owner,country,employees\n"
        "Small,a@example.com,US;CA,1-200\n"
        "Large,b@example.com,US,200+\n",
    )
    assert found == [
        "territories.csv:3: Large overlaps Small in row 2: both want country is US and employees equals 200 "
        "(tell them apart by a fact, or give one a lower priority number)"
    ]


def test_priorities_times_and_bands_keep_rows_apart(load):
    load(
        territories="territory,owner,country,employees,priority,effective_from,effective_to\n"
        "All,a@example.com,,,9,,\n"
        "Small,a@example.com,US,<200,0,,\n"
        "Large,b@example.com,US,200+,0,,\n"
        "Canada 2026,b@example.com,CA,,0,,2026-12-31\n"
        "Canada 2027,a@example.com,CA,,0,2027-01-01,\n",
    )


def test_the_last_day_of_one_and_the_first_of_the_other_may_not_be_the_same(load):
    found = problems_of(
        load,
        territories="territory,owner,effective_from,effective_to\n"
        "Old,a@example.com,,2026-12-31\n"
        "New,b@example.com,2026-12-31,\n",
    )
    assert "both want every account from 2026-12-31 to 2026-12-31" in found[0]


def test_sets_keep_nobody_apart_since_an_account_can_have_both(load):
    text = "territory,owner,technologies\nH,a@example.com,hubspot\nS,b@example.com,salesforce\n"
    assert "S overlaps H in row 2" in problems_of(load, territories=text)[0]


def test_rows_that_ask_for_different_facts_overlap(load):
    text = "territory,owner,country,industry\nUS,a@example.com,US,\nBanks,b@example.com,,BANKING\n"
    assert "both want industry is BANKING and country is US" in problems_of(load, territories=text)[0]


def test_a_row_that_a_better_priority_covers_is_never_reached():
    wide = row(2, "Wide", country("US", "CA"))
    lost = row(3, "Lost", country("US"), Between(fact="employees", low=50), priority=1)
    later = row(4, "Later", country("US"), priority=1, start=NOW)
    free = row(5, "Free", country("MX"), priority=1)
    assert list(never_reached([wide, lost, later, free], CATALOGUE)) == [(lost, wide), (later, wide)]
    ending = replace(wide, end=NOW)
    assert list(never_reached([ending, lost, free], CATALOGUE)) == []


def test_a_large_table_is_looked_through_without_asking_every_pair():
    """Counted in questions, not in time: 5,000 rows have 12.5 million pairs."""
    codes = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJ"]
    bands = [Between(fact="employees", low=low, high=low + 9) for low in range(0, 500, 10)]
    rows = [
        row(line, f"T{line}", country(code), band)
        for line, (code, band) in enumerate(((code, band) for code in codes for band in bands), start=2)
    ]
    assert len(rows) == 5_000
    assert list(overlapping(rows, CATALOGUE)) == []
    rows.append(row(9_999, "Extra", country("CC"), Between(fact="employees", low=12, high=12)))
    ((what, line, _),) = overlapping(rows, CATALOGUE)
    assert (what, line) == (
        "Extra overlaps T1103 in row 1103: both want country is CC and employees equals 12",
        9_999,
    )


def test_a_large_table_told_apart_by_bands_alone_is_looked_through_as_well():
    rows = [row(i, f"T{i}", Between(fact="employees", low=10 * i, high=10 * i + 9)) for i in range(2, 3_000)]
    assert list(overlapping(rows, CATALOGUE)) == []


wants = st.tuples(
    st.frozensets(st.sampled_from(["US", "CA", "MX"]), max_size=2),
    st.frozensets(st.sampled_from(["hubspot", "salesforce"]), max_size=1),
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans()),
    st.tuples(st.sampled_from([-inf, 0, 10]), st.sampled_from([5, 20, inf])),
    st.integers(0, 1),
)
accounts = st.tuples(
    st.sampled_from(["US", "CA", "MX"]),
    st.sets(st.sampled_from(["hubspot", "salesforce"])),
    st.integers(0, 8),
    st.sampled_from([0, 5, 10, 15]),
)


def _row(line: int, drawn) -> TerritoryRow:
    codes, tools, (low, high, low_open, high_open), (start, end), priority = drawn
    asked: list[AnyOf | Between] = []
    if codes:
        asked.append(country(*codes))
    if tools:
        asked.append(AnyOf(fact="technologies", values=tools))
    if low < high:
        band = Between(fact="employees", low=low, high=high, low_open=low_open, high_open=high_open)
        asked.append(band)
    return TerritoryRow(
        line=line,
        territory=f"T{line}",
        wants=tuple(asked),
        owner="a@x.com",
        priority=priority,
        start=start * DAY,
        end=end * DAY,
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(wants, min_size=2, max_size=60), st.lists(accounts, min_size=20, max_size=20))
def test_no_account_falls_into_two_territories_of_a_table_without_overlaps(drawn, companies):
    rows = [_row(line, d) for line, d in enumerate(drawn, start=2)]
    apart: list[TerritoryRow] = []
    for candidate in rows:
        if not list(overlapping([*apart, candidate], CATALOGUE)):
            apart.append(candidate)
    lost = {row.line for row, _ in never_reached(apart, CATALOGUE)}
    table = Territories("t.csv", apart, "USD")
    for code, tools, employees, day in companies:
        facts = {
            "country": Members(frozenset({code}), True),
            "technologies": Members(frozenset(tools), True),
            "employees": Interval(employees / 2, employees / 2),
        }
        match = table.match(facts, day * DAY)
        assert not match.undecided
        assert len(match.rows) <= 1
        assert not {r.line for r in match.rows} & lost


@settings(max_examples=25, deadline=None)
@given(st.lists(wants, min_size=41, max_size=55))
def test_a_divided_search_finds_what_asking_every_pair_finds(drawn):
    rows = [_row(line, d) for line, d in enumerate(drawn, start=2)]
    divided = {(line, what.split(":")[0]) for what, line, _ in overlapping(rows, CATALOGUE)}
    every = set()
    for pair in combinations(rows, 2):
        every |= {(line, what.split(":")[0]) for what, line, _ in overlapping(pair, CATALOGUE)}
    assert divided <= every
    assert divided == every or len(divided) == 50
