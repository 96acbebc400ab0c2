"""Which territory an account falls into, when that is not known yet, and who is away when."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import Interval, Members, Money, choice
from icp_sync.domain.profile import DAY
from icp_sync.domain.roster import Absence, Match, Tables, Territories, TerritoryRow
from tests.domain.cases import NOW, facts

US = AnyOf(fact="country", values=frozenset({"US"}))
CANADA = AnyOf(fact="country", values=frozenset({"CA"}))
SMALL = Between(fact="employees", high=200, high_open=True)
LARGE = Between(fact="employees", low=200)


def row(line, territory, *wants, **more):
    return TerritoryRow(
        line=line, territory=territory, wants=wants, owner=f"{territory.lower()}@x.com", **more
    )


def table(*rows):
    return Territories("territories.csv", rows, "USD")


def names(match):
    return [r.territory for r in match.rows]


def test_an_account_falls_into_the_territory_that_certainly_holds():
    both = table(row(2, "US", US), row(3, "CA", CANADA))
    assert names(both.match(facts(country="CA"), NOW)) == ["CA"]
    assert both.match(facts(country="MX"), NOW) == Match()


def test_an_unknown_fact_leaves_the_account_waiting_and_is_named():
    both = table(row(2, "Small", US, SMALL), row(3, "Large", US, LARGE))
    assert both.match(facts(country="US"), NOW).undecided == ("employees",)
    assert both.match(facts(country="US", employees=(100, 300)), NOW).undecided == ("employees",)
    assert both.match(facts(employees=50), NOW).undecided == ("country",)
    assert names(both.match(facts(country="US", employees=(50, 199)), NOW)) == ["Small"]
    assert both.match(facts(country="MX"), NOW) == Match()


def test_what_only_a_worse_priority_leaves_open_decides_nothing():
    tiers = table(row(2, "Strategic", US, priority=1), row(3, "Rest", SMALL, priority=2))
    assert names(tiers.match(facts(country="US"), NOW)) == ["Strategic"]
    better = table(row(2, "Small", SMALL, priority=1), row(3, "Rest", US, priority=2))
    assert better.match(facts(country="US"), NOW).undecided == ("employees",)
    assert names(better.match(facts(country="US", employees=500), NOW)) == ["Rest"]


def test_people_who_share_a_territory_are_all_found():
    shared = table(row(2, "US", US), row(3, "US", US, weight=2.0), row(4, "CA", CANADA))
    assert [r.line for r in shared.match(facts(country="US"), NOW).rows] == [2, 3]


def test_an_unknown_that_can_only_add_rows_of_the_same_territory_does_not_wait():
    shared = table(row(2, "US", US), row(3, "US", SMALL))
    assert [r.line for r in shared.match(facts(country="US"), NOW).rows] == [2]


def test_a_row_holds_from_its_start_until_just_before_its_end():
    change = table(row(2, "Old", US, end=NOW), row(3, "New", US, start=NOW))
    before, after = change.match(facts(country="US"), NOW - 1), change.match(facts(country="US"), NOW)
    assert (names(before), before.until) == (["Old"], NOW)
    assert (names(after), after.until) == (["New"], None)


def test_a_gap_in_time_says_when_it_ends():
    later = table(row(2, "US", US, start=NOW + DAY), row(3, "CA", CANADA, start=NOW + 2 * DAY))
    assert later.match(facts(country="US"), NOW) == Match(until=NOW + DAY)
    assert later.match(facts(country="MX"), NOW) == Match()


def test_an_incomplete_set_waits_for_what_may_yet_be_found():
    tools = table(row(2, "H", AnyOf(fact="technologies", values=frozenset({"hubspot"}))))
    assert names(tools.match({"technologies": Members(frozenset({"hubspot"}), False)}, NOW)) == ["H"]
    assert tools.match({"technologies": Members(frozenset({"other"}), False)}, NOW).undecided
    assert tools.match({"technologies": Members(frozenset({"other"}), True)}, NOW) == Match()


def test_money_is_compared_in_the_currency_of_the_table():
    rich = table(row(2, "Rich", Between(fact="revenue", low=1e6, money=True)))
    assert names(rich.match({"revenue": Money(5e6, 5e6, "EUR")}, NOW)) == ["Rich"]
    assert rich.match({"revenue": Money(1.1e6, 1.1e6, "")}, NOW).undecided == ("revenue",)


def test_a_row_that_asks_nothing_takes_every_account():
    assert names(table(row(2, "World")).match({}, NOW)) == ["World"]
    assert table().match({}, NOW) == Match()


def test_a_table_names_each_fact_it_asks_about_once():
    assert table(row(2, "A", US, SMALL), row(3, "B", CANADA)).facts == ("country", "employees")


countries = st.sampled_from(["US", "CA", "MX", "DE"])
territory_rows = st.builds(
    lambda line, codes, band, priority, start: TerritoryRow(
        line=line,
        territory=f"T{line % 3}",
        wants=(
            *([AnyOf(fact="country", values=codes)] if codes else []),
            *([Between(fact="employees", low=band, high=band + 100)] if band else []),
        ),
        owner="a@x.com",
        priority=priority,
        start=start,
    ),
    st.integers(2, 30),
    st.frozensets(countries, max_size=2),
    st.sampled_from([0, 50, 200]),
    st.integers(0, 2),
    st.sampled_from([-inf, NOW + DAY]),
)
known = st.fixed_dictionaries(
    {},
    optional={
        "country": countries.map(choice),
        "employees": st.sampled_from([(10, 10), (60, 60), (100, 250), (0, inf)]).map(lambda p: Interval(*p)),
    },
)


@given(st.lists(territory_rows, max_size=8), known)
def test_a_table_answers_as_its_rows_do_one_by_one(rows, given_facts):
    """Rows are found by their words and weighed by priority; asked alone, each says only whether it holds."""
    found = table(*rows).match(given_facts, NOW)
    alone = [table(r).match(given_facts, NOW) for r in rows]
    certain = [r for r, m in zip(rows, alone, strict=True) if m.rows]
    maybe = [r for r, m in zip(rows, alone, strict=True) if m.undecided]
    first = min((r.priority for r in certain), default=inf)
    if found.undecided:
        assert any(r.priority <= first for r in maybe)
    else:
        assert list(found.rows) == [r for r in certain if r.priority == first]
        assert not any(r.priority < first for r in maybe)


def test_somebody_is_away_from_the_first_day_until_the_day_of_return():
    leave = Absence(email="a@x.com", start=NOW, until=NOW + 10 * DAY)
    course = Absence(email="a@x.com", start=NOW + 2 * DAY, until=NOW + 3 * DAY)
    tables = Tables(absences={"a@x.com": (leave, course)})
    assert tables.away("a@x.com", NOW - 1) is None
    assert tables.away("a@x.com", NOW + 2 * DAY) == leave
    assert tables.away("a@x.com", NOW + 10 * DAY) is None
    assert tables.away("b@x.com", NOW) is None
