"""The owner goes first, alone and conditionally, and whatever becomes of it costs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.salesforce.scripted import ADA, BOB, NOBODY, NOW, Scripted, error, row

ADA_MAIL, BOB_MAIL = "ada@sales.example", "bob@sales.example"


@pytest.fixture
def org() -> Iterator[Scripted]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield Scripted(server, count=2)


def give(org: Scripted, owner: str = ADA_MAIL, expected: str = "", **others: str) -> Outcome:
    id = org.ids[0]
    write = Write(account_id=id, values={"owner": owner, **others}, expected={"owner": expected})
    return org.write(write)[id]


def transfers(org: Scripted) -> list[Any]:
    return org.sent(f"PATCH sobjects/Account/{org.ids[0]}")


def test_the_owner_travels_first_and_alone_on_condition_that_nobody_touched_the_account(
    org: Scripted,
) -> None:
    outcome = give(org, tier="A")
    assert (outcome.result, outcome.refused) == (Result.WRITTEN, {})
    assert outcome.confirmed == {"owner": ADA_MAIL, "tier": "A"}
    assert transfers(org) == [{"OwnerId": ADA}]
    patches = [(path, body, headers) for method, path, body, headers in org.requests if method == "PATCH"]
    assert [path for path, _, _ in patches] == [f"sobjects/Account/{org.ids[0]}", "composite/sobjects"]
    assert patches[0][2]["If-Unmodified-Since"] == "Sun, 22 Nov 2026 09:00:00 GMT"
    assert "OwnerId" not in patches[1][1]["records"][0]


def test_an_account_of_nobodys_is_vacant(org: Scripted) -> None:
    assert org.accounts[org.ids[0]]["OwnerId"] == NOBODY
    assert give(org, expected="").result is Result.WRITTEN
    assert org.accounts[org.ids[0]]["OwnerId"] == ADA


def test_an_owner_a_person_chose_since_our_read_stays_and_nothing_is_written(org: Scripted) -> None:
    org.accounts[org.ids[0]]["OwnerId"] = BOB
    outcome = give(org, expected="", tier="A")
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert [method for method, _, _, _ in org.requests if method == "PATCH"] == []


def test_an_owner_who_is_there_already_is_confirmed_without_a_call(org: Scripted) -> None:
    org.accounts[org.ids[0]]["OwnerId"] = ADA
    outcome = give(org, expected="", tier="A")
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"owner": ADA_MAIL, "tier": "A"})
    assert transfers(org) == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, error("INACTIVE_OWNER_OR_USER", "operation performed with inactive user")), "INACTIVE_OWNER"),
        ((403, error("INSUFFICIENT_ACCESS_OR_READONLY", "no transfer")), "INSUFFICIENT_ACCESS_OR_READONLY"),
        ((400, error("TRANSFER_REQUIRES_READ", "the new owner must have read access")), "TRANSFER_REQ"),
        ((412, error("PRECONDITION_FAILED", "changed")), "CHANGED_SINCE_READ"),
        ((412, None), "CHANGED_SINCE_READ"),
        ((400, None), "REFUSED"),
        ((403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")), "UNAVAILABLE"),
    ],
)
def test_a_refused_owner_never_costs_the_other_fields(
    org: Scripted, answer: tuple[int, object], code: str
) -> None:
    org.owners = [answer]
    outcome = give(org, tier="A")
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"tier": "A"})
    assert outcome.refused["owner"].startswith(code)
    assert org.accounts[org.ids[0]]["ICP_Tier__c"] == "A"
    assert org.accounts[org.ids[0]]["OwnerId"] == NOBODY


@pytest.mark.parametrize(
    ("answer", "result", "code"),
    [
        ((400, error("INACTIVE_OWNER_OR_USER", "inactive")), Result.REFUSED, "INACTIVE_OWNER_OR_USER"),
        ((403, error("INSUFFICIENT_ACCESS_OR_READONLY")), Result.REFUSED, "INSUFFICIENT_ACCESS_OR_READONLY"),
        ((412, None), Result.FAILED, "CHANGED_SINCE_READ"),
        ((404, error("ENTITY_IS_DELETED", "entity is deleted")), Result.GONE, "ENTITY_IS_DELETED"),
    ],
)
def test_a_write_of_the_owner_alone_is_what_became_of_the_owner(
    org: Scripted, answer: tuple[int, object], result: Result, code: str
) -> None:
    org.owners = [answer]
    outcome = give(org)
    assert (outcome.result, outcome.code) == (result, code)
    assert org.sent("PATCH composite/sobjects") == []


def test_an_email_nobody_has_costs_only_the_owner(org: Scripted) -> None:
    outcome = give(org, owner="nobody.knows@sales.example", tier="A")
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"tier": "A"})
    assert "nobody.knows@sales.example" in outcome.refused["owner"]
    alone = give(org, owner="nobody.knows@sales.example")
    assert (alone.result, alone.code) == (Result.REFUSED, "NO_SUCH_OWNER")


@pytest.mark.parametrize("stamp", ["10:00:00", "09:59:59", "10:00:01"])
def test_a_record_changed_within_the_last_seconds_keeps_its_owner_for_now(org: Scripted, stamp: str) -> None:
    org.accounts[org.ids[0]]["LastModifiedDate"] = f"2026-11-22T{stamp}.000+0000"
    org.now = NOW
    outcome = give(org, tier="A")
    assert outcome.refused["owner"].startswith("CHANGED_JUST_NOW")
    assert outcome.confirmed == {"tier": "A"}
    assert transfers(org) == []
    assert give(org).result is Result.FAILED


def test_a_locked_account_is_tried_again_under_the_same_condition(org: Scripted) -> None:
    locked = (400, error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"))
    org.owners = [locked, locked]
    assert give(org).result is Result.WRITTEN
    assert len(transfers(org)) == 3
    assert len(org.waits) == 2
    org.accounts[org.ids[0]]["OwnerId"] = NOBODY
    org.owners = [locked] * 3
    assert (outcome := give(org)).result is Result.FAILED
    assert outcome.code == "UNABLE_TO_LOCK_ROW"


def test_an_owner_whose_reply_was_lost_makes_the_account_uncertain_and_the_rest_still_goes(
    org: Scripted,
) -> None:
    org.owners = [(500, None)]
    outcome = give(org, tier="A")
    assert outcome.result is Result.UNCERTAIN
    assert org.accounts[org.ids[0]]["ICP_Tier__c"] == "A"
    assert len(transfers(org)) == 1


def test_fields_refused_after_the_owner_landed_are_named_and_the_owner_is_kept(org: Scripted) -> None:
    org.refuse[org.ids[0]] = [[row("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Tier A needs a phone")]]
    outcome = give(org, tier="A", fit_score="80")
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"owner": ADA_MAIL})
    assert set(outcome.refused) == {"tier", "fit_score"}
    assert outcome.refused["tier"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION: Tier A needs a phone"


def test_owners_of_many_accounts_are_one_call_each_and_their_fields_one_together(org: Scripted) -> None:
    writes = [Write(account_id=id, values={"owner": ADA_MAIL, "tier": "A"}) for id in org.ids]
    outcomes = org.write(*writes)
    assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}
    patches = [path for method, path, _, _ in org.requests if method == "PATCH"]
    assert patches == [*(f"sobjects/Account/{id}" for id in org.ids), "composite/sobjects"]
