"""A profile whose top tier nobody can reach is refused, and what is refused truly is out of reach."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import CATALOGUE, FactValue, Interval, Members, Money, choice
from icp_sync.domain.profile import DAY, Profile
from icp_sync.profile_file.reach import check_reach
from icp_sync.profile_file.reading import Report
from tests.domain.cases import NOW, numbers, profiles
from tests.profile_file.written import HEAD, marked, problems

SMALL = "  - {name: «Small, layer: firmographic, fact: employees, at_most: 50, weight: 50}\n"
LARGE = "  - {name: Large, layer: firmographic, fact: employees, above: 50, weight: 50}\n"
GATE = "  - {name: «German, layer: firmographic, fact: country, any_of: [DE], required: true}\n"
ANY = "  - {name: Any, layer: pain, fact: contacts, at_least: 1, weight: 10}\n"


def unreachable(body: str) -> str:
    """The one problem a profile of this body has, at the place of its mark."""
    text, places = marked(f"{HEAD}criteria:\n{body}")
    found = problems(text)
    assert [problem.where for problem in found] == places, found
    return found[0].what


def test_criteria_that_exclude_each_other_are_named_with_the_best_score_left() -> None:
    said = unreachable(SMALL + LARGE)
    assert said.startswith("no company can score more than 50, and tier A begins at 80: 'Small', 'Large'")


def test_two_countries_cannot_be_one() -> None:
    said = unreachable(
        "  - {name: «North, layer: pain, fact: country, any_of: [DE], weight: 1}\n"
        "  - {name: South, layer: pain, fact: country, any_of: [IT], weight: 1}\n"
    )
    assert "'North', 'South' give at most 50 of their 100 points together" in said


def test_tapers_that_meet_halfway_are_added_up() -> None:
    said = unreachable(
        "  - {name: «Low, layer: pain, fact: employees, at_most: 100, taper: 100%, weight: 1}\n"
        "  - {name: High, layer: pain, fact: employees, at_least: 400, taper: 10%, weight: 1}\n"
    )
    assert "no company can score more than 50" in said


def test_tapers_that_overlap_leave_the_top_tier_in_reach() -> None:
    assert not problems(
        f"{HEAD}criteria:\n"
        "  - {name: Low, layer: pain, fact: employees, at_most: 100, taper: 100%, weight: 1}\n"
        "  - {name: High, layer: pain, fact: employees, at_least: 110, taper: 100%, weight: 1}\n"
    )


def test_gates_that_ask_for_disjoint_bands_are_refused() -> None:
    said = unreachable(
        "  - {name: Small, layer: firmographic, fact: employees, at_most: 50, required: true}\n"
        "  - {name: «Large, layer: firmographic, fact: employees, at_least: 51, required: true}\n" + ANY
    )
    assert said == "no company can pass the gate 'Large' and the gate 'Small'"


def test_a_gate_that_contradicts_itself_is_refused() -> None:
    said = unreachable(
        "  - {name: «Both, layer: pain, required: true, when: {all: [{fact: country, any_of: [DE]}, "
        "{fact: country, any_of: [FR]}]}}\n" + ANY
    )
    assert said == "no company can pass the gate 'Both'"


def test_a_gate_outside_the_scope_is_refused() -> None:
    said = unreachable(GATE + ANY + "scope: {score: {fact: country, any_of: [US]}}\n")
    assert said == "no company can pass the gate 'German' and the scope"


def test_an_exclude_flag_that_a_gate_makes_true_is_refused() -> None:
    flag = "flags:\n  - {name: «Europe, when: {fact: country, any_of: [DE, FR]}, effect: exclude}\n"
    said = unreachable(GATE.replace("«", "") + ANY + flag)
    assert said == "the flag 'Europe' excludes every company that passes the gate 'German'"


def test_a_cap_flag_that_is_always_true_is_refused() -> None:
    flag = "flags:\n  - {name: «All, when: {fact: contacts, at_least: 0}, effect: {cap: B}}\n"
    assert unreachable(ANY + flag) == "the flag 'All' caps every company at B"


@pytest.mark.parametrize("effect", ["mark", "{cap: A}"])
def test_a_flag_that_lowers_nothing_may_always_be_true(effect: str) -> None:
    flag = f"flags:\n  - {{name: All, when: {{fact: contacts, at_least: 0}}, effect: {effect}}}\n"
    assert not problems(f"{HEAD}criteria:\n{ANY}{flag}")


def test_a_criterion_no_gate_lets_through_is_refused() -> None:
    said = unreachable(
        GATE.replace("«", "") + ANY + "  - {name: «US, layer: pain, fact: country, any_of: [US], weight: 1}\n"
    )
    assert said == "no company can meet 'US' given the gate 'German'"


def test_members_of_a_set_do_not_exclude_each_other() -> None:
    assert not problems(
        f"{HEAD}criteria:\n"
        "  - {name: A, layer: pain, fact: technologies, all_of: [a, b], weight: 1}\n"
        "  - {name: B, layer: pain, fact: technologies, any_of: [b, c], weight: 1}\n"
        "  - {name: C, layer: pain, fact: technologies, none_of: [d], weight: 1}\n"
    )


def test_a_stage_and_what_it_makes_of_a_company_do_not_exclude_each_other() -> None:
    assert not problems(
        f"{HEAD}scope: {{score: {{fact: lifecycle, any_of: [prospect]}}}}\ncriteria:\n"
        "  - {name: A, layer: pain, fact: lifecycle, any_of: [opportunity], weight: 1}\n"
    )


def test_ages_exclude_each_other_when_they_do_not_overlap() -> None:
    said = unreachable(
        "  - {name: «New, layer: pain, fact: last_activity, within: 30d, weight: 1}\n"
        "  - {name: Old, layer: pain, weight: 1, when: {not: {fact: last_activity, within: 90d}}}\n"
    )
    assert "no company can score more than 50" in said


def test_too_many_combinations_claim_nothing() -> None:
    bands = ", ".join(
        f"{{fact: {fact}, at_least: {n}}}" for fact in ("employees", "contacts") for n in range(200)
    )
    tying = f"  - {{name: Many, layer: pain, weight: 1, when: {{any: [{bands}]}}}}\n"
    assert not problems(f"{HEAD}criteria:\n{SMALL}{LARGE}{tying}".replace("«", ""))


exact = st.fixed_dictionaries(
    {
        "employees": numbers.map(lambda x: Interval(x, x)),
        "revenue": numbers.map(lambda x: Money(x, x, "USD")),
        "industry": st.sampled_from("abcd").map(choice),
        "technologies": st.frozensets(st.sampled_from("abcd")).map(lambda s: Members(s, True)),
        "founded": st.integers(0, 400).map(lambda days: Interval(NOW - days * DAY, NOW - days * DAY)),
    }
)


@settings(max_examples=40, deadline=None)
@given(profiles(), st.lists(exact, min_size=12, max_size=12))
def test_no_known_company_ever_reaches_what_was_called_out_of_reach(
    tried: Profile, companies: list[dict[str, FactValue]]
) -> None:
    report = Report("x.yaml")
    check_reach(tried, CATALOGUE, report)
    said = [problem.what for problem in report.problems]
    lost = [i for i, c in enumerate(tried.criteria) if any(f"can meet '{c.name}'" in what for what in said)]
    top_is_lost = len(said) > len(lost)
    compiled = compile_profile(tried)
    for company in companies:
        found = evaluate([compiled], company, None, NOW)
        if found.tier == "A":
            assert not top_is_lost, said
            assert all(found.shown.criterion(index)[1] == 0.0 for index in lost), said
