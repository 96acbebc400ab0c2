"""`config promote`: from a test portal's files to production's, with a look at production first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from icp_sync.cli.config.sides import MOVES, STAYS
from icp_sync.settings import Connection, load
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, command

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


def test_every_setting_of_a_connection_either_moves_or_stays() -> None:
    files = {"profiles", "tables"}
    assert not set(MOVES) & STAYS
    assert {*MOVES, *STAYS, *files} == set(Connection.model_fields), (
        "decide for the new one in cli/config/sides.py"
    )
