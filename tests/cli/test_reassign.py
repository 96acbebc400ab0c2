"""`reassign`: who takes over from somebody who leaves, who stays where they are, and whom nobody can take."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from icp_sync.domain.facts import value_to_json
from icp_sync.journal import Journal, Settled
from tests.cli.conftest import Place, command
from tests.cli.sales_team import PROFILE, Desk, desk, email, journal
from tests.domain.cases import facts
from tests.journal.journal_builders import Worker

ANN, BOB, CYD, EVE = map(email, ("ann", "bob", "cyd", "eve"))
LEFT = email("gwen")
OWNED = {
    "1": (ANN, {"employees": 100, "country": "DE"}),
    "2": (ANN, {"employees": 900, "country": "US"}),
    "3": (ANN, {"employees": 100, "country": "MX"}),
    "4": (ANN, {"employees": 100, "country": "DE", "population": {"customer"}}),
    "5": (ANN, {"employees": 900, "country": "US", "open_deals": 1}),
    "6": (BOB, {"employees": 900, "country": "US"}),
    "7": (ANN, {"employees": 100, "country": "BR"}),
    "8": (ANN, {"employees": 100, "country": "US"}),
}
PEOPLE = {ANN: True, BOB: True, CYD: True, EVE: True, LEFT: False}


class Office(Desk):
    """A desk with a journal and settings."""

    def plan(self, *arguments: str, code: int = 0) -> Result:
        config = str(self.folder / "icp-sync.toml")
        result = command("reassign", *arguments, "--config", config)
        assert result.exit_code == code, result.output
        return result

    def planned(self, *arguments: str) -> Any:
        return json.loads(self.plan(*arguments, "--json").stdout)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    desk(tmp_path)
    journal(tmp_path / "journal.sqlite", OWNED, PEOPLE)
    (tmp_path / "icp-sync.toml").write_text(
        f'journal = "sqlite:///{tmp_path}/journal.sqlite"\n[connections.main]\ntoken = "pat-eu1-1234"\n'
        f'profiles = ["{tmp_path}/team.yaml"]\n'
    )
    return Office(tmp_path)


def test_each_account_goes_where_the_routes_lead_without_the_one_who_leaves(office):
    found = office.planned("--from", "Ann@sales.example")
    assert (found["from"], found["to"], found["accounts"], found["written"]) == (ANN, "routes", 7, 0)
    moves = {line["id"]: line["new_owner"] for line in found["moves"]}
    assert set(moves) == {"1", "2"}
    assert moves["1"] in {BOB, CYD}
    assert moves["2"] == BOB
    assert {line["id"]: line["why"] for line in found["stays"]} == {
        "4": "a customer; --customers moves customers as well",
        "5": "an open deal is being worked",
    }
    assert {line["id"]: line["why"] for line in found["nobody"]} == {
        "3": "route 4 names nobody",
        "7": "out of scope",
        "8": f"nobody but {ANN} is named for it",
    }


def test_loads_are_counted_as_it_goes(office):
    found = office.planned("--from", ANN)
    people = {p["email"]: (p["before"], p["after"]) for p in found["people"]}
    gained = {who: sum(line["new_owner"] == who for line in found["moves"]) for who in people}
    assert people[ANN] == (7, 5)
    assert people[BOB] == (1, 1 + gained[BOB])
    assert sum(after - before for before, after in people.values()) == 0


def test_customers_move_only_when_asked_and_as_their_own_routes_say(office):
    found = office.planned("--from", ANN, "--customers")
    assert "4" in {line["id"] for line in found["nobody"]}  # no route here is meant for customers
    found = office.planned("--from", ANN, "--customers", "--to", CYD)
    assert {line["id"] for line in found["moves"]} == {"1", "2", "3", "4", "8"}


def test_one_person_may_take_them_all_within_their_cap_and_told_where_they_leave_their_territory(office):
    found = office.planned("--from", ANN, "--to", EVE)
    assert {line["new_owner"] for line in found["moves"]} == {EVE}
    assert found["moves"][1]["why"] == "as asked, outside their territory"  # hers is Germany
    (office.folder / "team.yaml").write_text(PROFILE.replace("cap: 300", "cap: 2"))
    found = office.planned("--from", ANN, "--to", BOB)
    assert [line["id"] for line in found["moves"]] == ["1"]
    assert {line["why"] for line in found["nobody"]} >= {f"{BOB} is at their cap of 2"}


KEEP = """  - {when: {tier: [A, B]}, to: {pool: inbound, keep: WHOSE, lane: sales}}
  - {else: {lane: nurture}}
"""


def kept_together(office: Office, whose: str, **family: tuple[str, str]) -> None:
    """Routes that keep families together, and beside the others a family: id → (owner, parent)."""
    (office.folder / "team.yaml").write_text(PROFILE.split("  - {to:")[0] + KEEP.replace("WHOSE", whose))
    opened = Journal.open(f"sqlite:///{office.folder}/journal.sqlite", "main")
    known = facts(employees=100, country="DE")
    rows = [
        Settled(
            account_id=account_id.removeprefix("c"),
            domain="family.com",
            owner=owner,
            parent=parent,
            group="family.com",
            in_scope=True,
            tier="A",
            evidence={"facts": {name: [value_to_json(value), "crm:x"] for name, value in known.items()}},
        )
        for account_id, (owner, parent) in family.items()
    ]
    Worker(opened, stream="sweep").commit(*rows)
    opened.close()


def moved(found: Any, *ids: str) -> dict[str, str]:
    return {line["id"]: line["new_owner"] for line in found["moves"] if line["id"] in ids}


def test_a_group_that_stays_together_goes_to_who_owns_the_rest_of_it(office):
    twelve = {f"c{n}": (ANN, "") for n in range(20, 32)}
    kept_together(office, "group", **twelve, c50=(CYD, ""))
    found = office.planned("--from", ANN)
    ids = [str(n) for n in range(20, 32)]
    assert moved(found, *ids) == dict.fromkeys(ids, CYD)
    assert {line["why"] for line in found["moves"] if line["id"] in ids} == {f"{CYD} owns the group"}


def test_a_group_that_is_the_leavers_alone_goes_to_one_person(office):
    kept_together(office, "group", **{f"c{n}": (ANN, "") for n in range(20, 32)})
    found = office.planned("--from", ANN)
    ids = [str(n) for n in range(20, 32)]
    assert len(set(moved(found, *ids).values())) == 1
    assert set(moved(found, *ids)) == set(ids)
    assert len(set(moved(found, "1", "2", "3", *ids).values())) == 2  # strangers are not of the family


def test_a_child_follows_its_parent(office):
    kept_together(office, "parent", c40=(EVE, ""), c41=(ANN, "40"), c42=(ANN, ""), c43=(ANN, "42"))
    found = moved(office.planned("--from", ANN), "41", "42", "43")
    assert found["41"] == EVE
    assert found["43"] == found["42"] in {BOB, CYD}


def test_whom_the_accounts_are_given_to_by_name_gets_the_family_as_well(office):
    kept_together(office, "group", c20=(ANN, ""), c50=(CYD, ""))
    assert moved(office.planned("--from", ANN, "--to", EVE), "20") == {"20": EVE}


def test_somebody_away_or_gone_takes_nothing(office):
    office.write(absences=f"email,from\n{CYD},2020-01-01\n")
    found = office.planned("--from", ANN, "--to", CYD)
    assert found["moves"] == []
    assert all(
        line["why"].startswith(f"{CYD} is away until") for line in found["nobody"] if line["id"] != "7"
    )
    assert found["people"][1]["note"].startswith("away until")
    gone = office.planned("--from", ANN, "--to", LEFT)
    assert gone["nobody"][0]["why"] == f"{LEFT} is inactive in the CRM"


def test_a_pool_may_take_them_all(office):
    found = office.planned("--from", ANN, "--to", "pool:inbound")
    assert {line["id"] for line in found["moves"]} == {"1", "2", "3", "8"}
    assert {line["new_owner"] for line in found["moves"]} <= {BOB, CYD}


def test_the_plan_is_written_as_a_table_that_no_spreadsheet_runs(office):
    path = office.folder / "plan.csv"
    said = office.plan("--from", ANN, "--out", str(path)).stdout
    assert f"Written to {path}" in said
    assert "nothing was changed in the CRM" in said
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "7", "8"]
    assert rows[1] == {
        "id": "2",
        "name": "Company 2",
        "domain": "c2.com",
        "tier": "A",
        "owner": ANN,
        "new_owner": BOB,
        "what": "moves",
        "why": "from territory US large",
    }


def test_who_owns_nothing_has_nothing_to_give(office):
    assert "owns 0 accounts" in office.plan("--from", CYD).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "anne@sales.example"), "did you mean 'ann@sales.example'?"),
        (("--from", " "), "--from: names nobody"),
        (("--from", ANN, "--to", "cid@sales.example"), "did you mean 'cyd@sales.example'?"),
        (("--from", ANN, "--to", ANN), "is who the accounts are taken from"),
        (("--from", ANN, "--to", "pool:inbund"), "did you mean 'inbound'?"),
    ],
)
def test_somebody_nobody_knows_is_refused_with_a_suggestion(office, arguments, said):
    assert said in office.plan(*arguments, code=2).stderr


def test_a_broken_table_stops_the_plan(office):
    office.write(territories="territory,owner\nT,bob\n")
    assert "territories.csv:2" in office.plan("--from", ANN, code=2).stderr


def test_a_settled_connection_is_planned_by_its_journal(settled: Place):
    leaving = "ben.lindqvist@sales.example"
    found = settled.json("reassign", "--from", leaving)
    assert found["accounts"] == sum(len(found[fate]) for fate in ("moves", "stays", "nobody")) > 0
    assert leaving not in {line["new_owner"] for line in found["moves"]}
    before, after = (sum(p[when] for p in found["people"]) for when in ("before", "after"))
    assert before == after
