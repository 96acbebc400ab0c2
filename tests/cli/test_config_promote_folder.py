"""`config promote` where a portal has a file of its own, defaults below it, and a profile shared by path."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.cli.config.lines import changed
from icp_sync.profile_file import load as load_profile
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, command

OWN = """# Ask Ada before you change anything here.
token = "{token}"
base_url = "{url}"
profiles = ["config/profiles/clients/acme.yaml"]
{more}
[quota]
burst = {burst}  # theirs
"""


class Sides:
    """Two checkouts whose portals have files of their own."""

    def __init__(self, folder: Path, portal: Simulator) -> None:
        self.portal, self.test, self.production = portal, folder / "test", folder / "production"
        self.write(self.test, burst=11, more='[outputs]\nprefix = "fit_"', weight=40)
        self.write(self.production, burst=180, more="", weight=30)

    def write(self, side: Path, *, burst: int, more: str, weight: int) -> None:
        files = {
            "icp-sync.toml": f'journal = "sqlite:///{side}/journal.sqlite"\nseal_file = "{side}/seal.key"\n',
            "connections/acme.toml": OWN.format(
                token=self.portal.token, url=self.portal.url, burst=burst, more=more
            ),
            "connections/broken.toml": "profiles = [\n",
            "profiles/clients/acme.yaml": "profile: acme\nextends: ../shared.yaml\n",
            "profiles/shared.yaml": PROFILE.read_text(encoding="utf-8")
            .replace("profile: listed-companies", "profile: shared")
            .replace("tiers: {A: 85", f"tiers: {{A: {50 + weight}"),
        }
        for name, text in files.items():
            (side / "config" / name).parent.mkdir(parents=True, exist_ok=True)
            (side / "config" / name).write_text(text, encoding="utf-8")

    def promote(self, *more: str) -> Any:
        ends = [str(side / "config" / "icp-sync.toml") for side in (self.test, self.production)]
        names = ["--from-connection", "acme", "--to-connection", "acme"]
        result = command("config", "promote", "--from", ends[0], "--to", ends[1], *names, "--json", *more)
        assert result.stdout, result.output
        return json.loads(result.stdout)

    def file(self, name: str) -> Path:
        return self.production / "config" / name


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    with Simulator(accounts=5, seed=4, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        yield crm


@pytest.fixture
def sides(tmp_path: Path, portal: Simulator) -> Sides:
    return Sides(tmp_path, portal)


def test_the_portals_own_file_changes_and_what_the_profile_extends_comes_along(sides: Sides) -> None:
    main = sides.file("icp-sync.toml").read_text()
    told = sides.promote("--apply")
    assert told["applied"], told["problems"]
    assert told["to"]["file"] == str(sides.file("connections/acme.toml"))
    assert {Path(f["target"]).name: f["state"] for f in told["files"]} == {
        "acme.yaml": "same",
        "shared.yaml": "changed",
    }
    own = sides.file("connections/acme.toml").read_text()
    assert '[outputs]\nprefix = "fit_"' in own
    assert "burst = 180  # theirs" in own
    assert own.startswith("# Ask Ada")
    assert sides.file("icp-sync.toml").read_text() == main
    assert load(sides.file("icp-sync.toml"), {}, only=["acme"]).connections["acme"].outputs.prefix == "fit_"
    assert load_profile(sides.file("profiles/clients/acme.yaml")).profile.tiers.a == 90


def test_defaults_of_the_one_side_are_written_where_the_other_lacks_them(sides: Sides) -> None:
    said = sides.test / "config" / "icp-sync.toml"
    said.write_text(said.read_text() + "[defaults.watch]\nsegments = ['country']\n")
    target = sides.file("icp-sync.toml")
    target.write_text(target.read_text() + "[defaults.outputs]\nprefix = 'fit_'\n")
    told = sides.promote("--apply")
    assert told["applied"], told["problems"]
    own = sides.file("connections/acme.toml").read_text()
    assert "country" in own
    assert "fit_" not in own, "it is a default there already"


def test_what_the_defaults_there_add_cannot_be_moved_away(sides: Sides) -> None:
    target = sides.file("icp-sync.toml")
    target.write_text(target.read_text() + "[defaults.outputs]\ngroup = 'ours'\n")
    told = sides.promote()
    assert any("or the defaults" in p["what"] for p in told["problems"]), told["problems"]


def test_a_shared_profile_with_a_mistake_is_named_where_it_stands(sides: Sides) -> None:
    shared = sides.test / "config" / "profiles" / "shared.yaml"
    shared.write_text(shared.read_text() + "colour: red\n")
    ends = [str(side / "config" / "icp-sync.toml") for side in (sides.test, sides.production)]
    names = ["--from-connection", "acme", "--to-connection", "acme"]
    result = command("config", "promote", "--from", ends[0], "--to", ends[1], *names)
    assert result.exit_code == 2
    assert str(shared) in result.stderr


@pytest.mark.parametrize(
    ("text", "wanted", "then"),
    [
        ("", {"profiles": ["a"]}, {"profiles": ["a"]}),
        ("[quota]\nburst = 1\n", {"profiles": ["a"]}, {"profiles": ["a"], "quota": {"burst": 1}}),
        ("# c\ncrm = 'hubspot'\n[outputs]\nprefix = 'a'\n", {"outputs": None}, {"crm": "hubspot"}),
        ("crm = 'hubspot'", {"facts": [{"fact": "x"}]}, {"crm": "hubspot", "facts": [{"fact": "x"}]}),
    ],
)
def test_lines_of_a_file_of_its_own_change_alone(text: str, wanted: Any, then: Any) -> None:
    made = changed(text, Path("acme.toml"), (), wanted)
    assert tomllib.loads(made) == then
    assert all(line in made for line in text.splitlines() if line.startswith("#"))
