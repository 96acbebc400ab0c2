"""Settings come from four places in a stated order; each problem is named at its place; no secret shows."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from icp_sync.domain.facts import FactType
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import ConfigError
from icp_sync.settings import Outputs, Settings, keys, load
from icp_sync.settings.console import ConsoleServer

CONFIG = Path(__file__).parents[1] / "config"
TOKEN = "pat-eu1-0badcafe-0000-4000-8000-c0ffee000001"
MAIN = "ICP_SYNC_CONNECTIONS__MAIN__"
SOUND = {MAIN + "TOKEN": TOKEN, MAIN + "PROFILES": "config/profiles/a.yaml"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def secret(held: SecretStr | None) -> str:
    assert held is not None
    return held.get_secret_value()


def problems(environ: dict[str, str], path: Path | None = None) -> dict[str, str]:
    """Where → what (and the hint) of everything wrong."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    shown = "\n".join(map(str, caught.value.problems)) + str(caught.value) + repr(caught.value)
    assert TOKEN not in shown
    return {p.where: f"{p.what} ({p.hint})" for p in caught.value.problems}


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_configured_is_a_local_journal_and_no_connection() -> None:
    settings = load(environ={})
    assert settings.journal == "sqlite:///state/icp-sync.sqlite"
    assert (settings.seal_file, settings.connections) == (Path("state/seal.key"), {})
    assert (settings.health.host, settings.health.port) == ("127.0.0.1", 8787)
    assert (settings.log.level, settings.log.as_json) == ("info", False)


def test_the_environment_gives_a_whole_connection() -> None:
    settings = load(
        environ=SOUND
        | {
            "ICP_SYNC_LOG__JSON": "true",
            "ICP_SYNC_LOG__LEVEL": "DEBUG",
            "ICP_SYNC_HEALTH__PORT": "0",
            MAIN + "PROFILES": '["a.yaml", "b.yaml"]',
            MAIN + "SCHEDULE__POLL": "5m",
            MAIN + "QUOTA__BURST": "100",
            MAIN + "OUTPUTS__NAMES__LANE": "next_step",
            MAIN + "CUSTOM_FACTS": '{"seats": "number"}',
            MAIN + "FACTS": '[{"property": "seats__c", "fact": "seats"}]',
            MAIN + "ENRICHERS": '[{"use": "public_companies"}]',
        }
    )
    name, main = settings.connection()
    assert (name, settings.log.as_json, settings.log.level, settings.health.port) == (
        "main",
        True,
        "debug",
        0,
    )
    assert secret(main.token) == TOKEN
    assert main.profiles == [Path("a.yaml"), Path("b.yaml")]
    assert (main.schedule.poll, main.schedule.sweep, main.quota.burst) == (300.0, 86_400.0, 100)
    assert main.field_properties["lane"] == "next_step"
    assert main.custom_facts == {"seats": FactType.NUMBER}
    assert (main.facts, main.enrichers) == (
        [{"property": "seats__c", "fact": "seats"}],
        [{"use": "public_companies"}],
    )


def test_a_token_that_looks_like_a_number_stays_a_text() -> None:
    _, main = load(environ=SOUND | {MAIN + "TOKEN": "012345e10"}).connection()
    assert secret(main.token) == "012345e10"


def test_several_profiles_may_be_named_with_commas() -> None:
    _, main = load(environ=SOUND | {MAIN + "PROFILES": "a.yaml, b.yaml"}).connection()
    assert main.profiles == [Path("a.yaml"), Path("b.yaml")]


def test_environment_then_dotenv_then_secret_file_then_toml() -> None:
    four = '[connections.main]\ntoken="four-4"\nprofiles=["four.yaml"]\n[connections.main.quota]\nsearch=4\n'
    written("config/icp-sync.toml", four)
    secrets = written("run/connections__main__token", "three-3\n").parent
    written("run/ICP_SYNC_CONNECTIONS__MAIN__PATH_VERSION", "2026-09")
    environ = {"CREDENTIALS_DIRECTORY": str(secrets)}

    def read() -> tuple[str, int, str]:
        _, main = load(environ=environ).connection()
        return secret(main.token), main.quota.search, main.path_version

    assert read() == ("three-3", 4, "2026-09")
    written(".env", f"OTHER=1\n{MAIN}TOKEN=two-2\n{MAIN}QUOTA__SEARCH=2\n")
    assert read() == ("two-2", 2, "2026-09")
    environ[MAIN + "TOKEN"] = "one-1"
    assert read() == ("one-1", 2, "2026-09")


def test_the_toml_file_is_the_one_given_or_named_or_the_usual_one() -> None:
    for number, name in enumerate(("given.toml", "named.toml", "config/icp-sync.toml")):
        written(name, f"[health]\nport = {number}\n")
    named = {"ICP_SYNC_CONFIG": "named.toml"}
    assert load(Path("given.toml"), named).health.port == 0
    assert load(None, named).health.port == 1
    assert load(None, {}).health.port == 2
    written(".env", "ICP_SYNC_CONFIG=given.toml\n")
    assert load(None, {}).health.port == 0


def test_a_file_that_was_asked_for_and_is_not_there_is_a_problem() -> None:
    assert "cannot be read" in problems({"ICP_SYNC_CONFIG": "absent.toml"})["absent.toml"]
    assert "cannot be listed" in problems({"ICP_SYNC_SECRETS": "absent"})["absent"]


def test_every_problem_is_named_at_its_own_source_at_once() -> None:
    path = written(
        "x.toml",
        "[connections.main]\n"
        'crm = "pipedrive"\nprofiles = []\ncolour = "red"\n[connections.main.quota]\nsearch = 0\n'
        '[connections.main.schedule]\nsweeep = "1d"\nlag = "soon"\n'
        "[logg]\nlevel = 1\n",
    )
    written(".env", f"{MAIN}BASE_URL=http://crm.example.com\n")
    found = problems(
        {
            "ICP_SYNC_HEALTH__PORT": "99999",
            "ICP_SYNC_LOG__LEVEL": "loud",
            "ICP_SYNC_JURNAL": "x",
            "ICP_SYNC_JOURNAL": "mysql://root:hunter2@db/x",
            MAIN + "OUTPUTS__PREFIX": "ICP ",
        },
        path,
    )
    expected = {
        "ICP_SYNC_HEALTH__PORT": "less than or equal to 65535",
        "ICP_SYNC_LOG__LEVEL": "'debug', 'info'",
        "ICP_SYNC_JURNAL": "did you mean ICP_SYNC_JOURNAL?",
        "ICP_SYNC_JOURNAL": "write sqlite:///",
        ".env: " + MAIN + "BASE_URL": "plain http would send the token in the clear",
        "connections.main.outputs": "tier cannot be 'ICP tier'",
        "x.toml: connections.main.crm": "should be 'hubspot'",
        "x.toml: connections.main.quota.search": "greater than or equal to 1",
        "x.toml: connections.main.profiles": "at least 1",
        "x.toml: connections.main.colour": "unknown setting",
        "x.toml: connections.main.schedule.sweeep": "did you mean connections.<name>.schedule.sweep?",
        "x.toml: connections.main.schedule.lag": "a duration is wanted",
        "x.toml: logg": "did you mean log",
        "connections.main.token": "ICP_SYNC_CONNECTIONS__MAIN__TOKEN",
    }
    assert found.keys() == expected.keys()
    for where, said in expected.items():
        assert said in found[where], (where, found[where])
    assert "hunter2" not in str(found)


def test_broken_toml_is_named_with_line_and_column() -> None:
    path = written("x.toml", "[health]\nport = = 1\n")
    assert "not valid TOML" in problems({}, path)["x.toml:2:8"]


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        (b"[connections.main]\nprofiles = [\n", "x.toml", "not valid TOML"),
        (b"[connections.main]\nname = 'M\xfcller'\n", "x.toml", "not UTF-8 text (save as UTF-8)"),
        (b"x" * 1_000_001, "x.toml", "larger than 1,000,000 bytes"),
        (b"x = " + b"[" * 99_999, "x.toml", "nested too deeply"),
        (None, "x.toml", "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_hides_no_other_and_invents_none(
    content: bytes | None, where: str, said: str
) -> None:
    if content is not None:
        Path("x.toml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(Path("x.toml"), {MAIN + "TOKEN": TOKEN})
    [problem] = caught.value.problems
    assert problem.where == where
    assert said in str(problem)
    assert caught.value.next_step == "correct the file, then icp-sync check"


def test_a_folder_or_a_device_is_no_settings_file() -> None:
    assert "is a directory" in problems({}, Path("."))["."]
    assert "no regular file" in problems({}, Path(os.devnull))[os.devnull]


def test_text_where_a_list_is_wanted_is_named_without_being_quoted() -> None:
    found = problems(SOUND | {MAIN + "ENRICHERS": '[{"use": "x"'})
    assert list(found) == [MAIN + "ENRICHERS"]
    assert "valid list" in found[MAIN + "ENRICHERS"]


def test_what_kubernetes_sets_beside_a_service_of_our_name_is_not_ours() -> None:
    load(
        environ={
            "ICP_SYNC_PORT": "tcp://10.0.0.1:8787",
            "ICP_SYNC_PORT_8787_TCP_PROTO": "tcp",
            "ICP_SYNC_SERVICE_HOST": "10.0.0.1",
            "ICP_SYNC_FAULT": "x",
        }
    )


def test_a_secret_file_that_is_no_setting_is_a_problem_and_not_ignored() -> None:
    written("run/hubspot_token", TOKEN)
    found = problems({"ICP_SYNC_SECRETS": "run"})
    assert "name it like connections__main__token" in found["run/hubspot_token"]


def test_hidden_files_and_folders_among_secrets_are_passed_over() -> None:
    written("run/.hidden", "x")
    written("run/folder/x", "x")
    load(environ={"ICP_SYNC_SECRETS": "run"})


def test_a_secret_file_that_is_no_text_is_named() -> None:
    written("run/x", "").unlink()
    Path("run/connections__main__token").write_bytes(b"\xff\xfe")
    assert "cannot be read as UTF-8" in problems({"ICP_SYNC_SECRETS": "run"})["run/connections__main__token"]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "  ",
        "pat-na1-xxxxxxxx-xxxx",
        "changeme",
        "<your token>",
        "your-token-here",
        "$TOKEN",
        "...",
        "xxx",
        "TODO",
    ],
)
def test_a_token_that_is_none_names_the_variable_to_set(token: str) -> None:
    found = problems(SOUND | {MAIN + "TOKEN": token})
    assert found == {
        MAIN + "TOKEN": "empty, or a placeholder "
        "(put a HubSpot Service Key into ICP_SYNC_CONNECTIONS__MAIN__TOKEN, "
        "or into the secret file connections__main__token under ICP_SYNC_SECRETS)"
    }


def test_a_missing_token_is_never_asked_for_in_the_file() -> None:
    path = written("x.toml", '[connections.main]\nprofiles = ["a"]\n')
    [hint] = problems({}, path).values()
    assert "ICP_SYNC_CONNECTIONS__MAIN__TOKEN" in hint
    assert "connections__main__token" in hint
    assert "in the file" not in hint


@pytest.mark.parametrize("token", [TOKEN + "\nX-Header: y", "päss", "a b"])
def test_a_token_no_header_can_carry_is_refused(token: str) -> None:
    assert "no token has" in problems(SOUND | {MAIN + "TOKEN": token})[MAIN + "TOKEN"]


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://api.hubapi.com/", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://localhost.evil.com", False),
        ("http://api.hubapi.com", False),
        ("https://user:pw@api.hubapi.com", False),
        ("https://api.hubapi.com?x=1", False),
        ("ftp://api.hubapi.com", False),
        ("api.hubapi.com", False),
        ("https://", False),
        ("https://x:99999", False),
        ("https://[", False),
    ],
)
def test_only_https_or_this_machine_is_called(url: str, fine: bool) -> None:
    environ = SOUND | {MAIN + "BASE_URL": url}
    if fine:
        assert load(environ=environ).connection()[1].base_url == url.rstrip("/")
    else:
        assert list(problems(environ)) == [MAIN + "BASE_URL"]


@pytest.mark.parametrize("name", ["Main", "a b", "a__b", "1a", "x" * 33, "a-b"])
def test_a_connection_is_named_so_that_a_variable_can_name_it(name: str) -> None:
    path = written("x.toml", f'[connections."{name}"]\ntoken="{TOKEN}"\nprofiles=["a"]\n')
    assert "no name for a connection" in problems({}, path)[f"x.toml: connections.{name}"]


def test_a_badly_named_connection_hides_no_other_problem() -> None:
    path = written(
        "x.toml",
        f'[connections.main]\ntoken="{TOKEN}"\nprofiles=[]\n[connections.EU-West]\ncolour=1\n[logg]\n',
    )
    assert problems({}, path).keys() == {
        "x.toml: connections.main.profiles",
        "x.toml: connections.EU-West",
        "x.toml: connections.EU-West.colour",
        "x.toml: logg",
        "connections.EU-West.token",
        "connections.EU-West.profiles",
    }


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("CUSTOM_FACTS", '{"employees": "number"}', "in the catalogue already"),
        ("CUSTOM_FACTS", '{"Seats!": "number"}', "no name for a fact"),
        ("ENRICHERS", '[{"path": "x"}]', "number 1 has no `use`"),
        ("PROFILES", "a.yaml,a.yaml", "named twice: a.yaml"),
        ("OUTPUTS__NAMES", '{"teir": "x"}', "no field of ours is called teir"),
        ("OUTPUTS__NAMES", '{"tier": "Tier!"}', "tier cannot be 'Tier!'"),
        ("OUTPUTS__NAMES", '{"tier": "hs_lead_status"}', "the CRM's own properties begin so"),
        ("OUTPUTS__NAMES", '{"tier": "icp_lane"}', "tier and lane as 'icp_lane'"),
        ("OUTPUTS__GROUP", "Fit!", "a group is"),
    ],
)
def test_a_setting_that_makes_no_sense_says_so(key: str, value: str, said: str) -> None:
    (found,) = problems(SOUND | {MAIN + key: value}).items()
    assert found[0].startswith(MAIN.rstrip("_")) or found[0] == "connections.main.outputs"
    assert said in found[1]


def test_one_connection_needs_no_name_and_several_are_listed() -> None:
    one = load(environ=SOUND)
    assert one.connection("main") == one.connection() == ("main", one.connections["main"])
    two = load(
        environ=SOUND | {k.replace("MAIN", "EU_WEST"): v for k, v in SOUND.items()},
    )
    assert two.connection("eu_west")[0] == "eu_west"
    for configured, name, said in (
        (two, None, "there are several connections: main, eu_west (name one with --connection)"),
        (two, "us", "there is no connection 'us' (there are: main, eu_west)"),
        (Settings(), None, "there is no connection (see config/icp-sync.example.toml)"),
        (
            load(environ={}),
            None,
            f"there is no connection, and no settings file {Path('config/icp-sync.toml').absolute()}",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            configured.connection(name)
        assert str(caught.value) == f"connections: {said}"


def test_outputs_name_every_field_by_prefix_footprint_and_switch() -> None:
    full = Outputs().field_properties("hubspot")
    assert full == {name: f"icp_{name}" for name, field in FIELDS.items() if not field.native}
    minimal = Outputs(footprint="minimal", prefix="fit_", names={"tier": "fit_grade"}).field_properties(
        "hubspot"
    )
    assert set(minimal) == {name for name, field in FIELDS.items() if field.minimal}
    assert (minimal["tier"], minimal["lane"]) == ("fit_grade", "fit_lane")
    natives = Outputs(owner=True, native_tier=True, target_account=True).field_properties("hubspot")
    assert {name: natives[name] for name in natives if FIELDS[name].native} == {
        "owner": "hubspot_owner_id",
        "native_tier": "hs_ideal_customer_profile",
        "target_account": "hs_is_target_account",
    }


def test_on_salesforce_fields_are_named_as_api_names_are() -> None:
    full = Outputs(owner=True).field_properties("salesforce")
    assert (full["tier"], full["fit_score"], full["owner"]) == ("ICP_Tier__c", "ICP_Fit_Score__c", "OwnerId")
    own = Outputs(prefix="acme_", names={"lane": "Next_Step__c"}).field_properties("salesforce")
    assert (own["tier"], own["lane"]) == ("Acme_Tier__c", "Next_Step__c")


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"native_tier": True}, "salesforce has no native_tier of its own"),
        ({"names": {"tier": "icp_tier"}}, "tier cannot be 'icp_tier': the API name of a custom field"),
        ({"names": {"tier": "A__b__c"}}, "tier cannot be 'A__b__c'"),
        ({"names": {"tier": "x" * 41 + "__c"}}, "at most 40"),
        ({"names": {"tier": "icp_LANE__c"}}, "two fields would share one property"),
    ],
)
def test_an_output_salesforce_cannot_carry_says_so(outputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Outputs(**outputs).check("salesforce")


ORG = {
    "ICP_SYNC_CONNECTIONS__ORG__CRM": "salesforce",
    "ICP_SYNC_CONNECTIONS__ORG__PROFILES": "a.yaml",
    "ICP_SYNC_CONNECTIONS__ORG__SALESFORCE__MY_DOMAIN": "https://Acme.my.salesforce.com/",
    "ICP_SYNC_CONNECTIONS__ORG__SALESFORCE__CONSUMER_KEY": "3MVG9-key",
    "ICP_SYNC_CONNECTIONS__ORG__SALESFORCE__CONSUMER_SECRET": "hunter2-secret",
}


def org(**changed: str | None) -> dict[str, str]:
    section = "ICP_SYNC_CONNECTIONS__ORG__SALESFORCE__"
    merged = {**ORG, **{section + name.upper(): value for name, value in changed.items()}}
    return {name: value for name, value in merged.items() if value is not None}


def test_an_org_is_opened_by_its_own_domain_and_an_app() -> None:
    _, made = load(environ=ORG).connection()
    assert made.salesforce is not None
    assert (made.address, made.salesforce.my_domain, made.token) == (
        "https://acme.my.salesforce.com",
        "acme.my",
        None,
    )
    assert "hunter2" not in f"{made!r} {made.model_dump()}"


PEM = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"


def test_an_org_may_be_opened_by_a_signed_token_or_a_session_instead() -> None:
    signed = org(consumer_secret=None, username="icp@acme.com", private_key=PEM)
    made = load(environ=signed).connections["org"].salesforce
    assert made is not None
    assert made.private_key is not None
    assert made.private_key.get_secret_value() == PEM
    assert load(environ=org(consumer_key=None, consumer_secret=None, session_id="00D!AQ")).connections


@pytest.mark.parametrize(
    ("changed", "where", "said"),
    [
        ({"my_domain": None}, "my_domain", "is missing"),
        ({"my_domain": "login"}, "my_domain", "everybody's"),
        ({"my_domain": "acme my"}, "my_domain", "for example acme.my"),
        ({"my_domain": "acme"}, "my_domain", "did you mean acme.my?"),
        ({"my_domain": "https://acme.lightning.force.com/one"}, "my_domain", "did you mean acme.my?"),
        ({"my_domain": "acme--uat.sandbox"}, "my_domain", "did you mean acme--uat.sandbox.my?"),
        ({"consumer_key": None}, "consumer_key", "is missing"),
        ({"consumer_secret": None}, "consumer_secret", "is missing"),
        ({"consumer_secret": None, "private_key": PEM}, "consumer_secret", "is missing"),
        ({"consumer_secret": "changeme"}, "consumer_secret", "placeholder"),
        ({"private_key": "MII…"}, "private_key", "PEM"),
        ({"api_version": "40.0"}, "api_version", "from 58.0 on"),
        ({"api_version": "latest"}, "api_version", "from 58.0 on"),
        ({"vacant_owners": '["nobody"]'}, "vacant_owners", "emails are wanted"),
    ],
)
def test_what_is_wrong_with_an_org_is_said_at_its_place(
    changed: dict[str, str | None], where: str, said: str
) -> None:
    (problem,) = problems(org(**changed)).items()
    assert where.upper() in problem[0].upper()
    assert said in problem[1]


def test_a_portal_has_no_section_of_an_org_and_an_org_needs_one() -> None:
    assert (
        "is missing"
        in problems({k: v for k, v in ORG.items() if "SALESFORCE__" not in k})["connections.org.salesforce"]
    )
    wrong = problems(
        {**ORG, "ICP_SYNC_CONNECTIONS__ORG__CRM": "hubspot", MAIN.replace("MAIN", "ORG") + "TOKEN": TOKEN}
    )
    assert 'crm = "salesforce" only' in wrong["connections.org.salesforce"]


def test_no_secret_shows_in_what_might_be_printed() -> None:
    made = load(
        environ=SOUND
        | {
            "ICP_SYNC_JOURNAL": "postgresql+psycopg://icp:hunter2@db/icp",
            MAIN + "ENRICHERS": json.dumps([{"use": "x", "api_key": "hunter3", "path": "p"}]),
        }
    )
    shown = f"{made!r} {made} {made.connection()!r} {made.connections['main'].model_dump()}"
    assert not any(secret in shown for secret in (TOKEN, "hunter2", "hunter3"))
    key = made.connections["main"].enrichers[0]["api_key"]
    assert isinstance(key, SecretStr)
    assert key.get_secret_value() == "hunter3"


def test_settings_made_directly_read_nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICP_SYNC_HEALTH__PORT", "1")
    written("config/icp-sync.toml", "[health]\nport = 2\n")
    assert Settings().health.port == 8787
    assert load().health.port == 1


NAMES = st.sampled_from([key.upper().replace("<NAME>", "MAIN").replace(".", "__") for key in keys()])
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(
        ["[", "{", "[1]", '{"a": 1}', '[{"use": 1}]', "null", "1", "60s", "-1", "NaN", "[" * 2000]
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.one_of(NAMES, st.sampled_from(["CONNECTIONS", "CONNECTIONS__MAIN", "LOG"])), VALUES)
)
def test_any_environment_is_settings_or_has_problems(given_: dict[str, str]) -> None:
    environ = {f"ICP_SYNC_{name}": value for name, value in given_.items()}
    try:
        load(None, environ)
    except ConfigError as error:
        found: list[Any] = error.problems
        assert all(problem.where for problem in found)


def test_the_shipped_example_is_sound_and_shows_every_setting() -> None:
    text = (CONFIG / "icp-sync.example.toml").read_text(encoding="utf-8")
    as_shipped = written("x.toml", text)
    secrets = {MAIN + "TOKEN": TOKEN}
    assert load(as_shipped, secrets).connection()[0] == "main"
    secrets["ICP_SYNC_CONNECTIONS__ACME__SALESFORCE__CONSUMER_SECRET"] = TOKEN
    secrets["ICP_SYNC_CONNECTIONS__ACME__SALESFORCE__PRIVATE_KEY"] = PEM
    secrets["ICP_SYNC_CONNECTIONS__ACME__SALESFORCE__SESSION_ID"] = TOKEN
    secrets[MAIN + "INBOUND__VISITORS__SECRET"] = TOKEN
    settings_only = [
        line.removeprefix("# ")
        for line in text.splitlines()
        if re.match(r"(# )?(\[+[\w.]+\]+($| )|\w+ = |\[connections.main\])", line)
    ]
    everything = written("y.toml", "\n".join(settings_only))
    loaded = load(everything, secrets)
    as_usual = Settings(console=loaded.console)  # shows a user, a certificate and a key beside its defaults
    assert loaded.model_dump(exclude={"connections"}) == as_usual.model_dump(exclude={"connections"})
    assert loaded.console.model_dump(exclude={"users", "certificate", "key"}) == ConsoleServer().model_dump(
        exclude={"users", "certificate", "key"}
    )
    assert list(loaded.console.users) == ["ada"]
    main = loaded.connections["main"]
    assert (len(main.facts), len(main.enrichers), main.custom_facts) == (2, 3, {"seats": FactType.NUMBER})
    for key in keys():
        assert key.split(".")[-1] in text, key


def test_every_setting_is_in_the_readme() -> None:
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    for key in keys():
        assert f"`{key}`" in text, key
    for variable in ("ICP_SYNC_CONFIG", "ICP_SYNC_SECRETS", "CREDENTIALS_DIRECTORY"):
        assert variable in text
    assert os.sep not in "".join(keys())
