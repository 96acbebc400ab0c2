"""`profile test`: the examples of a profile, on a CSV export and on the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import PROFILE as LISTED
from tests.cli.conftest import Place
from tests.cli.exported import PROFILE, ROWS, Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export.made(tmp_path)


def examples(export: Export, said: str) -> str:
    return export.profile(PROFILE[: PROFILE.index("examples:")] + f"examples: {said}\n")


def test_examples_that_hold_pass_and_exit_0(export: Export) -> None:
    told = export.json("profile", "test", export.profile())
    assert (told["ok"], told["pass"], told["FAIL"]) == (True, 3, 0)
    shown = export.run("profile", "test", export.profile()).stdout
    assert "3 examples: 3 as expected" in shown


def test_a_failing_example_says_what_it_is_and_which_verdict_decides(export: Export) -> None:
    told = export.json("profile", "test", examples(export, "{big.com: A}"), code=1)
    [tried] = told["examples"]
    assert (tried["result"], tried["expected"], tried["got"]) == ("FAIL", "A", "C (40)")
    assert tried["why"] == ["40 points short of A (80)", "−60 900 employees, over 500"]
    shown = export.run("profile", "test", examples(export, "{big.com: A}"), code=1).stdout
    assert "big.com: expected A, is C (40)" in shown


def test_a_provisional_example_names_the_missing_facts(export: Export) -> None:
    told = export.json("profile", "test", examples(export, "{vague.com: A}"), code=1)
    [tried] = told["examples"]
    assert tried["got"].startswith("Needs data (")
    assert tried["why"][-1].startswith("missing: industry (decides), employees (up to 60)")


def test_an_exclude_flag_that_decides_is_named(export: Export) -> None:
    told = export.json("profile", "test", examples(export, "{agency.com: A}"), code=1)
    assert told["examples"][0]["why"] == ["Agency"]


def test_a_domain_nobody_has_fails_unless_it_may_be_missing(export: Export) -> None:
    profile = examples(export, "{acme.com: A, nowhere.com: B}")
    assert export.json("profile", "test", profile, code=1)["not found"] == 1
    told = export.json("profile", "test", profile, "--allow-missing")
    assert (told["ok"], told["not found"]) == (True, 1)
    assert "1 not found" in export.run("profile", "test", profile, "--allow-missing").stdout


def test_two_accounts_of_a_domain_are_named_and_fail_only_when_they_differ(tmp_path: Path) -> None:
    export = Export.made(tmp_path)
    same = export.json("profile", "test", examples(export, "{acme.com: A}"))["examples"][0]
    assert (same["result"], same["accounts"]) == ("pass", ["1 (row 2)", "4 (row 5)"])
    assert same["why"] == ["the domain is on 2 accounts: 1 (row 2), 4 (row 5)"]
    export = Export.made(tmp_path, rows=ROWS.replace("ACME.com,150", "ACME.com,9"))
    differ = export.json("profile", "test", examples(export, "{acme.com: A}"), code=1)["examples"][0]
    assert (differ["result"], differ["got"]) == ("ambiguous", "1 (row 2): A (100), 4 (row 5): C (40)")


def test_an_example_may_be_written_like_any_web_address(export: Export) -> None:
    profile = examples(export, '{"https://WWW.Acme.com/about": A}')
    assert export.json("profile", "test", profile)["pass"] == 1


def test_no_examples_is_a_warning_and_exits_0(export: Export) -> None:
    result = export.run("profile", "test", examples(export, "{}"))
    assert "there are no examples" in result.stderr
    assert "There are no examples to judge." in result.stdout


def test_markdown_holds_nothing_that_mentions_somebody_or_becomes_markup(tmp_path: Path) -> None:
    evil = PROFILE.replace("name: Right size", 'name: "@everyone <b>|*x*"')
    export = Export.made(tmp_path, evil)
    profile = export.profile(evil.replace("big.com: C", "big.com: A").replace("50, 500", "50, 899"))
    shown = export.run("profile", "test", profile, "--markdown", code=1).stdout
    assert "### Profile test: failed" in shown
    assert "| FAIL | big.com | A | C (40) |" in shown
    assert "<b>" not in shown
    assert "@everyone" not in shown


def test_without_profile_files_a_csv_needs_settings_that_name_some(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(export.folder)
    result = export.run("profile", "test", code=2)
    assert "no profile to judge by" in result.stderr


def test_settings_that_cannot_be_used_are_named_and_not_needed_with_a_file(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    (export.folder / "config").mkdir()
    (export.folder / "config" / "icp-sync.toml").write_text("journal = 3\n")
    monkeypatch.chdir(export.folder)
    result = export.run("profile", "test", export.profile())
    assert "the settings here cannot be used" in result.stderr


def test_a_file_that_cannot_be_read_exits_2(export: Export) -> None:
    Path(export.csv).unlink()
    assert "cannot be read" in export.run("profile", "test", export.profile(), code=2).stderr


def test_columns_may_be_described_and_only_of_a_file(export: Export, place: Place) -> None:
    told = export.json("profile", "test", export.profile(), "--map", "Number of Employees=ignore", code=1)
    assert told["FAIL"] > 0
    assert "there is none" in place.run("profile", "test", "--map", "a=name", code=2).stderr


def test_the_journal_is_the_ground_without_a_file(settled: Place, tmp_path: Path) -> None:
    best = next(c for c in settled.companies(icp_tier="A") if c["domain"])
    path = tmp_path / "listed.yaml"
    text = LISTED.read_text()
    path.write_text(text[: text.index("examples:")] if "examples:" in text else text)
    with path.open("a") as file:
        file.write(f"\nexamples: {{{best['domain']}: A, nobody-has-this.com: B}}\n")
    told = settled.json("profile", "test", str(path), code=1)
    assert (told["source"], told["pass"], told["not found"]) == ("the journal", 1, 1)
