"""The `learned` key: what a profile was learned from, kept in the file and shown on its page."""

from __future__ import annotations

import pytest

from icp_sync.domain.profile import Learned
from icp_sync.profile_file import parse
from icp_sync.profile_file.document import Known, document
from tests.profile_file.test_document import section
from tests.profile_file.written import SOUND, problems

NOTHING = Known(fingerprint="x.yaml, 0123456789ab", counts={}, sources={})
WHOLE = (
    "learned: {goal: won, since: 2024-11-01, until: 2026-05-31, cases: 1400, good: 210,"
    " expected: {D: 3%, B: 21%, A: 0.42, C: 9%}}\n"
)


def test_a_profile_keeps_what_it_was_learned_from() -> None:
    assert parse(SOUND + WHOLE, "x.yaml").learned == Learned(
        goal="won",
        since="2024-11-01",
        until="2026-05-31",
        cases=1400,
        good=210,
        expected={"A": 0.42, "B": 0.21, "C": 0.09, "D": 0.03},
    )


def test_expected_rates_are_in_the_order_of_the_tiers() -> None:
    learned = parse(SOUND + WHOLE, "x.yaml").learned
    assert learned is not None
    assert list(learned.expected) == ["A", "B", "C", "D"]


def test_a_profile_written_by_hand_was_learned_from_nothing() -> None:
    assert parse(SOUND, "x.yaml").learned is None


def test_a_hypothesis_needs_no_dates() -> None:
    learned = parse(SOUND + "learned: {hypothesis: true, cases: 14}\n", "x.yaml").learned
    assert learned == Learned(hypothesis=True, cases=14)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{goal: won}", "'until' is missing"),
        ("{until: 2026-05-31}", "'goal' is missing"),
        ("{goal: beest, until: 2026-05-31}", "unknown goal 'beest' (did you mean 'best'?)"),
        ("{goal: won, until: 31.5.2026}", "'31.5.2026' is not a date"),
        ("{goal: won, since: 2026-05-31, until: 2026-05-31}", "before they begin"),
        ("{goal: won, until: 2026-05-31, cases: 3, good: 4}", "4 is no such number"),
        ("{goal: won, until: 2026-05-31, cases: -1}", "-1 is no such number"),
        ("{goal: won, until: 2026-05-31, expected: {A: 200%}}", "'200%' is not between"),
        ("{goal: won, until: 2026-05-31, expected: {Z: 20%}}", "'Z' is no tier"),
        ("7", "'learned' should be a mapping"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(body: str, said: str) -> None:
    assert said in "\n".join(map(str, problems(f"{SOUND}learned: {body}\n")))


def test_the_page_says_what_a_profile_was_learned_from_and_what_it_has_not_seen() -> None:
    said = section(document(parse(SOUND + WHOLE, "x.yaml"), NOTHING), "What it was learned from")
    assert said == (
        "1,400 accounts decided from 2024-11-01 on and before 2026-05-31, 210 (15.0%) of them won and not "
        "churned since. It may be proven only on accounts decided since.\n"
        "A | 42%\nB | 21%\nC | 9%\nD | 3%\n"
        "It has only seen companies somebody chose to sell to."
    )


def test_the_page_of_a_hypothesis_calls_it_one() -> None:
    page = document(parse(SOUND + "learned: {hypothesis: true, cases: 14}\n", "x.yaml"), NOTHING)
    assert "14 examples: a hypothesis, unproven" in section(page, "What it was learned from")
