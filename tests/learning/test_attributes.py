"""What marks the good ones: counted right, corrected for all that was tried, and silent where nothing is."""

from __future__ import annotations

from functools import cache
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import FactType
from icp_sync.learning.cases import Cohort
from icp_sync.learning.figures.chance import benjamini_hochberg, chi_square, independence, simes, trend
from icp_sync.learning.marks.attributes import Attribute, Findings, Mark, find
from icp_sync.learning.marks.coded import NOT_KNOWN, Coded, Column, Question, coded
from tests.learning.planted import ODDS, TYPES, planted

SEEDS = range(6)


def told(
    answers: bytes, fact: str = "remote", *, members: bool = False, known: bytes | None = None
) -> Column:
    """A fact with one question."""
    when = AnyOf(fact=fact, values=frozenset(("yes",)))
    return Column(
        fact=fact,
        type=FactType.SET if members else FactType.YES_NO,
        kind="members" if members else "values",
        questions=(Question(fact=fact, when=when, words=f"{fact}: yes", answers=answers),),
        bands=() if members else ("yes", "no"),
        values=("yes",) if members else ("yes", "no"),
        codes=answers.translate(bytes([1, 0, NOT_KNOWN] + [NOT_KNOWN] * 253)),
        known=known if known is not None else bytes(answer != 2 for answer in answers),
    )


def one(column: Column, labels: list[bool], cohorts: list[Cohort] | None = None) -> tuple[Attribute, Mark]:
    found = find(Coded(columns=(column,), n=len(labels)), labels, cohorts or [])
    (attribute,) = found.attributes
    (mark,) = attribute.marks
    return attribute, mark


def test_a_mark_counts_yes_against_no_and_leaves_the_unknown_out():
    answers = bytes([1] * 100 + [0] * 300 + [2] * 50)
    labels = [True] * 40 + [False] * 60 + [True] * 30 + [False] * 270 + [True] * 20 + [False] * 30
    attribute, mark = one(told(answers), labels)
    assert (mark.hits, mark.n, mark.other_hits, mark.other_n) == (40, 100, 30, 300)
    assert mark.rate == 0.4
    assert mark.lift == pytest.approx(0.4 / (90 / 450))
    assert mark.low < 0.4 < mark.high
    assert mark.odds == pytest.approx((40.5 * 270.5) / (60.5 * 30.5))
    assert mark.p == independence(40, 60, 30, 270)
    assert mark.found
    assert mark.positive
    assert attribute.known == 400


def test_a_member_is_compared_with_all_of_whom_any_member_is_known():
    answers = bytes([1] * 100 + [2] * 200)
    known = bytes([1] * 250 + [0] * 50)
    _, mark = one(told(answers, members=True, known=known), [i % 5 == 0 for i in range(300)])
    assert (mark.n, mark.other_n) == (100, 150)


def test_what_speaks_against_a_company_is_found_as_well():
    answers = bytes([1] * 200 + [0] * 200)
    attribute, mark = one(told(answers), [i % 50 == 0 for i in range(200)] + [i % 4 == 0 for i in range(200)])
    assert attribute.found
    assert mark.found
    assert mark.lift < 0.5
    assert not mark.positive


def test_that_a_fact_is_missing_is_a_finding_of_its_own():
    answers = bytes([1, 0] * 100 + [2] * 200)
    labels = [i % 3 == 0 for i in range(200)] + [i % 20 == 0 for i in range(200)]
    attribute, mark = one(told(answers), labels)
    assert attribute.missing.found
    assert attribute.missing.rate_known == pytest.approx(67 / 200)
    assert attribute.missing.rate_unknown == pytest.approx(10 / 200)
    assert not mark.found
    assert not attribute.found


def cohort_cases(churned: int, share: float) -> tuple[Column, list[bool], list[Cohort]]:
    """100 of the best, 60 of whom say yes; lost ones of whom one in five does; churned ones as said."""
    yes = round(churned * share)
    answers = [1] * 60 + [0] * 40 + [1] * 100 + [0] * 400 + [1] * yes + [0] * (churned - yes)
    cohorts = [Cohort.BEST] * 100 + [Cohort.LOST] * 500 + [Cohort.CHURNED] * churned
    return told(bytes(answers)), [cohort is Cohort.BEST for cohort in cohorts], cohorts


@pytest.mark.parametrize("churned", [20, 200])
def test_a_mark_of_an_anti_cohort_as_well_is_named_and_not_found(churned):
    attribute, mark = one(*cohort_cases(churned, 0.9))
    assert mark.also == (Cohort.CHURNED,)
    assert not mark.found
    assert attribute.found
    assert mark.positive


@pytest.mark.parametrize(("churned", "share"), [(200, 0.5), (200, 0.63), (30, 0.7), (19, 1.0)])
def test_a_cohort_that_is_marked_less_or_too_small_does_not_count(churned, share):
    _, mark = one(*cohort_cases(churned, share))
    assert mark.also == ()
    assert mark.found


def test_of_a_fact_and_one_made_of_it_only_the_stronger_counts():
    answers = bytes([1] * 100 + [0] * 300)
    labels = [i % 2 == 0 for i in range(100)] + [i % 10 == 0 for i in range(300)]
    blurred = bytes([1] * 160 + [0] * 240)
    columns = (told(blurred, "sector"), told(answers, "industry"), told(blurred, "group.sector"))
    found = find(Coded(columns=columns, n=400), labels)
    assert [attribute.fact for attribute in found.found] == ["industry", "group.sector"]
    assert len(found.attributes) == 2
    weaker = find(Coded(columns=(told(blurred, "industry"), told(answers, "sector")), n=400), labels)
    assert [attribute.fact for attribute in weaker.attributes] == ["sector"]
    assert weaker.tried == 2 * 2


def test_bands_are_tested_together_and_for_a_trend():
    codes = bytes(i % 4 for i in range(400))
    labels = [(i * 7) % 10 < 1 + 2 * (i % 4) for i in range(400)]
    column = Column(
        fact="size", type=FactType.NUMBER, kind="ordered", questions=(), bands=("a", "b", "c", "d"),
        edges=(1, 2, 3), codes=codes, known=bytes([1] * 400),
    )  # fmt: skip
    (attribute,) = find(Coded(columns=(column,), n=400), labels).attributes
    hits = [sum(good for good, code in zip(labels, codes, strict=True) if code == band) for band in range(4)]
    assert attribute.omnibus == chi_square([[hit, 100 - hit] for hit in hits]).p
    assert attribute.trend == trend(hits, [100] * 4)
    assert attribute.p == simes([attribute.omnibus, attribute.trend])
    assert attribute.found


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.booleans()), min_size=1, max_size=80))
def test_counts_are_those_of_counting_one_by_one(cases):
    labels = [good for _, good in cases]
    found = find(Coded(columns=(told(bytes(a for a, _ in cases)),), n=len(cases)), labels)
    yes, no = [good for a, good in cases if a == 1], [good for a, good in cases if a == 0]
    marks = found.attributes[0].marks
    assert bool(marks) == bool(yes and no)
    for mark in marks:
        assert (mark.hits, mark.n, mark.other_hits, mark.other_n) == (sum(yes), len(yes), sum(no), len(no))
    assert (found.n, found.good) == (len(cases), sum(labels))


def test_no_cases_and_one_outcome_alone_find_nothing():
    assert find(Coded(columns=(), n=0), []) == Findings(n=0, good=0, base=0, attributes=(), tried=0, rate=0.1)
    for only in (True, False):
        attribute, mark = one(told(bytes([1, 0] * 50)), [only] * 100)
        assert (attribute.p, mark.p, mark.found, attribute.missing.found) == (1, 1, False, False)


def test_labels_of_other_cases_are_refused():
    column = told(bytes([1, 0] * 50))
    with pytest.raises(ValueError, match="99 labels and 0 cohorts for 100 cases"):
        find(Coded(columns=(column,), n=100), [True] * 99)
    with pytest.raises(ValueError, match="3 cohorts"):
        find(Coded(columns=(column,), n=100), [True] * 100, [Cohort.BEST] * 3)


@cache
def results(seed: int) -> tuple[Coded, list[bool], Findings]:
    made = planted(2_000, seed)
    asked = coded([case.facts for case in made.cases], TYPES, currency="USD")
    return asked, made.labels, find(asked, made.labels, [case.cohort for case in made.cases])


def test_of_forty_facts_the_five_true_ones_are_found_and_few_others():
    """A slice of what `python -m tests.bench.learning` measures on 200 seeds."""
    found = [{attribute.fact for attribute in results(seed)[2].found} for seed in SEEDS]
    assert sum(facts >= ODDS.keys() for facts in found) >= 5
    assert mean(len(facts - ODDS.keys()) / len(facts) for facts in found) <= 0.15


def test_the_true_marks_are_the_ones_that_are_found():
    marks = {mark.question.words: mark for a in results(1)[2].found for mark in a.marks if mark.found}
    assert marks["technologies: hubspot"].lift > 1.3
    assert marks["industry: computer software"].positive
    assert marks["vc backed: yes"].positive
    assert any(words.startswith("employees at least") for words in marks)
    assert any(words.startswith("revenue at least USD") for words in marks)


def test_what_wins_is_found_although_those_who_left_since_were_won_by_it_too():
    """A quarter of the customers left, whoever they are: what made them buy marks them like the rest."""
    dropped = 0
    for seed in SEEDS:
        made = planted(2_000, seed, churned=0.25)
        asked = coded([case.facts for case in made.cases], TYPES, currency="USD")
        found = find(asked, made.labels, [case.cohort for case in made.cases])
        marks = [mark for a in found.attributes if a.fact in ODDS for mark in a.marks if mark.positive]
        best = {mark.question.fact: mark for mark in sorted(marks, key=lambda mark: -mark.p)}
        dropped += sum(Cohort.CHURNED in mark.also for mark in best.values())
    assert dropped <= 2  # of thirty


def test_dealt_out_anew_the_same_labels_mark_nothing():
    found = 0
    for seed in SEEDS:
        asked, labels, _ = results(seed)
        for turn in range(5):
            dealt = labels.copy()
            Random(turn).shuffle(dealt)
            found += bool(find(asked, dealt).found)
    assert found <= 6  # of thirty


def test_everything_that_was_tried_is_counted():
    _, _, found = results(0)
    ps = [mark.p for a in found.attributes for mark in a.marks]
    ps += [p for a in found.attributes for p in (a.omnibus, a.trend, a.missing.p) if p is not None]
    assert found.tried == len(ps)
    adjusted = dict(zip(ps, benjamini_hochberg(ps), strict=True))
    for attribute in found.attributes:
        assert attribute.missing.adjusted == pytest.approx(adjusted[attribute.missing.p])
        for mark in attribute.marks:
            assert mark.adjusted == pytest.approx(adjusted[mark.p])
            assert not mark.found or (attribute.found and mark.adjusted <= found.rate)


def test_a_fact_has_one_p_its_questions_as_one_beside_the_tests_of_all_bands():
    for attribute in results(0)[2].attributes:
        asked = [simes([mark.p for mark in attribute.marks])] if attribute.marks else []
        bands = [p for p in (attribute.omnibus, attribute.trend) if p is not None]
        assert attribute.p == pytest.approx(simes([*asked, *bands]))


def test_a_stricter_rate_finds_no_more():
    asked, labels, usual = results(2)
    strict = find(asked, labels, rate=0.001)
    assert {a.fact for a in strict.found} <= {a.fact for a in usual.found}
    assert strict.found
