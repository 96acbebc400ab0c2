"""`icp-sync plan --out` and `apply` on a Salesforce org: the same, with owners one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_org import Org


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    made = Org(tmp_path)
    for arguments in (("provision", "--apply"), ("profile", "activate"), ("mode", "route")):
        done = made.run(*arguments)
        assert done.exit_code == 0, done.output
    yield made
    made.crm.stop()


def test_a_plan_is_written_exactly_and_what_moved_since_is_left_alone(org: Org, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert org.run("plan", "--out", str(path)).exit_code == 0
    planned = {row["id"]: row["changes"] for row in json.loads(path.read_text())["accounts"]}
    held = next(i for i, changes in planned.items() if "lane" in {c["field"] for c in changes})
    org.crm.admin("POST edit", id=held, properties={"ICP_Lane__c": "none"})
    done = json.loads(org.run("apply", str(path), "--json").stdout)
    assert (done["written"], done["done"]) == (len(planned), True)
    assert [(m["id"], m["field"], m["live"]) for m in done["moves"]] == [(held, "lane", "none")]
    assert done["fields"] == sum(map(len, planned.values())) - 1
    again = json.loads(org.run("plan", "--json").stdout)
    assert (again["changed"], [h["id"] for h in again["left_alone"]]) == (0, [held])
