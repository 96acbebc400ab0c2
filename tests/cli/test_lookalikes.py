"""`lookalikes`: who is like one account, and in what."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.exported import ROWS, Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export.made(tmp_path)


def test_the_most_alike_stands_first_with_its_likeness_and_differences(export: Export) -> None:
    told = export.json("lookalikes", "friend.com", "--profile", export.profile())
    assert told["account"]["id"] == "6"
    [first, *rest] = told["lookalikes"]
    assert (first["likeness"], first["comparable"]) == (1.0, 1.0)
    assert first["alike"][0] == "employees 90"
    likeness = [one["likeness"] * one["comparable"] for one in told["lookalikes"]]
    assert likeness == sorted(likeness, reverse=True)
    big = next(one for one in rest if one["id"] == "3")
    assert big["different"] == ["employees 900, not 90"]
    shown = export.run("lookalikes", "friend.com", "--profile", export.profile()).stdout
    assert "different: employees 900, not 90" in shown


def test_nobody_is_their_own_lookalike_nor_one_of_their_own_domain(export: Export) -> None:
    told = export.json("lookalikes", "1", "--profile", export.profile())
    assert {"1", "4"}.isdisjoint(one["id"] for one in told["lookalikes"])


def test_unknown_facts_lower_what_is_comparable(export: Export) -> None:
    told = export.json("lookalikes", "6", "--profile", export.profile())
    vague = next(one for one in told["lookalikes"] if one["id"] == "10")
    assert vague["comparable"] == 0.8
    assert "technologies" not in vague["facts"]


def test_a_limit_is_kept(export: Export) -> None:
    told = export.json("lookalikes", "6", "--profile", export.profile(), "--limit", "2")
    assert len(told["lookalikes"]) == 2


@pytest.mark.parametrize(
    ("text", "said"), [("nobody.com", "no evaluated account"), ("acme.com", "2 accounts match")]
)
def test_an_account_nobody_or_several_match_is_said(export: Export, text: str, said: str) -> None:
    result = export.run("lookalikes", text, "--profile", export.profile(), code=2)
    assert said in result.stderr


def test_an_account_of_which_nothing_is_known_has_none(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS + "11,Void,void.com,,,,,,,\n")
    shown = export.run("lookalikes", "void.com", "--profile", export.profile()).stdout
    assert "too little is known" in shown


def test_the_journal_knows_lookalikes_too(settled: Place) -> None:
    account = next(c for c in settled.companies(icp_tier="A") if c["domain"])
    told = settled.json("lookalikes", account["domain"])
    assert told["account"]["id"] == account["id"]
    assert len(told["lookalikes"]) == 20
    assert told["lookalikes"][0]["tier"] in ("A", "B")
