"""Variants: what one profile says laid over another, with every problem at the file that caused it."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.profile import TIERS
from icp_sync.domain.standing import STATES
from icp_sync.errors import ConfigError
from icp_sync.profile_file import load, load_all, parse, parse_all

BASE = """profile: base
currency: USD
criteria:
  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], taper: 50%, weight: 20}
  - {name: CRM, layer: technographic, fact: technologies, any_of: [hubspot], required: true}
  - {name: Roles, layer: operational, fact: open_roles, any_of: [sdr], weight: 10}
flags:
  - {name: Agency, when: {fact: business_model, any_of: [agency]}, effect: exclude}
tiers: {A: 80, B: 60, hysteresis: 3}
pools:
  eu: {members: [{email: ada@example.com}]}
routes:
  - {else: {lane: nurture}}
"""
VARIANT = """profile: dach
extends: base
criteria:
  - {name: Size, weight: 30}
  - {name: CRM, any_of: [salesforce], fact: technologies}
  - {name: Roles, drop: true}
  - {name: Region, layer: firmographic, fact: country, any_of: [DE, AT, CH], weight: 5}
tiers: {A: 75}
pools:
  dach: {members: [{email: eva@example.com}]}
routes:
  - {when: {tier: [A]}, to: {pool: dach, lane: sales}}
"""


def both(variant: str = VARIANT, base: str = BASE):
    return parse_all([(base, "base.yaml"), (variant, "dach.yaml")])


def test_a_variant_changes_drops_and_adds_by_name_and_keeps_the_rest():
    base, variant = both()
    assert [c.name for c in variant.criteria] == ["Size", "CRM", "Region"]
    size, crm, _ = variant.criteria
    assert (size.weight, size.when) == (30, base.criteria[0].when)
    assert isinstance(size.when, Between)
    assert crm.when == AnyOf(fact="technologies", values=frozenset({"salesforce"}))
    assert crm.required
    assert variant.flags == base.flags
    assert (variant.tiers.a, variant.tiers.b, variant.currency) == (75, 60, "USD")
    assert set(variant.pools) == {"eu", "dach"}
    assert [r.target.lane for r in variant.routes] == ["sales"]
    assert base == parse(BASE, "base.yaml")


def test_a_variant_written_out_is_complete_in_itself(tmp_path: Path):
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "dach.yaml").write_text(VARIANT, encoding="utf-8")
    alone = load(tmp_path / "dach.yaml")
    together = load_all([tmp_path / "base.yaml", tmp_path / "dach.yaml"])[1]
    assert alone == together
    assert parse(alone.text, "journal") == alone.profile
    assert load(tmp_path / "dach.yaml").text == alone.text  # so that an unchanged variant is no new version


def test_a_variant_of_a_variant_reaches_to_the_top():
    grandchild = "profile: swiss\nextends: dach\ncurrency: CHF\ncriteria: [{name: Size, weight: 50}]\n"
    *_, swiss = parse_all([(grandchild, "c.yaml"), (VARIANT, "b.yaml"), (BASE, "a.yaml")])[:1]
    assert (swiss.currency, swiss.criteria[0].weight, swiss.tiers.a) == ("CHF", 50, 75)


@pytest.mark.parametrize(
    ("variant", "base", "where", "what"),
    [
        (VARIANT.replace("[DE, AT, CH]", "[Atlantis]"), BASE, "dach.yaml:7", "Atlantis"),
        (VARIANT, BASE.replace("any_of: [sdr]", "any_of: []"), "base.yaml:6", ""),
        (VARIANT.replace("Roles, drop", "Rolls, drop"), BASE, "dach.yaml:6", "no 'rolls' to drop"),
        (VARIANT.replace("Size, weight: 30", "Size, weight: -1"), BASE, "dach.yaml:4", "no weight"),
        (VARIANT.replace("tiers: {A: 75}", "tiers: {A: 10}"), BASE, "dach.yaml:8", ""),
        (VARIANT.replace("extends: base", "extends: bass"), BASE, "dach.yaml:2:10", "'base'"),
    ],
)
def test_a_problem_points_at_the_file_that_caused_it(variant: str, base: str, where: str, what: str):
    with pytest.raises(ConfigError) as caught:
        both(variant, base)
    first = next(p for p in caught.value.problems if p.where.startswith(where))
    assert what in str(first)


def test_a_base_that_cannot_be_found_or_lies_about_its_name_is_said_so(tmp_path: Path):
    (tmp_path / "dach.yaml").write_text(VARIANT, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no profile 'base' to extend.*base\.yaml beside"):
        load(tmp_path / "dach.yaml")
    (tmp_path / "base.yaml").write_text(BASE.replace("profile: base", "profile: other"), encoding="utf-8")
    with pytest.raises(ConfigError, match="does not hold the profile 'base'"):
        load(tmp_path / "dach.yaml")


def test_levels_ask_the_parent_or_the_group():
    asked = BASE.replace("weight: 20", "weight: 20, level: group")
    profile = parse(asked.replace("weight: 10", "weight: 10, level: parent"), "x")
    assert [c.when.fact for c in profile.criteria] == ["group.employees", "technologies", "parent.open_roles"]


def test_routes_name_tables_lists_and_exceptions():
    routes = """routes:
  - {to: {named: strategic.csv, lane: sales}}
  - {to: {named: {acme.com: Ann@Example.com}, lane: sales}, even_if: [owned, provisional]}
  - {to: {named: {fact: account_type}, lane: sales}}
  - {when: {tier: [A]}, to: {pool: eu, territory: territories.csv, keep: group, lane: sales}}
  - {when: {fact: population, any_of: [customer]}, to: {lane: success, churn_risk: low}}
"""
    profile = parse(BASE.split("routes:")[0] + routes, "x")
    strategic, inline, fact, territory, success = profile.routes
    assert (strategic.target.named, strategic.tiers) == ("strategic.csv", STATES)
    assert profile.named[inline.target.named].owners == {"acme.com": "ann@example.com"}
    assert (inline.even_if_owned, inline.even_if_provisional, inline.even_if_customer) == (True, True, False)
    assert fact.target.named_fact == "account_type"
    assert (territory.target.pool, territory.target.territory, territory.target.keep) == (
        "eu",
        "territories.csv",
        "group",
    )
    assert (success.target.churn_risk, success.tiers) == ("low", ())
    assert all(tier in STATES for tier in TIERS)


def test_only_a_scope_that_names_persons_holds_person_accounts():
    assert not parse(BASE, "x").people
    named = "scope: {score: {fact: population, any_of: [prospect, person]}}\n"
    assert parse(BASE + named, "x").people
