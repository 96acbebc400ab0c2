"""`profile document`: from files alone, with what a journal adds, to the terminal or a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from icp_sync.profile_file.starters import STARTERS, shipped
from icp_sync.reporting.profiles import fingerprint
from tests.cli.conftest import PROFILE, Place, command

SAAS = shipped(STARTERS["saas"].file)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_alone_is_enough_and_markdown_goes_to_the_terminal(nowhere: Path) -> None:
    result = command("profile", "document", str(SAAS))
    assert result.exit_code == 0
    assert result.stdout.startswith("# Ideal Customer Profile: b2b-saas-mid-market\n\nWe look for companies")
    assert f"File: b2b-saas-mid-market.yaml, {fingerprint(SAAS.read_text(encoding='utf-8'))}" in result.stdout
    assert "Version:" not in result.stdout
    assert "accounts today" not in result.stdout
    assert "judged by HubSpot's standard properties alone" in result.stderr
    assert list(nowhere.iterdir()) == [], "no journal is made by looking"


def test_the_same_file_always_gives_the_same_page(nowhere: Path) -> None:
    first, second = (command("profile", "document", str(SAAS)).stdout for _ in range(2))
    assert first == second


def test_the_name_of_the_file_to_write_chooses_the_format(nowhere: Path) -> None:
    for name, begins in (("a/icp.html", "<!doctype html>"), ("icp.md", "# Ideal"), ("icp", "# Ideal")):
        result = command("profile", "document", str(SAAS), str(PROFILE), "--out", name)
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"Written: {name}" in result.stderr
        text = Path(name).read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert "listed-companies" in text
    chosen = command("profile", "document", str(SAAS), "--format", "html")
    assert chosen.stdout.startswith("<!doctype html>")
    assert sorted(p.name for p in nowhere.rglob("*") if p.is_file()) == ["icp", "icp.html", "icp.md"]


def test_it_is_never_written_over_the_profile_or_where_nothing_can_be(nowhere: Path) -> None:
    mine = Path("mine.yaml")
    shutil.copy(SAAS, mine)
    over = command("profile", "document", "mine.yaml", "--out", "./mine.yaml")
    assert (over.exit_code, "is the profile itself" in over.stderr) == (2, True)
    assert mine.read_bytes() == SAAS.read_bytes()
    for unfit in ("mine.yaml/icp.html", "."):
        beyond = command("profile", "document", "mine.yaml", "--out", unfit)
        assert (beyond.exit_code, "error:" in beyond.stderr) == (2, True), beyond.output
    assert list(nowhere.iterdir()) == [nowhere / "mine.yaml"]


def test_a_profile_with_mistakes_is_refused_with_all_of_them(nowhere: Path) -> None:
    Path("bad.yaml").write_text("profile: bad\ncurrency: usd\ncriteria: []\n", encoding="utf-8")
    result = command("profile", "document", "bad.yaml", "--out", "icp.html")
    assert result.exit_code == 2
    assert "bad.yaml:2:" in result.stderr
    assert not Path("icp.html").exists()


def test_a_name_with_a_script_in_it_is_inert(nowhere: Path) -> None:
    evil = "<script>alert(1)</script>"
    text = SAAS.read_text(encoding="utf-8").replace("name: 50–500 employees", f'name: "{evil}"')
    Path("evil.yaml").write_text(text, encoding="utf-8")
    said = command("profile", "document", "evil.yaml", "--format", "html").stdout
    assert "<script" not in said
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in said


def test_the_journal_adds_the_version_and_accounts_per_tier(settled: Place) -> None:
    said = settled.run("profile", "document").stdout
    assert "Version: 1, active" in said
    assert "| tier | means | accounts today |" in said
    tiers = settled.json("status")["tiers"]
    row = next(line for line in said.splitlines() if line.startswith("| **B** | score 65–84"))
    assert row.endswith(f"| {tiers['B']} |")
    assert "| **employees** | CRM numberofemployees, CRM hs_employee_range, public_companies |" in said


def test_a_file_that_is_not_active_is_called_a_candidate(settled: Place) -> None:
    said = settled.run("profile", "document", str(SAAS)).stdout
    assert "Version: a candidate; 1 is active" in said
