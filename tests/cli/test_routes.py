"""`routes check` names every hole and doubt; `routes simulate` keeps what it promises over a whole year."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.cli.routes.year import Plan, Sample, Year, simulate
from icp_sync.domain.account import Owner
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.goals import caps_of
from icp_sync.domain.profile import DAY, Criterion, Member, Pool, Profile, Route, Target
from icp_sync.domain.roster import NO_TABLES, Absence, Tables
from tests.cli.conftest import Place, command
from tests.cli.sales_team import PROFILE, Desk, desk, email, journal
from tests.domain.cases import NOW, facts


@pytest.fixture
def team(tmp_path: Path) -> Desk:
    return desk(tmp_path).accounts(
        "1,Acme,acme.com,US,100,,",
        "2,Small,small.com,US,100,,",
        "3,Large,large.com,US,900,,",
        "4,Unsized,unsized.com,US,51-600,,",
        "5,Mexican,m1.com,MX,100,,",
        "6,Mexican too,m2.com,MX,100,,",
        "7,German,german.com,DE,100,,",
        "8,Tiny,tiny.com,DE,3,,",
        "9,Brazilian,b.com,BR,100,,",
        "10,Somewhere,s.com,,100,,",
        "11,Busy,busy.com,US,100,,1",
        "12,French,french.com,FR,100,,",
    )


def test_every_account_is_counted_where_it_ends_up(team):
    found = team.json("check", "--on-date", "2026-03-01")
    assert (found["accounts"], found["in_scope"], found["as_of"]) == (12, 11, "2026-03-01")
    assert {(r["route"], r["to"]): r["accounts"] for r in found["routes"]} == {
        (1, "strategic.csv, lane sales"): 1,
        (2, "territories.csv, lane sales"): 5,
        (3, "inbound, lane sales"): 1,
        (4, "nobody new, lane nurture"): 3,
        (0, "no route"): 1,
    }
    assert {t["territory"]: t["accounts"] for t in found["territories"]} == {
        "US small": 2,
        "US large": 1,
        "EMEA": 1,
        "Old DE": 0,
        "Never": 0,
    }
    assert found["holes"] == [{"where": "country=MX", "accounts": 2}]
    assert found["undecided"] == [{"missing": "employees", "accounts": 1}]
    assert {u["why"]: u["accounts"] for u in found["unrouted"]} == {
        "an open deal is being worked": 1,
        "the tier is provisional, so nobody is assigned yet": 1,
    }


def test_people_are_shown_with_what_their_weight_earns_them(team):
    people = {p["email"]: p for p in team.json("check")["people"]}
    assert people[email("ann")]["due"] == 3.0  # two of US small, half of each the German and the French one
    assert people[email("bob")] == {
        "email": email("bob"),
        "named_in": ["pool inbound", "US large"],
        "holds": 0,
        "due": 1.5,
        "cap": 300,
        "over_cap": False,
        "problem": "",
    }
    assert people[email("eve")]["due"] == 1.0


def test_nobody_earns_an_account_outside_the_route_scope(team):
    closed = "scope:\n  route: {not: {fact: country, any_of: [US]}}\n"
    profile = team.folder / "team.yaml"
    before = {p["email"]: p["due"] for p in team.json("check")["people"]}
    profile.write_text(profile.read_text(encoding="utf-8").replace("scope:\n", closed, 1), encoding="utf-8")
    after = {p["email"]: p["due"] for p in team.json("check")["people"]}
    assert before[email("ann")] == 3.0
    assert after[email("ann")] == 1.0  # the German and the French one, half of each


def test_who_is_away_earns_nothing_that_day(team):
    team.write(absences=f"email,from,until\n{email('ann')},2026-03-01,2026-04-01\n")
    people = {p["email"]: p for p in team.json("check", "--on-date", "2026-03-15")["people"]}
    assert people[email("ann")]["problem"] == "away until 2026-04-01"
    assert people[email("bob")]["due"] == 2.0


def test_named_accounts_nobody_knows_and_rows_never_reached_are_listed(team):
    found = team.json("check")
    assert found["unknown_named_accounts"] == [
        {"list": "strategic.csv", "account": "nowhere.example", "owner": email("eve")}
    ]
    assert found["never_reached"] == [
        {"row": "territories.csv:6", "why": "row 4 has a better priority and takes all of it"}
    ]


def test_what_changes_within_ninety_days_is_said(team):
    team.write(
        absences=f"email,from,until,reason\n{email('cyd')},2026-04-01,2026-04-15,leave\n"
        f"{email('bob')},2026-09-01,,sabbatical\n",
        territories="territory,owner,country,effective_from\n"
        f"US,{email('ann')},US,\nMX,{email('bob')},MX,2026-05-01\n",
    )
    found = team.json("check", "--on-date", "2026-03-15")
    assert found["upcoming"] == [
        {"on": "2026-04-01", "what": f"{email('cyd')} is away (leave)"},
        {"on": "2026-04-15", "what": f"{email('cyd')} is back"},
        {"on": "2026-05-01", "what": f"territories.csv:3 MX begins for {email('bob')}"},
    ]
    assert {h["where"]: h["accounts"] for h in found["holes"]} == {"country=MX": 2, "country=DE": 1}
    later = team.json("check", "--on-date", "2026-06-01")
    assert {t["territory"]: t["accounts"] for t in later["territories"]} == {"US": 4, "MX": 2}


def test_two_lists_that_want_one_account_for_different_people_are_a_double_match(tmp_path):
    profile = PROFILE.replace("routes:\n", "routes:\n  - {to: {named: board.csv, lane: sales}}\n")
    made = desk(tmp_path, profile).accounts("1,Acme,acme.com,US,100,,", "2,B,b.com,US,100,,")
    made.write(board=f"domain,owner\nacme.com,{email('ann')}\nb.com,{email('ann')}\n")
    found = made.json("check")["double_matches"]
    assert found == [{"between": "board.csv and strategic.csv", "accounts": 1}]


def test_the_report_for_people_fits_eighty_columns_and_names_what_matters(team):
    said = team.run("check").stdout
    assert max(len(line) for line in said.splitlines() if str(team.folder) not in line) <= 80
    for part in ("country=MX", "Waiting for a fact", "2 accounts in holes", "Nothing was changed"):
        assert part in said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"territories": "territory,owner\nT,bob\n"}, "territories.csv:2: owner: 'bob' is not an email"),
        ({"territories": ""}, "territories.csv: is empty"),
        ({"territories": "territory,owner\n"}, "territories.csv: holds a header and no rows"),
        (
            {"territories": "territory,owner,country\nA,a@x.com,US\nB,b@x.com,US;CA\n"},
            "territories.csv:3: B overlaps A in row 2: both want country is US",
        ),
        (
            {"absences": "email,from,until\na@x.com,2026-02-02,2026-02-01\n"},
            "absences.csv:2: from 2026-02-02",
        ),
        ({"strategic": "domain,owner\nacme.com,=HYPERLINK()\n"}, "strategic.csv:2: owner: '=HYPERLINK()'"),
    ],
)
def test_a_broken_table_ends_with_its_row_and_reason(team, files, said):
    assert said in team.write(**files).run("check", code=2).stderr


def test_a_day_that_is_none_and_accounts_that_are_none_are_refused(team):
    assert "'31.12.2026' is not a date" in team.run("check", "--on-date", "31.12.2026", code=2).stderr
    assert "accounts.csv: has a header and no rows" in team.accounts().run("check", code=2).stderr
    team.accounts("9,Brazilian,b.com,BR,100,,")
    assert "no account in it is in scope" in team.run("simulate", code=2).stderr


def test_people_the_crm_does_not_know_or_lists_as_inactive_are_named(tmp_path):
    team = desk(tmp_path)
    journal(
        tmp_path / "journal.sqlite",
        {
            "1": (email("ann"), {"employees": 100, "country": "US"}),
            "2": ("", {"employees": 900, "country": "US"}),
        },
        {email("ann"): True, email("bob"): False, email("cyd"): True},
    )
    config = tmp_path / "icp-sync.toml"
    config.write_text(
        f'journal = "sqlite:///{tmp_path}/journal.sqlite"\n[connections.main]\ntoken = "pat-eu1-1234"\n'
        f'profiles = ["{team.profile}"]\n'
    )
    result = command("routes", "check", "--config", str(config))
    assert result.exit_code == 0, result.output
    said = {line.split()[0]: line for line in result.stdout.splitlines() if "@sales" in line}
    assert "inactive in the CRM" in said[email("bob")]
    assert "not an owner in the CRM" in said[email("eve")]
    assert said[email("ann")].split()[1:3] == ["1", "1.0"]


def test_a_settled_connection_is_checked_and_simulated_by_its_journal(settled: Place):
    found = settled.json("routes", "check")
    assert found["accounts"] >= 90  # the portal's own, and what other tests left in the journal
    assert sum(route["accounts"] for route in found["routes"]) == found["in_scope"] > 0
    people = {p["email"]: p for p in found["people"]}
    assert people["farid.haddad@sales.example"]["cap"] == 120
    assert all(p["problem"] == "" for p in people.values())
    year = settled.json("routes", "simulate", "--fresh")
    assert year["replayed_identically"] == 2_000
    for person in year["people"]:
        apart = abs(person["share"] - person["due_share"]) / 100 * year["assigned"]
        assert apart <= 10 * 2 + 1  # the pool's imbalance, for the heaviest weight in it


def test_a_simulated_year_keeps_its_promises_and_repeats_itself(team):
    team.write(absences=f"email,from,until\n{email('ann')},2026-03-01,2026-06-01\n")
    arguments = ("simulate", "--on-date", "2026-01-01", "--leave", "0.3", "--seed", "7")
    year = team.json(*arguments)
    assert year["arrivals"] == year["replayed_identically"] == 2_000
    assert year["widest_difference"] < 2
    assert year["assigned"] + sum(u["accounts"] for u in year["unrouted"]) == 2_000
    assert year["closed_again"] > 0
    people = {p["email"]: p for p in year["people"]}
    assert all(p["assigned_while_away"] == p["assigned_over_cap"] == 0 for p in people.values())
    assert people[email("ann")]["days_away"] == 92
    assert people[email("cyd")]["cap"] is None
    assert team.json(*arguments) == year
    assert team.json(*arguments[:-1], "8") != year


def test_a_simulated_year_says_why_nobody_was_given_an_account(team):
    team.write(territories=f"territory,owner,country,cap\nUS,{email('ann')},US,20\n")
    said = team.run("simulate", "--arrivals", "200").stdout
    assert f"{email('ann')} is at their cap of 20" in said
    assert "Given to somebody away: 0. Over a cap: 0. Replayed identically: 200 of 200." in said


KNOWN = facts(employees=100)


def year_of(
    *members: Member, tables: Tables = NO_TABLES, loads: dict[str, int] | None = None, **plan: float
) -> Year:
    """A year of one pool, from an account that fits."""
    profile = Profile(
        name="p",
        currency="USD",
        criteria=(
            Criterion(name="size", layer="firmographic", when=Between(fact="employees", low=50), weight=1),
        ),
        routes=(Route(target=Target(lane="sales", pool="team")),),
        pools={"team": Pool(name="team", members=members)},
    )
    sample = Sample(evaluate([compile_profile(profile)], KNOWN, None, NOW), KNOWN)
    owners = {m.email: Owner(id=m.email, email=m.email) for m in members}
    asked = Plan(**({"arrivals": 2_000, "days": 365.0, "seed": 1, "start": NOW} | plan))
    team = Team(owners=owners, loads=loads or {}, tables=tables, caps=caps_of([profile], tables, NOW))
    return simulate([sample], asked, team)


@pytest.mark.parametrize(
    "weights",
    [(1, 1), (1, 2, 3), (0.5, 1, 1.5, 2), (1,) * 10, (3, 1, 1, 1, 1, 1), (30, 70), (50,) * 4, (10, 20, 70)],
)
def test_shares_are_those_of_the_weights_within_two_percent(weights):
    members = [Member(email=email(f"rep{n}"), weight=weight) for n, weight in enumerate(weights)]
    year = year_of(*members)
    assert year.assigned == 2_000
    for member in members:
        share = 100 * year.reps[member.email].assigned / year.assigned
        assert abs(share - 100 * member.weight / sum(weights)) < 2


def test_who_begins_with_more_gets_fewer_until_all_stand_level():
    members = [Member(email=email(name)) for name in ("ann", "bob")]
    year = year_of(*members, loads={email("ann"): 500})
    assert abs(year.reps[email("ann")].load - year.reps[email("bob")].load) <= 6
    assert year.widest < 2


@settings(max_examples=12, deadline=None)
@given(
    people=st.lists(
        st.tuples(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]), st.sampled_from([0, 40, 150, 400])),
        min_size=1,
        max_size=8,
    ),
    away=st.dictionaries(st.integers(0, 7), st.tuples(st.integers(0, 300), st.integers(1, 200)), max_size=4),
    began=st.lists(st.integers(0, 200), min_size=8, max_size=8),
    leaving=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 99),
)
def test_in_any_year_nobody_is_over_their_cap_nor_chosen_while_away(people, away, began, leaving, seed):
    members = [Member(email=email(f"rep{n}"), weight=w, cap=cap) for n, (w, cap) in enumerate(people)]
    absences = {
        email(f"rep{n}"): (
            Absence(email=email(f"rep{n}"), start=NOW + first * DAY, until=NOW + (first + length) * DAY),
        )
        for n, (first, length) in away.items()
    }
    loads = {m.email: held for m, held in zip(members, began, strict=False)}
    year = year_of(
        *members, tables=Tables(absences=absences), loads=loads, leaving=leaving, seed=seed, arrivals=1_000
    )
    assert year.replayed == year.arrivals == 1_000
    assert sum(r.over_cap for r in year.reps.values()) == 0
    assert sum(r.while_away for r in year.reps.values()) == 0
    assert year.widest < 2 or year.assigned < 500
    for member in members:
        rep = year.reps[member.email]
        assert not member.cap or rep.highest <= max(member.cap, rep.began)
