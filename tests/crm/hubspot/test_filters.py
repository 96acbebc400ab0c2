"""The filter HubSpot's search gets selects whom evaluation selects, on the simulator and on every reading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.hubspot.filters import SEARCH_LIMITS, SHAPES, clicked, search_filter
from icp_sync.domain.conditions import All, AnyOf, Between, Condition, NoneOf, Not, Present, Within
from icp_sync.domain.filtering_clauses import Written, assumptions
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.normalize.property_filters import statements_of
from icp_sync.normalize.property_values import Form
from icp_sync.profile_file import load_all
from icp_sync.simulator import Simulator
from tests.normalize.selections import (
    MINE,
    NOW,
    TAME,
    WILD,
    Raw,
    companies,
    ground,
    profile_sets,
    selected,
    selector,
)

ROOT = Path(__file__).parents[3]
SEARCH = "/crm/v3/objects/companies/search"
READ = [*HUBSPOT_DEFAULTS.properties]


class Reading:
    """HubSpot's search over one company, on one reading of what its documentation leaves open."""

    def __init__(self, *, blank_is_not_in: bool, members: bool) -> None:
        self.blank_is_not_in, self.members = blank_is_not_in, members

    def finds(self, written: Written, raw: Raw) -> bool:
        groups = json.loads(written.text)["filterGroups"]
        return not groups or any(all(self._holds(f, raw) for f in g["filters"]) for g in groups)

    def _holds(self, one: Mapping[str, Any], raw: Raw) -> bool:
        name, asks = one["propertyName"], one["operator"]
        value = "1" if name == "hs_object_id" else raw.get(name) or ""
        shape = MINE.get(name)
        if asks in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            return bool(value) is (asks == "HAS_PROPERTY")
        if not value:
            return asks == "NOT_IN" and self.blank_is_not_in
        if asks in ("IN", "NOT_IN"):
            if shape is not None and shape.form is Form.TEXT:
                assert all(v == v.lower() for v in one["values"])
                value = value.lower()
            several = shape is not None and shape.form is Form.CHOICES and self.members
            said = value.split(";") if several else [value]
            return any(v in one["values"] for v in said) is (asks == "IN")
        x = _number(value)
        low = float(one["value"])
        return {
            "EQ": x == low,
            "GT": x > low,
            "GTE": x >= low,
            "LT": x < low,
            "LTE": x <= low,
            "BETWEEN": low <= x <= float(one.get("highValue", "nan")),
        }[asks]


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return datetime.fromisoformat(value if "T" in value else f"{value}T00:00:00Z").timestamp() * 1000


READINGS = [Reading(blank_is_not_in=b, members=m) for b in (False, True) for m in (False, True)]


def within_limits(written: Written) -> bool:
    groups = [g["filters"] for g in json.loads(written.text)["filterGroups"]]
    return (
        len(groups) <= 5
        and all(1 <= len(g) <= 6 for g in groups)
        and sum(map(len, groups)) == written.filters <= 18
        and len(written.text) <= SEARCH_LIMITS.characters
    )


@settings(max_examples=60, deadline=None)
@given(profile_sets(), st.lists(companies(WILD), min_size=1, max_size=10), st.sampled_from(READINGS))
def test_the_filter_is_a_superset_and_exact_when_nothing_is_left_out(some, raws, reading):
    statements = statements_of(some, ground())
    written = search_filter(statements, MINE)
    assert within_limits(written)
    possible = selector(some)
    for raw in raws:
        wanted, found = possible(raw), reading.finds(written, raw)
        assert found or not wanted, written.text
        if not written.omitted and not assumptions(statements):
            assert found is wanted, written.text


@settings(max_examples=60, deadline=None)
@given(profile_sets(), st.lists(companies(TAME), min_size=1, max_size=10), st.sampled_from(READINGS))
def test_with_known_options_taken_for_granted_it_is_exact_on_a_well_kept_portal(some, raws, reading):
    written = search_filter(statements_of(some, ground(assume=True)), MINE)
    assert within_limits(written)
    possible = selector(some)
    for raw in raws:
        wanted, found = possible(raw), reading.finds(written, raw)
        assert found or not wanted, written.text
        if not written.omitted:
            assert found is wanted, written.text


def profile(*gates: Condition, flags: Sequence[Condition] = (), scope: Condition | None = None) -> Profile:
    return Profile(
        name="p",
        currency="USD",
        criteria=tuple(
            Criterion(name=f"gate {i}", layer="firmographic", when=when, required=True)
            for i, when in enumerate(gates)
        ),
        flags=tuple(Flag(name=f"flag {i}", when=w, effect=Effect.EXCLUDE) for i, w in enumerate(flags)),
        score_scope=scope,
        people=True,
    )


def made(*some: Profile, assume: bool = True) -> Written:
    on = ground(assume=assume, facts_map=HUBSPOT_DEFAULTS, shapes=SHAPES)
    return search_filter(statements_of(some, on), SHAPES)


DEALS = Between(fact="open_deals", low=1, high=3)


def test_a_gate_is_two_groups_the_band_and_the_unknown():
    written = made(profile(DEALS))
    assert json.loads(written.text) == {
        "filterGroups": [
            {
                "filters": [
                    {
                        "propertyName": "hs_num_open_deals",
                        "operator": "BETWEEN",
                        "value": "1",
                        "highValue": "3",
                    }
                ]
            },
            {"filters": [{"propertyName": "hs_num_open_deals", "operator": "NOT_HAS_PROPERTY"}]},
        ]
    }
    assert (written.filters, written.omitted) == (2, ())
    assert clicked(written.text) == [
        "Group",
        "  hs_num_open_deals is between 1 and 3",
        "or group",
        "  hs_num_open_deals is unknown",
    ]


def test_an_age_is_counted_in_milliseconds_back_from_now():
    written = made(profile(flags=[Not(part=Within(fact="last_activity", seconds=90 * DAY))]), assume=False)
    since = int((NOW - 90 * DAY) * 1000)
    assert {"propertyName": "notes_last_updated", "operator": "GT", "value": str(since)} in [
        f for g in json.loads(written.text)["filterGroups"] for f in g["filters"]
    ]


def test_the_beginning_of_time_at_which_the_search_fails_is_never_asked_for():
    written = made(profile(Between(fact="last_activity", low=0.0)))
    assert '"0"' not in written.text
    assert '"-1"' in written.text


def test_more_clauses_than_fit_become_a_named_superset_that_keeps_the_limits():
    gates = [
        DEALS,
        Between(fact="children", low=2),
        Between(fact="contacts", low=1),
        AnyOf(fact="lead_status", values=frozenset({"new"})),
        Between(fact="last_activity", low=NOW - 365 * DAY),
    ]
    written = made(profile(*gates))
    assert within_limits(written)
    assert written.omitted
    assert all("5 groups" in one.reason for one in written.omitted)
    some = [profile(*gates)]
    best = {"hs_num_open_deals": "2", "hs_num_child_companies": "3", "num_associated_contacts": "1"}
    assert READINGS[0].finds(written, best)
    assert not READINGS[0].finds(written, {**best, "hs_lead_status": "OPEN", "hs_num_open_deals": "9"})
    assert selected(some, best, HUBSPOT_DEFAULTS)


def test_a_profile_nothing_of_which_can_be_asked_says_it_is_everybody():
    written = made(profile(AnyOf(fact="residency", values=frozenset({"eu-only"}))))
    assert written.everybody
    assert json.loads(written.text) == {"filterGroups": []}
    assert [one.reason for one in written.omitted] == ["no property of the CRM feeds residency"]


def test_clauses_that_contradict_each_other_find_nobody():
    both = (Present(fact="lead_status", known=True), Present(fact="lead_status", known=False))
    written = made(profile(scope=All(parts=both)))
    assert written.nobody
    assert not any(reading.finds(written, {"hs_lead_status": v}) for v in ("", "NEW") for reading in READINGS)


def test_an_unknown_value_may_be_on_either_side_of_a_line_so_it_stays():
    some = All(parts=(DEALS, Not(part=DEALS)))
    written = made(profile(scope=some))
    assert written.omitted == ()
    assert [READINGS[0].finds(written, {"hs_num_open_deals": v}) for v in ("", "2", "5")] == [
        True,
        False,
        False,
    ]


def test_long_lists_that_would_not_fit_the_body_are_shortened_or_let_go():
    some = frozenset(SHAPES["industry"].options[::2])
    written = made(
        profile(
            AnyOf(fact="industry", values=some),
            flags=[AnyOf(fact="country", values=frozenset({"DE", "FR"})), DEALS],
        )
    )
    assert within_limits(written)


# -- on the simulator, over real HTTP


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    with Simulator(accounts=180, seed=11, index_lag=0.0) as running:
        yield running


def records(portal: Simulator) -> dict[str, Raw]:
    """Every company's raw properties, as a connection would read them."""
    found: dict[str, Raw] = {}
    after = ""
    while True:
        reply = requests.get(
            f"{portal.url}/crm/v3/objects/companies",
            params={"limit": "100", "properties": ",".join(READ), **({"after": after} if after else {})},
            headers={"Authorization": f"Bearer {portal.token}"},
            timeout=20,
        ).json()
        found |= {r["id"]: {name: r["properties"].get(name) or "" for name in READ} for r in reply["results"]}
        after = reply.get("paging", {}).get("next", {}).get("after", "")
        if not after:
            return found


def searched(portal: Simulator, written: Written) -> set[str]:
    body = {
        **json.loads(written.text),
        "limit": 200,
        "properties": ["hs_object_id"],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
    }
    reply = requests.post(
        f"{portal.url}{SEARCH}",
        data=json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
        headers={"Authorization": f"Bearer {portal.token}", "Content-Type": "application/json"},
        timeout=20,
    )
    assert reply.status_code == 200, reply.text
    return {hit["id"] for hit in reply.json()["results"]}


CRM_ONLY = [
    profile(
        AnyOf(fact="industry", values=frozenset({"COMPUTER_SOFTWARE", "INTERNET", "RETAIL", "INSURANCE"})),
        scope=AnyOf(fact="lifecycle", values=frozenset({"prospect"})),
    ),
    profile(Between(fact="employees", low=20, high=5_000), flags=[Between(fact="open_deals", low=1)]),
    profile(
        NoneOf(fact="lead_status", values=frozenset({"bad_timing"})),
        flags=[AnyOf(fact="account_type", values=frozenset({"vendor", "reseller"}))],
    ),
    profile(
        Between(fact="last_activity", low=NOW - 300 * DAY),
        scope=Not(part=AnyOf(fact="lifecycle", values=frozenset({"customer"}))),
    ),
    profile(Between(fact="revenue", low=1e6, money=True), scope=Between(fact="contacts", low=1)),
    profile(scope=AnyOf(fact="population", values=frozenset({"prospect", "customer"}))),
]


@pytest.mark.parametrize("which", range(len(CRM_ONLY)))
def test_the_simulators_search_finds_exactly_whom_a_profile_of_crm_fields_lets_through(portal, which):
    some = [CRM_ONLY[which]]
    on = ground(
        facts_map=_fully_known(),
        shapes=SHAPES,
        assume=True,
    )
    written = search_filter(statements_of(some, on), SHAPES)
    assert written.omitted == ()
    everyone = records(portal)
    possible = selector(some, on.facts_map)
    wanted = {i for i, raw in everyone.items() if possible(raw)}
    assert searched(portal, written) == wanted
    assert 0 < len(wanted) < len(everyone)


def _fully_known():
    """HubSpot's defaults without the bands, which are free text and cannot be asked for."""
    from icp_sync.normalize.facts_map import FactsMap

    return FactsMap([s for s in HUBSPOT_DEFAULTS.sources if not s.property.endswith("_range")])


def test_for_the_flagship_the_search_finds_a_superset_that_names_what_it_leaves_out(portal):
    loaded = load_all(
        [ROOT / "config" / "profiles" / "b2b-saas-mid-market.yaml"], types=HUBSPOT_DEFAULTS.types
    )
    some = [one.profile for one in loaded]
    on = ground(facts_map=HUBSPOT_DEFAULTS, shapes=SHAPES, assume=True)
    written = search_filter(statements_of(some, on), SHAPES)
    everyone = records(portal)
    possible = selector(some, HUBSPOT_DEFAULTS)
    wanted = {i for i, raw in everyone.items() if possible(raw)}
    found = searched(portal, written)
    assert wanted <= found < set(everyone)
    assert {one.clause for one in written.omitted} >= {"flag Services only", "flag Consumer business"}
    assert all(one.reason for one in written.omitted)
