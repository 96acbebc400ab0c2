"""Commands where there are many portals: a file each, a shared profile, and none in another's way."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from icp_sync.profile_file import load as load_profile
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, command

TOKEN = "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ICP_SYNC_CONFIG", raising=False)
    return tmp_path


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def shared(change: str = "profile: shared") -> Path:
    text = PROFILE.read_text(encoding="utf-8").replace("profile: listed-companies", change)
    return written("config/profiles/shared.yaml", text)


def test_a_further_portal_is_added_as_a_file_that_loads(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("init", "--crm", "hubspot", "--industry", "saas")
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__TOKEN", TOKEN)
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__ACME_EU__TOKEN", TOKEN)
    one_more = ("init", "--crm", "hubspot", "--industry", "gtm", "--connection", "acme_eu")
    done = command(*one_more)
    assert done.exit_code == 0, done.output
    file = Path("config/connections/acme_eu.toml")
    assert "icp-sync check --connection acme_eu" in done.stdout
    assert str(file) in done.stdout
    settings = load()
    assert set(settings.connections) == {"main", "acme_eu"}
    assert settings.connections["acme_eu"].profiles == [Path("config/profiles/acme_eu-gtm.yaml")]
    assert command("profile", "check", "--connection", "acme_eu").exit_code == 0
    everything = "\n".join(
        line.removeprefix("# ") for line in file.read_text().splitlines() if not line.startswith("# The")
    )
    assert "connections.acme_eu" not in everything
    again = command(*one_more)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    main = command(*one_more[:-1], "main")
    assert (main.exit_code, "has a connection 'main' already" in main.stderr) == (2, True)


def test_a_further_portal_may_begin_with_a_shared_profile(here: Path) -> None:
    base = shared()
    written("config/icp-sync.toml", "")
    done = command("init", "--crm", "hubspot", "--connection", "acme", "--extends", str(base))
    assert done.exit_code == 0, done.output
    profile = load_profile(Path("config/profiles/acme.yaml")).profile
    assert profile.name == "acme"
    assert profile.criteria == load_profile(base).profile.criteria
    assert tomllib.loads(Path("config/connections/acme.toml").read_text()) == {
        "crm": "hubspot",
        "profiles": ["config/profiles/acme.yaml"],
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--connection", "acme", "--industry", "saas"), "there are no settings at config/icp-sync.toml"),
        (("--connection", "acme", "--extends", "absent.yaml"), "there are no settings"),
        (("--connection", "acme", "--name", "acme", "--industry", "saas"), "says the name already"),
        (("--extends", "a.yaml"), "say --connection NAME"),
        (("--connection", "acme", "--extends", "a.yaml", "--industry", "saas"), "--extends says"),
        (("--connection", "Acme Corp", "--industry", "saas"), "is no name"),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_written(
    here: Path, options: tuple[str, ...], said: str
) -> None:
    result = command("init", "--crm", "hubspot", *options)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert not [*here.rglob("*")]


def test_a_broken_portal_is_in_nobody_elses_way(here: Path) -> None:
    shared()
    written("config/icp-sync.toml", "[defaults]\nprofiles = ['config/profiles/shared.yaml']\n")
    written("config/connections/acme.toml", "")
    written("config/connections/broken.toml", "profiles = [\n")
    written("config/connections/wrong.toml", "[quota]\nburst = 0\n")
    assert command("profile", "check", "--connection", "acme").exit_code == 0
    for name, said in (("broken", "not valid TOML"), ("wrong", "wrong.toml: quota.burst")):
        result = command("profile", "check", "--connection", name)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert "no worker answers" in command("health").stderr


def test_of_two_hundred_portals_a_message_names_a_few(here: Path) -> None:
    shared()
    written("config/icp-sync.toml", "[defaults]\nprofiles = ['config/profiles/shared.yaml']\n")
    for number in range(200):
        written(f"config/connections/client_{number:03}.toml", "")
    result = command("profile", "check")
    assert result.exit_code == 2
    assert "and 189 more" in result.stderr
    assert "--connection" in result.stderr
    assert len(result.stderr) < 500


def test_a_shared_profile_that_is_edited_changes_nothing_until_it_is_activated(here: Path) -> None:
    base = shared()
    written("config/profiles/clients/acme.yaml", "profile: acme\nextends: ../shared.yaml\n")
    written("config/icp-sync.toml", "")
    with Simulator(accounts=3, seed=1) as portal:
        portal.admin("POST settings", property_lag=0)
        written(
            "config/connections/acme.toml",
            f"token = '{portal.token}'\nbase_url = '{portal.url}'\n"
            "profiles = ['config/profiles/clients/acme.yaml']\n",
        )
        made = command("provision", "--apply")
        assert made.exit_code == 0, (made.output, made.exception)
        assert command("profile", "activate").exit_code == 0
        assert command("profile", "check").exit_code == 0

        def page() -> str:
            shown = command("profile", "document")
            assert shown.exit_code == 0, shown.output
            return shown.stdout

        assert "1, active" in page()
        before = json.loads(command("status", "--json").stdout)["profile"]
        text = base.read_text(encoding="utf-8")
        base.write_text(text.replace("tiers: {A: 85", "tiers: {A: 90"), encoding="utf-8")
        assert base.read_text(encoding="utf-8") != text
        assert json.loads(command("status", "--json").stdout)["profile"] == before
        assert "1, active" not in page()
        assert "A" in command("profile", "plan").stdout
        assert command("profile", "activate").exit_code == 0
        assert json.loads(command("status", "--json").stdout)["profile"]["version"] == before["version"] + 1
