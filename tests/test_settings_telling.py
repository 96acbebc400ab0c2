"""Whom the settings let be told, and what they refuse: an address is a secret, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.errors import ConfigError
from icp_sync.settings import Settings, load

URL = "https://hooks.slack.com/services/T000/B000/abcdefghijkl"


def loaded(folder: Path, telling: str, environ: dict[str, str] | None = None) -> Settings:
    file = folder / "icp-sync.toml"
    file.write_text(
        f'[connections.main]\ntoken = "pat-na1-0123456789"\nprofiles = ["a.yaml"]\n{telling}\n', "utf-8"
    )
    return load(file, environ or {}, dotenv=folder / "none")


def problem(folder: Path, telling: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, telling)
    return str(caught.value)


def test_nobody_is_told_unless_somebody_says_so(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert not settings.connections["main"].telling.telling.on
    assert settings.notify.url is None


def test_the_address_comes_from_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[connections.main.telling]\nby = "webhook"\ntiers = ["A", "B", "A"]\ndigest = "off"',
        {"ICP_SYNC_CONNECTIONS__MAIN__TELLING__URL": URL, "ICP_SYNC_NOTIFY__URL": URL},
    )
    said = settings.connections["main"].telling
    assert (said.tiers, said.digest, said.telling.digest) == (["A", "B"], None, 0.0)
    assert "abcdefghijkl" not in repr(settings)


@pytest.mark.parametrize(
    ("telling", "expected"),
    [
        ('by = "webhook"', "url is missing"),
        ('by = "mail"', "telling.by"),
        ('by = "task"\ntiers = ["S"]', "there is no tier 'S'"),
        ('by = "task"\ndigest = "10s"', "at least 5m"),
        ('by = "task"\nhour = 24', "telling.hour"),
        ('by = "task"\nrecord_url = "https://crm.example.com/"', "{id}"),
        ('by = "webhook"\nurl = "http://example.com/hook/abcdefghijkl"', "plain http"),
        ('by = "webhook"\nurl = "ftp://example.com/hook/abcdefghijkl"', "not a web address"),
        ('by = "webhook"\nurl = "https://me:pw@example.com/abcdefghijkl"', "no user, password"),
        (f'by = "webhook"\nurl = "{URL}"\nsecret = "a-long-enough-secret"', "is signed"),
        (f'by = "webhook"\nformat = "json"\nurl = "{URL}"\nsecret = "short"', "shorter than 16"),
    ],
)
def test_a_mistake_is_named_without_the_address(tmp_path: Path, telling: str, expected: str) -> None:
    said = problem(tmp_path, f"[connections.main.telling]\n{telling}")
    assert expected in said
    assert "abcdefghijkl" not in said


def test_plain_http_is_for_this_machine_and_a_query_belongs_to_the_address(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:9/hook", "https://internal.example.corp/x?token=0123456789abcdef"):
        settings = loaded(tmp_path, f'[notify]\nurl = "{url}"')
        assert settings.notify.url is not None
        assert settings.notify.url.get_secret_value() == url
