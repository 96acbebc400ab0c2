"""A short slice of the scoring bench. Nothing here asserts a time, and nothing is installed."""

from __future__ import annotations

import pytest

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.whole_points import rounded
from tests.bench.sections.scoring.accounts import facts_of, plain_accounts
from tests.bench.sections.scoring.languages import LANGUAGES
from tests.bench.sections.scoring.ours import NOW, profile, scores_of
from tests.bench.sections.scoring.scored_csv import csv_rows
from tests.bench.sections.scoring.walk import walk_row
from tests.bench.sections.scoring.whatif import whatif_rows
from tests.bench.sections.size import Size


def json_logic(rule, account):
    """The few operators that are used, read plainly."""
    if not isinstance(rule, dict):
        return rule
    [(operator, parts)] = rule.items()
    if operator == "var":
        return account.get(parts)
    if operator == "if":
        unknown, shown, met, yes, no = parts
        if json_logic(unknown, account):
            return shown
        return yes if json_logic(met, account) else no
    if operator == "some":
        members, (among,) = json_logic(parts[0], account), parts[1]["in"][1:]
        return any(member in among for member in members)
    if operator == "in":
        return json_logic(parts[0], account) in parts[1]
    if operator == "and":
        return all(json_logic(part, account) for part in parts)
    if operator == "+":
        return sum(json_logic(part, account) for part in parts)
    left, right = (json_logic(part, account) for part in parts)
    signs = {"===": left == right}
    if left is not None and right is not None:
        signs |= {">=": left >= right, ">": left > right, "<=": left <= right, "<": left < right}
    return signs[operator]


def test_the_translated_profile_gives_the_scores_of_the_compiled_one():
    accounts = list(plain_accounts(profile(), 200))
    rule = LANGUAGES["json_logic"](profile())
    known = [facts_of(account, "USD") for account in accounts]
    theirs = [rounded(json_logic(rule, account)) for account in accounts]
    assert theirs == [rounded(points) for points in scores_of(known)]
    assert len(set(theirs)) > 20


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_criterion_is_asked_in_every_language(language):
    said = str(LANGUAGES[language](profile()))
    assert all(criterion.when.fact in said for criterion in profile().criteria)


def test_the_profile_has_fifteen_weighted_criteria_with_a_range():
    compiled = compile_profile(profile())
    low, high, _, covered, answers = compiled.answer({}, NOW)
    assert (low, high, covered) == (0, 100, 0)
    assert len([weight for weight in compiled.weights if weight]) == 15
    assert answers[4:] == (0.0, 1.0) * 15


def test_the_walk_and_the_csv_rows_measure_both_sides(tmp_path):
    assert walk_row(Size.small()).ratio > 0
    rate, memory = csv_rows(tmp_path, Size.small())
    assert rate.ratio > 0
    assert 10 < memory.beside <= memory.ours * 2


def test_the_what_if_looks_at_every_journaled_account(tmp_path):
    wall, memory = whatif_rows(tmp_path, Size.small())
    assert wall.ours > 0
    assert memory.ours > 10
