"""A learned profile as a file: it reads back as what was learned, and keeps what it was asked to keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import inf
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, NoneOf
from icp_sync.domain.profile import Flag, Learned, Profile
from icp_sync.errors import ConfigError
from icp_sync.learning.card.exclusions import Exclusion
from icp_sync.learning.card.naming import distinct, layer_of, name_of
from icp_sync.learning.card.scorecard import Scorecard, Step, profile_of
from icp_sync.learning.card.spelling import amount, quoted
from icp_sync.learning.card.written import profile_text
from icp_sync.profile_file import parse
from icp_sync.profile_file.names import LONGEST_NAME
from icp_sync.profile_file.reading import Report, read
from tests.learning.sold import TYPES, Sold, mixed, sold
from tests.learning.test_scorecard import card_of

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
BOOK = sold(mixed, n=1_500, seed=1)
CARD = card_of(BOOK)


def text_of(
    card: Scorecard = CARD,
    book: Sold | None = BOOK,
    *,
    base: str | None = None,
    currency: str = "EUR",
    left_out: dict[str, str] | None = None,
    hypothesis: bool = False,
    churn_told: bool = True,
) -> str:
    return profile_text(
        card,
        book.findings if book else None,
        name="learned",
        currency=currency,
        goal="won",
        since=date(2024, 11, 1),
        until=date(2026, 5, 31),
        left_out=left_out,
        base=base,
        types=TYPES,
        cases=14,
        hypothesis=hypothesis,
        churn_told=churn_told,
    )


def parsed(text: str) -> Profile:
    return parse(text, "learned.yaml", types=TYPES)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3]))
def test_what_is_learned_is_what_the_file_says(seed: int, missing: float) -> None:
    book = sold(mixed, n=500, seed=seed, missing=missing, blurred=missing)
    card = card_of(book, forced=True)
    profile = parsed(text_of(card, book))
    learned = profile_of(card, name="learned", currency="EUR")
    assert (profile.criteria, profile.flags, profile.tiers) == (
        learned.criteria,
        learned.flags,
        learned.tiers,
    )


def test_the_file_says_what_it_was_learned_from() -> None:
    learned = parsed(text_of()).learned
    assert learned is not None
    assert replace(learned, expected={}, mark="", asks="") == Learned(
        goal="won", since="2024-11-01", until="2026-05-31", cases=1500, good=BOOK.findings.good
    )
    assert learned.expected == pytest.approx(CARD.expected, abs=0.0006)


def test_the_top_says_the_figures_what_was_left_out_and_what_it_cannot_know() -> None:
    text = text_of(left_out={"lifecycle": "it is moved\nwhen a deal is won"})
    top = text.partition("profile:")[0]
    said = " ".join(top.replace("#", " ").split())
    assert (
        f"Learned from 1,500 accounts decided from 2024-11-01 on and before 2026-05-31: {BOOK.findings.good}"
        in said
    )
    assert "only seen companies somebody chose to sell to" in said
    assert "lifecycle: it is moved when a deal is won" in said
    assert "icp-sync profile promote" in said
    assert all(line.startswith("#") for line in top.splitlines() if line)


def test_nobody_is_said_to_have_stayed_where_nothing_says_who_left() -> None:
    tops = [
        " ".join(text_of(churn_told=told).partition("profile:")[0].replace("#", " ").split())
        for told in (True, False)
    ]
    assert ["won and have not churned since" in top for top in tops] == [True, False]
    assert "won; which of those have left since, nothing says." in tops[1]


def test_reviews_are_planned_from_the_newest_case_unless_some_are_kept() -> None:
    fresh = parsed(text_of())
    assert (fresh.review_minor, fresh.review_full) == ("2026-08-28", "2027-05-28")
    later = profile_text(
        CARD, BOOK.findings, name="learned", currency="EUR", goal="won", until=date(2026, 5, 31),
        types=TYPES, newest=date(2026, 11, 20),
    )  # fmt: skip
    assert (parsed(later).review_minor, parsed(later).review_full) == ("2027-02-20", "2027-11-20")


def test_what_marks_the_others_and_cannot_be_asked_stands_below_the_criteria() -> None:
    mark = next(mark for one in BOOK.findings.attributes for mark in one.marks if not mark.positive)
    said = " ".join(text_of(replace(CARD, against=(mark,))).replace("#", " ").split())
    assert f"{mark.question.words} marks the others: {mark.n:,} of " in said
    assert "It bears no points" in said


def test_above_each_criterion_stands_its_evidence() -> None:
    lines = text_of().splitlines()
    for step in CARD.steps:
        at = next(i for i, line in enumerate(lines) if line == f"  - name: {quoted(step.name)}")
        assert f"{step.n:,} of {step.known:,}, won {step.rate:.1%}, against" in lines[at - 1]
        assert f"lift {step.lift:.2f} (" in lines[at - 1]


def test_above_the_tiers_stands_what_is_expected_of_them() -> None:
    before = text_of().partition("\ntiers:")[0].rpartition("\n\n")[2]
    assert f"A {CARD.expected['A']:.0%}" in before
    assert "the base" in before


def test_without_a_profile_to_keep_the_scope_and_the_lanes_are_the_usual_ones() -> None:
    profile, shipped = parsed(text_of()), parsed((PROFILES / "b2b-saas-mid-market.yaml").read_text("utf-8"))
    assert (profile.score_scope, profile.route_scope) == (shipped.score_scope, shipped.route_scope)
    assert [route.target.lane for route in profile.routes] == [
        "success",
        "sales",
        "research",
        "none",
        "nurture",
    ]


ELSEWHERE = "healthcare-clinics"
"""What was learned here is of software companies, none of which passes its must-have."""


def test_what_was_learned_of_companies_that_a_kept_must_have_shuts_out_is_no_profile() -> None:
    base = (PROFILES / f"{ELSEWHERE}.yaml").read_text("utf-8").replace("currency: USD", "currency: EUR")
    with pytest.raises(ConfigError, match="given the gate 'Treats patients'"):
        text_of(base=base.replace(" USD", " EUR"))


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in PROFILES.glob("*.yaml") if path.stem != ELSEWHERE)
)
def test_what_people_wrote_is_kept_word_for_word(name: str) -> None:
    base = (PROFILES / f"{name}.yaml").read_text("utf-8").replace("currency: USD", "currency: EUR")
    base = base.replace(" USD", " EUR").replace("$", "€")
    text, old = text_of(base=base), parsed(base)
    new = parsed(text)
    for part in (
        "score_scope",
        "route_scope",
        "timing",
        "flags",
        "routes",
        "pools",
        "examples",
        "review_full",
    ):
        kept = getattr(new, part)
        assert (kept[: len(old.flags)] if part == "flags" else kept) == getattr(old, part), part
    there = set(text.splitlines())
    for key in ("flags", "timing", "routes", "scope"):
        block = base.partition(f"\n{key}:")[2].partition("\n\n")[0]
        assert set(block.splitlines()[1:]) <= there, key
    gates = tuple(one for one in old.criteria if one.required)
    assert new.criteria == (*gates, *profile_of(CARD, currency="EUR").criteria)
    assert (new.tiers.hysteresis, new.tiers.dwell) == (old.tiers.hysteresis, old.tiers.dwell)


BASE = """\
profile: old
currency: EUR
criteria:
  - {name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 1}
"""
FLAGGED = replace(
    CARD,
    flags=(
        Exclusion(
            condition=AnyOf(fact="industry", values=frozenset({"BANKING"})),
            name="Banking",
            layer="firmographic",
            effect="exclude",
            n=200,
            known=900,
            high=0.01,
            base=0.2,
        ),
        Exclusion(
            condition=Between(fact="employees", high=10, high_open=True),
            name="Under 10 employees",
            layer="firmographic",
            effect="cap",
            cap="C",
        ),
    ),
)


def flags_with(body: str, card: Scorecard = FLAGGED) -> tuple[Flag, ...]:
    return parsed(text_of(card, base=BASE + body)).flags


@pytest.mark.parametrize(
    "body",
    [
        "flags:\n  - {name: Agency, when: {fact: keywords, any_of: [agency]}, effect: mark}\n",
        "flags: # never\n- name: Agency\n  when: {fact: keywords, any_of: [agency]}\n  effect: mark\n# e\n",
        "flags: [{name: Agency, when: {fact: keywords, any_of: [agency]}, effect: mark}]\n",
        "flags:\n  [\n    {name: Agency, when: {fact: keywords, any_of: [agency]}, effect: mark}\n  ]\n",
    ],
)
def test_learned_flags_stand_below_those_that_are_kept(body: str) -> None:
    assert [flag.name for flag in flags_with(body)] == ["Agency", "Banking", "Under 10 employees"]


def test_a_flag_that_is_there_already_is_not_added_again() -> None:
    same_name = "flags:\n  - {name: banking, when: {fact: sector, any_of: ['52']}, effect: mark}\n"
    same_question = "flags:\n  - {name: No banks, when: {fact: industry, any_of: [BANKING]}, effect: mark}\n"
    assert [flag.name for flag in flags_with(same_name)] == ["banking", "Under 10 employees"]
    assert [flag.name for flag in flags_with(same_question)] == ["No banks", "Under 10 employees"]


def test_figures_of_criteria_are_said_to_leave_out_whom_flags_exclude() -> None:
    said = "# Figures are of the accounts that no learned must-have or flag excludes:"
    assert said in text_of(FLAGGED)
    assert said not in text_of(replace(FLAGGED, flags=FLAGGED.flags[1:]))


def test_a_flag_says_why() -> None:
    assert "# 200 of 900, won 0.0% (at most 1.0%), against 20.0% of all: excluded" in text_of(FLAGGED)


def test_anchors_of_what_is_not_kept_are_written_out() -> None:
    base = BASE.replace("weight: 1}", "weight: 1}\n") + (
        "  - {name: Eu, layer: pain, fact: country, any_of: &eu [DE, FR], weight: 1}\n"
        "routes:\n  - {when: {fact: country, any_of: *eu}, to: {lane: sales}}\n"
    )
    assert parsed(text_of(base=base)).routes == parsed(base).routes


def test_a_profile_on_one_line_is_kept_as_well() -> None:
    base = (
        "{profile: old, currency: EUR, criteria: [{name: Size, layer: pain, fact: employees, at_least: 5,"
        " weight: 1}], timing: [{name: New, fact: founded, within: 2y, weight: 1}]}"
    )
    assert parsed(text_of(base=base)).timing == parsed(base).timing


def test_a_must_have_is_written_as_one() -> None:
    must = Exclusion(
        condition=AnyOf(fact="technologies", values=frozenset({"sap"})),
        name="Runs SAP",
        layer="technographic",
        effect="gate",
    )
    first = parsed(text_of(replace(CARD, gates=(must,)))).criteria[0]
    assert (first.name, first.required, first.when) == ("Runs SAP", True, must.condition)


def test_thresholds_in_two_currencies_are_refused() -> None:
    with pytest.raises(ConfigError, match="learned in EUR, and the profile to keep is in USD"):
        text_of(base=BASE.replace("EUR", "USD"))


def test_what_is_kept_and_what_was_learned_may_contradict_each_other() -> None:
    nobody = "scope: {score: {fact: employees, below: 2}}\n"
    large = replace(
        CARD.steps[0], condition=Between(fact="employees", low=50), name="Large", points=100, unknown=0.5
    )
    with pytest.raises(ConfigError, match="no company can meet 'Large'") as raised:
        text_of(replace(CARD, steps=(large,)), base=BASE.replace("least: 50", "most: 1") + nobody)
    assert raised.value.next_step


def test_a_base_that_is_no_profile_is_refused_with_its_problems() -> None:
    with pytest.raises(ConfigError, match="'criteria' is missing"):
        text_of(base="profile: old\ncurrency: EUR\n")


def test_a_hypothesis_calls_itself_one() -> None:
    text = text_of(book=None, hypothesis=True)
    assert parsed(text).learned == Learned(hypothesis=True, cases=14)
    assert text.startswith("# A hypothesis, unproven: drawn from 14 companies")
    assert "profile promote" not in text


def test_a_note_stands_in_place_of_figures() -> None:
    step = Step(
        condition=AnyOf(fact="technologies", values=frozenset({"sap"})),
        name="Runs SAP",
        layer="technographic",
        points=100,
        unknown=0.5,
        note="12 of 14 run it",
    )
    assert "  # 12 of 14 run it\n  - name: Runs SAP\n" in text_of(
        Scorecard(steps=(step,)), None, hypothesis=True
    )


WORDS = st.text(min_size=1, max_size=12).filter(
    lambda word: word == " ".join(word.lower().split()) and "\ufeff" not in word and word.isprintable()
)
NUMBERS = st.one_of(
    st.integers(1, 10**9).map(float),
    st.floats(0.001, 1e12, allow_nan=False).map(lambda x: float(f"{x:.6g}")),
)


@st.composite
def questions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(["number", "money", "words", "yes"]))
    if kind == "words":
        words = frozenset(draw(st.lists(WORDS, min_size=1, max_size=12)))
        return draw(st.sampled_from([AnyOf, NoneOf, AllOf]))(fact="keywords", values=words)
    if kind == "yes":
        return AnyOf(fact="is_startup", values=frozenset({draw(st.sampled_from(["yes", "no"]))}))
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    fact, money = ("revenue", True) if kind == "money" else ("employees", False)
    if low == high or draw(st.booleans()):
        return Between(fact=fact, low=low, money=money)
    if draw(st.booleans()):
        return Between(fact=fact, high=high, high_open=True, money=money)
    return Between(fact=fact, low=low, high=high, high_open=draw(st.booleans()), money=money)


@settings(max_examples=25, deadline=None)
@given(st.lists(questions(), min_size=1, max_size=3))
@example(
    [AnyOf(fact="keywords", values=frozenset({"null", "1e5", "a: b", "#x", "it's", '"', "a, b", "- c"}))]
)
@example([Between(fact="revenue", low=1_234_567.89, money=True)])
def test_whatever_is_asked_reads_back_as_the_same_question(asked: list[Condition]) -> None:
    names = distinct(map(name_of, asked))
    weights = [100 - 3 * (len(asked) - 1), *[3] * (len(asked) - 1)]
    steps = tuple(
        Step(condition=when, name=name, layer="pain", points=points, unknown=0.5)
        for when, name, points in zip(asked, names, weights, strict=True)
    )
    text = text_of(Scorecard(steps=steps), None, hypothesis=True)
    assert [criterion.when for criterion in parsed(text).criteria] == asked


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_in_a_scalar_is_the_same_text(text: str) -> None:
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert read(f"a: {quoted(text)}\n", Report("x")) == {"a": text}
        assert read(f"a: [{quoted(text, inside=True)}]\n", Report("x")) == {"a": [text]}


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (Between(fact="employees", low=50), "50 employees or more"),
        (Between(fact="employees", high=10, high_open=True), "Under 10 employees"),
        (Between(fact="employees", low=50, high=500, high_open=True), "50–499 employees"),
        (Between(fact="group.employees", low=50), "Group: 50 employees or more"),
        (Between(fact="revenue", low=5e6, money=True), "Revenue 5M or more"),
        (Between(fact="revenue", low=5e6, high=5e7, high_open=True, money=True), "Revenue 5M to below 50M"),
        (Between(fact="founded", low=1_420_070_400.0), "Founded 2015 or later"),
        (Between(fact="founded", high=1_420_070_400.0, high_open=True), "Founded before 2015"),
        (Between(fact="employee_growth", low=20), "Employee growth 20 or more"),
        (
            AnyOf(fact="industry", values=frozenset({"INTERNET", "COMPUTER_SOFTWARE"})),
            "Computer software or internet",
        ),
        (NoneOf(fact="industry", values=frozenset({"BANKING"})), "Not in banking"),
        (AnyOf(fact="technologies", values=frozenset({"hubspot"})), "Runs HubSpot"),
        (AnyOf(fact="country", values=frozenset({"DE", "FR"})), "Based in France or Germany"),
        (AnyOf(fact="is_startup", values=frozenset({"yes"})), "Is startup"),
        (AnyOf(fact="is_startup", values=frozenset({"no"})), "Not is startup"),
        (AnyOf(fact="crm", values=frozenset("abcdefg")), "CRM is a, b, c or 4 more"),
    ],
)
def test_names_read_well(condition: Condition, name: str) -> None:
    assert name_of(condition) == name


@given(st.lists(st.sampled_from(["a", "A", "a (2)", "b", "x" * LONGEST_NAME]), max_size=8))
def test_no_two_names_are_the_same(names: list[str]) -> None:
    found = distinct(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert all(len(name) <= LONGEST_NAME for name in found)


def test_each_fact_has_its_layer() -> None:
    layers = [layer_of(fact) for fact in ("technologies", "group.technologies", "keywords", "anything")]
    assert layers == ["technographic", "technographic", "pain", "firmographic"]


@pytest.mark.parametrize(("value", "said"), [(50, "50"), (2.5e6, "2.5M"), (1e9, "1B"), (0.125, "0.125")])
def test_amounts_are_written_as_people_do(value: float, said: str) -> None:
    assert amount(value) == said


def test_an_open_end_is_not_written() -> None:
    assert name_of(Between(fact="employees", low=50, high=inf)) == "50 employees or more"


def test_must_haves_of_the_base_are_kept_and_a_question_of_the_same_name_gives_way() -> None:
    base = """
profile: ours
currency: USD
criteria:
  - name: Runs HubSpot
    layer: technographic
    fact: technologies
    any_of: [hubspot]
    required: true
  - {name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 20}
"""
    step = Step(
        condition=AnyOf(fact="technologies", values=frozenset({"hubspot"})),
        name="Runs HubSpot",
        layer="technographic",
        points=100,
        unknown=0.5,
    )
    text = profile_text(
        Scorecard(steps=(step,)), None, name="new", currency="USD", goal="won", base=base, hypothesis=True
    )
    read = parse(text, "new.yaml")
    assert [(one.name, one.required) for one in read.criteria] == [
        ("Runs HubSpot", True),
        ("Runs HubSpot, points", False),
    ]
    assert "Must-haves kept as they were" in text
