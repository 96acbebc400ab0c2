"""Reasons as a rep reads them, and DATA / PROFILE / ENGINE behind a change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import All, Any, AnyOf, Between, Not, Within
from icp_sync.domain.evaluation import carried, evaluate
from icp_sync.domain.facts import Members, merge
from icp_sync.domain.profile import DAY, Criterion, Profile
from icp_sync.domain.reasons import reasons
from icp_sync.domain.spelling import amount_text, plain
from icp_sync.domain.why import evidence_of, facts_of_evidence, why_changed
from icp_sync.domain.words import clause, cut, verdict_words
from tests.domain.cases import NOW, account, facts

PROFILE = Profile(
    name="saas",
    currency="USD",
    criteria=(
        Criterion(
            name="50–500 employees",
            layer="firmographic",
            when=Between(fact="employees", low=50, high=500),
            weight=20,
        ),
        Criterion(
            name="runs HubSpot",
            layer="technographic",
            when=AnyOf(fact="technologies", values=frozenset(["hubspot"])),
            weight=57,
        ),
        Criterion(
            name="software",
            layer="firmographic",
            when=AnyOf(fact="industry", values=frozenset(["SOFTWARE"])),
            weight=23,
        ),
    ),
)


def settle(profile=PROFILE, previous=None, evidence=None, version=1, now=NOW, **known):
    compiled = (compile_profile(profile),)
    merged = merge(account(**known).signals)
    evaluation = evaluate(compiled, merged.facts, previous, now, version=version)
    why = why_changed(previous, evidence or {}, evaluation, merged, compiled, now)
    return (
        evaluation,
        merged,
        carried(evaluation, previous, now, why=why),
        evidence_of(evaluation, merged),
        why,
    )


def test_reasons_read_as_a_rep_would_say_them():
    evaluation, known, *_ = settle(employees=620, technologies={"hubspot"})
    assert reasons(evaluation, known.facts) == (
        "B, score 57–80, provisional: could be A or C, industry unknown.\n"
        "Helps: runs HubSpot (+57).\n"
        "Hurts: 620 employees, over 500 (0 of 20).\n"
        "Missing: industry (up to 23 points)."
    )


def test_a_change_names_the_fact_and_its_source():
    _, _, was, evidence, _ = settle(employees=100, technologies={"hubspot"}, industry="SOFTWARE")
    *_, why = settle(
        previous=was, evidence=evidence, employees=9000, technologies={"hubspot"}, industry="BANKING"
    )
    assert why == "Changed 2026-09-21 from A: DATA industry Banking (crm:test)."


def test_facts_that_turn_the_tier_only_together_are_named_by_what_they_moved_not_by_the_alphabet():
    """Nothing was known, then everything was; each of the lesser ones changes no more than its points."""
    first, *rest = PROFILE.criteria
    small = tuple(
        Criterion(name=n, layer="firmographic", when=Between(fact=n, low=1, high=9), weight=1)
        for n in ("contacts", "age", "ads")
    )
    gate = replace(first, required=True, weight=0)
    profile = replace(PROFILE, criteria=(gate, *rest, *small))
    _, _, was, evidence, _ = settle(profile)
    known = {"ads": 3, "age": 3, "contacts": 3, "industry": "SOFTWARE", "technologies": {"hubspot"}}
    *_, why = settle(profile, previous=was, evidence=evidence, employees=100, **known)
    assert "technologies" in why or "employees" in why
    assert not any(name in why for name in ("ads", "age", "contacts"))
    assert "(crm:test)" in why


def test_a_change_of_the_profile_names_the_profile():
    known = {"employees": 100, "technologies": {"hubspot"}, "industry": "BANKING"}
    _, _, was, evidence, _ = settle(**known)
    heavier = replace(PROFILE, criteria=(*PROFILE.criteria[:2], replace(PROFILE.criteria[2], weight=400)))
    *_, why = settle(heavier, previous=was, evidence=evidence, version=2, **known)
    assert why == "Changed 2026-09-21 from B: PROFILE saas v2, software."


def test_a_change_of_the_engine_says_so_where_it_alone_moves_the_tier():
    _, _, was, evidence, _ = settle(employees=100)
    old = {**evidence, "engine": 0}
    otherwise = replace(was, tier="A", raw_tier="")
    *_, why = settle(previous=otherwise, evidence=old, employees=100)
    assert why == "Changed 2026-09-21 from A: ENGINE 1."
    *_, why = settle(previous=was, evidence=old, employees=100, technologies={"hubspot"})
    assert why == "Changed 2026-09-21 from Needs data: DATA technologies hubspot (crm:test)."


def test_a_lost_journal_blames_nothing_for_a_change():
    _, _, was, _, _ = settle(employees=100)
    *_, why = settle(previous=was, employees=100, technologies={"hubspot"})
    assert why == "Changed 2026-09-21 from Needs data."


def criterion(when, weight=20):
    return Criterion(name="As we like it", layer="firmographic", when=when, weight=weight)


REVENUE = Between(fact="revenue", low=5e6, money=True)


@pytest.mark.parametrize(
    ("when", "credit", "known", "said"),
    [
        (Between(fact="employees", high=500), 0.5, {"employees": 620}, "620 employees, over 500"),
        (
            Between(fact="employees", low=50, low_open=True),
            0.0,
            {"employees": 50},
            "50 employees, not over 50",
        ),
        (
            Between(fact="employees", high=50, high_open=True),
            0.0,
            {"employees": 50},
            "50 employees, not under 50",
        ),
        (REVENUE, 0.0, {"revenue": 4_999_600}, "revenue USD 4.9996M, under USD 5M"),
        (REVENUE, 0.0, {"revenue": 4_900_000}, "revenue USD 4.9M, under USD 5M"),
        (REVENUE, 0.0, {"revenue": (1e6, 4_999_999)}, "revenue USD 1M–4.999999M, under USD 5M"),
        (Not(part=AnyOf(fact="country", values=frozenset(["US"]))), 0.0, {"country": "US"}, "country US"),
        (Any(parts=(AnyOf(fact="city", values=frozenset("a")), REVENUE)), 0.0, {}, "not: As we like it"),
        (Any(parts=(AnyOf(fact="city", values=frozenset("a")), REVENUE)), 0.4, {}, "in part: As we like it"),
    ],
)
def test_what_earns_less_than_all_is_told_by_what_the_account_has(when, credit, known, said):
    assert verdict_words(criterion(when), credit, facts(**known), "USD") == said


@pytest.mark.parametrize(
    ("employees", "line"),
    [
        (499, "Helps: As we like it (+20)."),
        (600, "Helps: 600 employees, over 500 (12 of 20)."),
        (625, "Hurts: 625 employees, over 500 (10 of 20)."),
    ],
)
def test_credit_in_part_is_listed_by_what_it_costs(employees, line):
    size = criterion(Between(fact="employees", low=50, high=500, taper=0.5))
    other = criterion(AnyOf(fact="industry", values=frozenset(["SOFTWARE"])), weight=80)
    profile = replace(PROFILE, criteria=(size, other))
    evaluation, known, *_ = settle(profile, employees=employees, industry="SOFTWARE")
    assert line in reasons(evaluation, known.facts).split("\n")


@pytest.mark.parametrize(
    ("value", "said"),
    [(999_999_999, "1B"), (999_999, "999,999"), (1e15, "1,000T"), (123_456.7, "123,457"), (0.25, "0.25")],
)
def test_a_number_reads_as_people_write_it(value, said):
    assert amount_text(value) == said


@pytest.mark.parametrize(
    "name", ["می\u200cخواهم کار", "👨\u200d👩\u200d👧 family", "क्\u200dष", "Müller & Söhne"]
)
def test_what_a_script_needs_between_its_letters_stays(name):
    assert plain(name, 64) == cut(name) == name


def test_what_nobody_sees_goes():
    assert plain("co\u00adoperation", 64) == "cooperation"
    assert plain("pay\u200cpal \u200d👧\u200d", 64) == "pay pal 👧"
    assert plain("می\u200c" * 9, 7) == "می\u200cمی…"


def test_no_change_has_no_reason():
    _, _, was, evidence, _ = settle(employees=100)
    assert settle(previous=was, evidence=evidence, employees=101)[-1] == ""


def test_evidence_gives_the_facts_back():
    _, known, _, evidence, _ = settle(employees=(51, 200), technologies={"hubspot"}, revenue=(1e6, 2e6))
    assert facts_of_evidence(evidence) == known.facts


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Between(fact="employees", low=50, high=500), "employees between 50 and 500"),
        (Between(fact="revenue", high=1e6, high_open=True, money=True), "revenue below 1M"),
        (AnyOf(fact="country", values=frozenset(["US", "CA"])), "country is CA or US"),
        (Within(fact="last_funding_date", seconds=180 * DAY), "last funding date within 180 days"),
        (
            All(
                parts=(
                    Between(fact="employees", low=50),
                    Any(
                        parts=(
                            AnyOf(fact="city", values=frozenset("a")),
                            Not(part=AnyOf(fact="city", values=frozenset("b"))),
                        )
                    ),
                )
            ),
            "employees at least 50 and (city is a or not (city is b))",
        ),
    ],
)
def test_conditions_become_english(condition, said):
    assert clause(condition) == said


def test_a_cut_ends_at_a_word():
    text = cut("word " * 200)
    assert len(text) <= 500
    assert text.endswith("word…")


def test_sets_unite_and_losers_are_kept():
    one = account(technologies={"a"}, employees=10).signals
    other = tuple(
        replace(s, source="vendor", rank=1) for s in account(technologies={"b"}, employees=99).signals
    )
    known = merge((*other, *one))
    assert known.facts["technologies"] == Members(frozenset("ab"), False)
    assert known.winners["employees"].source == "crm:test"
    assert [s.source for s in known.losers["employees"]] == ["vendor"]


def test_a_value_of_the_wrong_kind_is_unread_not_a_crash():
    wrong = replace(account(industry="X").signals[0], fact="employees", raw="many")
    known = merge((wrong,))
    assert known.facts == {}
    assert known.unread == {"employees": "many"}


def test_a_sentence_holds_nothing_a_crm_would_drop():
    assert cut("a\x00b\ud800c\nd\u202ee") == "a b c d e"
