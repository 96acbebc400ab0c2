"""Company names agree as far as a person would say they do; nobody is taken for somebody else."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.names import Likeness, match

PAIRS = tuple(
    csv.DictReader(
        Path(__file__).with_name("company_names.csv").read_text(encoding="utf-8").splitlines(), strict=True
    )
)
"""`truth`: whether both are the same company, as a person knows; `grade`: what the names alone allow."""

ACCEPTED = (Likeness.EXACT, Likeness.STRONG)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['ours']} = {pair['theirs']}")
def test_a_pair_is_graded_as_a_person_grades_it(pair: dict[str, str]) -> None:
    assert match(pair["ours"], pair["theirs"]).grade == pair["grade"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("राम", "रोम"),
        ("राम उद्योग लिमिटेड", "रोम उद्योग लिमिटेड"),
        ("टाटा", "टेटी"),
        ("मोदी उद्योग", "मेदा उद्योग"),
        ("กรุงเทพ", "กรังเทพ"),
        ("ร้านดี", "ร่านดี"),
        ("வானம்", "வினிமு"),
        ("NTTドコモ", "NTTトコモ"),
        ("JRガス東京", "JRカス東京"),
        ("Bank Дой", "Bank Дои"),
    ],
)
def test_marks_that_make_another_letter_make_another_name(ours: str, theirs: str) -> None:
    assert match(ours, theirs).grade in (Likeness.NONE, Likeness.WEAK)
    for name in (ours, theirs):
        assert match(name, unicodedata.normalize("NFD", name)).grade is Likeness.EXACT


def test_what_only_shapes_letters_does_not_count() -> None:
    assert match("क्\u200dषत्रिय उद्योग", "क्षत्रिय उद्योग").grade is Likeness.EXACT
    assert match("Robo\u00adtics Kärcher", "Robotics Karcher").grade is Likeness.EXACT


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Match.com", "Match Limited"),
        ("Segment.io", "Segment Ltd"),
        ("Notion.ai", "Notion Ltd"),
        ("Stripe.co", "Stripe Ltd"),
        ("Monster.com", "Monster Inc"),
        ("Zephyrix.com", "Zephyrix.io"),
        ("Zephyrix.com Inc", "Zephyrix GmbH"),
    ],
)
def test_a_name_with_a_suffix_of_the_web_is_not_that_of_another_legal_form(ours: str, theirs: str) -> None:
    assert match(ours, theirs).grade is Likeness.WEAK
    assert match(ours, theirs).confidence <= 0.6
    assert match(ours, ours.partition(".")[0]).confidence <= 0.95


def test_no_two_companies_are_taken_for_one() -> None:
    different = [pair for pair in PAIRS if pair["truth"] == "different"]
    assert len(PAIRS) == 135
    assert len(different) == 72
    assert not [pair for pair in different if match(pair["ours"], pair["theirs"]).grade in ACCEPTED]


def test_most_of_those_that_are_one_company_are_recognised_by_name_alone() -> None:
    same = [pair for pair in PAIRS if pair["truth"] == "same"]
    found = [pair for pair in same if match(pair["ours"], pair["theirs"]).grade in ACCEPTED]
    assert (len(found), len(same)) == (42, 63)


def test_the_confidence_goes_with_the_grade() -> None:
    for pair in PAIRS:
        found = match(pair["ours"], pair["theirs"])
        assert 0 <= found.confidence <= 1
        assert (found.confidence >= 0.95) == (found.grade is Likeness.EXACT)
        assert (found.confidence >= 0.75) == (found.grade in ACCEPTED)
        assert (found.confidence == 0) == (found.grade is Likeness.NONE)


@given(st.text(max_size=40), st.text(max_size=40))
def test_matching_is_symmetric(one: str, other: str) -> None:
    assert match(one, other) == match(other, one)


@given(st.text(alphabet="abcdef &.,()Inc GmbHLtd", max_size=30))
def test_a_name_is_itself_or_too_common_to_say(name: str) -> None:
    found = match(name, name)
    assert found.grade in (Likeness.EXACT, Likeness.WEAK, Likeness.NONE)
    assert found == match(name, f"  {name.upper()} ")


def test_names_longer_than_any_are_no_match() -> None:
    assert match("a " * 500_000, "a " * 500_000).grade is Likeness.NONE
    assert match("(" * 300, "(" * 300).grade is Likeness.NONE
