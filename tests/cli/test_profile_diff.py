"""`profile diff` and the comparison `profile plan` shares with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.cli.profile import in_parts, markdown
from tests.cli.conftest import PROFILE as LISTED
from tests.cli.conftest import Place
from tests.cli.exported import PROFILE, ROWS, Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export.made(tmp_path)


def test_movers_are_named_with_what_moves_them(export: Export) -> None:
    wider = export.profile(PROFILE.replace("[50, 500]", "[50, 1000]"), "wider")
    told = export.json("profile", "diff", export.profile(), wider)
    assert (told["accounts"], told["moved"]) == (10, 2)
    assert told["changes"] == [
        "Right size: asks employees between 50 and 1,000 (was employees between 50 and 500)"
    ]
    assert told["movers"] == [{"criterion": "Right size", "up": 2, "down": 0}]
    [big, vague] = told["examples"]
    assert (big["id"], big["name"], big["from"], big["to"]) == ("3", "Big", "C", "A")
    assert (vague["from"], vague["to"]) == ("Needs data", "A")
    assert {"from": "C", "to": "A", "accounts": 1} in told["migrations"]
    shown = export.run("profile", "diff", export.profile(), wider).stdout
    assert "10 accounts, 2 would move" in shown
    assert "Nothing was changed" not in shown


def test_accounts_that_enter_and_leave_the_scope_are_counted(export: Export) -> None:
    elsewhere = export.profile(PROFILE.replace("none_of: [AQ]", "none_of: [DE]"), "elsewhere")
    told = export.json("profile", "diff", export.profile(), elsewhere)
    assert (told["entering"], told["leaving"], told["moved"]) == (1, 1, 2)
    assert {m["criterion"] for m in told["movers"]} == {"scope"}
    assert (
        "Into the scope: 1. Out of it: 1."
        in export.run("profile", "diff", export.profile(), elsewhere).stdout
    )


def test_moved_thresholds_are_counted_as_the_tiers(export: Export) -> None:
    bands = export.profile(PROFILE + "tiers: {A: 90, B: 50, C: 20, D: 0}\n", "bands")
    told = export.json("profile", "diff", export.profile(), bands)
    assert [m["criterion"] for m in told["movers"]] == ["tiers"]


def test_equal_profiles_differ_in_nothing(export: Export) -> None:
    told = export.json("profile", "diff", export.profile(), export.profile(name="copy"))
    assert (told["moved"], told["changes"], told["movers"]) == (0, [], [])
    shown = export.run("profile", "diff", export.profile(), export.profile(name="copy")).stdout
    assert "Nothing that decides a tier differs" in shown


def test_a_limit_bounds_the_named_and_not_the_counted(export: Export) -> None:
    wider = export.profile(PROFILE.replace("[50, 500]", "[50, 1000]"), "wider")
    told = export.json("profile", "diff", export.profile(), wider, "--limit", "1")
    assert (told["moved"], len(told["examples"])) == (2, 1)


def test_a_side_may_be_several_files(export: Export) -> None:
    other = export.profile(
        PROFILE.replace("profile: size", "profile: large").replace("50, 500", "501, 2000"), "o"
    )
    told = export.json("profile", "diff", export.profile(), f"{export.profile()},{other}")
    assert told["changes"] == ["large: new profile"]
    assert told["examples"][0]["by"] == "large: new profile"


def test_markdown_is_for_a_comment_and_harmless(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS.replace("3,Big", "3,@team [x](http://x.y) | </details>"))
    wider = export.profile(PROFILE.replace("[50, 500]", "[50, 1000]"), "wider")
    shown = export.run("profile", "diff", export.profile(), wider, "--markdown").stdout
    assert "**2 would move**" in shown
    assert shown.count("<details>") == shown.count("</details>") == 2
    assert "@team" not in shown
    assert "\\[x\\](http:\u200b//x.y) \\|" in shown


def test_text_for_markdown_is_one_line_without_meaning() -> None:
    assert (
        markdown.text("a\n\n# b `c` *d* #1 www.x.y") == "a #\u200b b \\`c\\` \\*d\\* #\u200b1 www\u200b.x.y"
    )


def test_rows_that_are_none_are_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS + "11,short\n")
    result = export.run("profile", "diff", export.profile(), export.profile(name="copy"))
    assert "accounts.csv:12:" in result.stderr
    assert "10 accounts, 0 would move" in result.stdout


def test_active_is_the_journals_profile(settled: Place, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(LISTED.read_text().replace("A: 85", "A: 70"))
    told = settled.json("profile", "diff", "active", str(candidate))
    plan = settled.json("profile", "plan", str(candidate))
    assert told["active_version"] == plan["active_version"] == 1
    assert (told["moved"], told["migrations"], told["movers"]) == (
        plan["moved"],
        plan["migrations"],
        plan["movers"],
    )
    assert [m["criterion"] for m in told["movers"]] == ["tiers"]
    assert all(e["by"].startswith("tiers: A 85 → 70") for e in plan["examples"])


def test_a_large_journal_is_compared_by_several_processes_with_the_same_result(
    settled: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(LISTED.read_text().replace("A: 85", "A: 70"))
    alone = settled.json("profile", "diff", "active", str(candidate))
    monkeypatch.setattr(in_parts, "LARGE", max(1, alone["accounts"] // 4))
    monkeypatch.setattr(in_parts.os, "cpu_count", lambda: 3)
    begun: list[int] = []
    pool = in_parts.ProcessPoolExecutor
    monkeypatch.setattr(in_parts, "ProcessPoolExecutor", lambda n, **how: begun.append(n) or pool(n, **how))
    assert alone["moved"] > 0
    assert settled.json("profile", "diff", "active", str(candidate)) == alone
    assert begun == [3]


def test_active_needs_settings_even_with_a_file(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(export.folder)
    result = export.run("profile", "diff", "active", export.profile(), code=2)
    assert "no usable settings" in result.stderr


def test_a_journal_without_accounts_says_so(place: Place) -> None:
    profile = str(LISTED)
    assert "no evaluated account" in place.run("profile", "diff", profile, profile, code=2).stderr
