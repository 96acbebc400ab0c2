"""What is allowed but unwise is said, with what to do about it."""

from __future__ import annotations

from datetime import date

from icp_sync.domain.facts import CATALOGUE
from icp_sync.errors import Problem
from icp_sync.profile_file import advice, parse
from tests.profile_file.test_language import SAMPLE
from tests.profile_file.written import SOUND

TODAY = date(2026, 11, 21)
EVERYTHING = {fact: ["crm:x"] for fact in CATALOGUE}


def warned(
    *texts: str,
    sources: dict[str, list[str]] | None = None,
    firm: int | None = 200,
    accounts: int | None = 1_000,
    today: date = TODAY,
) -> list[Problem]:
    profiles = [parse(text, "x.yaml") for text in texts or (SAMPLE,)]
    given = EVERYTHING if sources is None else sources
    return advice(profiles, sources=given, in_scope_firm=firm, accounts=accounts, today=today)


def test_a_rounded_profile_draws_no_warning() -> None:
    assert warned() == []


def test_firmographics_alone_and_no_flags_are_warned_about() -> None:
    first, second = warned(SOUND)
    assert first.where == second.where == "profile sample"
    assert "firmographics only" in first.what
    assert "no non-ICP section" in second.what


def test_a_review_is_overdue_from_the_day_after() -> None:
    assert warned(today=date(2027, 2, 28)) == []
    assert [p.what for p in warned(today=date(2027, 3, 1))] == ["the minor review was due on 2027-02-28"]
    assert len(warned(today=date(2028, 1, 1))) == 2


def test_more_than_three_profiles_are_too_many() -> None:
    many = [SAMPLE.replace("b2b-saas-mid-market", f"p{n}") for n in range(4)]
    assert warned(*many[:3]) == []
    assert [p.what for p in warned(*many)] == ["4 profiles: beyond 3 a team loses its focus"]


def test_too_few_or_too_many_firm_accounts_are_warned_about_and_none_before_counting() -> None:
    assert [p.what for p in warned(firm=99)] == ["99 accounts in scope firmly fit, fewer than 100"]
    assert "401 of 1,000" in warned(firm=401)[0].what
    assert warned(firm=100, accounts=250) == []
    assert warned(firm=None, accounts=None) == []


def test_the_bounds_of_a_good_number_of_accounts_can_be_set() -> None:
    profile = parse(SAMPLE, "x.yaml")
    said = advice(
        [profile],
        sources=EVERYTHING,
        in_scope_firm=60,
        accounts=100,
        today=TODAY,
        fewest=50,
        most_share=0.7,
    )
    assert said == []


def test_a_criterion_without_a_source_is_named_with_the_weight_that_has_one() -> None:
    sources = {**EVERYTHING, "open_roles": []}
    role, weight = warned(sources=sources)
    assert role.what == (
        "'Has an outbound sales role' asks for open_roles, which has no source here: 33% of the score"
    )
    assert weight.what == "67% of the weight has a source here"


def test_a_gate_without_a_source_keeps_every_account_unsure() -> None:
    sources = {**EVERYTHING, "technologies": []}
    assert "every account stays unsure" in warned(sources=sources)[0].what


def test_one_source_of_two_will_do_where_any_part_is_enough() -> None:
    text = SAMPLE.replace(
        "    fact: open_roles\n    any_of: [sdr, bdr, account executive]\n",
        "    when: {any: [{fact: open_roles, any_of: [sdr]}, {fact: keywords, any_of: [sdr]}]}\n",
    )
    assert warned(text, sources={**EVERYTHING, "open_roles": []}) == []
    assert warned(text.replace("{any:", "{all:"), sources={**EVERYTHING, "open_roles": []}) != []
