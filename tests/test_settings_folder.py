"""Many portals: a file each in a folder, what all have is said once, and a broken one stops no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.errors import ConfigError
from icp_sync.settings import Settings, load, load_each

TOKEN = "pat-eu1-0badcafe-0000-4000-8000-c0ffee000001"
MAIN = Path("config/icp-sync.toml")
PROFILE = 'profiles = ["config/profiles/a.yaml"]\n'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(name: str | Path, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def portal(name: str, text: str = PROFILE) -> Path:
    return written(f"config/connections/{name}.toml", text)


def tokens(*names: str) -> dict[str, str]:
    return {f"ICP_SYNC_CONNECTIONS__{name.upper()}__TOKEN": TOKEN for name in names}


def refused(environ: dict[str, str], only: list[str] | None = None) -> dict[str, str]:
    """Where → what (and the hint) of everything wrong."""
    with pytest.raises(ConfigError) as caught:
        load(environ=environ, only=only)
    assert TOKEN not in f"{caught.value!r}{caught.value}"
    assert len({p.where for p in caught.value.problems}) == len(caught.value.problems)
    return {p.where: f"{p.what} ({p.hint})" for p in caught.value.problems}


def test_each_file_of_the_folder_beside_the_settings_is_a_connection() -> None:
    written(MAIN, "[connections.main]\n" + PROFILE)
    portal("acme", PROFILE + "[quota]\nburst = 100\n")
    portal("initech")
    for passed_over in ("README.md", ".acme.toml.swp", ".hidden.toml", "acme.toml.before", "off.toml.txt"):
        written(f"config/connections/{passed_over}", "= no settings")
    loaded = load(environ=tokens("main", "acme", "initech"))
    assert list(loaded.connections) == ["main", "acme", "initech"]
    assert loaded.connections["acme"].quota.burst == 100
    assert loaded.connections["acme"].profiles == [Path("config/profiles/a.yaml")]
    assert loaded.connections_folder == Path("config/connections")


def test_the_folder_may_be_another_and_must_then_be_there() -> None:
    written("elsewhere/acme.toml", PROFILE)
    portal("initech")
    written(MAIN, 'connections_folder = "elsewhere"\n')
    assert list(load(environ=tokens("acme")).connections) == ["acme"]
    told = {"ICP_SYNC_CONNECTIONS_FOLDER": "config/connections"}
    assert list(load(environ=tokens("initech") | told).connections) == ["initech"]
    assert "cannot be listed" in refused({"ICP_SYNC_CONNECTIONS_FOLDER": "absent"})["absent"]
    assert load(environ={"ICP_SYNC_CONNECTIONS_FOLDER": ""} | tokens("initech")).names == ("initech",)


def test_without_a_folder_there_is_none() -> None:
    written(MAIN, "")
    assert load(environ={}).connections_folder is None
    portal("acme")
    MAIN.unlink()
    assert load(environ={}).connections == {}


def test_environment_dotenv_and_secret_file_outrank_a_connections_own_file() -> None:
    written(MAIN, "")
    portal("acme", PROFILE + "[quota]\nsearch = 1\nburst = 10\n[backfill]\nwave = 7\n")
    secrets = written("run/connections__acme__token", TOKEN).parent
    written("run/connections__acme__quota__search", "2")
    environ = {"CREDENTIALS_DIRECTORY": str(secrets), "ICP_SYNC_CONNECTIONS__ACME__QUOTA__BURST": "20"}
    acme = load(environ=environ).connections["acme"]
    assert (acme.quota.search, acme.quota.burst, acme.backfill.wave) == (2, 20, 7)


def test_every_problem_names_the_file_and_suggests_in_its_words() -> None:
    written(MAIN, "")
    portal("acme", PROFILE + "[quota]\nbrst = 1\n[schedule]\npoll = 5\n")
    portal("initech", "[connections.initech]\n" + PROFILE)
    portal("globex", "crm = 1\n= 2\n")
    portal("hooli", "crm = 'hubspot'\n")
    written("config/connections/Big Corp.toml", PROFILE)
    Path("config/connections/folder.toml").mkdir()
    found = refused(tokens("acme", "initech", "globex", "hooli"))
    at = "config/connections/"
    assert found[f"{at}acme.toml: quota.brst"] == "unknown setting (did you mean quota.burst?)"
    assert "a duration is wanted" in found[f"{at}acme.toml: schedule.poll"]
    assert "without `connections.initech`" in found[f"{at}initech.toml: connections"]
    assert "not valid TOML" in found[f"{at}globex.toml:2:1"]
    assert "profiles is missing" in found["connections.hooli.profiles"]
    assert "is no name for a connection" in found[f"{at}Big Corp.toml"]
    assert "is a directory" in found[f"{at}folder.toml"]
    assert "token is missing" in found["connections.Big Corp.token"]
    assert len(found) == 8


def test_a_name_in_both_places_is_refused_with_both() -> None:
    written(MAIN, "[connections.acme]\n" + PROFILE)
    portal("acme")
    found = refused(tokens("acme"))
    assert found == {
        "config/connections/acme.toml": "the connection 'acme' is also in config/icp-sync.toml: "
        "connections.acme (keep one of the two)"
    }


def test_a_broken_file_stops_no_command_about_another_connection() -> None:
    written(MAIN, "")
    portal("acme")
    portal("broken", "crm = 1\n= 2\n")
    environ = tokens("acme")
    assert list(load(environ=environ, only=["acme"]).connections) == ["acme"]
    assert list(refused(environ, only=["broken"])) == ["config/connections/broken.toml:2:1"]
    assert load(environ=environ, only=["acme"]).names == ("acme", "broken")


def test_a_name_nobody_can_read_is_told_spelled_out() -> None:
    portal("acme")
    written(MAIN, "")
    for name in (b"m\xfcnchen", b"x\x1b[31my"):
        Path(os.fsdecode(b"config/connections/" + name + b".toml")).write_text(PROFILE)
    broken = load_each(environ=tokens("acme")).broken
    assert list(broken) == ["m\\udcfcnchen", "x\\x1b[31my"]
    for name, (problem,) in broken.items():
        assert problem.where == f"config/connections/{name}.toml"
        assert str(problem).isprintable()
    assert "settings" in refused(tokens("acme") | {"ICP_SYNC_CONNECTIONS": '{"\\udcff": {}}'})


def test_one_that_cannot_be_used_can_still_be_named() -> None:
    written(MAIN, "[connections.main]\n" + PROFILE)
    portal("acme", "nonsense = 3")
    loaded = load(environ={}, only=())
    assert loaded.named("acme") == "acme"
    with pytest.raises(ConfigError, match="several"):
        loaded.named()
    with pytest.raises(ConfigError, match="there is no connection 'acne'"):
        loaded.named("acne")
    with pytest.raises(ConfigError, match="'acme' cannot be used"):
        loaded.connection("acme")


def test_sections_beyond_any_depth_are_a_problem_of_their_file() -> None:
    deep = "outputs." + ".".join("a" * 20_000) + " = 1\n"
    written(MAIN, "")
    portal("acme")
    portal("deep", PROFILE + deep)
    (problem,) = load_each(environ=tokens("acme", "deep")).broken["deep"]
    assert "nested too deeply" in problem.what
    written(MAIN, f"[defaults]\n{deep}")
    assert "nested too deeply" in refused(tokens("acme", "deep"))[str(MAIN)]


def test_what_cannot_be_used_is_left_out_and_told() -> None:
    written(MAIN, "[connections.main]\n" + PROFILE)
    for name in ("acme", "globex", "initech", "unread"):
        portal(name)
    portal("acme", "crm = 1\n= 2\n")
    portal("globex", PROFILE + "[quota]\nburst = 0\n")
    written("run/connections__initech__token", TOKEN)
    Path("run/connections__unread__token").write_bytes(b"\xff\xfe")
    each = load_each(environ=tokens("main", "acme", "globex") | {"ICP_SYNC_SECRETS": "run"})
    assert set(each.settings.connections) == {"main", "initech"}
    assert {name: [p.where for p in found] for name, found in each.broken.items()} == {
        "acme": ["config/connections/acme.toml:2:1"],
        "globex": ["config/connections/globex.toml: quota.burst"],
        "unread": ["run/connections__unread__token"],
    }
    assert set(each.settings.names) == {"main", "acme", "globex", "initech", "unread"}


def test_where_nothing_is_left_or_all_are_concerned_it_raises() -> None:
    written(MAIN, "")
    portal("acme", "crm = 1\n= 2\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_each(environ=tokens("acme"))
    portal("acme")
    with pytest.raises(ConfigError, match="unknown setting"):
        load_each(environ=tokens("acme") | {"ICP_SYNC_LOG__COLOUR": "red"})
    assert load_each(environ=tokens("acme")).broken == {}


def test_the_files_to_look_at_are_those_it_was_read_from_or_would_be() -> None:
    assert {Path(".env"), MAIN} <= set(load(environ={}).files)
    written(MAIN, "")
    assert Path("config/connections") in load(environ={}).files
    acme = portal("acme")
    secret = written("run/connections__acme__token", TOKEN)
    loaded = load(environ={"CREDENTIALS_DIRECTORY": "run"})
    assert {MAIN, acme, acme.parent, secret, secret.parent} <= set(loaded.files)


def test_defaults_lie_under_every_connection_section_by_section() -> None:
    written(
        MAIN,
        f"[defaults]\n{PROFILE}[defaults.quota]\nburst = 50\nsearch = 3\n"
        "[[defaults.enrichers]]\nuse = 'public_companies'\n"
        "[connections.main.quota]\nburst = 60\n",
    )
    portal("acme", "profiles = ['b.yaml']\nenrichers = []\n")
    portal("plain", "")
    loaded = load(environ=tokens("main", "acme", "plain"))
    main, acme, plain = (loaded.connections[name] for name in ("main", "acme", "plain"))
    assert (main.quota.burst, main.quota.search, main.enrichers) == (60, 3, [{"use": "public_companies"}])
    assert (acme.quota.burst, acme.profiles, acme.enrichers) == (50, [Path("b.yaml")], [])
    assert plain.profiles == main.profiles


def test_variables_give_defaults_too_and_outrank_the_file() -> None:
    written(MAIN, "[defaults.quota]\nburst = 50\nsearch = 3\n[connections.main]\n")
    environ = tokens("main") | {
        "ICP_SYNC_DEFAULTS__QUOTA__BURST": "70",
        "ICP_SYNC_DEFAULTS__PROFILES": "a.yaml, b.yaml",
        "ICP_SYNC_DEFAULTS__FACTS": '[{"property": "x", "fact": "employees"}]',
    }
    main = load(environ=environ).connections["main"]
    assert (main.quota.burst, main.quota.search) == (70, 3)
    assert main.profiles == [Path("a.yaml"), Path("b.yaml")]
    assert main.facts == [{"property": "x", "fact": "employees"}]


def test_a_problem_in_the_defaults_is_told_once_at_its_place() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}[defaults.quota]\nbrst = 50\n[defaults.schedule]\npoll = 1\n")
    for name in ("acme", "globex", "initech"):
        portal(name, "crm = 'hubspot'\n")
    found = refused(tokens("acme", "globex", "initech"))
    assert found["config/icp-sync.toml: defaults.quota.brst"].endswith("did you mean defaults.quota.burst?)")
    assert "config/icp-sync.toml: defaults.schedule.poll" in found
    assert len(found) == 2


def test_a_default_that_only_one_connection_cannot_have_is_its_own_problem() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}[defaults.watch]\nsegments = ['seats']\n")
    portal("acme", "[custom_facts]\nseats = 'number'\n")
    portal("globex", "crm = 'hubspot'\n")
    each = load_each(environ=tokens("acme", "globex"))
    assert (list(each.settings.connections), list(each.broken)) == (["acme"], ["globex"])


def test_a_section_of_one_crm_lies_under_connections_of_that_crm_alone() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}[defaults.salesforce]\napi_version = '65.0'\n")
    portal("hub", "crm = 'hubspot'\n")
    portal("org", "crm = 'salesforce'\n[salesforce]\nmy_domain = 'acme.my'\n")
    session = {"ICP_SYNC_CONNECTIONS__ORG__SALESFORCE__SESSION_ID": TOKEN}
    org = load(environ=tokens("hub") | session).connections["org"]
    assert org.salesforce is not None
    assert org.salesforce.api_version == "65.0"


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (f"token = '{TOKEN}'\n", "defaults.token"),
        (f"[defaults.salesforce]\nconsumer_secret = '{TOKEN}'\n", "defaults.salesforce.consumer_secret"),
        (f"[[defaults.enrichers]]\nuse = 'apollo'\nkey = '{TOKEN}'\n", "defaults.enrichers.0.key"),
        (f"[defaults.inbound.site]\nsecret = '{TOKEN}'\n", "defaults.inbound.site.secret"),
        (f"[defaults.telling]\nurl = 'https://example.com/{TOKEN}'\n", "defaults.telling.url"),
    ],
)
def test_no_credential_is_a_default(said: str, at: str) -> None:
    written(MAIN, f"[defaults]\n{said}")
    portal("acme")
    found = refused(tokens("acme"))
    assert "a credential is no default" in found[f"config/icp-sync.toml: {at}"]
    with pytest.raises(ConfigError, match="no default"):
        load_each(environ=tokens("acme"))


def test_one_key_of_a_vendor_may_serve_every_portal() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}[[defaults.enrichers]]\nuse = 'apollo'\n")
    portal("acme")
    portal("zeta", "enrichers = []\n")
    said = load(environ=tokens("acme", "zeta") | {"ICP_SYNC_DEFAULTS__SECRETS__APOLLO__KEY": "k-1234"})
    (apollo,) = said.connections["acme"].enrichers
    assert apollo["key"].get_secret_value() == "k-1234"
    assert said.connections["zeta"].enrichers == []


def test_defaults_nobody_can_mean_are_a_problem_and_no_accident() -> None:
    written(MAIN, "[connections.main]\n" + PROFILE)
    deep = '{"a": ' + "[" * 400 + "]" * 400 + "}"
    found = refused(tokens("main") | {"ICP_SYNC_DEFAULTS": deep})
    assert list(found) == ["ICP_SYNC_DEFAULTS"]
    assert "dictionary" in refused(tokens("main") | {"ICP_SYNC_DEFAULTS": "much"})["ICP_SYNC_DEFAULTS"]
    assert refused(tokens("main") | {"ICP_SYNC_CONNECTIONS__0__CRM": "hubspot"})


def test_a_fact_that_is_called_like_a_credential_is_none() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}[defaults.custom_facts]\ntoken = 'number'\n[connections.main]\n")
    assert "token" in load(environ=tokens("main")).connections["main"].custom_facts


def test_a_token_that_was_left_behind_makes_no_connection_of_the_defaults() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}")
    portal("acme", "")
    portal("gone", "").unlink()
    environ = tokens("acme", "gone")
    each = load_each(environ=environ)
    assert list(each.settings.connections) == ["acme"]
    (problem,) = each.broken["gone"]
    assert problem.where == "ICP_SYNC_CONNECTIONS__GONE__TOKEN"
    assert "nothing but credentials" in problem.what
    assert "nothing but credentials" in refused(environ)["ICP_SYNC_CONNECTIONS__GONE__TOKEN"]


def test_of_many_names_the_nearest_is_told_and_never_all() -> None:
    written(MAIN, f"[defaults]\n{PROFILE}")
    for number in range(200):
        portal(f"client_{number:03}", "")
    loaded = load(environ=tokens(*(f"client_{n:03}" for n in range(200))))
    assert len(loaded.connections) == 200
    with pytest.raises(ConfigError) as several:
        loaded.connection()
    assert "client_000" in str(several.value)
    assert "and 189 more" in str(several.value)
    with pytest.raises(ConfigError) as unknown:
        loaded.connection("client_13")
    assert "did you mean client_1" in str(unknown.value)
    assert max(len(str(several.value)), len(str(unknown.value))) < 300


LINES = st.lists(
    st.sampled_from(
        [
            "crm = 'hubspot'",
            "crm = 1",
            PROFILE,
            "quota = 3",
            "[quota]",
            "burst = 5",
            "[",
            "token = ''",
            "é = 1",
        ]
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "C", "d_"]), LINES, max_size=3), LINES)
def test_any_folder_is_settings_or_has_problems_with_their_connection(
    files: dict[str, list[str]], common: list[str]
) -> None:
    for path in (*Path().glob("config/connections/*"),):
        path.unlink()
    written(MAIN, "[defaults]\n" + "\n".join(common))
    for name, lines in files.items():
        portal(name, "\n".join(lines))
    try:
        each = load_each(environ=tokens("a", "b"))
    except ConfigError as error:
        told = error.problems
    else:
        assert isinstance(each.settings, Settings)
        assert set(each.settings.connections) | set(each.broken) == set(files) | {"a", "b"}
        assert not set(each.settings.connections) & set(each.broken)
        told = [problem for found in each.broken.values() for problem in found]
    assert all(problem.where and problem.what for problem in told)
