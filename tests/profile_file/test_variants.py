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


def said(*paths: Path) -> list[str]:
    """What is wrong with these files, by file name."""
    with pytest.raises(ConfigError) as caught:
        load_all(paths)
    return [str(problem).replace(f"{paths[0].parent}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("base", "what"),
    [
        (
            BASE.replace("profile: base", "profile: base\nextends: bsae"),
            "base.yaml:2:10: there is no profile 'bsae'",
        ),
        (
            BASE.replace("profile: base", "profile: base\nextends: dach"),
            "base.yaml:2:10: 'extends' runs in a circle: dach → base → dach",
        ),
        (BASE + "routes: [{else: {lane: none}}]\n", "base.yaml:14:1: the key 'routes' is written twice"),
        (BASE + "timing:\n", "base.yaml:14:1: 'timing' has no value"),
        ("profile: [\n", "base.yaml:2:1: not valid YAML"),
    ],
)
def test_a_base_found_beside_says_its_own_problems_each_once(tmp_path: Path, base: str, what: str):
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    (tmp_path / "dach.yaml").write_text(VARIANT, encoding="utf-8")
    (one,) = said(tmp_path / "dach.yaml")
    assert one.startswith(what)


def test_what_a_base_says_beside_is_said_when_it_is_named_too(tmp_path: Path):
    """A second file that extends the same unsound base says nothing twice either."""
    (tmp_path / "base.yaml").write_text(BASE + "timing:\n", encoding="utf-8")
    for name in ("dach", "nordics"):
        text = VARIANT.replace("profile: dach", f"profile: {name}")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    both_variants = said(tmp_path / "dach.yaml", tmp_path / "nordics.yaml")
    assert both_variants == said(tmp_path / "base.yaml", tmp_path / "dach.yaml")
    assert len(both_variants) == 1


def test_a_variant_of_a_variant_says_what_is_wrong_with_the_middle_one(tmp_path: Path):
    (tmp_path / "mid.yaml").write_text("profile: mid\nextends: bsae\n", encoding="utf-8")
    text = "profile: dach\nextends: mid\ncriteria: [{name: Size, drop: true}]\n"
    (tmp_path / "dach.yaml").write_text(text, encoding="utf-8")
    (one,) = said(tmp_path / "dach.yaml")  # not that a currency or a Size to drop is missing
    assert one.startswith("mid.yaml:2:10: there is no profile 'bsae'")


def test_without_its_base_only_what_a_variant_says_itself_is_judged():
    text = VARIANT.replace("extends: base", "extends: nowhere").replace("[DE, AT, CH]", "[Atlantis]")
    with pytest.raises(ConfigError) as caught:
        both(text)
    assert [problem.where for problem in caught.value.problems] == ["dach.yaml:2:10", "dach.yaml:7:65"]


@pytest.mark.parametrize(
    "twice",
    [
        "criteria: [{name: Size, weight: 3}, {name: size, weight: 4}]",
        "criteria: [{name: Size, drop: true}, {name: Size, weight: 3}]",
        "criteria: [{name: Size, drop: true}, {name: SIZE, drop: true}]",
        "flags: [{name: Agency, effect: mark}, {name: agency, effect: exclude}]",
        "flags: [{name: New, when: &w {fact: country, any_of: [DE]}, effect: mark},"
        " {name: new, when: *w, effect: mark}]",
    ],
)
def test_an_entry_named_twice_by_a_variant_is_reported_once(twice: str):
    with pytest.raises(ConfigError) as caught:
        both(f"profile: dach\nextends: base\n{twice}\n")
    (one,) = caught.value.problems
    assert one.where.startswith("dach.yaml:3:")
    assert "is named twice, first on line 3" in one.what


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
