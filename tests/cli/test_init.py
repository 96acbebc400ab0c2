"""From nothing to a profile and settings of one's own: asked for, or said in options; never half-written."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from icp_sync.cli.init.files import write_new
from icp_sync.errors import ConfigError
from icp_sync.profile_file import load
from icp_sync.profile_file.starters import STARTERS
from icp_sync.settings import load as load_settings
from tests.cli.conftest import command

ROOT = Path(__file__).parents[2]
TOKEN = "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab"
HUBSPOT = ("init", "--crm", "hubspot", "--industry", "saas")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with a token in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ICP_SYNC_CONFIG", raising=False)
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__TOKEN", TOKEN)
    return tmp_path


def refused(*arguments: str) -> Result:
    result = command(*arguments)
    assert result.exit_code == 2, result.output
    return result


@pytest.mark.parametrize("industry", list(STARTERS))
def test_what_it_writes_passes_profile_check_and_loads_as_settings(here: Path, industry: str) -> None:
    assert command("init", "--crm", "hubspot", "--industry", industry).exit_code == 0
    checked = command("profile", "check")
    assert checked.exit_code == 0, checked.output
    assert f"main-{industry}: " in checked.stdout
    assert "No problem in 1 file" in checked.stdout
    settings = load_settings(Path("config/icp-sync.toml"))
    assert settings.connections["main"].profiles == [Path(f"config/profiles/main-{industry}.yaml")]


def test_it_ends_with_the_next_three_commands_and_one_for_an_export(here: Path) -> None:
    said = command(*HUBSPOT).stdout
    after = said.partition("Next:\n")[2].splitlines()
    assert [line.strip().split("=")[0] for line in after[:3]] == [
        "export ICP_SYNC_CONNECTIONS__MAIN__TOKEN",
        "icp-sync check",
        "icp-sync profile check",
    ]
    assert "icp-sync score export.csv --profile config/profiles/main-saas.yaml" in said
    assert all(len(line) <= 110 for line in said.splitlines())


def test_the_settings_hold_no_secret_and_the_portals_name(here: Path) -> None:
    command(*HUBSPOT, "--name", "acme_emea")
    text = Path("config/icp-sync.toml").read_text(encoding="utf-8")
    assert "ICP_SYNC_CONNECTIONS__ACME_EMEA__TOKEN=pat-…" in text
    assert list(tomllib.loads(text)["connections"]) == ["acme_emea"]
    assert "token" not in tomllib.loads(text)["connections"]["acme_emea"]


@pytest.mark.parametrize("industry", list(STARTERS))
def test_every_line_it_leaves_out_works_once_its_mark_is_taken_off(
    here: Path, tmp_path: Path, industry: str
) -> None:
    command("init", "--crm", "hubspot", "--industry", industry)
    text = Path("config/icp-sync.toml").read_text(encoding="utf-8")
    whole = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    Path("config/icp-sync.toml").write_text(whole, encoding="utf-8")
    chosen = load_settings(Path("config/icp-sync.toml")).connections["main"]
    assert {entry["use"] for entry in chosen.enrichers} == {"contacts", "csv"}
    example = (ROOT / "config" / "icp-sync.example.toml").read_text(encoding="utf-8")
    known = set(re.findall(r"^#? ?(\w+) = ", example, re.MULTILINE)) | {"complete"}
    assert set(re.findall(r"^(\w+) = ", whole, re.MULTILINE)) <= known
    Path("config/accounts.csv").write_text("domain,employees\nacme.com,20\n", encoding="utf-8")
    checked = command("profile", "check", "--json")
    assert checked.exit_code == 0
    assert "has no source" not in checked.stdout


def test_nothing_is_overwritten_and_nothing_else_written_beside_what_exists(here: Path) -> None:
    Path("config").mkdir()
    Path("config/icp-sync.toml").write_text("# mine\n", encoding="utf-8")
    said = refused(*HUBSPOT).stderr
    assert "config/icp-sync.toml: exists already, and is never overwritten" in said
    assert "next: icp-sync init --dir" in said
    assert Path("config/icp-sync.toml").read_text(encoding="utf-8") == "# mine\n"
    assert not Path("config/profiles").exists()


def test_a_second_time_names_both_files(here: Path) -> None:
    command(*HUBSPOT)
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    said = refused(*HUBSPOT).stderr
    assert said.count("exists already") == 2
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_where_it_cannot_write_nothing_is_left(here: Path) -> None:
    Path("taken").write_text("a file\n", encoding="utf-8")
    assert "cannot be written" in refused(*HUBSPOT, "--dir", "taken/below").stderr
    assert list(here.iterdir()) == [here / "taken"]


def test_a_second_file_that_fails_takes_the_first_away_again(tmp_path: Path) -> None:
    first = tmp_path / "new" / "deep" / "one.txt"
    with pytest.raises(ConfigError, match="cannot be written"):
        write_new({first: "one", first / "two.txt": "two"})
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_every_option_it_needs_is_named(here: Path) -> None:
    said = refused("init").stderr
    assert "--crm: is missing, and nobody can be asked (one of hubspot, salesforce)" in said
    assert "--industry: is missing" in said
    assert list(here.iterdir()) == []


def test_wrong_options_are_all_named_at_once(here: Path) -> None:
    said = refused(
        "init", "--crm", "zoho", "--industry", "cars", "--name", "Acme Inc", "--currency", "euro"
    ).stderr
    for wrong in ("'zoho'", "'cars'", "'Acme Inc'", "'euro'"):
        assert wrong in said
    assert list(here.iterdir()) == []


def test_another_currency_is_in_the_profile_with_a_word_to_check_the_amounts(here: Path) -> None:
    said = command(*HUBSPOT, "--currency", "eur").stdout
    assert "set for USD: check each of them in EUR" in said
    assert load(Path("config/profiles/main-saas.yaml")).profile.currency == "EUR"


def test_for_salesforce_it_says_what_to_fill_in_and_works_offline_before_that(here: Path) -> None:
    said = command("init", "--crm", "salesforce", "--industry", "logistics").stdout
    after = said.partition("Next:\n")[2].splitlines()
    assert [line.strip().split("=")[0] for line in after[:3]] == [
        "fill in my_domain and consumer_key in config/icp-sync.toml",
        "export ICP_SYNC_CONNECTIONS__MAIN__SALESFORCE__CONSUMER_SECRET",
        "icp-sync check",
    ]
    checked = command("profile", "check")
    assert (checked.exit_code, "No problem in 1 file" in checked.stdout) == (0, True), checked.output
    unsaid = refused("check").output
    for key in ("my_domain", "consumer_key", "consumer_secret"):
        assert f"connections.main.salesforce.{key}" in unsaid


def test_an_org_filled_in_is_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("init", "--crm", "salesforce", "--industry", "saas", "--name", "emea")
    file = Path("config/icp-sync.toml")
    whole = re.sub(r"^# (?=\[|\w+ = )", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    file.write_text(whole, encoding="utf-8")
    monkeypatch.delenv("ICP_SYNC_CONNECTIONS__MAIN__TOKEN")
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__EMEA__SALESFORCE__CONSUMER_SECRET", "abc-123")
    chosen = load_settings(file).connections["emea"]
    assert chosen.salesforce is not None
    assert (chosen.address, chosen.field_properties["tier"]) == (
        "https://acme.my.salesforce.com",
        "ICP_Tier__c",
    )


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "icp_sync", *arguments],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "dumb"},
        )
        os.close(theirs)
        self.shown = ""

    def until(self, words: str) -> None:
        """Read until the words stand there."""
        while words not in self.shown:
            ready, _, _ = select.select([self.ours], [], [], 60)
            assert ready, f"{words!r} never came: {self.shown}"
            self.shown += os.read(self.ours, 4096).decode()

    def type(self, text: str) -> None:
        self.shown = ""
        os.write(self.ours, text.encode())

    def rest(self) -> int:
        """Read to the end; the exit code."""
        while True:
            try:
                chunk = os.read(self.ours, 4096)
            except OSError:  # Linux says so when the other side is gone
                break
            if not chunk:
                break
            self.shown += chunk.decode()
        return self.process.wait(60)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal("init", folder=tmp_path)
    yield opened
    opened.process.kill()
    opened.process.wait()
    os.close(opened.ours)


def test_on_a_terminal_it_asks_and_asks_again_until_it_can_use_the_answer(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.until("2  salesforce")
    terminal.until("> ")
    terminal.type("zoho\n")
    terminal.until("'zoho' is none of hubspot, salesforce")
    terminal.type("1\n")
    terminal.until("logistics")
    terminal.until("> ")
    terminal.type("gtm\n")
    terminal.until("A short name for the portal or org [main]: ")
    terminal.type("acme\n")
    terminal.until("Currency of every amount [USD]: ")
    terminal.type("\n")
    terminal.until("Where to make the folder config [.]: ")
    terminal.type("\n")
    assert terminal.rest() == 0
    assert "export ICP_SYNC_CONNECTIONS__ACME__TOKEN=pat-…" in terminal.shown
    assert load(tmp_path / "config/profiles/acme-gtm.yaml").profile.currency == "USD"


def test_somebody_who_leaves_in_the_middle_has_written_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until("> ")
    terminal.type("\x04")
    assert terminal.rest() == 1
    assert list(tmp_path.iterdir()) == []


def test_what_talks_to_no_crm_works_right_after_it_without_a_token(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ICP_SYNC_CONNECTIONS__MAIN__TOKEN")
    assert command(*HUBSPOT).exit_code == 0
    (here / "export.csv").write_text("domain,employees\nacme.com,100\n")
    for arguments in (
        ("profile", "check"),
        ("profile", "document", "--out", "icp.html"),
        ("profile", "filter", "--to", "hubspot"),
        ("profile", "test", "--on", "export.csv"),
        ("score", "export.csv"),
        ("routes", "check", "--on", "export.csv"),
    ):
        result = command(*arguments)
        assert result.exit_code == 0, (arguments, result.output)
    assert "token is missing" in refused("check").output
    assert "is there already" in refused("profile", "document", "--out", "config/icp-sync.toml").stderr
