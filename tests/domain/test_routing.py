"""Who is chosen, who is passed over and why, and that every decision replays from its own evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.account import ALONE, Kin, Owner
from icp_sync.domain.choosing import Candidate, Team, pick
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.goals import caps_of
from icp_sync.domain.profile import DAY, Criterion, Member, NamedList, Pool, Profile, Route, Target, Tiers
from icp_sync.domain.roster import NO_TABLES, Absence, Tables, Territories, TerritoryRow
from icp_sync.domain.routing import Held, decide, replay
from icp_sync.domain.standing import STATES
from tests.domain.cases import NOW, OWNERS, facts

ROSTER = {email: Owner(id=str(i), email=email) for i, email in enumerate(OWNERS)}


def profile(*routes, members=None, imbalance=5.0, hopeful=False):
    people = members or tuple(Member(email=e) for e in OWNERS)
    return Profile(
        name="p",
        currency="USD",
        criteria=(
            Criterion(
                name="size",
                layer="firmographic",
                when=Between(fact="employees", low=100, high=200),
                weight=1,
                unknown=1.0,
            ),
        ),
        routes=routes,
        tiers=Tiers(min_coverage=0.0) if hopeful else Tiers(),
        pools={"team": Pool(name="team", members=people, imbalance=imbalance)},
    )


TO_TEAM = Route(target=Target(lane="sales", pool="team"), tiers=("A", "B"))


def route(
    with_profile,
    account_id="1",
    *,
    owner="",
    routed="",
    vacant=True,
    owners=ROSTER,
    loads=None,
    tables=NO_TABLES,
    kin=ALONE,
    **known,
):
    known = facts(**(known or {"employees": 150}))
    evaluation = evaluate((compile_profile(with_profile),), known, None, NOW)
    return decide(
        account_id,
        evaluation,
        known,
        held=Held(owner=owner, vacant_from=0.0 if vacant else None, routed=routed),
        team=Team(owners=owners, loads=loads or {}, tables=tables),
        kin=kin,
        now=NOW,
    )


def test_a_firm_tier_goes_to_somebody_of_the_pool():
    decision = route(profile(TO_TEAM))
    assert decision.lane == "sales"
    assert decision.owner in OWNERS
    assert replay(decision) == decision.owner


def test_an_owner_in_place_stays():
    assert route(profile(TO_TEAM), owner="zoe@example.com").note == "owner zoe@example.com stays"


def test_a_provisional_a_goes_to_research_and_to_nobody():
    decision = route(profile(TO_TEAM, hopeful=True), employees=(150, 300))
    assert (decision.lane, decision.owner) == ("research", "")
    sure = replace(TO_TEAM, even_if_provisional=True)
    assert route(profile(sure, hopeful=True), employees=(150, 300)).owner in OWNERS


def test_a_named_owner_who_left_is_not_chosen_and_the_record_says_so():
    to_ada = Route(target=Target(lane="sales", owner=OWNERS[0]), tiers=("A",))
    gone = {**ROSTER, OWNERS[0]: replace(ROSTER[OWNERS[0]], active=False)}
    assert route(profile(to_ada)).owner == OWNERS[0]
    decision = route(profile(to_ada), owners=gone)
    assert (decision.owner, decision.considered[0].skipped) == ("", "inactive in the CRM")


def test_the_inactive_the_capped_and_the_overloaded_are_passed_over():
    members = (
        Member(email=OWNERS[0]),
        Member(email=OWNERS[1], cap=3),
        Member(email=OWNERS[2]),
        Member(email="x@example.com"),
    )
    loads = {OWNERS[0]: 9, OWNERS[1]: 3, OWNERS[2]: 1}
    decision = route(profile(TO_TEAM, members=members), loads=loads)
    assert decision.owner == OWNERS[2]
    assert {c.email: c.skipped for c in decision.considered} == {
        OWNERS[0]: "holds more than their share now",
        OWNERS[1]: "at their cap of 3",
        OWNERS[2]: "",
        "x@example.com": "not an owner in the CRM",
    }


def test_an_open_deal_or_fresh_activity_is_never_given_away():
    assert route(profile(TO_TEAM), employees=150, open_deals=1).note == "an open deal is being worked"
    touched = route(profile(TO_TEAM), employees=150, last_activity=(NOW - 3 * DAY, NOW - 3 * DAY))
    assert (touched.owner, touched.until) == ("", NOW + 11 * DAY)  # looked at again when it has passed
    assert route(profile(TO_TEAM), employees=150, last_activity=(NOW - 60 * DAY, NOW - 60 * DAY)).owner


def test_states_have_lanes_of_their_own():
    assert route(profile(TO_TEAM), country="DE").lane == "research"  # Needs data
    assert (
        route(profile(TO_TEAM, Route(target=Target(lane="nurture"))), employees=5000).lane == "nurture"
    )  # D


def test_weights_share_out_many_accounts():
    members = tuple(Member(email=e, weight=w) for e, w in zip(OWNERS, (1, 2, 3), strict=True))
    with_weights = profile(TO_TEAM, members=members)
    loads: Counter[str] = Counter()
    for n in range(1200):
        loads[route(with_weights, str(n), loads=loads).owner] += 1
    shares = [loads[e] / 1200 for e in OWNERS]
    assert all(abs(share - w / 6) < 0.02 for share, w in zip(shares, (1, 2, 3), strict=True))


people = st.lists(
    st.builds(
        Candidate,
        email=st.sampled_from(OWNERS),
        weight=st.floats(0.1, 9),
        skipped=st.sampled_from(["", "away"]),
    ),
    max_size=3,
    unique_by=lambda c: c.email,
)


@given(st.text(max_size=9), people)
def test_the_choice_is_one_of_the_eligible_and_independent_of_order(account_id, candidates):
    chosen = pick(account_id, candidates)
    assert chosen == pick(account_id, candidates[::-1])
    assert (chosen in {c.email for c in candidates if not c.skipped}) or (
        chosen == "" and all(c.skipped for c in candidates)
    )


@given(st.text(max_size=9), people)
def test_somebody_leaving_moves_only_their_own_accounts(account_id, candidates):
    chosen = pick(account_id, candidates)
    for leaver in candidates:
        if leaver.email != chosen:
            assert pick(account_id, [c for c in candidates if c is not leaver]) == chosen


def to_team(**changes):
    """A route to the team that also asks for something more."""
    return Route(target=Target(lane="sales", pool="team", **changes), tiers=("A", "B"))


CUSTOMER = {"employees": 150, "population": {"customer"}}


def test_a_customer_is_owned_by_routes_made_for_customers_alone():
    assert route(profile(TO_TEAM), **CUSTOMER).owner == ""
    everybody = Route(target=Target(lane="nurture"))
    assert route(profile(TO_TEAM, everybody), **CUSTOMER).lane == "success"
    kept = route(profile(TO_TEAM), owner=OWNERS[1], **CUSTOMER)
    assert (kept.lane, kept.owner, kept.success) == ("success", "", ("full", "likely", "low"))
    theirs = Route(
        target=Target(lane="success", pool="team", churn_risk="medium"),
        when=AnyOf(fact="population", values=frozenset({"customer"})),
    )
    given = route(profile(theirs, TO_TEAM), **CUSTOMER)
    assert given.owner in OWNERS
    assert given.success == ("full", "likely", "medium")
    assert route(profile(theirs, TO_TEAM), employees=150).lane == "sales"


def test_a_customer_that_does_not_fit_is_at_risk_and_stays_in_the_success_lane():
    poor = route(profile(TO_TEAM), employees=5000, population=CUSTOMER["population"])
    assert (poor.lane, poor.success) == ("success", ("light", "unlikely", "high"))


def test_an_owner_we_chose_who_left_the_pool_loses_the_account_only_where_the_route_says_so():
    gone = "gone@example.com"
    roster = {**ROSTER, gone: Owner(id="9", email=gone)}
    taking = replace(TO_TEAM, even_if_owned=True)
    assert route(profile(TO_TEAM), owner=gone, routed=gone, owners=roster).owner == ""
    assert route(profile(taking), owner=gone, routed=gone, owners=roster).owner in OWNERS
    assert route(profile(taking), owner=gone, routed="", owners=roster).owner == ""  # a person's choice
    busy = {OWNERS[0]: 99}
    stays = route(profile(taking), owner=OWNERS[0], routed=OWNERS[0], loads=busy)
    assert stays.note == f"owner {OWNERS[0]} stays"  # being busy is no reason to lose an account


def test_customers_are_not_re_routed_unless_that_is_overlooked_too():
    gone = "gone@example.com"
    theirs = Route(
        target=Target(lane="success", pool="team"),
        when=AnyOf(fact="population", values=frozenset({"customer"})),
        even_if_owned=True,
    )
    kept = route(profile(theirs), owner=gone, routed=gone, **CUSTOMER)
    assert kept.note == f"owner {gone} stays: customers are not re-routed"
    also = replace(theirs, even_if_customer=True)
    assert route(profile(also), owner=gone, routed=gone, **CUSTOMER).owner in OWNERS


def absent(*emails, until=NOW + 5 * DAY):
    return Tables(absences={e: (Absence(email=e, start=NOW - DAY, until=until),) for e in emails})


def test_who_is_away_is_passed_over_and_waited_for_when_everybody_is():
    decision = route(profile(TO_TEAM), tables=absent(*OWNERS[:2]))
    assert decision.owner == OWNERS[2]
    nobody = route(profile(TO_TEAM), tables=absent(*OWNERS))
    assert (nobody.owner, nobody.until) == ("", NOW + 5 * DAY)


def test_the_group_keeps_its_owner_waits_for_one_who_is_away_and_not_for_one_who_left():
    keeping = profile(to_team(keep="group"))
    family = Kin(group="acme.com", group_owners=(OWNERS[2],))
    assert {route(keeping, str(n), kin=family).owner for n in range(20)} == {OWNERS[2]}
    waits = route(keeping, kin=family, tables=absent(OWNERS[2]))
    assert (waits.owner, waits.until) == ("", NOW + 5 * DAY)
    left = {**ROSTER, OWNERS[2]: replace(ROSTER[OWNERS[2]], active=False)}
    assert route(keeping, kin=family, owners=left).owner in OWNERS[:2]
    assert route(keeping, kin=Kin(problem="its parent 9 has not been read", unread=True)).owner == ""
    assert replay(route(keeping, kin=family)) == OWNERS[2]


def test_a_cap_holds_for_the_owner_of_the_group_too():
    capped = tuple(Member(email=e, cap=3) for e in OWNERS)
    keeping = profile(to_team(keep="group"), members=capped)
    family = Kin(group="acme.com", group_owners=(OWNERS[2],))
    assert route(keeping, kin=family, loads={OWNERS[2]: 3}).owner == ""


def test_named_accounts_go_to_their_owner_and_others_to_the_next_route():
    named = Route(target=Target(lane="sales", named="strategic.csv"), tiers=STATES)
    tables = Tables(
        named={
            "strategic.csv": NamedList(name="strategic.csv", owners={"acme.com": OWNERS[1], "#7": OWNERS[2]})
        }
    )
    with_named = profile(named, TO_TEAM)
    by_domain = route(with_named, tables=tables, employees=150, domain="acme.com")
    assert (by_domain.owner, by_domain.note) == (OWNERS[1], "named in strategic.csv")
    assert route(with_named, "7", tables=tables).owner == OWNERS[2]
    assert route(with_named, "8", tables=tables).rule == 2
    missing = route(with_named)
    assert (missing.owner, missing.note) == ("", "no list strategic.csv is here")  # rather than anybody


def test_an_owner_can_stand_in_a_fact():
    by_fact = Route(target=Target(lane="sales", named_fact="csm"), tiers=STATES)
    assert route(profile(by_fact, TO_TEAM), employees=150, csm=OWNERS[1]).owner == OWNERS[1]
    assert route(profile(by_fact, TO_TEAM), employees=150).rule == 2


def test_a_territory_narrows_a_pool_and_says_who_is_out_of_it():
    rows = (
        TerritoryRow(
            line=2,
            territory="DACH",
            wants=(AnyOf(fact="country", values=frozenset({"DE"})),),
            owner=OWNERS[0],
        ),
        TerritoryRow(
            line=3,
            territory="North",
            wants=(AnyOf(fact="country", values=frozenset({"SE"})),),
            owner=OWNERS[1],
        ),
    )
    tables = Tables(territories={"t.csv": Territories("t.csv", rows, "USD")})
    narrowed = profile(to_team(territory="t.csv"), Route(target=Target(lane="nurture")))
    german = route(narrowed, tables=tables, employees=150, country="DE")
    assert german.owner == OWNERS[0]
    assert {c.email: c.skipped for c in german.considered if c.skipped} == {
        OWNERS[1]: "out of territory DACH",
        OWNERS[2]: "out of territory DACH",
    }
    assert route(narrowed, tables=tables, employees=150, country="FR").lane == "nurture"
    unknown = route(narrowed, tables=tables, employees=150)
    assert (unknown.lane, unknown.owner) == ("sales", "")
    assert "depends on country" in unknown.note


@given(
    st.text(min_size=1, max_size=6),
    st.sets(st.sampled_from(OWNERS)),
    st.dictionaries(st.sampled_from(OWNERS), st.integers(min_value=0, max_value=9)),
)
def test_nobody_who_is_away_or_at_their_cap_is_chosen_and_every_decision_replays(account_id, away, loads):
    members = tuple(Member(email=e, cap=5) for e in OWNERS)
    decision = route(profile(TO_TEAM, members=members), account_id, loads=loads, tables=absent(*away))
    assert decision.owner not in away
    assert not decision.owner or loads.get(decision.owner, 0) < 5
    assert replay(decision) == decision.owner
    assert {c.email for c in decision.considered} == set(OWNERS)


def test_an_account_whose_territory_begins_later_is_looked_at_again_then():
    row = TerritoryRow(line=2, territory="New", owner=OWNERS[0], start=NOW + 9 * DAY)
    tables = Tables(territories={"t.csv": Territories("t.csv", (row,), "USD")})
    by_table = profile(
        Route(target=Target(lane="sales", territory="t.csv"), tiers=("A",)),
        Route(target=Target(lane="nurture")),
    )
    decision = route(by_table, tables=tables)
    assert (decision.lane, decision.owner, decision.until) == ("nurture", "", NOW + 9 * DAY)


def test_a_cap_is_a_persons_and_holds_while_it_is_in_force():
    capped = TerritoryRow(line=2, territory="North", owner=OWNERS[0], cap=2, end=NOW - DAY)
    now_in_force = TerritoryRow(line=3, territory="North", owner=OWNERS[0], cap=50, start=NOW - DAY)
    tables = Tables(territories={"t.csv": Territories("t.csv", (capped, now_in_force), "USD")})
    pool = Pool(name="p", members=(Member(email=OWNERS[0], cap=60), Member(email=OWNERS[1], cap=9)))
    with_pool = replace(profile(TO_TEAM), pools={"p": pool})
    assert caps_of([with_pool], tables, NOW) == {OWNERS[0]: 50, OWNERS[1]: 9}
    assert caps_of([with_pool], tables, NOW - 2 * DAY) == {OWNERS[0]: 2, OWNERS[1]: 9}


def test_who_is_away_until_further_notice_is_not_waited_for_by_date():
    decision = route(profile(TO_TEAM), tables=absent(*OWNERS, until=inf))
    assert (decision.owner, decision.until) == ("", None)
    assert decision.considered[0].skipped == "away until further notice"
