"""A profile as a page: complete, in words, and adding up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.domain.conditions import All, Any, AnyOf, Between, NoneOf, Not, Within
from icp_sync.domain.profile import DAY, NamedList, Profile, Route, Target
from icp_sync.domain.standing import STATES
from icp_sync.profile_file import load, parse
from icp_sync.profile_file.document import Known, document, lead
from icp_sync.profile_file.page import Bullets, Grid, Page, Paragraph
from icp_sync.profile_file.spoken import aging, days, fading, spoken
from icp_sync.profile_file.starters import STARTERS, shipped
from tests.domain.cases import profiles
from tests.profile_file.written import HEAD, SOUND

NOTHING = Known(fingerprint="x.yaml, 0123456789ab", counts={}, sources={})
DEMO = load(Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml").profile


def section(page: Page, title: str) -> str:
    """All the text of one section, a line each cell, item and paragraph."""
    [found] = [one for one in page.sections if one.title == title]
    lines: list[str] = []
    for block in found.blocks:
        if isinstance(block, Paragraph):
            lines.append(block.text)
        elif isinstance(block, Bullets):
            lines += block.items
        else:
            lines += [" | ".join(row) for row in block.rows]
    return "\n".join(lines)


def grids(page: Page) -> list[Grid]:
    return [block for one in page.sections for block in one.blocks if isinstance(block, Grid)]


def test_the_sentence_names_what_weighs_most_what_must_be_and_what_must_not() -> None:
    assert lead(DEMO) == (
        "We look for companies marked by “Makes, ships or stocks things”, “2,000–60,000 employees”, "
        "“$500M–$25B revenue” and “Where we have consultants”; always “Listed on an exchange”; never "
        "“Bank, insurer or fund”."
    )


def test_a_profile_of_one_question_still_makes_a_sentence() -> None:
    assert lead(parse(SOUND, "x.yaml")) == "We look for companies marked by “Size”."


@pytest.mark.parametrize("industry", list(STARTERS))
def test_every_name_of_the_profile_is_on_its_page(industry: str) -> None:
    profile = load(shipped(STARTERS[industry].file)).profile
    page = document(profile, NOTHING)
    assert all(c.name in section(page, "Must-haves") for c in profile.criteria if c.required)
    assert all(c.name in section(page, "What counts") for c in profile.criteria if not c.required)
    assert all(f.name in section(page, "Who it is not for") for f in profile.flags)
    assert all(t.name in section(page, "When the moment is good") for t in profile.timing)
    assert all(c.name in section(page, "Pains") for c in profile.criteria if c.layer == "pain")
    assert all(c.name in section(page, "Buyers") for c in profile.criteria if c.layer == "buying")
    assert profile.review_minor in section(page, "Review")
    assert profile.review_full in section(page, "Review")
    assert page.notes == (("Amounts in", "USD"), ("File", "x.yaml, 0123456789ab"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(profiles())
def test_any_profile_makes_a_page_whose_points_add_up_and_whose_rows_fit_their_heads(
    profile: Profile,
) -> None:
    page = document(profile, NOTHING)
    for grid in grids(page):
        assert all(len(row) == len(grid.heads) for row in grid.rows)
        if grid.bars is not None:
            assert sum(int(row[grid.bars]) for row in grid.rows) == 100
    [routes] = [one for one in page.sections if one.title == "Who gets it"]
    first = routes.blocks[0]
    assert not profile.routes or (isinstance(first, Grid) and len(first.rows) == len(profile.routes))


def test_bands_and_tapers_are_said_in_words() -> None:
    text = HEAD + (
        "criteria:\n"
        "  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], taper: 50%, weight: 3}\n"
        "  - {name: Sales, layer: firmographic, fact: revenue, at_least: 5M, taper: 60%, weight: 1,\n"
        "     unknown: 0%}\n"
    )
    said = section(document(parse(text, "x.yaml"), NOTHING), "What counts")
    assert "75 | Size | employees between 50 and 500; fading to nothing at 25 and at 750\n" in said
    assert "25 | Sales | revenue at least 5M; fading to nothing at USD 2M; unknown shows nothing\n" in said


def test_a_taper_that_reaches_below_nothing_names_its_other_end() -> None:
    assert fading(Between(fact="employees", low=10, high=20, taper=1.0), "USD") == "fading to nothing at 40"
    assert fading(Between(fact="employees", low=10, high=20), "USD") == ""


def test_conditions_use_names_and_keep_their_logic() -> None:
    software = AnyOf(fact="industry", values=frozenset({"COMPUTER_SOFTWARE"}))
    near = AnyOf(fact="group.country", values=frozenset({"US", "CA"}))
    makes = NoneOf(fact="sector", values=frozenset({"31-33"}))
    assert spoken(Any(parts=(software, All(parts=(near, makes))))) == (
        "industry is computer software or (group country is Canada or United States "
        "and sector is not Manufacturing)"
    )
    assert spoken(All(parts=(near, Any(parts=(software, makes))))) == (
        "group country is Canada or United States, and (industry is computer software "
        "or sector is not Manufacturing)"
    )
    assert spoken(Not(part=makes)) == "not (sector is not Manufacturing)"


def test_many_countries_are_listed_by_their_codes() -> None:
    many = AnyOf(fact="country", values=frozenset(("AT", "BE", "CH", "DE", "DK", "FI", "FR", "GB", "IE")))
    assert spoken(many) == "country is AT, BE, CH, DE, DK, FI, FR, GB or IE"


def test_decay_and_durations_are_said_in_days() -> None:
    assert aging(Within(fact="last_activity", seconds=84 * DAY, half_life=30 * DAY)) == (
        "worth half after every 30 days"
    )
    assert (days(DAY), days(7 * DAY), days(DAY / 2), days(3600)) == ("1 day", "7 days", "12 hours", "1 hour")


def test_what_flags_do_stands_beside_them_exclusions_first() -> None:
    said = section(document(DEMO, NOTHING), "Who it is not for").splitlines()
    assert said[0] == "Bank, insurer or fund | sector is Finance and Insurance | Not ICP"
    assert said[1] == "Property company | sector is Real Estate and Rental and Leasing | D at best"
    assert said[-1].endswith("only shown")


def test_tiers_have_their_scores_and_counts_only_where_somebody_counted() -> None:
    plain = section(document(DEMO, NOTHING), "Tiers")
    assert plain.splitlines()[:4] == [
        "A | score 85 and more",
        "B | score 65–84",
        "C | score 45–64",
        "D | score 0–44",
    ]
    assert "less than 3 points waits until it has lasted 7 days" in plain
    counted = document(DEMO, replace(NOTHING, counts={"A": 1200, "Not ICP": 3}))
    assert "A | score 85 and more | 1,200" in section(counted, "Tiers")
    assert "B | score 65–84 | 0" in section(counted, "Tiers")


def test_every_kind_of_route_is_said() -> None:
    west = AnyOf(fact="country", values=frozenset({"US"}))
    routes = (
        Route(target=Target(lane="success"), tiers=STATES, when=west),
        Route(target=Target(lane="sales", owner="a@b.co"), tiers=("A",), even_if_provisional=True),
        Route(target=Target(lane="sales", pool="p", territory="west"), even_if_owned=True, when=west),
        Route(target=Target(lane="sales", territory="west", keep="group"), tiers=("A", "B")),
        Route(target=Target(lane="sales", named="strategic", keep="parent"), tiers=("B", "C", "D")),
        Route(target=Target(lane="sales", named_fact="account_manager"), even_if_customer=True, when=west),
        Route(target=Target(lane="none")),
    )
    profile = replace(
        DEMO, routes=routes, named={"strategic": NamedList(name="strategic", owners={"a.co": "x"})}
    )
    said = section(document(profile, NOTHING), "Who gets it").splitlines()
    assert said[:7] == [
        "1 | whatever the tier, and country is United States | whoever owns it | success",
        "2 | tier A | a@b.co, even while provisional | sales",
        "3 | country is United States | pool p, by territory west, even if owned | sales",
        "4 | tier A or B | first who owns another of its group, by territory west | sales",
        "5 | tier B, C or D | first who owns the parent, by the list strategic | sales",
        "6 | country is United States | whom account manager names, even a customer | sales",
        "7 | everything else | nobody new | none",
    ]
    assert "farid.haddad@sales.example 25%, at most 120" in "\n".join(said)
    assert "strategic | 1 account" in "\n".join(said)


def test_evidence_names_what_feeds_each_fact_and_what_nothing_feeds_first() -> None:
    sources = {"employees": ["crm:numberofemployees", "csv"], "sector": ["crm:industry"]}
    said = section(document(DEMO, replace(NOTHING, sources=sources)), "What it rests on").splitlines()
    assert said[0].startswith("12 of 14 facts have no source here")
    assert said[1].split(" | ")[1] == "nothing yet"
    assert "employees | CRM numberofemployees, csv | points, flag" in said
    assert said.index("sector | CRM industry | points, flag") > 11


def test_a_parents_fact_rests_on_what_feeds_the_companys_own() -> None:
    text = SOUND.replace("fact: employees", "fact: employees, level: parent")
    profile = parse(text, "x.yaml")
    known = replace(NOTHING, sources={"employees": ["crm:staff"]})
    assert "parent employees | CRM staff | points" in section(document(profile, known), "What it rests on")


def test_examples_stand_by_what_is_expected_of_them() -> None:
    said = section(document(DEMO, NOTHING), "Companies we know").splitlines()
    assert said[0] == "A | kone.com, halma.com, csx.com, puma.com"
    assert said[-1] == "Not ICP | swedbank.com, allianz.com"


def test_a_profile_without_this_and_that_says_so() -> None:
    page = document(parse(SOUND, "x.yaml"), NOTHING)
    assert "There is no must-have" in section(page, "Must-haves")
    assert section(page, "Who it is not for") == "The profile does not say whom you do not sell to."
    assert section(page, "Who gets it") == "The profile routes nothing to anybody."
    assert section(page, "Review").startswith("No review is planned.")
    assert section(page, "Pains") == "No criterion asks for a pain."
    assert {one.title for one in page.sections}.isdisjoint({"When the moment is good", "Companies we know"})


@settings(deadline=None)
@given(st.integers(1, 60))
def test_the_sentence_stays_short_however_many_questions_there_are(count: int) -> None:
    one = DEMO.criteria[1]
    many = replace(DEMO, criteria=tuple(replace(one, name=f"Question {n}") for n in range(count)))
    assert lead(many).count("Question") == min(count, 4)
