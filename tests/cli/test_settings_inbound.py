"""Who may send events: what a settings file may say of them, and what it must not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icp_sync.errors import ConfigError
from icp_sync.observe import redact
from icp_sync.settings import Settings, load
from tests.cli.conftest import Place, command

SECRET = "c0rrect-horse-battery"
BASE = """
[connections.main]
token = "pat-na1-0123456789"
profiles = ["x.yaml"]
"""


def loaded(folder: Path, more: str, **environ: str) -> Settings:
    file = folder / "x.toml"
    file.write_text(BASE + more)
    return load(file, {f"ICP_SYNC_{name}": value for name, value in environ.items()}, dotenv=folder / "none")


def test_a_secret_comes_from_the_environment_or_a_secret_file_and_is_never_shown(tmp_path: Path) -> None:
    said = "[connections.main.inbound.lead_pipe]\nkind = 'leadpipe'\n"
    settings = loaded(tmp_path, said, CONNECTIONS__MAIN__INBOUND__LEAD_PIPE__SECRET=SECRET)
    source = settings.connections["main"].inbound["lead_pipe"]
    assert source.secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert redact(f"x {SECRET} y") == "x [redacted] y"
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "connections__main__inbound__lead_pipe__secret").write_text(SECRET + "\n")
    by_file = loaded(tmp_path, said, SECRETS=str(secrets))
    assert by_file.connections["main"].inbound["lead_pipe"].secret == source.secret


def test_by_default_nobody_may_send_and_no_port_is_open(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert (settings.inbound.port, settings.inbound.host) == (0, "127.0.0.1")
    assert settings.connections["main"].inbound == {}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("[connections.main.inbound.x]\nkind = 'leadpipe'", "CONNECTIONS__MAIN__INBOUND__X__SECRET"),
        ("[connections.main.inbound.x]\nkind = 'clay'\nsecret = 'short'", "shorter than 16 characters"),
        ("[connections.main.inbound.x]\nkind = 'clay'\nsecret = '<your secret here>'", "placeholder"),
        (f"[connections.main.inbound.x]\nsecret = '{SECRET}'", "it would teach us nothing"),
        (f"[connections.main.inbound.x]\nsecret = '{SECRET}'\nvisits = true", "domain is missing"),
        (f"[connections.main.inbound.'X y']\nkind = 'clay'\nsecret = '{SECRET}'", "is no name"),
        (f"[connections.main.inbound.x]\nkind = 'clai'\nsecret = '{SECRET}'", "'clay'"),
        (f"[connections.main.inbound.x]\nkind = 'clay'\nheader = 'a b'\nsecret = '{SECRET}'", "HTTP header"),
        (f"[connections.main.inbound.x]\nkind = 'clay'\nkeep = 'long'\nsecret = '{SECRET}'", "duration"),
        (f"[connections.main.inbound.x]\nkind = 'clay'\nsecrets = 1\nsecret = '{SECRET}'", "unknown setting"),
        (
            "[connections.main.inbound.x.facts]\nrevenue = {from = 'a', currency = 'usd'}\n"
            f"[connections.main.inbound.x]\nkind = 'clay'\nsecret = '{SECRET}'",
            "a code such as USD",
        ),
        ("[inbound]\nport = 70000", "inbound.port"),
        ("[inbound]\npublic_url = 'http://example.com'", "plain http"),
        ("[inbound]\nown_domains = ['not a domain']", "is no domain of a company"),
        ("[inbound]\nmax_body = 1", "inbound.max_body"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_quoted_where_it_is_secret(
    tmp_path: Path, more: str, says: str
) -> None:
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, more)
    told = "\n".join(f"{p} {p.hint}" for p in wrong.value.problems)
    assert says in told or any(says in p.where.replace("\\", "") for p in wrong.value.problems)
    assert SECRET not in told


def test_check_tells_what_cannot_be_listened_to(place: Place) -> None:
    section = f"[connections.main.inbound.x]\nkind = 'clay'\nsecret = '{SECRET}'\n"
    place.write(section + "domain = 'a['")
    problems = {one["where"]: one["what"] for one in place.json("check", code=2)["problems"]}
    assert "not a JMESPath expression" in problems["connections.main.inbound.x.domain"]
    assert problems["inbound.port"] == "events are expected, and there is no port to send them to"
    place.write(section)
    checked = command("check", "--json", "--config", str(place.config))
    assert checked.exit_code in (0, 2), (
        "nothing of this is an error; another test may have provisioned the CRM"
    )
    assert json.loads(checked.stdout)["passed"]["inbound"] == "x"
