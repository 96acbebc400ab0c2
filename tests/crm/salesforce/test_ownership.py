"""The owner goes first, alone and conditionally, and whatever becomes of it costs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.salesforce.scripted import ADA, BOB, LOCKED, NOBODY, NOW, Scripted, error, row

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
        (
            (400, error("INACTIVE_OWNER_OR_USER", "operation performed with inactive user")),
            "INACTIVE_OWNER_OR_USER: ",
        ),
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
    assert outcome.deferred == ({"owner"} if code in ("CHANGED_SINCE_READ", "UNAVAILABLE") else frozenset())
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
    assert outcome.deferred == frozenset()
    alone = give(org, owner="nobody.knows@sales.example")
    assert (alone.result, alone.code) == (Result.REFUSED, "NO_SUCH_OWNER")


@pytest.mark.parametrize("stamp", ["10:00:00", "09:59:59", "10:00:01"])
def test_a_record_changed_within_the_last_seconds_keeps_its_owner_for_now(org: Scripted, stamp: str) -> None:
    org.accounts[org.ids[0]]["LastModifiedDate"] = f"2026-11-22T{stamp}.000+0000"
    org.now = NOW
    outcome = give(org, tier="A")
    assert outcome.refused["owner"].startswith("CHANGED_JUST_NOW")
    assert outcome.deferred == {"owner"}
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
    assert outcome.deferred == frozenset()


def test_fields_that_may_land_another_time_are_told_from_those_that_will_not(org: Scripted) -> None:
    org.refuse[org.ids[0]] = [[LOCKED]] * 9
    outcome = give(org, tier="A", fit_score="80")
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"owner": ADA_MAIL})
    assert outcome.deferred == {"tier", "fit_score"} == outcome.refused.keys()
    assert outcome.refused["tier"].startswith("UNABLE_TO_LOCK_ROW: ")


def test_owners_of_many_accounts_are_one_call_each_and_their_fields_one_together(org: Scripted) -> None:
    writes = [Write(account_id=id, values={"owner": ADA_MAIL, "tier": "A"}) for id in org.ids]
    outcomes = org.write(*writes)
    assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}
    *single, last = [path for method, path, _, _ in org.requests if method == "PATCH"]
    assert sorted(single) == [f"sobjects/Account/{id}" for id in org.ids]
    assert last == "composite/sobjects"


# What people type meanwhile


def test_what_is_typed_while_owners_are_given_is_not_overwritten(org: Scripted) -> None:
    id, other = org.ids
    org.meanwhile = {id: {"ICP_Tier__c": "D"}}
    expected = {"owner": "", "tier": "", "lane": ""}
    values = {"owner": ADA_MAIL, "tier": "A", "lane": "sales"}
    outcomes = org.write(*(Write(account_id=one, values=values, expected=expected) for one in org.ids))
    assert (outcomes[id].result, outcomes[id].confirmed) == (Result.WRITTEN, {"owner": ADA_MAIL})
    assert outcomes[id].deferred == {"tier", "lane"}
    assert outcomes[id].refused["lane"].startswith("CHANGED_SINCE_READ: ")
    assert "tier" in outcomes[id].refused["lane"]
    assert org.accounts[id]["ICP_Tier__c"] == "D"
    assert outcomes[other].confirmed == values


def test_what_made_the_condition_of_a_transfer_fail_is_looked_at_before_the_rest_is_written(
    org: Scripted,
) -> None:
    id = org.ids[0]
    org.owners, org.meanwhile = [(412, None)], {id: {"ICP_Tier__c": "D"}}
    values = {"owner": ADA_MAIL, "tier": "A"}
    outcome = org.write(Write(account_id=id, values=values, expected={"owner": "", "tier": ""}))[id]
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert org.accounts[id]["ICP_Tier__c"] == "D"
    assert org.sent("PATCH composite/sobjects") == []


def test_an_account_deleted_after_its_owner_was_given_is_gone(
    org: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = org.ids[0]
    carry_out = org._one

    def one(*call: Any) -> tuple[int, object]:
        answer = carry_out(*call)
        del org.accounts[id]
        org.deleted[id] = ""
        return answer

    monkeypatch.setattr(org, "_one", one)
    assert give(org, tier="A").result is Result.GONE


# Many owners, one reason


def many(server: responses.RequestsMock, count: int, owner: str = ADA_MAIL) -> tuple[Scripted, list[Write]]:
    org = Scripted(server, count=count)
    return org, [Write(account_id=id, values={"owner": owner, "tier": "A"}) for id in org.ids]


def tried(org: Scripted) -> int:
    return sum(
        method == "PATCH" and path.startswith("sobjects/Account/") for method, path, _, _ in org.requests
    )


@pytest.mark.parametrize(
    ("answer", "calls", "reason"),
    [
        ((403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")), 1, "UNAVAILABLE: "),
        ((401, error("INVALID_SESSION_ID")), 2, "UNAVAILABLE: "),  # once more with a new session
        (
            (403, error("INSUFFICIENT_ACCESS_OR_READONLY", "no transfer")),
            5,
            "INSUFFICIENT_ACCESS_OR_READONLY: not tried, as 5 in a row were refused: no transfer",
        ),
        ((400, error("TRANSFER_REQUIRES_READ", "no")), 5, "TRANSFER_REQUIRES_READ: not tried"),
        ((400, error("INACTIVE_OWNER_OR_USER", "left")), 5, "INACTIVE_OWNER_OR_USER: not tried"),
    ],
)
def test_what_would_stop_every_owner_of_a_page_is_met_a_few_times_only(
    answer: tuple[int, object], calls: int, reason: str
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 40)
        org.owners = [answer] * 40
        outcomes = org.write(*writes)
    assert tried(org) == calls
    assert {tuple(one.confirmed.items()) for one in outcomes.values()} == {(("tier", "A"),)}
    left_out = [one for one in outcomes.values() if one.refused["owner"].startswith(reason)]
    assert len(left_out) >= 40 - calls
    assert all(one.deferred == {"owner"} for one in left_out), "whom nobody refused is tried again soon"


def test_replies_lost_one_after_the_other_end_it_too() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 20)
        org.owners = [(500, None)] * 20
        outcomes = org.write(*writes)
    assert tried(org) == 3
    uncertain = [one for one in outcomes.values() if one.result is Result.UNCERTAIN]
    assert len(uncertain) == 3
    assert sum(one.deferred == {"owner"} for one in outcomes.values()) == 17


@pytest.mark.parametrize(
    "answer",
    [
        (400, error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")),
        (412, None),
        (404, error("ENTITY_IS_DELETED", "entity is deleted")),
    ],
)
def test_what_is_a_records_own_stops_no_other(answer: tuple[int, object]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 12)
        org.owners = [answer] * 10
        org.write(*writes)
    assert tried(org) == 12


def test_refusals_with_successes_between_them_stop_nobody() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 20)
        no, yes = (403, error("INSUFFICIENT_ACCESS_OR_READONLY", "read-only")), (204, None)
        org.owners = [no, no, no, no, yes] * 4
        org.write(*writes)
    assert tried(org) == 20


def test_an_owner_nobody_can_give_anything_to_stops_no_other_owner(
    org: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 21):
        org.ids.append(org.create(number))
    answers = {ADA: (400, error("TRANSFER_REQUIRES_READ", "no")), NOBODY: (204, None)}
    monkeypatch.setattr(org, "_one", lambda id, body, headers: answers[body["OwnerId"]])
    for id in org.ids[10:]:
        org.accounts[id]["OwnerId"] = BOB
    writes = [
        *(Write(account_id=id, values={"owner": ADA_MAIL}) for id in org.ids[:10]),
        *(Write(account_id=id, values={"owner": ""}) for id in org.ids[10:]),
    ]
    outcomes = org.write(*writes)
    results = [outcomes[id].result for id in org.ids[:10]]
    assert sorted(results) == [Result.FAILED] * 5 + [Result.REFUSED] * 5, "five were tried"
    assert {outcomes[id].result for id in org.ids[10:]} == {Result.WRITTEN}


def test_locks_are_waited_for_at_three_accounts_of_a_page_only() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 10)
        org.owners = [(400, error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access"))] * 99
        outcomes = org.write(*writes)
    assert tried(org) == 3 * 3 + 7
    assert len(org.waits) == 3 * 2
    assert {one.deferred for one in outcomes.values()} == {frozenset({"owner"})}
    assert {one.refused["owner"].partition(":")[0] for one in outcomes.values()} == {"UNABLE_TO_LOCK_ROW"}


@pytest.mark.parametrize("named", [("OwnerId",), ()])
def test_the_right_to_edit_owners_taken_away_disables_that_output_alone(named: tuple[str, ...]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org, writes = many(server, 10)
        writer = org.writer()
        writer._outputs.definitions()
        org.fields = [{**one, "updateable": one["name"] not in ("Id", "OwnerId")} for one in org.fields]
        refusal = error("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: OwnerId", *named)
        org.owners = [(400, refusal)] * 10
        outcomes = list(writer.write(writes))
        assert tried(org) == 1
        assert {one.refused["owner"] for one in outcomes} == {"DISABLED: we may not edit OwnerId"}
        assert {tuple(one.confirmed) for one in outcomes} == {("tier",)}
        assert {one.deferred for one in outcomes} == {frozenset()}
        assert list(writer._outputs.disabled) == ["owner"]
        assert len(org.sent("GET sobjects/Account/describe")) == 2
