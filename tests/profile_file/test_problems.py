"""Every mistake one can make in a profile is named at the line and column where it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile_file.mistakes import CASES
from tests.profile_file.written import criterion, marked, problems

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_the_only_problem_and_named_where_it_was_made(name: str) -> None:
    text, what, hint = CASES[name]
    plain, places = marked(text)
    found = problems(plain)
    assert [problem.where for problem in found] == places, found
    assert what in found[0].what
    assert hint in found[0].hint + found[0].what


def test_every_problem_of_an_awful_profile_is_listed_at_once_in_file_order() -> None:
    found = problems((HERE / "awful.yaml").read_text(encoding="utf-8"))
    assert len(found) >= 15
    assert "\n".join(map(str, found)) + "\n" == (HERE / "awful.txt").read_text(encoding="utf-8")


def test_a_piece_that_cannot_be_used_does_not_hide_what_else_is_wrong_with_its_entry() -> None:
    text, places = marked(criterion("weight: «heavy, fact: «contactz, at_least: 1, taper: 5%"))
    assert [problem.where for problem in problems(text)] == places
