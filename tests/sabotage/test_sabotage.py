"""Slices of the tests of the tests: every patch still fits, a few are tried, mutants are what they say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sabotage.mutants import DOMAIN, Tally, equivalents, overall, table, tallied
from tests.sabotage.mutating import mutants
from tests.sabotage.patches import SABOTAGES, Sabotage
from tests.sabotage.trial import trial
from tests.sabotage.workshop import ROOT, Caught, Workshop, patched
from tests.soak.checker import COLUMNS

CHEAP = (
    "> for >= at the beginning of a window",
    "the local clock instead of the server's",
    "the seal ignored",
)


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as made:
        yield made


def by_name(name: str) -> Sabotage:
    return next(sabotage for sabotage in SABOTAGES if sabotage.name == name)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda s: s.name)
def test_every_sabotage_still_fits_is_python_and_names_tests_there_are(sabotage: Sabotage) -> None:
    ast.parse(patched(sabotage))
    assert sabotage.tests
    for test in sabotage.tests:
        file, *names = test.split("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        if "Test" in names[0:1]:
            names = names[1:]
        inherited = (ROOT / "tests/crm/contract.py").read_text(encoding="utf-8")
        assert all(f" {name}(" in text + inherited for name in names), test


def test_there_are_enough_and_every_column_of_the_checker_has_one() -> None:
    assert len({sabotage.name for sabotage in SABOTAGES}) == len(SABOTAGES) >= 26
    assert {name for sabotage in SABOTAGES for name in sabotage.columns} == set(COLUMNS)


@pytest.mark.parametrize("name", CHEAP)
def test_a_sabotage_is_caught_by_its_test(name: str, workshop: Workshop) -> None:
    caught = workshop.tried(by_name(name))
    assert caught.whole, caught.said
    assert (workshop.root / "icp_sync" / caught.sabotage.file).read_text() == (
        ROOT / "icp_sync" / caught.sabotage.file
    ).read_text(), "and mended again"


def test_the_sound_program_leaves_every_column_of_a_trial_empty(tmp_path: Path) -> None:
    table = trial(tmp_path)
    assert table.clean(), table.said()
    assert table.restored == 1
    assert table.human_edits == 2


def test_a_sabotage_without_a_failing_test_or_with_an_empty_column_survives() -> None:
    sabotage = by_name("the echo is not looked at")
    tried = [("", ("unrestored",)), ("tests/x.py::test_y", ()), ("tests/x.py::test_y", ("unrestored",))]
    made = [Caught(sabotage=sabotage, test=test, columns=columns, seconds=0) for test, columns in tried]
    assert [caught.whole for caught in made] == [False, False, True]


def test_mutants_turn_one_thing_each_and_know_where() -> None:
    text = (
        "LEFT = 3\n\ndef f(x, y=True):\n    if x and not y:\n"
        "        return x + 1 if x > 2 else None\n    return min(x, LEFT)\n"
    )
    found = mutants(text)
    assert [(m.line, m.function, m.before, m.after) for m in found] == [
        (1, "", "3", "4"),
        (3, "", "True", "False"),
        (4, "f", "x and (not y)", "x or not y"),
        (4, "f", "not y", "not not y"),
        (5, "f", "return x + 1 if x > 2 else None", "return None"),
        (5, "f", "x > 2", "x >= 2"),
        (5, "f", "2", "3"),
        (5, "f", "x + 1", "x - 1"),
        (5, "f", "1", "2"),
        (6, "f", "return min(x, LEFT)", "return None"),
        (6, "f", "min(x, LEFT)", "max(x, LEFT)"),
    ]
    sound = ast.unparse(ast.parse(text))
    assert all(ast.unparse(m.tree) != sound for m in found)


def test_every_equivalent_mutant_still_exists_and_has_a_reason() -> None:
    for file in {one["file"] for one in equivalents()}:
        names = {m.name for m in mutants((DOMAIN / f"{file}.py").read_text(encoding="utf-8"))}
        mine = [one for one in equivalents() if one["file"] == file]
        assert {one["name"] for one in mine} <= names
        assert all(len(one["why"]) > 20 for one in mine)


def test_what_became_of_mutants_is_counted_by_its_last_word() -> None:
    file = "icp_sync.domain.moves"
    fates = [
        {"file": file, "line": 1, "column": 0, "name": "a", "fate": "survived"},
        {"file": file, "line": 1, "column": 0, "name": "a", "fate": "killed"},
        {"file": file, "line": 2, "column": 0, "name": "b", "fate": "killed: it never ends"},
        {"file": file, "line": 3, "column": 0, "name": "c", "fate": "survived"},
        {"baseline": 3, "failing": []},
    ]
    tallies = tallied(fates)
    assert (tallies["moves"].killed, len(tallies["moves"].survivors)) == (2, 1)
    assert overall({"a": Tally(killed=1), "b": Tally(killed=2, equivalent=1)}).total == 4
    assert "66.7%" in table(tallies)
