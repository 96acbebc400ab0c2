"""The profiles one begins with: sound, true about their sources, fair to those they describe."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from icp_sync.cli.init import supply_of
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import facts_of, leaves
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import FactValue, Members
from icp_sync.domain.profile import Profile
from icp_sync.enrichers import BUILT_IN
from icp_sync.errors import ConfigError
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.normalize.titles import vocabulary
from icp_sync.profile_file import advice, load, parse
from icp_sync.profile_file.feeding import MARK, annotated, lacking, overview
from icp_sync.profile_file.starters import STARTERS, begun, shipped
from tests.domain.cases import NOW
from tests.domain.cases import facts as known

TODAY = date(2026, 11, 22)
HUBSPOT = supply_of("hubspot")
STANDARD = {source.fact for source in HUBSPOT_DEFAULTS.sources} | {"sector", "population"}
each = pytest.mark.parametrize("industry", list(STARTERS))

MODELS: dict[str, dict[str, object]] = {
    "saas": {
        "employees": (51, 200),
        "revenue": (5e6, 2e7),
        "industry": "COMPUTER_SOFTWARE",
        "country": "US",
        "technologies": {"hubspot", "outreach"},
        "open_roles": {"sdr"},
    },
    "gtm": {
        "employees": 120,
        "revenue": 9e6,
        "industry": "COMPUTER_SOFTWARE",
        "country": "US",
        "technologies": {"salesforce", "apollo", "google_ads"},
        "web_visits": 12_000,
    },
    "ecommerce": {
        "employees": 24,
        "revenue": 3e6,
        "industry": "APPAREL_FASHION",
        "country": "GB",
        "technologies": {"shopify", "klaviyo", "google_ads"},
    },
    "manufacturing": {
        "employees": (201, 500),
        "revenue": 1.2e8,
        "industry": "MACHINERY",
        "sector": "31-33",
        "country": "US",
        "technologies": {"epicor"},
        "founded": (-3e8, -3e8),
    },
    "healthcare": {
        "employees": (51, 100),
        "revenue": 2e7,
        "industry": "MEDICAL_PRACTICE",
        "country": "DE",
        "technologies": {"doctolib"},
        "children": 3,
        "open_roles": {"nurse"},
    },
    "logistics": {
        "employees": 210,
        "revenue": 3.1e7,
        "industry": "LOGISTICS_AND_SUPPLY_CHAIN",
        "sector": "48-49",
        "country": "PL",
        "technologies": {"webfleet"},
        "open_roles": {"dispatcher"},
    },
}
"""A company as each profile's own description draws it, as much as one may know of it."""


def of(industry: str) -> Profile:
    return load(shipped(STARTERS[industry].file)).profile


def judged(industry: str, /, **more: object) -> tuple[str, bool]:
    """Tier of the model company, and whether it is firm, with these facts beside or instead."""
    given = known(**{"population": {"prospect"}, **MODELS[industry], **more})
    given = {fact: _complete(value) for fact, value in given.items()}
    found = evaluate([compile_profile(of(industry))], given, None, NOW)
    return found.tier, found.firm


def _complete(value: FactValue) -> FactValue:
    return Members(value.known, True) if isinstance(value, Members) else value


@each
def test_its_comments_are_what_the_sources_say_today(industry: str) -> None:
    text = shipped(STARTERS[industry].file).read_text(encoding="utf-8")
    assert annotated(text, of(industry), HUBSPOT) == text


@each
def test_the_share_it_states_is_the_weight_that_hubspots_standard_properties_answer(industry: str) -> None:
    profile = of(industry)
    met = sum(
        c.weight
        for c in profile.criteria
        if set(facts_of(c.when)) <= STANDARD or (len(facts_of(c.when)) > 1 and "industry" in facts_of(c.when))
    )
    share = met / sum(c.weight for c in profile.criteria)
    assert overview(profile, HUBSPOT)[0].startswith(
        f"{MARK} HubSpot's standard fields can tell {share:.0%} of"
    )
    assert share >= 0.6 or "That is below 60%" in overview(profile, HUBSPOT)[1]


@each
def test_every_source_named_beside_a_question_feeds_its_fact(industry: str) -> None:
    text = shipped(STARTERS[industry].file).read_text(encoding="utf-8")
    fed = {(s.property, s.fact) for s in HUBSPOT_DEFAULTS.sources}
    fed |= {("industry", "sector"), ("lifecyclestage", "population"), ("type", "population")}
    questions = [c.when for c in of(industry).criteria] + [t.when for t in of(industry).timing]
    questions += [f.when for f in of(industry).flags]
    asked = [fact for when in questions for fact in facts_of(when)]
    said = re.findall(r"^  #: (?:\w+ )?from (.*)$", text, re.MULTILINE)
    assert len(said) == len(asked)
    for fact, line in zip(asked, said, strict=True):
        named = re.match(r"HubSpot ([^;]*);", line)
        for name in named[1].split(", ") if named else ():
            assert (name, fact) in fed
        assert bool(named) is (fact in STANDARD)
        assert set(line.rpartition("or ")[2].split(", ")) <= {*BUILT_IN, "a field you add"} | {"csv"}


@each
def test_profile_check_has_no_problem_with_it_and_warns_only_of_the_fields_it_asks_to_add(
    industry: str,
) -> None:
    profile = of(industry)
    sources = {fact: ["crm:x"] for fact in HUBSPOT.fields} | {"contact_titles": ["contacts"]}
    warned = advice([profile], sources=sources, in_scope_firm=None, accounts=None, today=TODAY)
    blind = {one.fact for one in lacking(profile, set(sources)) if one.share}
    said = " ".join(problem.what for problem in warned)
    assert set(re.findall(r"asks for (\w+),", said)) == blind
    assert len(warned) == (len(blind) + 1 if blind else 0)


@each
def test_it_names_roles_the_contacts_can_have(industry: str) -> None:
    asked = [leaf for c in of(industry).criteria for leaf in leaves(c.when) if leaf.fact == "contact_titles"]
    assert len(asked) == 1
    for leaf in asked:
        assert leaf.values <= vocabulary()  # type: ignore[union-attr]


@each
def test_the_company_it_describes_is_an_a(industry: str) -> None:
    topics = {"contact_titles": {"founder", "operations"}, "keywords": {"scheduling"}}
    assert judged(industry, business_model={"b2b", "saas"}, residency={"none"}, **topics)[0] == "A"


@each
def test_the_company_it_describes_is_never_turned_away_for_what_nobody_knows(industry: str) -> None:
    assert judged(industry)[0] in {"A", "B"}


@each
def test_a_competitor_is_no_customer_to_be(industry: str) -> None:
    assert judged(industry, population={"competitor", "prospect"}) == ("Not ICP", True)


@each
def test_a_company_far_too_small_is_capped(industry: str) -> None:
    assert judged(industry, employees=2)[0] in {"C", "D"}


@pytest.mark.parametrize(
    ("industry", "fact", "value"),
    [
        ("saas", "technologies", {"pipedrive"}),
        ("ecommerce", "technologies", {"magento"}),
        ("healthcare", "industry", "VETERINARY"),
        ("saas", "residency", {"eu-only"}),
    ],
)
def test_whom_one_does_not_sell_to_is_not_icp(industry: str, fact: str, value: object) -> None:
    more = {fact: value, **({"country": "DE"} if fact == "residency" else {})}
    assert judged(industry, **more)[0] == "Not ICP"


def test_a_software_company_is_cleared_of_being_an_agency_by_its_industry_alone() -> None:
    profile = of("saas")
    found = evaluate([compile_profile(profile)], known(**MODELS["saas"], population={"prospect"}), None, NOW)
    assert [flag.name for flag in found.shown.flags_unknown] == []


@each
def test_one_begins_with_it_under_ones_own_name_currency_and_dates(industry: str) -> None:
    text = begun(
        STARTERS[industry],
        name=f"acme-{industry}",
        currency="EUR",
        supply=HUBSPOT,
        connection="acme",
        today=TODAY,
    )
    mine = parse(text, "mine.yaml")
    assert (mine.name, mine.currency) == (f"acme-{industry}", "EUR")
    assert (mine.review_minor, mine.review_full) == ("2027-02-21", "2027-11-22")
    assert "set for USD: check them" in text
    assert not text.startswith("# yaml-language-server")
    assert not re.search(r"\[\[connections\.(?!acme\.)", text)
    money = [leaf for c in mine.criteria for leaf in leaves(c.when) if getattr(leaf, "money", False)]
    assert money, "its thresholds are amounts of the currency chosen"


def test_dates_of_review_lie_ahead_of_the_day_it_is_begun() -> None:
    text = begun(
        STARTERS["gtm"], name="x", currency="USD", supply=HUBSPOT, connection="main", today=date(2031, 1, 1)
    )
    profile = parse(text, "x.yaml")
    assert (profile.review_minor, profile.review_full) == ("2031-04-02", "2032-01-01")
    sources = {fact: ["crm:x"] for fact in (*HUBSPOT.fields, "contact_titles", "web_visits")}
    assert advice([profile], sources=sources, in_scope_firm=None, accounts=None, today=date(2031, 4, 2)) == []


@each
def test_for_salesforce_the_comments_name_its_fields(industry: str) -> None:
    supply = supply_of("salesforce")
    text = begun(STARTERS[industry], name="x", currency="USD", supply=supply, connection="main", today=TODAY)
    assert "from Salesforce " in text
    assert "HubSpot number" not in text
    assert "[[connections.main.facts]]" in text
    assert supply.fields["revenue"]
    share = re.search(r"Salesforce's standard fields can tell (\d+)% of the weight", text)
    assert share
    assert ("That is below 60%" in text) is (int(share[1]) < 60)


def test_a_profile_this_installation_lacks_is_said_so() -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml that comes with icp-sync is missing"):
        shipped("nothing.yaml")


def test_every_shipped_profile_but_the_demos_is_one_to_begin_with() -> None:
    folder = Path(__file__).parents[2] / "config" / "profiles"
    offered = {starter.file for starter in STARTERS.values()}
    assert {path.name for path in folder.glob("*.yaml")} == offered | {"listed-companies.yaml"}


@each
def test_the_readme_lists_it_with_the_share_that_is_true(industry: str) -> None:
    text = (Path(__file__).parents[2] / "config" / "README.md").read_text(encoding="utf-8")
    share = re.search(rf"^\| `{industry}` \|.*\| (\d+) % \|$", text, re.MULTILINE)
    assert share
    assert f"can tell {share[1]}% of the weight" in overview(of(industry), HUBSPOT)[0]
    assert f"{int(share[1]) + 10}%." in overview(of(industry), HUBSPOT)[0], "with contacts"
