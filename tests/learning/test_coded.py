"""Questions asked of cases: the engine's own answers, and cuts that people would make."""

from __future__ import annotations

from collections import Counter
from math import inf, log10
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_conditions
from icp_sync.domain.conditions import AnyOf, Between, NoneOf
from icp_sync.domain.facts import Facts, FactType, FactValue, Interval, Members, Money, choice, number, yes_no
from icp_sync.domain.spelling import date_text
from icp_sync.learning.marks.coded import NOT_KNOWN, UNKNOWN, YES, Coded, Column, asked_again, coded
from icp_sync.learning.marks.cuts import roundest
from icp_sync.normalize.dates import year
from icp_sync.profile_file import parse
from tests.learning.planted import TYPES, planted

ASKED = {
    "employees": FactType.NUMBER,
    "employee_growth": FactType.NUMBER,
    "revenue": FactType.MONEY,
    "founded": FactType.DATE,
    "industry": FactType.CHOICE,
    "technologies": FactType.SET,
    "remote": FactType.YES_NO,
}
amounts = st.sampled_from([-3.0, 0.0, 1.0, 9.0, 10.0, 49.0, 50.0, 51.0, 200.0, 1e3, 1e6, 7.3e6, 2e9])
bounds = st.tuples(amounts | st.just(-inf), amounts | st.just(inf)).map(sorted)
spans = st.one_of(amounts.map(number), bounds.map(lambda pair: Interval(*pair)))
moneys = st.builds(
    lambda span, currency, on: Money(span.low, span.high, currency, on),
    spans,
    st.sampled_from(["USD", "USD", "EUR", "JPY", "XXX", ""]),
    st.sampled_from([None, 2019]),
)
words = st.sampled_from(["a", "b", "c", "d", "e"])
members = st.builds(Members, st.frozensets(words), st.booleans())
VALUES: dict[str, st.SearchStrategy[FactValue]] = {
    "employees": spans,
    "employee_growth": spans,
    "revenue": moneys,
    "founded": st.integers(1890, 2030).map(lambda when: year(when) or Interval(0, 0)),
    "industry": words.map(choice) | members,
    "technologies": members,
    "remote": st.booleans().map(yes_no),
}


@st.composite
def companies(draw: st.DrawFn) -> list[Facts]:
    """Eighty companies with few distinct values, so that some are frequent enough to be asked about."""
    pools = {fact: draw(st.lists(values, min_size=1, max_size=6)) for fact, values in VALUES.items()}
    chance = Random(draw(st.integers(0, 10_000)))
    return [
        {fact: chance.choice(pool) for fact, pool in pools.items() if chance.random() < 0.85}
        for _ in range(80)
    ]


def agree(asked: Coded, facts: list[Facts]) -> None:
    """Every answer is the engine's."""
    questions = [question for column in asked.columns for question in column.questions]
    if not questions:
        return
    engine = compile_conditions([question.when for question in questions], "USD")
    for index, known in enumerate(facts):
        credits = engine(known, 0.0)
        for at, question in enumerate(questions):
            low, high = credits[2 * at : 2 * at + 2]
            said = int(low) if low == high and low in (0.0, 1.0) else UNKNOWN
            assert question.answers[index] == said, (question.when, known.get(question.fact))


@given(companies(), companies())
@settings(max_examples=60, deadline=None)
def test_every_answer_is_the_engines_also_when_other_cases_are_asked(learned, others):
    asked = coded(learned, ASKED, currency="USD")
    agree(asked, learned)
    assert asked_again(asked, learned, currency="USD") == asked
    again = asked_again(asked, others, currency="USD")
    agree(again, others)
    assert [[q.when for q in c.questions] for c in again.columns] == [
        [q.when for q in c.questions] for c in asked.columns
    ]


@given(companies())
@settings(max_examples=40, deadline=None)
def test_a_band_is_told_exactly_where_its_question_says_yes(facts):
    for found in coded(facts, ASKED, currency="USD").columns:
        assert all(code < len(found.bands) or code == NOT_KNOWN for code in found.codes)
        assert all(known for code, known in zip(found.codes, found.known, strict=True) if code != NOT_KNOWN)
        for question in found.questions if found.kind == "ordered" or found.fact == "remote" else ():
            if (band := banded(found, question.when)) is not None:
                assert [code == band for code in found.codes] == [a == YES for a in question.answers]


def banded(column: Column, when: object) -> int | None:
    """The band a question asks about alone."""
    if isinstance(when, Between):
        at = column.edges.index(when.low) + 1
        return at if when.high < inf or at == len(column.edges) else None
    if isinstance(when, AnyOf):
        return column.values.index(next(iter(when.values)))
    return column.values.index("")


def column(facts: list[Facts], fact: str, types: dict[str, FactType] | None = None) -> Column:
    (found,) = (c for c in coded(facts, types or ASKED, currency="USD").columns if c.fact == fact)
    return found


def log_normal(n: int = 1_000, middle: float = 2.0, spread: float = 0.8) -> list[float]:
    chance = Random(1)
    return [float(round(10 ** chance.gauss(middle, spread))) for _ in range(n)]


def test_employees_are_cut_where_everybody_cuts_and_every_band_has_enough_cases():
    sizes = column([{"employees": number(x)} for x in log_normal()], "employees")
    assert sizes.edges == (10, 50, 200, 500, 1_000)
    assert min(Counter(sizes.codes).values()) >= 30
    assert [q.words for q in sizes.questions[:2]] == ["employees at least 10", "employees at least 50"]
    assert sizes.bands[0] == "below 10"
    assert sizes.bands[1] == "10 to below 50"


def test_size_bands_are_cut_between_them():
    ranges = [(1, 10), (11, 50), (51, 200), (201, 500), (501, 1_000), (1_001, inf)]
    sizes = column([{"employees": Interval(*ranges[i % 6])} for i in range(300)], "employees")
    assert sizes.edges == (11, 51, 201, 501, 1_001)
    assert NOT_KNOWN not in sizes.codes


def test_a_range_across_a_cut_has_no_band_but_answers_what_it_can():
    facts: list[Facts] = [{"employees": number(x)} for x in log_normal()]
    sizes = column([*facts, {"employees": Interval(30, 120)}], "employees")
    answers = {question.words: question.answers[-1] for question in sizes.questions}
    assert sizes.codes[-1] == NOT_KNOWN
    assert answers["employees at least 10"] == YES
    assert answers["employees at least 50"] == UNKNOWN
    assert answers["employees at least 200"] == 0


@pytest.mark.parametrize(
    ("low", "high", "round_one"),
    [
        (3.0, 4.0, 4),
        (37, 61, 50),
        (101, 199, 150),
        (-8, 3, 0),
        (-61, -37, -50),
        (0.013, 0.019, 0.015),
        (7, 7, 7),
    ],
)
def test_a_cut_is_the_roundest_number_near_it(low, high, round_one):
    assert roundest(low, high) == pytest.approx(round_one)


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
def test_the_roundest_number_lies_in_the_range(low, width):
    assert low <= roundest(low, low + width) <= low + width


def test_other_numbers_are_cut_at_round_ones_near_the_quantiles():
    visits = column(
        [{"visits": number(x)} for x in log_normal(middle=4)], "visits", {"visits": FactType.NUMBER}
    )
    assert 3 <= len(visits.edges) <= 5
    for edge in visits.edges:
        assert edge / 10 ** int(log10(edge)) in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    assert min(Counter(visits.codes).values()) >= 100


def test_where_most_have_none_some_are_told_from_none():
    jobs: list[Facts] = [{"open_jobs": number(x)} for x in [0.0] * 700 + [1.0] * 100 + [4.0] * 200]
    assert column(jobs, "open_jobs", {"open_jobs": FactType.NUMBER}).edges == (1, 2)


def test_dates_are_cut_at_the_beginning_of_years():
    facts: list[Facts] = [{"founded": year(1960 + i % 60) or Interval(0, 0)} for i in range(600)]
    founded = column(facts, "founded")
    assert founded.bands[0] == "before 1970"
    assert founded.bands[-1] == "since 2010"
    assert founded.bands[1].startswith("1970 to before ")
    starts = {(year(y) or Interval(0, 0)).low for y in range(1960, 2021, 5)}
    assert founded.edges
    assert set(founded.edges) <= starts


def test_money_is_cut_in_the_profiles_currency_and_another_currency_near_a_cut_is_unknown():
    facts: list[Facts] = [{"revenue": Money(x * 1e5, x * 1e5, "USD")} for x in log_normal()]
    euros: list[Facts] = [{"revenue": Money(x, x, "EUR")} for x in (9.5e6, 3e7)]
    revenue = column([*facts, *euros], "revenue")
    assert 1e7 in revenue.edges
    at = revenue.edges.index(1e7)
    assert revenue.questions[at].words == "revenue at least USD 10M"
    assert revenue.questions[at].answers[-2:] == bytes((UNKNOWN, YES))


def test_rare_values_are_asked_about_together():
    words = ["BANKING"] * 60 + ["RETAIL"] * 40 + [f"RARE{i % 9}" for i in range(30)]
    industry = column([{"industry": choice(word)} for word in words], "industry")
    assert industry.values == ("BANKING", "RETAIL", "")
    assert industry.questions[2].when == NoneOf(fact="industry", values=frozenset(("BANKING", "RETAIL")))
    assert [q.words for q in industry.questions] == [
        "industry: banking",
        "industry: retail",
        "industry: any other",
    ]
    assert industry.codes.count(2) == 30


def test_members_most_companies_have_and_those_hardly_any_has_are_not_asked_about():
    facts: list[Facts] = [
        {"technologies": Members(frozenset(("js", "hubspot") if i % 4 else ("js",)), False)}
        for i in range(200)
    ]
    facts[0] = {"technologies": Members(frozenset(("js", "fortran")), False)}
    technologies = column(facts, "technologies")
    assert technologies.values == ("hubspot",)
    assert technologies.questions[0].answers[0] == UNKNOWN


def test_names_and_what_is_nearly_unique_and_what_is_left_out_are_never_asked_about():
    types = {**ASKED, "name": FactType.CHOICE, "lei": FactType.CHOICE, "motto": FactType.CHOICE}
    facts: list[Facts] = [
        {
            "name": choice("acme"),
            "lei": choice("same"),
            "motto": choice(f"motto {i}"),
            "remote": yes_no(i % 2 == 0),
            "industry": choice("RETAIL"),
        }
        for i in range(100)
    ]
    found = {c.fact: c for c in coded(facts, types, currency="USD", left_out=("remote",)).columns}
    assert set(found) == {"industry"}
    assert found["industry"].questions == ()
    assert found["industry"].known.count(1) == 100


def test_no_cases_are_no_columns():
    assert coded([], ASKED, currency="USD") == Coded(columns=(), n=0)
    assert coded([{}, {}], ASKED, currency="USD") == Coded(columns=(), n=2)


def test_every_question_can_be_written_in_a_profile():
    cases = planted(400, 1).cases
    asked = [
        question
        for column in coded([case.facts for case in cases], TYPES, currency="USD").columns
        for question in column.questions
    ]
    lines = ["profile: all-of-it", "currency: USD", "tiers: {A: 40, B: 30, C: 20}", "criteria:"]
    for at, question in enumerate(asked):
        lines += [f"  - name: question {at}", "    layer: firmographic", f"    fact: {question.fact}"]
        lines += [f"    {line}" for line in written(question.when)] + ["    weight: 1"]
    profile = parse("\n".join(lines), "all.yaml", types=TYPES)
    assert [criterion.when for criterion in profile.criteria] == [question.when for question in asked]


def written(when: object) -> list[str]:
    if isinstance(when, AnyOf) and TYPES[when.fact] is FactType.YES_NO:
        return ["equals: true"]
    if isinstance(when, AnyOf | NoneOf):
        name = "any_of" if isinstance(when, AnyOf) else "none_of"
        return [f"{name}: [{', '.join(repr(word) for word in sorted(when.values))}]"]
    assert isinstance(when, Between)
    dated = TYPES[when.fact] is FactType.DATE

    def bound(value: float) -> str:
        return date_text(value) if dated else repr(value)

    return [f"at_least: {bound(when.low)}", *([f"below: {bound(when.high)}"] if when.high < inf else [])]
