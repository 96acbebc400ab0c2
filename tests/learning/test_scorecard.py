"""The scorecard: a few questions whose points add up, rise with the evidence and let unknowns be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between, NoneOf
from icp_sync.domain.evaluation import NOT_ICP, evaluate
from icp_sync.domain.facts import FactValue, Interval, Members, number
from icp_sync.learning.card.choosing import chosen
from icp_sync.learning.card.evidence import against_words
from icp_sync.learning.card.factors import unknown_shares
from icp_sync.learning.card.points import points_of, weighed
from icp_sync.learning.card.scorecard import Scorecard, fact_of, profile_of, scorecard, scored
from icp_sync.learning.card.tiers import tier_of
from icp_sync.learning.cases import Cohort
from icp_sync.learning.figures.logistic import ridge
from icp_sync.learning.marks.attributes import find
from icp_sync.learning.marks.coded import coded
from tests.domain.oracle import credit
from tests.learning.sold import TYPES, Company, Sold, has, mixed, size_of, sold

SEEDS = st.integers(0, 10_000)


def card_of(
    book: Sold, *, forced: bool = False, capacity: int | None = None, crowd: Sequence[Company] | None = None
) -> Scorecard:
    found = scorecard(
        book.coded,
        book.labels,
        book.findings,
        currency="EUR",
        forced=forced,
        capacity=capacity,
        crowd=crowd,
    )
    assert found is not None
    return found


def of_fact(card: Scorecard, fact: str) -> list[tuple[object, int]]:
    return [(step.condition, step.points) for step in card.steps if fact_of(step.condition) == fact]


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.booleans(), st.sampled_from([0.0, 0.3]))
def test_points_are_whole_and_add_up_to_a_hundred(seed: int, forced: bool, missing: float) -> None:
    book = sold(mixed, n=400, seed=seed, missing=missing, blurred=missing)
    card = scorecard(book.coded, book.labels, book.findings, currency="EUR", forced=forced)
    if card is not None:
        assert sum(step.points for step in card.steps) == 100
        assert all(step.points >= 3 and 0 <= step.unknown <= 1 for step in card.steps)
        assert len({step.name.casefold() for step in card.steps}) == len(card.steps)
        assert 100 >= card.tiers.a > card.tiers.b > card.tiers.c > card.tiers.d == 0


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_where_everything_is_known_the_score_is_the_sum_of_the_points_that_are_met(seed: int) -> None:
    book = sold(mixed, n=400, seed=seed)
    card = card_of(book, forced=True)
    compiled = (compile_profile(profile_of(card, currency="EUR")),)
    for facts in book.facts[:60]:
        met = sum(s.points for s in card.steps if credit(s.condition, facts, 0.0, "EUR") == (1.0, 1.0))
        assert evaluate(compiled, facts, None, 0.0).score == met
        assert 0 <= met <= 100


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.booleans())
def test_tiers_are_cut_on_the_very_scores_the_engine_shows(seed: int, forced: bool) -> None:
    book = sold(_with_a_hopeless_industry, n=900, seed=seed, missing=0.2, blurred=0.3)
    card = scorecard(book.coded, book.labels, book.findings, currency="EUR", forced=forced)
    if card is None:
        return
    profile = profile_of(card, currency="EUR")
    compiled = (compile_profile(profile),)
    ours = scored(book.coded, card.steps, (*card.gates, *card.flags))
    for facts, said in list(zip(book.facts, ours, strict=True))[:150]:
        told = evaluate(compiled, facts, None, 0.0)
        assert said.score == told.score
        assert said.covered == pytest.approx(told.shown.covered)
        tier = tier_of(card.tiers, said)
        assert told.tier in {NOT_ICP if tier == "out" else tier, "Needs data"}


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_evidence_rises_from_level_to_level_and_each_step_asks_for_less(seed: int, missing: float) -> None:
    book = sold(mixed, n=400, seed=seed, missing=missing, blurred=missing)
    for factor in chosen(book.coded, book.findings, bytes(book.labels), forced=True):
        assert all(low.evidence < high.evidence for low, high in pairwise(factor.levels))
        for step in range(1, len(factor.levels) - 1):
            assert factor.above(step + 1) < factor.above(step)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_an_unknown_fact_shows_the_points_that_keep_the_odds(seed: int) -> None:
    """Of a fact's span of evidence, no evidence lies as far up as the points shown do."""
    book = sold(mixed, n=500, seed=seed, missing=0.2)
    good = bytes(book.labels)
    for factor, points in points_of(weighed(chosen(book.coded, book.findings, good, forced=True), good)):
        levels = [level.evidence for level in factor.levels]
        shown = sum(p * share for p, share in zip(points, unknown_shares(levels), strict=True))
        span = levels[-1] - levels[0]
        keeps = min(max(0.0, -levels[0]), span) * sum(points) / span
        assert shown == pytest.approx(keeps, abs=1.5 * len(points))  # whole points a step, whole percents


def test_unknown_is_filled_from_the_lowest_step() -> None:
    assert unknown_shares([-0.5, 0.0, 0.4]) == [1.0, 0.0]
    assert unknown_shares([-0.6, -0.2, 0.2, 0.6]) == [1.0, 0.5, 0.0]
    assert unknown_shares([0.0, 0.7]) == [0.0]


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_who_does_not_tell_stands_between_the_best_and_the_worst(missing: float) -> None:
    book = sold(mixed, seed=3, missing=missing)
    compiled = (compile_profile(profile_of(card_of(book), currency="EUR")),)

    def score(**facts: FactValue) -> int:
        return evaluate(compiled, facts, None, 0.0).score

    small, silent, large = score(employees=number(5)), score(), score(employees=number(5_000))
    assert small < silent < large


def test_a_rising_fact_becomes_nested_steps_and_more_is_never_worth_less() -> None:
    card = card_of(sold(mixed, n=3_000, seed=1))
    bands = [when for when, _ in of_fact(card, "employees")]
    assert len(bands) >= 2
    assert all(isinstance(when, Between) and when.high == float("inf") for when in bands)
    compiled = (compile_profile(profile_of(card, currency="EUR")),)
    scores = [
        evaluate(compiled, {"employees": number(n)}, None, 0.0).score for n in (1, 20, 60, 300, 900, 9e3)
    ]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_a_falling_fact_asks_for_less() -> None:
    card = card_of(sold(lambda one: 0.45 if size_of(one) < 50 else 0.1, seed=1))
    assert all(isinstance(when, Between) and when.high_open for when, _ in of_fact(card, "employees"))


def test_a_band_in_the_middle_is_one_where_it_fits_clearly_better() -> None:
    book = sold(lambda one: 0.5 if 50 <= size_of(one) < 500 else 0.08, n=1_500, seed=2)
    card = card_of(book)
    [(band, points)] = of_fact(card, "employees")[-1:]
    assert isinstance(band, Between)
    assert (band.low, band.high, band.high_open) == (50, 500, True)
    assert points > 30
    assert "50–499 employees" in [step.name for step in card.steps]


def test_values_better_than_the_base_are_asked_for_together() -> None:
    def rule(one: Company) -> float:
        return 0.4 if has(one, "industry", "INTERNET") or has(one, "industry", "RETAIL") else 0.1

    card = card_of(sold(rule, seed=1))
    assert of_fact(card, "industry")[-1][0] == AnyOf(
        fact="industry", values=frozenset({"INTERNET", "RETAIL"})
    )
    assert "Internet or retail" in [step.name for step in card.steps]


def test_a_value_worse_than_the_rest_is_asked_not_to_be_so_that_new_ones_are_like_the_rest() -> None:
    card = card_of(sold(lambda one: 0.05 if has(one, "industry", "BANKING") else 0.3, seed=1))
    assert of_fact(card, "industry")[0][0] == NoneOf(fact="industry", values=frozenset({"BANKING"}))


def test_each_member_of_a_set_that_tells_has_its_own_question() -> None:
    def rule(one: Company) -> float:
        found = sum(has(one, "technologies", tool) for tool in ("hubspot", "salesforce"))
        return 0.08 + 0.15 * found

    card = card_of(sold(rule, n=2_000, seed=1))
    asked = {next(iter(when.values)) for when, _ in of_fact(card, "technologies") if isinstance(when, AnyOf)}
    assert asked == {"hubspot", "salesforce"}
    assert "Runs HubSpot" in [step.name for step in card.steps]


def test_facts_that_say_the_same_share_its_points() -> None:
    """The same size under two names does not count twice."""
    book = sold(mixed, n=1_500, seed=4)
    twice = [{**one, "open_jobs": one["employees"]} for one in book.facts]
    asked = coded(twice, TYPES, currency="EUR")
    card = scorecard(asked, book.labels, find(asked, book.labels), currency="EUR")
    assert card is not None
    alone = sum(points for _, points in of_fact(card_of(book), "employees"))
    both = sum(points for fact in ("employees", "open_jobs") for _, points in of_fact(card, fact))
    assert abs(both - alone) <= 12


def test_a_fact_that_marks_an_anti_cohort_as_well_is_not_asked_for() -> None:
    def cohort(one: Company, good: bool) -> Cohort:
        if good:
            return Cohort.BEST
        return Cohort.CHURNED if has(one, "technologies", "hubspot") else Cohort.LOST

    book = sold(mixed, n=1_500, seed=1, cohort=cohort)
    assert not any(
        isinstance(when, AnyOf) and "hubspot" in when.values
        for when, _ in of_fact(card_of(book), "technologies")
    )


def test_a_word_the_profile_language_spells_otherwise_is_never_asked_for() -> None:
    book = sold(lambda one: 0.4 if has(one, "technologies", "hubspot") else 0.1, seed=1)
    shouted = [one | {"technologies": shouting(one)} for one in book.facts]
    asked = coded(shouted, TYPES, currency="EUR")
    card = scorecard(asked, book.labels, find(asked, book.labels), currency="EUR")
    assert card is None or not of_fact(card, "technologies")


def shouting(one: Company) -> Members:
    known = one["technologies"]
    assert isinstance(known, Members)
    return Members(frozenset(map(str.upper, known.known)), True)


def _with_a_hopeless_industry(one: Company) -> float:
    return 0.0 if has(one, "industry", "BANKING") else 0.35


def test_almost_never_won_becomes_a_flag_with_its_figures() -> None:
    card = card_of(sold(_with_a_hopeless_industry, seed=1))
    [flag] = card.flags
    assert (flag.effect, flag.name) == ("exclude", "Banking")
    assert flag.hits == 0
    assert flag.n >= 40
    assert flag.high < flag.base / 5


def test_points_are_not_given_for_what_a_flag_or_must_have_has_decided_already() -> None:
    def rule(one: Company) -> float:
        wanted = has(one, "technologies", "sap") and not has(one, "industry", "BANKING")
        return (0.3 if size_of(one) < 200 else 0.7) if wanted else 0.0

    card = card_of(sold(rule, n=3_000, seed=1))
    assert [one.name for one in (*card.gates, *card.flags)] == ["Runs SAP", "Banking"]
    asked = [step.condition for step in card.steps]
    assert card.gates[0].condition not in asked
    assert NoneOf(fact="industry", values=frozenset({"BANKING"})) not in asked
    assert sum(points for _, points in of_fact(card, "employees")) > 60
    assert card.steps[0].known < 3_000 / 2  # figures leave out whom they exclude


def test_well_below_the_base_caps_and_does_not_exclude() -> None:
    card = card_of(sold(lambda one: 0.08 if has(one, "industry", "BANKING") else 0.3, n=2_500, seed=1))
    [flag] = card.flags
    assert (flag.effect, flag.cap) == ("cap", "C")


def test_a_fact_known_of_few_makes_no_flag() -> None:
    book = sold(_with_a_hopeless_industry, n=3_000, seed=1, missing=0.6)
    assert of_fact(card_of(book), "industry")
    assert card_of(book).flags == ()


def test_what_nearly_every_winner_has_is_a_must_have_where_lists_are_complete() -> None:
    book = sold(lambda one: 0.5 if has(one, "technologies", "sap") else 0.0, n=1_500, seed=1)
    [gate] = card_of(book).gates
    assert gate.condition == AnyOf(fact="technologies", values=frozenset({"sap"}))
    asked = coded([one | {"technologies": open_ended(one)} for one in book.facts], TYPES, currency="EUR")
    card = scorecard(asked, book.labels, find(asked, book.labels), currency="EUR")
    assert card is not None
    assert card.gates == ()


def open_ended(one: Company) -> Members:
    known = one["technologies"]
    assert isinstance(known, Members)
    return Members(known.known, False)


def test_tiers_begin_where_the_expected_rate_does() -> None:
    book = sold(mixed, n=3_000, seed=1)
    card = card_of(book)
    said = scored(book.coded, card.steps, (*card.gates, *card.flags))
    tiers = [tier_of(card.tiers, one) for one in said]
    rate = {
        tier: sum(g for t, g in zip(tiers, book.labels, strict=True) if t == tier) / tiers.count(tier)
        for tier in "ABCD"
    }
    base = book.findings.base
    assert rate["A"] > 2 * base > rate["B"] > rate["C"] > rate["D"]
    assert list(card.expected) == ["A", "B", "C", "D"]
    for tier, expected in card.expected.items():
        assert expected == pytest.approx(rate[tier], abs=0.02)


@pytest.mark.parametrize("capacity", [20, 100])
def test_no_more_accounts_are_a_than_can_be_carried(capacity: int) -> None:
    book = sold(mixed, n=3_000, seed=1)
    wide, narrow = card_of(book), card_of(book, capacity=capacity)
    said = scored(book.coded, narrow.steps, (*narrow.gates, *narrow.flags))
    assert sum(tier_of(narrow.tiers, one) == "A" for one in said) <= capacity
    assert narrow.tiers.a > wide.tiers.a
    assert (narrow.tiers.b, narrow.steps) == (wide.tiers.b, wide.steps)
    assert any(f"{capacity} accounts" in note for note in narrow.notes)


def test_where_too_many_score_alike_the_card_says_how_few_a_can_hold() -> None:
    book = sold(mixed, n=3_000, seed=1)
    card = card_of(book, capacity=1)
    said = scored(book.coded, card.steps, (*card.gates, *card.flags))
    held = sum(tier_of(card.tiers, one) == "A" for one in said)
    assert held > 1
    [note] = card.notes
    assert f"holds {held} accounts, the fewest that score alike, although only 1 account can" in note
    assert card.expected["A"] > card.expected["B"]


def test_a_crowd_that_stands_for_more_fills_the_tier_sooner() -> None:
    book = sold(mixed, n=1_500, seed=1)

    def floor(stands_for: float) -> int:
        card = scorecard(
            book.coded, book.labels, book.findings, currency="EUR", capacity=60, stands_for=stands_for
        )
        assert card is not None
        return card.tiers.a

    assert floor(3.0) > floor(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_an_account_of_which_nothing_is_known_shows_the_score_where_the_chance_is_the_base(
    seed: int,
) -> None:
    book = sold(mixed, n=3_000, seed=seed)
    card = card_of(book)
    compiled = (compile_profile(profile_of(card, currency="EUR")),)
    silent = evaluate(compiled, {}, None, 0.0).score
    said = scored(book.coded, card.steps, (*card.gates, *card.flags))
    fit = ridge([[one.score / 10] for one in said], book.labels, penalty=0.1)
    assert fit.chance([silent / 10]) == pytest.approx(book.findings.base, rel=0.03)


def _without_sap(one: Company) -> float:
    return 0.12 if has(one, "technologies", "sap") else 0.3


def test_a_member_that_marks_the_others_is_asked_not_to_be_there_where_lists_are_complete() -> None:
    card = card_of(sold(_without_sap, n=2_000, seed=1))
    assert of_fact(card, "technologies")[0][0] == NoneOf(fact="technologies", values=frozenset({"sap"}))
    assert card.against == ()


def test_where_lists_may_go_on_it_bears_no_points_and_is_shown() -> None:
    def rule(one: Company) -> float:
        return _without_sap(one) + 0.2 * (size_of(one) >= 200)

    book = sold(rule, n=2_000, seed=1)
    asked = coded([one | {"technologies": open_ended(one)} for one in book.facts], TYPES, currency="EUR")
    card = scorecard(asked, book.labels, find(asked, book.labels), currency="EUR")
    assert card is not None
    assert not any(isinstance(when, NoneOf) for when, _ in of_fact(card, "technologies"))
    [mark] = card.against
    assert mark.question.words == "technologies: sap"
    assert "technologies: sap marks the others: " in against_words(mark, "won")


def test_capacity_is_counted_on_everybody_and_not_on_the_cases() -> None:
    book = sold(mixed, n=1_500, seed=1)
    crowd = sold(mixed, n=300, seed=2).facts
    alone, among = card_of(book, capacity=40), card_of(book, capacity=40, crowd=crowd)
    assert among.tiers.a < alone.tiers.a


def test_less_has_to_be_known_where_most_know_little_and_the_card_says_so() -> None:
    book = sold(mixed, n=1_500, seed=1)
    known = card_of(book)
    sparse = card_of(book, crowd=sold(mixed, n=400, seed=2, missing=0.55).facts)
    assert known.min_coverage == 0.60
    assert 0.20 <= sparse.min_coverage < 0.60
    assert any("provisional" in note for note in sparse.notes)


def test_nothing_found_is_no_scorecard_unless_forced() -> None:
    book = sold(lambda _: 0.2, n=600, seed=5)
    assert scorecard(book.coded, book.labels, book.findings, currency="EUR") is None
    forced = card_of(book, forced=True)
    assert sum(step.points for step in forced.steps) == 100
    assert (forced.gates, forced.flags) == ((), ())


@pytest.mark.parametrize("label", [True, False])
def test_one_kind_of_case_only_is_no_scorecard(label: bool) -> None:
    book = sold(mixed, n=200, seed=5)
    assert scorecard(book.coded, [label] * 200, book.findings, currency="EUR", forced=True) is None


def test_ranges_across_an_edge_count_as_the_engine_counts_them() -> None:
    card = card_of(sold(mixed, n=2_000, seed=1))
    compiled = (compile_profile(profile_of(card, currency="EUR")),)
    across = evaluate(compiled, {"employees": Interval(10, 10_000)}, None, 0.0)
    silent = evaluate(compiled, {}, None, 0.0)
    assert silent.low <= across.low <= across.score <= across.high <= silent.high


def test_figures_of_a_step_are_those_of_the_cases_that_answer_so() -> None:
    book = sold(mixed, n=1_000, seed=1, missing=0.1)
    for step in card_of(book).steps:
        answers = [credit(step.condition, facts, 0.0, "EUR") for facts in book.facts]
        yes = [good for good, said in zip(book.labels, answers, strict=True) if said == (1.0, 1.0)]
        no = [good for good, said in zip(book.labels, answers, strict=True) if said == (0.0, 0.0)]
        assert (step.n, step.known) == (len(yes), len(yes) + len(no))
        assert step.rate == pytest.approx(sum(yes) / len(yes))
        assert step.others == pytest.approx(sum(no) / len(no))
        assert step.low < step.rate < step.high
        assert step.lift == pytest.approx(step.rate / book.findings.base)
