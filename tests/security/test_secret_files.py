"""Secrets in files: told when others may read them, read as systemd hands them out, never half believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icp_sync.errors import ConfigError
from icp_sync.settings import load
from icp_sync.settings.confidential import secrets
from tests.cli.conftest import PROFILE, command

TOKEN = "pat-na1-1234-abcd"


def written(folder: Path, name: str, text: str, mode: int) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "icp-sync.toml"
    file.write_text(
        f'journal = "sqlite:///{tmp_path}/j.sqlite"\n[connections.main]\nprofiles = ["{PROFILE}"]\n'
    )
    return file


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)])
def test_a_secret_file_that_others_may_read_is_told(
    mode: int, told: int, tmp_path: Path, config: Path
) -> None:
    file = written(tmp_path / "secrets", "connections__main__token", TOKEN, mode)
    found = load(config, {"ICP_SYNC_SECRETS": str(file.parent)}, dotenv=tmp_path / "none").exposed
    assert len(found) == told
    assert all(problem.hint == f"chmod 600 {file}" and TOKEN not in str(problem) for problem in found)


def test_a_dotenv_with_a_secret_that_others_may_read_is_told(tmp_path: Path, config: Path) -> None:
    line = f"ICP_SYNC_CONNECTIONS__MAIN__TOKEN={TOKEN}\n"
    dotenv = written(tmp_path, ".env", line, 0o644)
    assert [problem.where for problem in load(config, {}, dotenv=dotenv).exposed] == [str(dotenv)]


def test_credentials_of_systemd_are_read_and_their_modes_are_its_own_business(
    tmp_path: Path, config: Path
) -> None:
    """systemd shows them to the service by an access list, which the mode bits show as the group's."""
    file = written(tmp_path / "credentials", "connections__main__token", TOKEN + "\n", 0o440)
    settings = load(config, {"CREDENTIALS_DIRECTORY": str(file.parent)}, dotenv=tmp_path / "none")
    token = settings.connections["main"].token
    assert token is not None
    assert token.get_secret_value() == TOKEN
    assert settings.exposed == []


@pytest.mark.usefixtures("hurried")
def test_check_warns_of_what_others_may_read(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "secrets", "connections__main__token", TOKEN, 0o644)
    config.write_text(config.read_text() + 'base_url = "http://127.0.0.1:1"\n')
    monkeypatch.setenv("ICP_SYNC_SECRETS", str(file.parent))
    found = json.loads(command("check", "--json", "--config", str(config)).stdout)["problems"]
    assert any(one["where"] == str(file) and one["severity"] == "warning" for one in found)


def test_a_credential_nobody_knows_is_an_error(tmp_path: Path, config: Path) -> None:
    file = written(tmp_path / "credentials", "tokn", TOKEN, 0o400)
    with pytest.raises(ConfigError, match="is no setting") as caught:
        load(config, {"CREDENTIALS_DIRECTORY": str(file.parent)}, dotenv=tmp_path / "none")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("address", ["http://api.hubapi.com", "http://10.0.0.1", "http://127.0.0.1.evil.com"])
def test_plain_http_is_for_this_machine_only(address: str, tmp_path: Path, config: Path) -> None:
    given = {"ICP_SYNC_CONNECTIONS__MAIN__TOKEN": TOKEN, "ICP_SYNC_CONNECTIONS__MAIN__BASE_URL": address}
    with pytest.raises(ConfigError, match="in the clear"):
        load(config, given, dotenv=tmp_path / "none")


def test_passwords_of_the_journal_and_of_proxies_count_as_secrets(tmp_path: Path, config: Path) -> None:
    given = {
        "ICP_SYNC_CONNECTIONS__MAIN__TOKEN": TOKEN,
        "ICP_SYNC_JOURNAL": "postgresql+psycopg://us:p%40ss@db/x?sslpassword=key-word",
    }
    settings = load(config, given, dotenv=tmp_path / "none")
    found = set(secrets(settings, {"https_proxy": "http://me:proxy-word@proxy:3128"}))
    assert found == {TOKEN, "p%40ss", "p@ss", "key-word", "proxy-word"}
