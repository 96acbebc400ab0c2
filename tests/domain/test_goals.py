"""Whom a route means for one account: an owner, a pool, a territory's people, or a named list's."""

from __future__ import annotations

from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import choice
from icp_sync.domain.goals import goal_of
from icp_sync.domain.profile import DAY, Member, NamedList, Pool, Profile, Target
from icp_sync.domain.roster import NO_TABLES, Tables, Territories, TerritoryRow
from tests.domain.cases import NOW, facts

TEAM = Pool(
    name="team",
    members=(Member(email="ann@x.com", weight=2.0), Member(email="bob@x.com", cap=5)),
    imbalance=9.0,
)
PROFILE = Profile(name="p", currency="USD", criteria=(), pools={"team": TEAM})


def rows(*rows):
    return Tables(territories={"t.csv": Territories("t.csv", rows, "USD")})


def row(line, territory, code, **more):
    return TerritoryRow(
        line=line, territory=territory, wants=(AnyOf(fact="country", values=frozenset({code})),), **more
    )


def goal(target, tables=NO_TABLES, profile=PROFILE, account_id="7", now=NOW, **known):
    return goal_of(account_id, Target(lane="sales", **target), profile, facts(**known), tables, now)


def test_a_pool_means_its_members_with_their_weights_caps_and_imbalance():
    found = goal({"pool": "team"})
    assert (found.name, found.members, found.imbalance) == ("team", TEAM.members, 9.0)


def test_an_owner_means_that_person_alone():
    assert [m.email for m in goal({"owner": "eve@x.com"}).members] == ["eve@x.com"]


def test_a_route_to_nobody_means_nobody():
    found = goal({})
    assert (found.members, found.passes_on, found.undecided) == ((), False, "")


def test_a_territory_means_the_people_of_its_rows():
    tables = rows(
        row(2, "US", "US", owner="ann@x.com", weight=3.0, cap=10),
        row(3, "US", "US", owner="eve@x.com"),
        row(4, "CA", "CA", owner="bob@x.com"),
    )
    found = goal({"territory": "t.csv"}, tables, country="US")
    assert found.name == "US"
    assert found.members == (Member(email="ann@x.com", weight=3.0, cap=10), Member(email="eve@x.com"))
    assert "territory US" in found.said


def test_a_row_may_hand_a_territory_to_a_pool():
    tables = rows(row(2, "US", "US", pool="team"))
    found = goal({"territory": "t.csv"}, tables, country="US")
    assert (found.members, found.imbalance) == (TEAM.members, 9.0)


def test_a_territory_narrows_a_pool_and_says_who_is_outside():
    tables = rows(row(2, "US", "US", owner="ann@x.com"))
    found = goal({"territory": "t.csv", "pool": "team"}, tables, country="US")
    assert found.members == TEAM.members
    assert found.outside == {"bob@x.com": "out of territory US"}


def test_an_account_in_no_territory_is_passed_on_until_a_row_comes_into_force():
    tables = rows(row(2, "US", "US", owner="ann@x.com", start=NOW + DAY))
    assert goal({"territory": "t.csv"}, tables, country="MX").passes_on
    later = goal({"territory": "t.csv"}, tables, country="US")
    assert (later.passes_on, later.until) == (True, NOW + DAY)


def test_an_unknown_fact_is_waited_for_and_named():
    tables = rows(row(2, "US", "US", owner="ann@x.com"))
    found = goal({"territory": "t.csv"}, tables)
    assert (found.passes_on, found.undecided) == (
        False,
        "the territory depends on country, which is not known",
    )


def test_a_table_that_is_not_here_decides_nothing():
    assert goal({"territory": "t.csv"}).undecided == "no table t.csv is here"
    assert goal({"named": "s.csv"}).undecided == "no list s.csv is here"


def test_a_named_list_is_asked_by_id_first_and_then_by_domain():
    listed = NamedList(name="s.csv", owners={"#7": "ann@x.com", "acme.com": "bob@x.com"})
    tables = Tables(named={"s.csv": listed})

    def owner(account_id):
        found = goal({"named": "s.csv"}, tables, account_id=account_id, domain="acme.com")
        return [m.email for m in found.members]

    assert owner("7") == ["ann@x.com"]
    assert owner("8") == ["bob@x.com"]
    assert goal({"named": "s.csv"}, tables, account_id="8", domain="other.com").passes_on
    assert goal({"named": "s.csv"}, tables, account_id="8").passes_on


def test_a_list_of_the_profile_comes_before_a_file_of_that_name():
    profile = Profile(
        name="p",
        currency="USD",
        criteria=(),
        named={"s.csv": NamedList(name="s.csv", owners={"#7": "eve@x.com"})},
    )
    tables = Tables(named={"s.csv": NamedList(name="s.csv", owners={"#7": "ann@x.com"})})
    assert [m.email for m in goal({"named": "s.csv"}, tables, profile).members] == ["eve@x.com"]


def test_a_fact_may_hold_the_owner_of_a_named_account():
    found = goal_of(
        "7",
        Target(lane="sales", named_fact="strategic_owner"),
        PROFILE,
        {"strategic_owner": choice("ann@x.com")},
        NO_TABLES,
        NOW,
    )
    assert [m.email for m in found.members] == ["ann@x.com"]
    assert goal({"named_fact": "strategic_owner"}).passes_on
