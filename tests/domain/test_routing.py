"""Who is chosen, who is passed over and why, and that every decision replays from its own evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.account import Owner
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.profile import DAY, Criterion, Member, Pool, Profile, Route, Target, Tiers
from icp_sync.domain.routing import Candidate, decide, pick, replay
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


def route(with_profile, account_id="1", *, owner="", vacant=True, owners=ROSTER, loads=None, **known):
    known = facts(**(known or {"employees": 150}))
    evaluation = evaluate((compile_profile(with_profile),), known, None, NOW)
    return decide(
        account_id,
        evaluation,
        known,
        live_owner=owner,
        vacant_from=0.0 if vacant else None,
        owners=owners,
        loads=loads or {},
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
