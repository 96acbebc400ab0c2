"""What the README teaches: a vendor by YAML alone, in under forty lines, loaded and asked as it says."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from icp_sync.domain.facts import Interval, Members
from icp_sync.enrichers import load
from icp_sync.enrichers.manifest import Manifest, shipped
from icp_sync.enrichers.manifest import load as load_manifest
from icp_sync.enrichers.manifest.expressions import KNOWN_FUNCTIONS
from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.enrichers.manifest.schema import Line
from icp_sync.enrichers.manifest.setup import plain
from icp_sync.errors import ConfigError
from icp_sync.ports import Hit, Miss, Unavailable
from tests.enrichers.vendor_world import asked, serving

README = files("icp_sync.enrichers").joinpath("README.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)[0]


@pytest.fixture
def northwind(tmp_path: Path) -> Path:
    folder = tmp_path / "vendors"
    (folder / "samples" / "northwind").mkdir(parents=True)
    (folder / "northwind.yaml").write_text(block("yaml"))
    (folder / "samples" / "northwind" / "hit.json").write_text(block("json"))
    return folder / "northwind.yaml"


def test_the_tutorials_manifest_is_short_and_answers(northwind: Path) -> None:
    assert len(block("yaml").splitlines()) < 40
    (made,) = load([{"use": "rest", "manifest": str(northwind), "key": "k-1234567890"}])
    manifest = load_manifest(northwind)
    company = {"result": {"id": 1, "headcount": 80, "tech": [{"name": "Marketo", "active": True}]}}
    with serving(
        manifest, [Reply(body=company), Reply(status=404, body={}), Reply(body={"error": "OUT_OF_CREDIT"})]
    ):
        hit, miss, broke = made.answer([asked("acme.com"), asked("globex.com"), asked("initech.com")])
    assert isinstance(hit, Hit)
    assert {signal.fact: signal.value for signal in hit.signals} == {
        "employees": Interval(80.0, 80.0),
        "technologies": Members(frozenset({"marketo"}), False),
    }
    assert hit.charge == 2.0
    assert miss == Miss()
    assert isinstance(broke, Unavailable)
    assert broke.kind == "no_credit"


def test_the_tutorials_mistake_is_named_as_it_says(northwind: Path) -> None:
    northwind.write_text(block("yaml").replace("credits: 2", "credit: 2"))
    with pytest.raises(ConfigError) as caught:
        load_manifest(northwind)
    (said,) = re.findall(r"`(northwind\.yaml:\d+:\d+: unknown key .*?)`", README)
    assert str(caught.value.problems[0]) == f"{northwind.parent}/{said}"


def test_the_smallest_shipped_vendor_has_under_forty_lines() -> None:
    assert min(len(path.read_text().splitlines()) for path in shipped().values()) < 40


def test_every_key_of_the_language_is_explained() -> None:
    told = README[README.index("## The language") : README.index("## The smallest one in Python")]
    for model in (Manifest, Line):
        for name, field in model.model_fields.items():
            key = field.alias or name
            assert f"`{key}`" in told, key
    for function in ("lower", "split", "zfill", "host", "roles", "distinct"):
        assert function in KNOWN_FUNCTIONS
        assert f"`{function}(" in told


def test_every_vendor_that_ships_is_listed_with_what_leaves_its_keys_and_its_credits() -> None:
    paid = {"hit": "a hit", "call": "a request", "new_record": "a record new in 12 months"}
    for name, path in shipped().items():
        manifest = load_manifest(path, rehearsed=False)
        row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        leaves, keys, credits = (cell.strip() for cell in row.split("|")[3:6])
        assert leaves == (", ".join(manifest.leaves) or "nothing")
        assert keys == (", ".join(f"`{key}`" for key in (*manifest.secrets, *manifest.required)) or "none")
        price = plain(manifest).price
        assert credits == (f"{price:g} {paid[manifest.charge.on]}" if price else "none")
        assert not manifest.verified
