"""A person's edit between our read and our write: on Salesforce it cannot happen, or is not overwritten.

People may not edit our fields, and `check` says so when they may; an owner is given on condition that nobody
touched the account; and whatever is about to be written is compared with what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.permission_sets import (
    INTEGRATION,
    READERS,
    Grants,
    permission_set,
)
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import FIELDS
from icp_sync.simulator.salesforce.org import Session
from tests.crm.contract import OWNED, live, write_one
from tests.crm.salesforce.world import OURS, PROPERTIES, STANDARD, Org

THEIRS = sorted(name for name in OURS if FIELDS[name].theirs)
OTHER = "ben.lindqvist@sales.example"
SAMPLE = {
    "tier": "B",
    "model_tier": "B",
    "previous_tier": "B",
    "tier_override": "B",
    "certainty": "firm",
    "priority": "A1",
    "timing_grade": "1",
    "lane": "sales",
    "onboarding": "full",
    "expansion": "likely",
    "churn_risk": "low",
    "flags": "agency",
    "tier_changed_at": "2026-11-22T10:00:00Z",
    "routed_at": "2026-11-22T10:00:00Z",
    "tier_override_until": "2026-12-22T10:00:00Z",
}


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    org.crm._client.transport._sleep = lambda _: False
    yield org
    org.close()


def person(org: Org) -> str:
    """Somebody who sells, signed in; the token."""
    user = next(user for user in org.simulator.org.users.values() if user.email == OWNED)
    org.simulator.org.sessions["a person"] = Session(user=user)
    return "a person"


def assign(org: Org, name: str) -> None:
    """The person has a permission set from now on."""
    org.crm._client.call(
        "POST",
        "sobjects/PermissionSetAssignment",
        json={"AssigneeId": rows(org, "User", f"Email = '{OWNED}'"), "PermissionSetId": set_id(org, name)},
    )


def set_id(org: Org, name: str) -> str:
    return rows(org, "PermissionSet", f"Name = '{name}'")


def rows(org: Org, sobject: str, where: str) -> str:
    (page,) = org.crm._client.query(f"SELECT Id FROM {sobject} WHERE {where}")
    return str(page[0]["Id"])


def types(org: Org, id: str, field: str, value: object) -> tuple[int, Any]:
    """The person types a value into a field, through the API the pages use too."""
    answer = requests.patch(
        f"{org.simulator.url}/services/data/v66.0/sobjects/Account/{id}",
        json={PROPERTIES[field]: value},
        headers={"Authorization": f"Bearer {person(org)}", "Sforce-Auto-Assign": "FALSE"},
        timeout=20,
    )
    return answer.status_code, answer.json() if answer.content else None


def value_of(field: str) -> object:
    kind = FIELDS[field].type.value
    return SAMPLE.get(field, 50 if kind == "number" else None if kind == "owner" else "words")


def may_edit_the_tier(org: Org) -> None:
    """An administrator lets people edit a field of ours."""
    given = Grants(fields={f"Account.{OURS['tier']}": True}, objects={})
    made = replace(permission_set(READERS, given), name="Sellers")
    assert deploy(org.crm._client, [made], check_only=False) == []
    assign(org, "Sellers")


# By permission


def test_people_cannot_edit_our_fields_and_can_edit_the_override(org: Org) -> None:
    id = org.create()
    assign(org, READERS)
    for field in OURS:
        status, body = types(org, id, field, value_of(field))
        if field in THEIRS:
            assert (status, body) == (204, None), field
        else:
            assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE"), field
    shown = live(org.crm, id)
    assert (shown["tier"], shown["tier_override"], shown["tier_override_reason"]) == ("", "B", "words")
    assert org.crm.check(STANDARD) == []


def test_we_cannot_edit_the_override_and_never_try(org: Org) -> None:
    id = org.create()
    org.simulator.admin("DELETE stats")
    outcome = write_one(org.crm, id, tier="A", tier_override="A")
    assert (outcome.result, outcome.code) == (Result.REFUSED, "THEIRS")
    assert org.simulator.admin("GET writes")["results"] == []
    answer = requests.patch(
        f"{org.simulator.url}/services/data/v66.0/sobjects/Account/{id}",
        json={OURS["tier_override"]: "A"},
        headers={"Authorization": f"Bearer {org.simulator.token}"},
        timeout=20,
    )
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert org.crm.disabled == {}  # we read it, and that is all we want


# By comparing, where people may


def test_a_person_who_may_edit_our_fields_is_told_of_by_check(org: Org) -> None:
    may_edit_the_tier(org)
    (problem,) = org.crm.check(STANDARD)
    assert problem.where == "permission set ICP Sync readers"
    assert OURS["tier"] in problem.what
    assert "1 person" in problem.what


def test_what_they_type_between_our_read_and_our_write_is_not_overwritten(org: Org) -> None:
    may_edit_the_tier(org)
    id = org.create()
    seen = live(org.crm, id)
    assert types(org, id, "tier", "D")[0] == 204
    write = Write(account_id=id, values={"tier": "A", "lane": "sales"}, expected={"tier": seen["tier"]})
    (outcome,) = org.crm.write([write])
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert (live(org.crm, id)["tier"], live(org.crm, id)["lane"]) == ("D", "")


def test_what_they_type_while_the_row_is_locked_is_seen_before_it_is_tried_again(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_edit_the_tier(org)
    id = org.create()
    org.fault("unable_to_lock_row", "PATCH composite/sobjects", nth=1)
    wait = org.crm._client.transport.wait

    def typed(seconds: float) -> None:
        assert types(org, id, "tier", "D")[0] == 204
        wait(0)

    monkeypatch.setattr(org.crm._client.transport, "wait", typed)
    (outcome,) = org.crm.write([Write(account_id=id, values={"tier": "A"}, expected={"tier": ""})])
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert live(org.crm, id)["tier"] == "D"


# By condition


def given_away(org: Org, id: str, moment: str, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """We give an account to somebody, and so does a person: `moment`."""
    expected = {"owner": live(org.crm, id)["owner"]}
    client = org.crm._client
    look, send = client.retrieve, client.update_one

    def theirs() -> None:
        org.simulator.admin("POST edit", id=id, properties={"OwnerId": OTHER})

    def looked(*given: Any, **how: Any) -> Any:
        found = look(*given, **how)
        if moment == "after our look":
            theirs()
        return found

    def sent(*given: Any, **how: Any) -> None:
        if moment == "before our request":
            theirs()
        send(*given, **how)

    if moment == "after our read":
        theirs()
    monkeypatch.setattr(client, "retrieve", looked)
    monkeypatch.setattr(client, "update_one", sent)
    (outcome,) = org.crm.write([Write(account_id=id, values={"owner": OWNED}, expected=expected)])
    monkeypatch.undo()
    return outcome


@pytest.mark.parametrize("moment", ["after our read", "after our look", "before our request"])
def test_an_owner_a_person_gives_meanwhile_stays_whenever_it_happens(
    org: Org, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = org.create()
    org.advance(10)
    outcome = given_away(org, id, moment, monkeypatch)
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert live(org.crm, id)["owner"] == OTHER


def test_our_permission_set_is_for_our_user_alone_and_check_says_when_it_is_not(org: Org) -> None:
    assign(org, INTEGRATION)
    (problem,) = org.crm.check(STANDARD)
    assert problem.where == "permission set ICP Sync integration"
