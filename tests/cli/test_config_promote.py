"""`config promote`: from a test portal's files to production's, with a look at production first."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from icp_sync.cli.config.sides import MOVES, STAYS
from icp_sync.journal.copying import revision_of
from icp_sync.settings import Connection, load
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, command
from tests.cli.test_backup import made_by_an_older_program

OF_TEST = """
[connections.trial]  # the portal we try things on
token = "{token}"
base_url = "{url}"
profiles = ["config/{profile}"]
[connections.trial.custom_facts]
seats = "number"
[[connections.trial.facts]]
property = "{seats}"
fact = "seats"
kind = "number"
[connections.trial.outputs]
prefix = "fit_"
[connections.trial.quota]
burst = 11
"""
OF_PRODUCTION = """
# Ours. Ask Ada before you change anything here.
journal = "sqlite:///state/icp-sync.sqlite"
seal_file = "state/seal.key"
[health]
port = 9999  # behind the proxy
[connections.main]
token = "{token}"  # not for version control
base_url = "{url}"
profiles = ["config/{profile}"]
[connections.main.outputs]
prefix = "old_"  # from 2024
[connections.main.quota]
burst = 180
"""


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    with Simulator(accounts=12, seed=4, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        yield crm


class Two:
    """A folder for each side, as two checkouts would lie."""

    def __init__(self, folder: Path, portal: Simulator) -> None:
        self.portal = portal
        self.test, self.production = folder / "test", folder / "production"
        self.write()

    def write(self, seats: str = "numberofemployees", url: str = "") -> Two:
        for side, text in ((self.test, OF_TEST), (self.production, OF_PRODUCTION)):
            (side / "config").mkdir(parents=True, exist_ok=True)
            said = {"token": self.portal.token, "url": url or self.portal.url, "profile": PROFILE.name}
            (side / "config" / "icp-sync.toml").write_text(text.format(seats=seats, **said))
            shutil.copy(PROFILE, side / "config" / PROFILE.name)
        return self

    def profile(self, change: Any) -> None:
        path = self.test / "config" / PROFILE.name
        path.write_text(change(path.read_text()))

    @property
    def files(self) -> tuple[Path, Path]:
        return self.test / "config" / "icp-sync.toml", self.production / "config" / "icp-sync.toml"

    def promote(self, *more: str, code: int = 0) -> str:
        source, target = self.files
        result = command("config", "promote", "--from", str(source), "--to", str(target), *more)
        assert result.exit_code == code, result.output
        return result.stdout + result.stderr if code > 1 else result.stdout

    def json(self, *more: str) -> Any:
        source, target = self.files
        result = command("config", "promote", "--from", str(source), "--to", str(target), "--json", *more)
        return json.loads(result.stdout)

    def everything(self) -> dict[str, bytes]:
        paths = [p for p in self.production.rglob("*") if p.is_file()]
        return {str(p.relative_to(self.production)): p.read_bytes() for p in paths}


@pytest.fixture
def two(tmp_path: Path, portal: Simulator) -> Two:
    return Two(tmp_path, portal)


def test_without_apply_it_says_what_would_change_and_writes_nothing(two: Two) -> None:
    two.profile(lambda text: text.replace("profile: listed-companies", "profile: listed"))
    before = two.everything()
    told = two.json()
    changes = {one["key"]: (one["now"], one["then"]) for one in told["settings"]}
    assert changes["outputs.prefix"] == ("old_", "fit_")
    assert changes["custom_facts.seats"] == (None, "number")
    assert changes["facts.numberofemployees → seats"] == (None, "kind number")
    assert not [key for key in changes if "quota" in key or "token" in key]
    assert [(Path(f["target"]).parent.name, f["state"]) for f in told["files"]] == [("config", "changed")]
    assert told["next"].startswith("icp-sync profile plan --config ")
    assert any(step["what"].endswith("fit_tier") for step in told["provision"])
    shown = two.promote()
    assert "Nothing was written" in shown
    assert "outputs.prefix" in shown
    assert two.portal.token not in shown + json.dumps(told)
    assert two.everything() == before, "no journal was begun either"


def test_what_is_applied_leaves_every_other_line_alone_and_keeps_what_was(two: Two) -> None:
    two.profile(lambda text: text + "\n# tried on the test portal\n")
    before = two.everything()
    told = two.json("--apply")
    assert told["applied"]
    after = two.everything()
    settings = after["config/icp-sync.toml"].decode()
    for line in OF_PRODUCTION.splitlines():
        if "{" not in line and "prefix" not in line:
            assert line in settings, "comments and all"
    read = load(two.files[1]).connections["main"]
    assert (read.outputs.prefix, read.custom_facts, read.quota.burst) == ("fit_", {"seats": "number"}, 180)
    assert b"tried on the test portal" in after[f"config/{PROFILE.name}"]
    kept = {str(Path(path).relative_to(two.production)).split(".before-")[0]: path for path in told["kept"]}
    assert {name: Path(path).read_bytes() for name, path in kept.items()} == {
        name: before[name] for name in ("config/icp-sync.toml", f"config/{PROFILE.name}")
    }
    assert not [name for name in after if "state" in name]
    again = two.json("--apply")
    assert (again["settings"], again["kept"]) == ([], [])


def test_a_fact_whose_field_production_has_not_or_has_otherwise_stops_it(two: Two) -> None:
    for seats, said in (("seats_bought", "the CRM has no such field"), ("name", "values cannot be read")):
        two.write(seats=seats)
        before = two.everything()
        problems = [p for p in two.json()["problems"] if p["severity"] == "error"]
        assert [said in p["what"] for p in problems] == [True]
        assert "nothing was written" in two.promote("--apply", code=3)
        assert two.everything() == before
        two.promote("--apply", "--force")
        assert two.everything() != before


POOL = """
pools:
  north:
    members:
      - {email: %s}
      - {email: nobody@example.com}
routes:
  - {when: {tier: [A, B]}, to: {pool: north, lane: sales}}
  - {when: {tier: [C]}, to: {territory: land.csv, lane: sales}}
  - {else: {lane: nurture}}
"""
LAND = "territory,country,owner\nall,US,gone@example.com\n"


def test_people_who_are_not_there_are_named_with_where(two: Two) -> None:
    two.profile(lambda text: text[: text.index("\npools:")] + POOL % "gone@example.com")
    (two.test / "config" / "land.csv").write_text(LAND)
    told = two.json()
    problems = {(p["severity"], p["where"]): p["what"] for p in told["problems"] if p["area"] == "owners"}
    assert (
        "nobody in it is an active owner there" in problems["error", "profile listed-companies, pool north"]
    )
    assert any("nobody@example.com does not exist there" in what for what in problems.values())
    assert [Path(f["target"]).name for f in told["files"]] == [PROFILE.name, "land.csv"]
    two.promote("--apply", "--force")
    assert (two.production / "config" / "land.csv").read_text() == LAND


def test_the_difference_in_tiers_is_shown_where_production_has_accounts(two: Two) -> None:
    config = str(two.files[1])
    text = two.files[1].read_text().replace("state/", f"{two.production}/state/")
    two.files[1].write_text(text.replace("config/listed", f"{two.production}/config/listed"))
    for words in (("provision", "--apply"), ("profile", "activate"), ("run", "--backfill")):
        done = command(*words, "--config", config)
        assert done.exit_code == 0, done.output
    two.profile(lambda text: text.replace("A: 85", "A: 90"))
    told = two.json("--apply")
    assert told["profile"]["accounts"] == 12
    assert told["profile"]["changes"]
    entries = json.loads(command("audit", "--json", "--config", config).stdout)["entries"]
    assert (entries[-1]["what"], entries[-1]["detail"]["files"]) == (
        "config promote",
        [PROFILE.name],
    )
    status = json.loads(command("status", "--json", "--config", config).stdout)
    assert status["profile"]["version"] == 1, "nothing was activated"


def test_between_two_connections_of_one_file_and_never_onto_itself(two: Two, portal: Simulator) -> None:
    source = two.files[0]
    document = tomlkit.parse(
        source.read_text() + two.files[1].read_text().split("9999", 1)[1].split("\n", 1)[1]
    )
    source.write_text(tomlkit.dumps(document))
    same = ("config", "promote", "--from", str(source), "--to", str(source))
    ends = ("--from-connection", "trial", "--to-connection", "main")
    done = command(*same, *ends, "--apply", "--json")
    assert json.loads(done.stdout)["applied"]
    assert load(source).connections["main"].outputs.prefix == "fit_"
    itself = command(*same, "--from-connection", "main", "--to-connection", "main")
    assert (itself.exit_code, "the same connection" in itself.stderr) == (2, True)


def test_another_crm_or_a_portal_that_does_not_answer(two: Two) -> None:
    two.write(url="http://127.0.0.1:9")
    said = json.loads(two.promote("--json", code=1))
    assert [p["area"] for p in said["problems"] if p["severity"] == "error"] == ["credentials"]
    target = two.files[1]
    target.write_text(
        f'[connections.main]\ncrm = "salesforce"\nprofiles = ["config/{PROFILE.name}"]\n'
        '[connections.main.salesforce]\nmy_domain = "acme.my"\nsession_id = "00Dxx!abc"\n'
    )
    assert "fields have other names there" in two.promote(code=2)


def test_lines_of_later_sections_stay_byte_for_byte(two: Two) -> None:
    target = two.files[1]
    text = target.read_text().replace(
        "[connections.main.quota]", "# a note on calls\n# [connections.main.watch]\n[connections.main.quota]"
    )
    target.write_bytes(text.replace("\n", "\r\n").encode())
    before = target.read_bytes().splitlines(keepends=True)
    assert two.json("--apply")["applied"]
    after = target.read_bytes().splitlines(keepends=True)
    lost = [line for line in before if line not in after]
    assert lost == [b'prefix = "old_"  # from 2024\r\n'], "the one that changed"
    rest = iter(after)
    assert all(line in rest for line in before if line not in lost), "in order"
    assert all(line.endswith(b"\r\n") for line in after)


@pytest.mark.parametrize(
    "said",
    [
        'connections = {{main = {{token = "{token}", profiles = ["config/{profile}"]}}}}',
        '[connections]\nmain.token = "{token}"\nmain.profiles = ["config/{profile}"]\n',
        'connections.main.token = "{token}"\nconnections.main.profiles = ["config/{profile}"]\n',
    ],
)
def test_a_connection_without_a_header_of_its_own_is_refused_whatever_is_forced(two: Two, said: str) -> None:
    target = two.files[1]
    target.write_text(said.format(token=two.portal.token, profile=PROFILE.name))
    before = target.read_bytes()
    refused = two.promote("--apply", "--force", code=2)
    assert "says it by a dotted key or in braces (write [connections.main]" in refused
    assert target.read_bytes() == before


def test_side_by_side_production_gets_a_copy_of_its_own_and_the_change_is_told(two: Two) -> None:
    folder = two.production / "config"
    shutil.copy(PROFILE, folder / "tried.yaml")
    source = folder / "test.toml"
    source.write_text(two.files[0].read_text().replace(PROFILE.name, "tried.yaml"))
    ends = ("config", "promote", "--from", str(source), "--to", str(two.files[1]))
    told = json.loads(command(*ends, "--json", "--apply").stdout)
    now, then = f"config/{PROFILE.name}", "config/tried-main.yaml"
    assert {"key": "profiles", "now": now, "then": then} in told["settings"]
    assert (folder / "tried-main.yaml").read_bytes() == PROFILE.read_bytes()
    (folder / "tried.yaml").write_text(PROFILE.read_text() + "# tried on\n")
    again = json.loads(command(*ends, "--json", "--apply").stdout)
    assert [(Path(f["target"]).name, f["state"]) for f in again["files"]] == [("tried-main.yaml", "changed")]
    assert "profiles" not in [one["key"] for one in again["settings"]]
    assert "Nothing differs." in command(*ends).stdout


def test_a_file_that_both_sides_or_another_connection_read_is_told(two: Two) -> None:
    source, target = two.files
    text = target.read_text()
    target.write_text(
        text + text[text.index("[connections.main]") :].replace("connections.main", "connections.us")
    )
    two.profile(lambda text: text + "# tried\n")
    ends = ("--to-connection", "main")
    assert any("connection us reads it too" in p["what"] for p in two.json(*ends)["problems"])
    source.write_text(source.read_text().replace("config/", f"{two.production}/config/"))
    told = two.json(*ends)
    assert [f["state"] for f in told["files"]] == ["shared"]
    assert any("both sides read this one file" in p["what"] for p in told["problems"])


def test_all_that_a_profile_stands_upon_comes_with_it(two: Two) -> None:
    folder = two.test / "config"
    (folder / "root.yaml").write_text(
        PROFILE.read_text().replace("profile: listed-companies", "profile: root")
    )
    (folder / "middle.yml").write_text("profile: middle\nextends : root\n")
    (folder / PROFILE.name).write_text("profile: leaf\nextends: middle\n")
    told = two.json("--apply")
    assert [Path(f["target"]).name for f in told["files"]] == [PROFILE.name, "middle.yml", "root.yaml"]
    assert (two.production / "config" / "root.yaml").exists()


def test_two_files_of_one_name_cannot_move_by_it(two: Two) -> None:
    source = two.files[0]
    for name in ("a", "b"):
        (two.test / "config" / name).mkdir()
        text = PROFILE.read_text().replace("profile: listed-companies", f"profile: {name}")
        (two.test / "config" / name / "icp.yaml").write_text(text)
    named = f'"config/{PROFILE.name}"'
    source.write_text(source.read_text().replace(named, '"config/a/icp.yaml", "config/b/icp.yaml"'))
    assert "have one name" in two.promote(code=2)


def test_variables_named_after_the_other_sides_connection_are_passed_over(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__TOKEN", two.portal.token)
    source = two.files[0]
    text = source.read_text().replace(f'token = "{two.portal.token}"\n', "")
    source.write_text(text + '[connections.trial.inbound.form]\nvisits = true\ndomain = "site"\n')
    assert two.json()["from"]["connection"] == "trial", "it needs no credentials of its own"


def test_what_the_environment_decides_cannot_be_moved_by_files(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__OUTPUTS__PREFIX", "env_")
    before = two.everything()
    refused = two.promote("--apply", "--force", code=3)
    assert "connections.main.outputs.prefix" in refused
    assert "is decided by the environment" in refused
    assert two.everything() == before


def test_a_look_does_not_migrate_an_older_journal(two: Two) -> None:
    path = two.production / "state" / "icp-sync.sqlite"
    path.parent.mkdir()
    made_by_an_older_program(path, "0006", "1")
    for more in ((), ("--apply", "--force")):
        assert "its schema is 0006, an older version's" in two.promote(*more, code=2)
    assert revision_of(path) == "0006"


def test_links_stay_links_and_what_is_written_keeps_its_owner_and_rights(two: Two) -> None:
    target, real = two.files[1], two.production / "settings.real"
    target.rename(real)
    target.symlink_to(real)
    real.chmod(0o640)
    profile = two.production / "config" / PROFILE.name
    if os.geteuid() == 0:
        os.chown(real, 10001, 10001)
        os.chown(profile.parent, 10001, 10001)
    two.profile(lambda text: text + "# tried\n")
    (kept, *_) = [Path(path) for path in two.json("--apply")["kept"] if "settings.real" in path]
    assert target.is_symlink()
    assert 'prefix = "fit_"' in real.read_text()
    for path in (real, kept):
        assert path.stat().st_mode & 0o777 == 0o640
        assert os.geteuid() or path.stat().st_uid == 10001


def test_half_an_apply_says_what_was_written_and_what_is_kept(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.profile(lambda text: text + "# tried\n")
    profile = two.production / "config" / PROFILE.name
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target) == two.files[1]:
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    said = command("config", "promote", "--from", str(two.files[0]), "--to", str(two.files[1]), "--apply")
    assert said.exit_code == 1
    assert f"already written: {profile}" in said.stderr
    assert "what stood there before is kept" in said.stderr
    assert "the same command again" in said.stderr
    monkeypatch.undo()
    assert two.json("--apply")["settings"]


def test_an_enrichers_file_is_found_from_another_folder_and_errors_name_real_files(two: Two) -> None:
    target = two.files[1]
    csv = '[[connections.main.enrichers]]\nuse = "csv"\npath = "config/accounts.csv"\n'
    target.write_text(target.read_text() + csv)
    (two.production / "config" / "accounts.csv").write_text("domain,employees\na.example,5\n")
    assert two.json()["ok"]
    gone = '[connections.main.custom_facts]\nplaces = "number"\n'
    asked = '[connections.main.enrichment]\nfacts = {places = {order = ["csv"]}}\n'
    target.write_text(target.read_text() + gone + asked)
    (problem,) = [p for p in two.json()["problems"] if p["severity"] == "error"]
    assert problem["where"].startswith(f"{target}: connections.main.enrichment")
    assert "correct them\n" in two.promote("--apply", "--force", code=3), "nobody can start with that"


def test_every_setting_of_a_connection_either_moves_or_stays() -> None:
    files = {"profiles", "tables"}
    assert not set(MOVES) & STAYS
    assert {*MOVES, *STAYS, *files} == set(Connection.model_fields), (
        "decide for the new one in cli/config/sides.py"
    )
