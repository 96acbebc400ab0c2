"""What a profile says is what the domain gets: values, operators, scopes, routes, pools."""

from __future__ import annotations

from math import inf

import pytest

from icp_sync.domain.conditions import All, AllOf, AnyOf, Between, NoneOf, Not, Present, Within
from icp_sync.domain.facts import FactType
from icp_sync.domain.profile import DAY, Effect, Member, Route, Target
from icp_sync.profile_file import parse
from tests.profile_file.written import HEAD, SOUND, only_condition

SAMPLE = """\
profile: b2b-saas-mid-market
currency: USD
review: {minor: 2027-02-28, full: 2027-11-30}
scope:
  score: {any: [{fact: lifecycle, any_of: [prospect, customer]}]}
  route: {all: [{fact: lifecycle, any_of: [prospect]}, {fact: open_deals, equals: 0}]}
criteria:
  - name: 50–500 employees
    layer: firmographic
    fact: employees
    between: [50, 500]
    taper: 50%
    weight: 20
  - name: Runs HubSpot or Salesforce
    layer: technographic
    fact: technologies
    any_of: [hubspot, salesforce]
    required: true
  - name: Has an outbound sales role
    layer: operational
    fact: open_roles
    any_of: [sdr, bdr, account executive]
    weight: 10
timing:
  - {name: Raised a round, fact: last_funding_date, within: 180d, half_life: 90d, weight: 40}
flags:
  - {name: Agency, when: {fact: business_model, any_of: [agency, consultancy]}, effect: exclude}
  - {name: Under $1M, when: {fact: revenue, below: 1M USD}, effect: {cap: C}}
tiers: {A: 80, B: 60, C: 40, D: 0, hysteresis: 3, dwell: 7d, min_coverage: 60%}
pools:
  north-america: {members: [{email: Ada@example.com, weight: 2, cap: 90}], imbalance: 3}
routes:
  - {when: {all: [{tier: [A, B]}, {fact: country, any_of: [US, CA]}]}, to: {pool: north-america, lane: sales}}
  - {when: {tier: [B, A]}, to: {owner: existing, lane: sales}, even_if: provisional}
  - {else: {lane: nurture}}
examples: {acme.com: A, https://www.rival.com/: Not ICP}
"""


def test_the_sample_becomes_the_profile_it_reads_like() -> None:
    profile = parse(SAMPLE, "sample.yaml")
    size, gate, role = profile.criteria
    assert size.when == Between(fact="employees", low=50, high=500, taper=0.5)
    assert (gate.required, gate.weight, gate.when) == (
        True,
        0.0,
        AnyOf(fact="technologies", values=frozenset({"hubspot", "salesforce"})),
    )
    assert (role.layer, role.weight, role.unknown) == ("operational", 10, 0.5)
    assert profile.timing[0].when == Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY)
    assert [(flag.effect, flag.cap) for flag in profile.flags] == [(Effect.EXCLUDE, ""), (Effect.CAP, "C")]
    assert profile.flags[1].when == Between(fact="revenue", high=1e6, high_open=True, money=True)
    assert profile.tiers.threshold("A") == 80
    assert (profile.tiers.dwell, profile.tiers.min_coverage) == (7 * DAY, 0.6)
    assert profile.pools["north-america"].members == (Member(email="ada@example.com", weight=2, cap=90),)
    assert (profile.review_minor, profile.review_full) == ("2027-02-28", "2027-11-30")
    assert profile.examples == {"acme.com": "A", "rival.com": "Not ICP"}
    assert isinstance(profile.route_scope, All)


def test_routes_keep_their_order_tiers_and_conditions() -> None:
    america = AnyOf(fact="country", values=frozenset({"US", "CA"}))
    assert parse(SAMPLE, "sample.yaml").routes == (
        Route(target=Target(lane="sales", pool="north-america"), tiers=("A", "B"), when=america),
        Route(target=Target(lane="sales"), tiers=("A", "B"), even_if_provisional=True),
        Route(target=Target(lane="nurture")),
    )


SECONDS_OF_2020 = (1_577_836_800.0, 1_609_459_199.0)
CONDITIONS = {
    'fact: contacts, at_least: "5,000,000"': Between(fact="contacts", low=5e6),
    "fact: contacts, at_least: 50k, below: 5M": Between(fact="contacts", low=5e4, high=5e6, high_open=True),
    "fact: contacts, above: 1.5, at_most: 1B": Between(fact="contacts", low=1.5, low_open=True, high=1e9),
    "fact: contacts, equals: 3": Between(fact="contacts", low=3, high=3),
    "fact: revenue, at_least: 1M USD": Between(fact="revenue", low=1e6, money=True),
    "fact: revenue, at_least: usd 2.5bn": Between(fact="revenue", low=2.5e9, money=True),
    "fact: revenue, between: [$5M, 50000000]": Between(fact="revenue", low=5e6, high=5e7, money=True),
    "fact: founded, at_least: 2020": Between(fact="founded", low=SECONDS_OF_2020[0]),
    "fact: founded, at_most: 2020-12-31": Between(fact="founded", high=SECONDS_OF_2020[1]),
    "fact: founded, above: 2020": Between(fact="founded", low=SECONDS_OF_2020[1], low_open=True),
    "fact: founded, below: 2020-01-01": Between(fact="founded", high=SECONDS_OF_2020[0], high_open=True),
    "fact: founded, between: [2020, 2020]": Between(
        fact="founded", low=SECONDS_OF_2020[0], high=SECONDS_OF_2020[1]
    ),
    "fact: founded, within: 12w": Within(fact="founded", seconds=84 * DAY),
    "fact: country, any_of: [NO, Germany, usa, United Kingdom]": AnyOf(
        fact="country", values=frozenset({"NO", "DE", "US", "GB"})
    ),
    "fact: industry, none_of: [Computer Software, machinery]": NoneOf(
        fact="industry", values=frozenset({"COMPUTER_SOFTWARE", "MACHINERY"})
    ),
    "fact: sector, any_of: [51, 31-33, 44]": AnyOf(fact="sector", values=frozenset({"51", "31-33", "44-45"})),
    "fact: technologies, all_of: [HubSpot, SAP  ERP]": AllOf(
        fact="technologies", values=frozenset({"hubspot", "sap erp"})
    ),
    "fact: ownership, equals: Public": AnyOf(fact="ownership", values=frozenset({"public"})),
    "when: {not: {fact: ownership, equals: public}}": Not(
        part=AnyOf(fact="ownership", values=frozenset({"public"}))
    ),
}


@pytest.mark.parametrize("body", CONDITIONS)
def test_a_condition_means_what_it_says(body: str) -> None:
    assert only_condition(body).criteria[0].when == CONDITIONS[body]


def test_a_yes_or_no_is_asked_with_equals() -> None:
    text = f"{HEAD}criteria:\n  - {{name: A, layer: pain, weight: 1, fact: inbound, equals: true}}\n"
    profile = parse(text, "x.yaml", types={"inbound": FactType.YES_NO})
    assert profile.criteria[0].when == AnyOf(fact="inbound", values=frozenset({"yes"}))


def test_a_fact_of_ones_own_is_asked_like_the_others() -> None:
    text = f"{HEAD}criteria:\n  - {{name: A, layer: pain, weight: 1, fact: seats, at_least: -3}}\n"
    profile = parse(text, "x.yaml", types={"seats": FactType.NUMBER})
    assert profile.criteria[0].when == Between(fact="seats", low=-3, high=inf)


def test_scopes_and_routes_may_ask_whether_a_fact_is_known() -> None:
    profile = parse(
        SOUND
        + "scope: {score: {fact: domain, known: true}}\n"
        + "routes:\n  - {when: {fact: country, known: false}, to: {lane: research}}\n",
        "x.yaml",
    )
    assert profile.score_scope == Present(fact="domain")
    assert profile.routes[0].when == Present(fact="country", known=False)


def test_an_unstated_tier_scale_is_the_usual_one() -> None:
    profile = parse(SOUND, "x.yaml")
    tiers = profile.tiers
    assert (tiers.a, tiers.b, tiers.c, tiers.d) == (80, 60, 40, 0)
    assert (profile.timing_grades, profile.score_scope, profile.routes) == ((60, 30), None, ())


def test_an_alias_may_spare_writing_a_list_twice() -> None:
    text = SOUND + (
        "routes:\n"
        "  - {when: {fact: country, any_of: &eu [DE, FR]}, to: {lane: sales}}\n"
        "  - {when: {fact: country, none_of: *eu}, to: {lane: nurture}}\n"
    )
    first, second = parse(text, "x.yaml").routes
    assert first.when == AnyOf(fact="country", values=frozenset({"DE", "FR"}))
    assert second.when == NoneOf(fact="country", values=frozenset({"DE", "FR"}))


def test_a_route_that_passes_provisional_tiers_over_leaves_them_to_the_next() -> None:
    text = SOUND + (
        "routes:\n"
        "  - {when: {tier: [C]}, to: {owner: a@b.co, lane: sales}}\n"
        "  - {when: {tier: [C]}, to: {lane: nurture}}\n"
    )
    assert len(parse(text, "x.yaml").routes) == 2
