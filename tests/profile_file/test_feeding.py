"""What can feed a profile's facts is said beside its questions, and said truly."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE
from icp_sync.domain.supply import evaluable
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.profile_file import parse
from icp_sync.profile_file.feeding import Supply, annotated, lacking, overview

TEXT = """\
profile: sample
currency: EUR

criteria:
  - name: Size
    layer: firmographic
    fact: employees
    between: [50, 500]
    weight: 30
  - name: Makes things
    layer: firmographic
    when: {any: [{fact: sector, any_of: ["31-33"]}, {fact: keywords, any_of: [machines]}]}
    weight: 10
  - {name: Funded, layer: behavioral, fact: funding_total, at_least: 1M, weight: 40}
  - {name: Hires, layer: operational, fact: open_roles, any_of: [sdr], weight: 20}
  - {name: Runs it, layer: technographic, fact: technologies, any_of: [hubspot], required: true}

timing:
  - {name: Raised, fact: last_funding_date, within: 90d, weight: 1}

flags:
  - name: Agency
    when: {all: [{fact: business_model, any_of: [agency]}, {fact: sector, any_of: [54]}]}
    effect: exclude
  - {name: Small, when: {fact: open_roles, any_of: [none]}, effect: {cap: C}}
  - {name: Watched, when: {fact: residency, any_of: [eu]}, effect: mark}
"""
PROFILE = parse(TEXT, "x.yaml")
SOURCES = (
    FactSource(property="size__c", fact="employees", kind=Kind.NUMBER, rank=1),
    FactSource(property="staff", fact="employees", kind=Kind.NUMBER),
    FactSource(property="branch", fact="industry", kind=Kind.INDUSTRY),
    FactSource(property="stage", fact="lifecycle", kind=Kind.CHOICE),
    FactSource(property="kind", fact="account_type", kind=Kind.CHOICE),
)
SUPPLY = Supply.of("Brand", SOURCES, {"vendor": {"technologies", "employees"}})


def test_fields_come_in_order_of_rank_and_derived_facts_with_what_they_are_made_of() -> None:
    assert SUPPLY.fields["employees"] == ("staff", "size__c")
    assert SUPPLY.fields["sector"] == ("branch",)
    assert SUPPLY.fields["population"] == ("stage", "kind")


def test_one_part_of_any_is_enough_to_answer_it_and_all_needs_each() -> None:
    assert evaluable(PROFILE, {"employees", "sector"}) == 0.4
    assert evaluable(PROFILE, {"employees", "keywords"}) == 0.4
    assert evaluable(PROFILE, set()) == 0.0


def test_what_lacks_is_listed_by_what_it_costs_and_a_mark_costs_nothing() -> None:
    found = {one.fact: one for one in lacking(PROFILE, set(SUPPLY.fields))}
    order = ["funding_total", "open_roles", "technologies", "business_model", "last_funding_date"]
    assert list(found) == order
    assert (found["funding_total"].share, found["open_roles"].share) == (0.4, 0.2)
    assert (found["technologies"].gates, found["open_roles"].flags) == (1, 1)
    assert found["last_funding_date"].timing == 1
    assert "residency" not in found


def test_the_overview_says_what_is_below_the_least_coverage_and_how_to_map_a_field() -> None:
    said = "\n".join(overview(PROFILE, SUPPLY, connection="acme"))
    assert said.startswith("#: Brand's standard fields can tell 40% of the weight.")
    assert "#: That is below 60%: accounts stay at Needs data until some of these come:" in said
    assert "#:   technologies       1 gate that keeps a tier provisional until it is known" in said
    assert '#:   [[connections.acme.facts]]\n#:   property = "funding_total"\n' in said
    assert '#:   fact = "funding_total"\n#:   currency = "EUR"\n' in said
    assert 'property = "technologies"' not in said, "an enricher brings it"


def test_a_profile_everything_feeds_asks_for_nothing() -> None:
    everything = Supply(crm="Brand", fields=dict.fromkeys(CATALOGUE, ("x",)), enrichers={})
    assert overview(PROFILE, everything) == ["#: Brand's standard fields can tell 100% of the weight."]


def test_each_question_says_above_itself_what_can_feed_it() -> None:
    lines = annotated(TEXT, PROFILE, SUPPLY).splitlines()

    def above(name: str) -> list[str]:
        at = next(n for n, line in enumerate(lines) if line.startswith("  - ") and f"name: {name}" in line)
        first = at
        while lines[first - 1].startswith("  #:"):
            first -= 1
        return lines[first:at]

    assert above("Size") == ["  #: from Brand staff, size__c; or vendor, csv"]
    assert above("Makes things") == [
        "  #: sector from Brand branch; or csv",
        "  #: keywords from a field you add, or csv",
    ]
    assert above("Hires") == ["  #: from a field you add, or csv"]
    assert above("Runs it") == ["  #: from vendor, csv, or a field you add"]
    assert above("Raised") == above("Watched") == ["  #: from a field you add, or csv"]
    assert len(above("Agency")) == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.sampled_from(sorted({s.fact for s in HUBSPOT_DEFAULTS.sources}))))
def test_writing_the_comments_again_changes_nothing_and_never_the_profile(facts: set[str]) -> None:
    sources = [s for s in HUBSPOT_DEFAULTS.sources if s.fact in facts]
    supply = Supply.of("HubSpot", sources, {})
    once = annotated(TEXT, PROFILE, supply)
    assert annotated(once, PROFILE, supply) == once
    assert parse(once, "x.yaml") == PROFILE
    stripped = [line for line in once.splitlines() if line and not line.lstrip().startswith("#:")]
    assert stripped == [line for line in TEXT.splitlines() if line]
