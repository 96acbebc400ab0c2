"""A learned profile shows that its entry, or its questions, were edited since it was learned."""

from __future__ import annotations

from datetime import date

import pytest

from icp_sync.domain.profile import Profile
from icp_sync.profile_file import advice, parse
from icp_sync.profile_file.marks import asks_of, entry_edited, mark_of, questions_edited, questions_of, sealed
from tests.profile_file.written import SOUND

ENTRY = (
    "learned: {goal: won, since: 2024-11-01, until: 2026-05-31, cases: 1400, good: 210, expected: {A: 42%}}\n"
)
SEALED = sealed(SOUND + ENTRY, parse(SOUND + ENTRY, "x.yaml"))


def read(text: str) -> Profile:
    return parse(text, "x.yaml")


def warned(profile: Profile) -> str:
    said = advice([profile], sources={}, in_scope_firm=None, accounts=None, today=date(2026, 6, 1))
    return "\n".join(one.what for one in said)


def test_what_was_sealed_and_left_alone_is_as_it_was_learned() -> None:
    profile = read(SEALED)
    assert not entry_edited(profile)
    assert not questions_edited(profile)
    assert "edited" not in warned(profile)
    assert sealed(SOUND, read(SOUND)) == SOUND


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("goal: won", "goal: best"),
        ("2024-11-01", "2024-11-02"),
        ("2026-05-31", "2025-08-01"),
        ("cases: 1400", "cases: 400"),
        ("good: 210", "good: 211"),
        ("A: 42%", "A: 43%"),
        ("mark: '", "mark: 'x"),
    ],
)
def test_an_edited_entry_shows(was: str, now: str) -> None:
    assert was in SEALED
    profile = read(SEALED.replace(was, now))
    assert entry_edited(profile)
    assert "the 'learned' entry was edited" in warned(profile)


def test_an_entry_written_by_hand_counts_as_edited_and_a_hypothesis_claims_nothing() -> None:
    assert entry_edited(read(SOUND + ENTRY))
    hypothesis = read(SOUND + "learned: {hypothesis: true, cases: 14}\n")
    assert not entry_edited(hypothesis)
    assert not questions_edited(hypothesis)
    assert not entry_edited(read(SOUND))


def test_another_wording_of_the_same_entry_is_none() -> None:
    assert not entry_edited(read(SEALED.replace("42%", "0.42")))


def test_edited_questions_show_and_their_names_belong_to_them() -> None:
    other = SEALED.replace("weight: ", "weight: 1", 1)
    assert other != SEALED
    profile = read(other)
    assert questions_edited(profile)
    assert not entry_edited(profile)
    assert "edited since it was learned" in warned(profile)


def test_questions_are_the_same_whatever_their_points_and_names() -> None:
    one, other = read(SOUND), read(SOUND.replace("weight: ", "weight: 1", 1))
    assert asks_of(one) != asks_of(other)
    assert questions_of(one) == questions_of(other)
    assert len(questions_of(one)) == sum(not criterion.required for criterion in one.criteria)


def test_digests_are_the_same_everywhere_and_tomorrow() -> None:
    """One that changed with the order of a set, or with the next release, would call every profile edited."""
    text = """
profile: small
currency: USD
criteria:
  - {name: Software, layer: firmographic, fact: industry, any_of: [COMPUTER_SOFTWARE, INTERNET], weight: 3}
  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], weight: 1, unknown: 40%}
flags:
  - {name: Rivals, when: {fact: population, any_of: [competitor]}, effect: exclude}
learned: {goal: won, since: 2024-11-01, until: 2026-05-31, cases: 1400, good: 210, expected: {A: 42%, B: 7%}}
"""
    profile = read(text)
    assert profile.learned is not None
    assert (mark_of(profile.learned), asks_of(profile)) == ("d5473e40a21f", "068f00008a6a")
