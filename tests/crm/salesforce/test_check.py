"""Checking an org: every problem at once, each with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import responses

from icp_sync.crm.salesforce.provisioning.check import check
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, Grants, permission_set
from icp_sync.crm.salesforce.provisioning.reach import sample
from icp_sync.crm.windows import Windows
from icp_sync.errors import Problem
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from tests.crm.contract import OWNED
from tests.crm.salesforce.parts import (
    FLAGS,
    TIER,
    Parts,
    connect,
    define,
    kinds,
    only,
    record_type_values,
    refusing,
)
from tests.crm.salesforce.world import OURS, STANDARD

ROUTING = {**OURS, "owner": "OwnerId"}


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=30) as simulator:
        yield simulator


@pytest.fixture
def ready(bare: Simulator) -> Parts:
    """An org that has all we need, and writes owners."""
    parts = connect(bare.url, properties=ROUTING)
    parts.provision()
    return parts


def problems(parts: Parts, **how: Any) -> dict[str, Problem]:
    settings = {"blueprint": STANDARD, "windows": Windows(), **how}
    found = check(parts.client, parts.catalogue, parts.roster, **settings)
    assert all(problem.hint for problem in found)
    told = {problem.where: problem for problem in found}
    assert len(told) == len(found)
    return told


def accounts(parts: Parts) -> list[str]:
    return [row["Id"] for row in parts.rows("SELECT Id FROM Account ORDER BY Id")]


def test_a_provisioned_org_has_no_problem(ready: Parts) -> None:
    assert problems(ready) == {}


def test_a_bare_org_is_told_every_field_at_once_and_what_shows_it(bare: Simulator) -> None:
    found = problems(connect(bare.url))
    assert list(found) == [f"field {name}" for name in OURS.values()]
    for problem in found.values():
        assert "hides it" in problem.what
        assert INTEGRATION in problem.hint
        assert "provision" in problem.hint


def test_a_session_nobody_accepts_is_the_only_problem_told(bare: Simulator) -> None:
    found = problems(connect(bare.url, session="00D000000000001!nobody"))
    assert list(found) == ["login"]


def test_checking_writes_nothing(bare: Simulator, ready: Parts) -> None:
    bare.admin("DELETE stats")
    problems(ready, visible_accounts=10)
    methods = {str(entry["method"]) for entry in bare.admin("GET requests")["results"]}
    assert methods == {"GET"}
    assert bare.admin("GET writes")["results"] == []


def test_a_field_hidden_after_the_fact_is_told(bare: Simulator, ready: Parts) -> None:
    bare.admin("POST fields", object="Account", hide=[TIER])
    assert list(problems(ready)) == [f"field {TIER}"]


def test_a_field_we_may_only_read_is_told_with_the_permission_set(bare: Simulator, ready: Parts) -> None:
    bare.admin("POST fields", object="Account", lock=[TIER])
    found = problems(ready)
    assert list(found) == [f"field {TIER}"]
    assert "edit" in found[f"field {TIER}"].what
    assert INTEGRATION in found[f"field {TIER}"].hint


def test_a_field_of_another_type_is_told(bare: Simulator) -> None:
    parts = connect(bare.url)
    define(bare, name=OURS["fit_score"], label="Theirs", type="string")
    parts.provision()
    found = problems(parts)
    assert list(found) == [f"field {OURS['fit_score']}"]
    assert "string" in found[f"field {OURS['fit_score']}"].what


def test_missing_values_are_told_with_the_command_that_adds_them(ready: Parts) -> None:
    wider = only("flags", flags=("agency", "competitor"))
    found = problems(ready, blueprint=wider)
    assert list(found) == [f"field {FLAGS}"]
    assert "competitor" in found[f"field {FLAGS}"].what
    assert "provision" in found[f"field {FLAGS}"].hint


def test_a_record_type_that_blocks_our_values_is_told_by_name(bare: Simulator, ready: Parts) -> None:
    bare.admin("POST record_types", name="Partner", picklists={TIER: ["A", "B", "C", "D"]})
    bare.admin("POST record_types", name="Former", picklists={TIER: []}, active=False)
    with responses.RequestsMock() as server:
        record_type_values(bare, server, tier=["A", "B", "C", "D"], flags=["agency", "b2c"])
        found = problems(ready)
    assert list(found) == ["record type Partner"]
    assert found["record type Partner"].what == f"{TIER} lacks Needs data, Not ICP"


def test_an_inactive_record_type_is_told_once_accounts_still_have_it(bare: Simulator, ready: Parts) -> None:
    made = bare.admin("POST record_types", name="Former", picklists={TIER: ["A"]})
    bare.admin("POST create", properties={"Name": "Old", "RecordTypeId": made["id"]})
    bare.admin("POST record_types", name="Former", picklists={TIER: ["A"]}, active=False)
    assert list(problems(ready)) == ["record type Former"]


def test_record_types_that_cannot_be_read_are_told_and_not_taken_for_none(
    bare: Simulator, ready: Parts
) -> None:
    bare.admin("POST record_types", name="Partner", picklists={TIER: ["A"]})
    with refusing(bare, "FROM RecordType"):
        assert list(problems(ready)) == ["record types"]


def test_a_record_type_of_people_is_told_with_where_an_admin_changes_it(bare: Simulator) -> None:
    bare.admin("POST settings", person_accounts=True)
    ready = connect(bare.url, properties=ROUTING)
    ready.provision()
    bare.admin("POST record_types", name="Customer", picklists={TIER: ["A"]}, person=True)
    found = problems(ready)
    assert list(found) == ["record type Customer"]
    assert "Person Account Record Types" in found["record type Customer"].hint
    assert kinds(ready.provision()) == {StepKind.KEEP}  # it is not ours to deploy


def test_a_value_written_otherwise_than_ours_is_no_field_for_us(bare: Simulator, ready: Parts) -> None:
    found = problems(ready, blueprint=only("flags", flags=("Agency",)))
    assert "'agency' and 'Agency'" in found[f"field {FLAGS}"].what


# Rights


def test_accounts_we_may_not_edit_are_counted_in_a_sample(bare: Simulator, ready: Parts) -> None:
    ids = accounts(ready)
    bare.admin("POST access", read_only=ids[:6])
    found = problems(ready)
    assert list(found) == ["may edit", "may transfer"]
    assert "24 of 30" in found["may edit"].what
    assert "80 %" in found["may edit"].what


def test_the_right_to_transfer_matters_only_where_owners_are_written(bare: Simulator, ready: Parts) -> None:
    access = {"HasReadAccess": True, "HasEditAccess": True, "HasTransferAccess": False}
    rows = [{"RecordId": id, **access} for id in accounts(ready)]
    for parts, told in ((ready, ["may transfer"]), (connect(bare.url), [])):
        with responses.RequestsMock() as server:
            server.add_passthru(bare.url)
            asked = re.compile(r".*/query/?\?q=.*UserRecordAccess")
            server.add("GET", asked, json={"done": True, "totalSize": len(rows), "records": rows})
            assert list(problems(parts)) == told


def test_fewer_accounts_than_the_administrator_counts_is_told(bare: Simulator, ready: Parts) -> None:
    assert problems(ready, visible_accounts=30) == {}
    bare.admin("POST access", hide=accounts(ready)[:4])
    found = problems(ready, visible_accounts=30)
    assert list(found) == ["visible accounts"]
    assert "26" in found["visible accounts"].what
    assert "30" in found["visible accounts"].what


def test_a_sample_comes_from_all_over_the_org_and_is_the_same_each_time(bare: Simulator) -> None:
    bare.admin("POST create", properties={"Name": "Many"}, count=1_000)
    parts = connect(bare.url)
    found = sample(parts.client)
    assert (len(set(found.ids)), found.spread) == (200, True)
    assert sample(parts.client) == found
    everyone = accounts(parts)
    tenths = {everyone.index(id) * 10 // len(everyone) for id in found.ids}
    assert tenths == set(range(10))


def test_a_sample_finds_the_accounts_beyond_a_gap_in_the_ids(bare: Simulator) -> None:
    bare.org.accounts.store._next_id += 62**7  # moved to another instance: ids go on far away
    moved = bare.admin("POST create", properties={"Name": "Moved"}, count=1_000)["ids"]
    assert isinstance(moved, list)
    found = sample(connect(bare.url).client)
    tenths = {moved.index(id) * 10 // len(moved) for id in found.ids if id in moved}
    assert found.spread
    assert tenths == set(range(10))


def test_a_sample_that_comes_from_one_place_says_so(bare: Simulator, ready: Parts) -> None:
    old = bare.admin("POST create", properties={"Name": "Old"}, count=270)["ids"]
    for _ in range(4):
        bare.org.accounts.store._next_id += 62**10
        bare.admin("POST create", properties={"Name": "Far"})
    found = sample(ready.client)
    assert (len(found.ids), found.spread) == (200, False)
    bare.admin("POST access", read_only=old)
    assert "that came first" in problems(ready)["may edit"].what


def test_accounts_that_cannot_be_asked_for_are_told_and_not_taken_for_none(
    bare: Simulator, ready: Parts
) -> None:
    with refusing(bare, "FROM Account ORDER BY Id"):
        assert list(problems(ready)) == ["rights on accounts"]


def test_others_who_may_edit_our_fields_are_named_with_their_number(bare: Simulator, ready: Parts) -> None:
    grants = Grants(
        fields={f"Account.{TIER}": True, f"Account.{FLAGS}": False, "Account.Industry": True}, objects={}
    )
    theirs = permission_set(READERS, grants)
    assert deploy(ready.client, [theirs], check_only=False) == []
    assert problems(ready) == {}  # nobody has it yet
    (readers,) = ready.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    for row in ready.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'"):
        body = {"AssigneeId": row["Id"], "PermissionSetId": readers["Id"]}
        ready.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    found = problems(ready)
    assert list(found) == ["permission set ICP Sync readers", "overrides"]
    told = found["permission set ICP Sync readers"].what
    assert "1 person" in told
    assert TIER in told
    assert FLAGS not in told


def readers(ready: Parts) -> str:
    """The permission set for people, which one of them has from now on."""
    (found,) = ready.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{READERS}'")
    (person,) = ready.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'")
    body = {"AssigneeId": person["Id"], "PermissionSetId": found["Id"]}
    ready.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    return str(found["Id"])


def test_an_override_nobody_may_edit_is_told_and_provisioning_mends_it(ready: Parts) -> None:
    parent, override = readers(ready), OURS["tier_override"]
    assert problems(ready) == {}
    soql = f"SELECT Id FROM FieldPermissions WHERE ParentId = '{parent}' AND Field = 'Account.{override}'"
    (given,) = ready.rows(soql)
    ready.client.call("PATCH", f"sobjects/FieldPermissions/{given['Id']}", json={"PermissionsEdit": False})
    (problem,) = problems(ready).values()
    assert (problem.where, override in problem.what) == ("overrides", True)
    assert "provision" in problem.hint
    ready.provision()
    assert problems(ready) == {}


def test_an_override_somebody_else_may_edit_is_no_problem(ready: Parts) -> None:
    parent = readers(ready)
    rows = ready.rows(
        f"SELECT Id FROM FieldPermissions WHERE ParentId = '{parent}' AND PermissionsEdit = TRUE"
    )
    for row in rows:
        ready.client.call("PATCH", f"sobjects/FieldPermissions/{row['Id']}", json={"PermissionsEdit": False})
    theirs = [OURS[f"tier_override{more}"] for more in ("", "_reason", "_until")]
    managers = Grants(fields={f"Account.{name}": True for name in theirs}, objects={})
    made = replace(permission_set(READERS, managers), name="Managers")
    assert deploy(ready.client, [made], check_only=False) == []
    assert list(problems(ready)) == ["overrides"]  # none of them is there yet
    (found,) = ready.rows("SELECT Id FROM PermissionSet WHERE Name = 'Managers'")
    (person,) = ready.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'")
    body = {"AssigneeId": person["Id"], "PermissionSetId": found["Id"]}
    ready.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    assert problems(ready) == {}


def test_people_who_have_left_edit_nothing(bare: Simulator, ready: Parts) -> None:
    (ours,) = ready.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{INTEGRATION}'")
    (owner,) = ready.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'")
    body = {"AssigneeId": owner["Id"], "PermissionSetId": ours["Id"]}
    ready.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    bare.admin("POST users", email=OWNED, active=False)
    assert problems(ready) == {}


def test_our_own_permission_set_in_other_hands_is_told(ready: Parts) -> None:
    (ours,) = ready.rows(f"SELECT Id FROM PermissionSet WHERE Name = '{INTEGRATION}'")
    (owner,) = ready.rows(f"SELECT Id FROM User WHERE Email = '{OWNED}'")
    body = {"AssigneeId": owner["Id"], "PermissionSetId": ours["Id"]}
    ready.client.call("POST", "sobjects/PermissionSetAssignment", json=body)
    (problem,) = problems(ready).values()
    assert problem.where == "permission set ICP Sync integration"
    assert "and 17 more" in problem.what


# Limits and settings


def test_a_day_whose_calls_are_nearly_used_up_is_told_with_what_is_left(
    bare: Simulator, ready: Parts
) -> None:
    used = {"DailyApiRequests": {"Max": 15_000, "Remaining": 1_200}}
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        server.add("GET", f"{bare.url}/services/data/v66.0/limits/", json=used)
        found = problems(ready)
    assert list(found) == ["daily limit"]
    assert "1,200 of 15,000 calls" in found["daily limit"].what


def test_a_trailing_pass_that_follows_too_closely_is_told(ready: Parts) -> None:
    found = problems(ready, windows=Windows(lag=300.0))
    assert list(found) == ["trailing pass"]
    assert "lag" in found["trailing pass"].hint


def test_questions_that_are_refused_are_told_and_the_others_are_asked(bare: Simulator, ready: Parts) -> None:
    bare.admin("POST faults", kind="500", match="GET limits")
    bare.admin("POST fields", object="Account", hide=[TIER])
    assert set(problems(ready)) == {f"field {TIER}", "daily limit"}
