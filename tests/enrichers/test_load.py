"""A configuration's entries become enrichers, in their order, or every problem is named."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from icp_sync.domain.facts import Members
from icp_sync.enrichers import load
from icp_sync.enrichers.csv_file import CsvFile
from icp_sync.enrichers.public_companies import PublicCompanies
from icp_sync.errors import ConfigError
from icp_sync.ports import Answer, Hit, Miss, Request


class Static:
    """A third party's enricher."""

    facts = frozenset({"ownership"})
    price, ttl, miss_ttl = 1.0, 60.0, 60.0

    def __init__(self, name: str = "static", *, city: str) -> None:
        self.name, self.city = name, city

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [Miss() for _ in requests]


class Refusing(Static):
    def __init__(self, name: str = "refusing") -> None:
        raise ValueError("no licence")


HERE = __name__


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "a.csv"
    path.write_text("domain,employees\nacme.com,10\n")
    return str(path)


def test_built_in_and_dotted_enrichers_are_made_in_order(table: str) -> None:
    made = load(
        [
            {"use": "csv", "path": table, "name": "ours", "ttl_days": 2},
            {"use": f"{HERE}:Static", "city": "Oslo"},
            {"use": "public_companies"},
        ]
    )
    assert [enricher.name for enricher in made] == ["ours", "static", "public_companies"]
    assert isinstance(made[0], CsvFile)
    assert made[0].ttl == 2 * 86_400
    assert isinstance(made[1], Static)
    assert made[1].city == "Oslo"
    assert isinstance(made[2], PublicCompanies)
    assert load([]) == ()


def test_an_entry_point_registers_a_third_partys_enricher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[icp_sync.enrichers]\nthird = {HERE}:Static\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (made,) = load([{"use": "third", "city": "Rome"}])
    assert isinstance(made, Static)
    with pytest.raises(ConfigError, match="did you mean 'third'"):
        load([{"use": "thrid"}])


def test_every_problem_is_named_at_once(table: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            [
                {"use": "csvv"},
                {"use": "csv"},
                {"use": "csv", "path": table, "ttl_dayz": 1},
                {"use": "csv", "path": table, "ttl_days": "soon"},
                {},
                {"use": "no_such_package.module:Class"},
                {"use": "os:sep"},
                {"use": "collections:OrderedDict"},
                {"use": f"{HERE}:Refusing"},
                {"use": "csv", "path": table},
                {"use": "csv", "path": table},
                "csv",
            ]
        )
    said = [str(problem) for problem in caught.value.problems]
    wanted = [
        "enrichers[0].use: there is no enricher 'csvv' (did you mean 'csv'?)",
        "enrichers[1].path: is missing",
        "enrichers[2].ttl_dayz: unknown key (did you mean 'ttl_days'?)",
        "enrichers[3]: ttl_days: must be a number of days from 0 to 3650",
        "enrichers[4].use: must name an enricher",
        "enrichers[5].use: 'no_such_package.module:Class' cannot be imported",
        "enrichers[6].use: 'os:sep' is not a class",
        "enrichers[7].use: 'collections:OrderedDict' is not an enricher: no name",
        "enrichers[8]: ",
        "enrichers[10].name: 'csv' is used twice",
        "enrichers[11].use: must name an enricher",
    ]
    assert len(said) == len(wanted)
    for line, start in zip(said, wanted, strict=True):
        assert line.startswith(start)
    assert "no licence" in said[8]


def test_the_readmes_smallest_enricher_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = files("icp_sync.enrichers").joinpath("README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    (tmp_path / "readme_enricher.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    (made,) = load([{"use": "readme_enricher:StatusPages", "domains": ["acme.com"]}])
    hit, miss = made.answer(
        [Request(account_id="1", domain="acme.com"), Request(account_id="2", domain="b.com")]
    )
    assert isinstance(hit, Hit)
    assert hit.signals[0].value == Members(frozenset({"status page"}), False)
    assert miss == Miss()
    sys.modules.pop("readme_enricher")
