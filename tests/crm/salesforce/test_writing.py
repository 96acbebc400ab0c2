"""Collections against an org that refuses rows or the whole, falls silent, or changed while we thought."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.salesforce.wire import STANDING
from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.salesforce.scripted import LOCKED, Scripted, error, row

COLLECTION = "PATCH composite/sobjects"
LOOK = "POST composite/sobjects/Account"


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def org(server: responses.RequestsMock) -> Scripted:
    return Scripted(server, count=3)


def write(id: str, expected: dict[str, str] | None = None, **values: str) -> Write:
    return Write(account_id=id, values=values, expected=expected or {})


def results(outcomes: dict[str, Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes.values()}


def ids_sent(org: Scripted) -> list[list[str]]:
    return [[record["id"] for record in body["records"]] for body in org.sent(COLLECTION)]


def test_five_hundred_writes_are_one_look_and_three_collections_in_order_of_id(
    server: responses.RequestsMock,
) -> None:
    org = Scripted(server, count=500)
    shuffled = random.Random(1).sample(org.ids, 500)
    assert results(org.write(*(write(id, tier="A") for id in shuffled))) == {Result.WRITTEN}
    assert len(org.sent(LOOK)) == 1
    assert [len(ids) for ids in ids_sent(org)] == [200, 200, 100]
    assert [id for ids in ids_sent(org) for id in ids] == sorted(org.ids)


def test_values_travel_as_the_types_the_org_describes(org: Scripted) -> None:
    id = org.ids[0]
    org.accounts[id]["ICP_Lane__c"] = "sales"
    outcome = org.write(
        write(
            id,
            tier="B",
            fit_score="72.5",
            lane="",
            target_account="true",
            tier_changed_at="2026-11-22T10:00:00.000Z",
        )
    )[id]
    assert org.sent(COLLECTION)[0]["records"] == [
        {
            "attributes": {"type": "Account"},
            "id": id,
            "ICP_Tier__c": "B",
            "ICP_Fit_Score__c": 72.5,
            "ICP_Lane__c": None,
            "Target__c": True,
            "ICP_Changed__c": "2026-11-22T10:00:00.000Z",
        }
    ]
    assert (outcome.result, outcome.confirmed["fit_score"]) == (Result.WRITTEN, "72.5")


def test_every_write_carries_the_headers_that_keep_the_orgs_rules_quiet(org: Scripted) -> None:
    org.write(write(org.ids[0], tier="A", owner="ada@sales.example"))
    writes = [headers for method, _, _, headers in org.requests if method == "PATCH"]
    assert len(writes) == 2
    assert all(STANDING.items() <= dict(headers).items() for headers in writes)


@pytest.mark.parametrize(
    ("values", "named"),
    [({"fit_score": "many"}, "ICP_Fit_Score__c"), ({"reasons": "x" * 41}, "ICP_Reasons__c")],
)
def test_a_value_that_does_not_fit_is_refused_here_and_names_the_field(
    org: Scripted, values: dict[str, str], named: str
) -> None:
    bad, good = org.ids[:2]
    outcomes = org.write(write(bad, tier="A", **values), write(good, tier="A"))
    assert outcomes[good].result is Result.WRITTEN
    assert (outcomes[bad].result, outcomes[bad].code) == (Result.REFUSED, "VALUE_DOES_NOT_FIT")
    assert outcomes[bad].message.startswith(f"{named}: ")
    assert ids_sent(org) == [[good]]


def test_a_field_the_connection_does_not_know_is_refused(org: Scripted) -> None:
    outcome = org.write(write(org.ids[0], nonsense="1"))[org.ids[0]]
    assert (outcome.result, outcome.code) == (Result.REFUSED, "NOT_CONFIGURED")
    assert "nonsense" in outcome.message


def test_two_writes_of_one_account_follow_each_other(org: Scripted) -> None:
    id = org.ids[0]
    outcomes = list(
        org.writer().write([write(id, tier="A"), write(id, tier="B"), write(org.ids[1], tier="C")])
    )
    assert [outcome.result for outcome in outcomes] == [Result.WRITTEN] * 3
    assert org.accounts[id]["ICP_Tier__c"] == "B"
    assert ids_sent(org) == [[id, org.ids[1]], [id]]


# What is there now


def test_what_a_person_changed_since_our_read_is_not_overwritten(org: Scripted) -> None:
    edited, free = org.ids[:2]
    org.accounts[edited]["ICP_Tier__c"] = "D"
    outcomes = org.write(
        write(edited, {"tier": "B", "lane": ""}, tier="A", lane="sales"),
        write(free, {"tier": "", "lane": ""}, tier="A", lane="sales"),
    )
    assert outcomes[free].result is Result.WRITTEN
    assert (outcomes[edited].result, outcomes[edited].code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert "tier" in outcomes[edited].message
    assert org.accounts[edited]["ICP_Tier__c"] == "D"
    assert ids_sent(org) == [[free]]


def test_only_the_fields_about_to_be_written_are_compared(org: Scripted) -> None:
    id = org.ids[0]
    org.accounts[id]["ICP_Lane__c"] = "none"
    assert org.write(write(id, {"tier": "", "lane": "sales"}, tier="A"))[id].result is Result.WRITTEN
    assert org.sent(LOOK)[0]["fields"] == ["Id", "ICP_Tier__c", "LastModifiedDate"]


def test_a_value_without_an_expectation_is_written_whatever_is_there(org: Scripted) -> None:
    id = org.ids[0]
    org.accounts[id]["ICP_Tier__c"] = "D"
    assert org.write(write(id, tier="A"))[id].result is Result.WRITTEN


def test_what_is_there_already_is_not_sent_again(org: Scripted) -> None:
    id = org.ids[0]
    org.accounts[id] |= {"ICP_Tier__c": "A", "ICP_Fit_Score__c": 80.0}
    outcome = org.write(write(id, {"tier": "B", "fit_score": "1"}, tier="A", fit_score="80"))[id]
    assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"tier": "A", "fit_score": "80"})
    assert org.sent(COLLECTION) == []


def test_an_account_that_is_no_more_is_gone_and_its_survivor_named(org: Scripted) -> None:
    deleted, merged, free = org.ids
    for id in (deleted, merged):
        del org.accounts[id]
    org.deleted = {deleted: "", merged: free}
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    assert {id: outcome.result for id, outcome in outcomes.items()} == {
        deleted: Result.GONE,
        merged: Result.GONE,
        free: Result.WRITTEN,
    }
    assert outcomes[merged].message == f"merged into {free}"


def test_an_account_we_may_not_read_is_refused_and_not_gone(org: Scripted) -> None:
    org.retrieves = [(200, [None])]
    outcome = org.write(write(org.ids[0], tier="A"))[org.ids[0]]
    assert (outcome.result, outcome.code) == (Result.REFUSED, "INSUFFICIENT_ACCESS_OR_READONLY")


def test_a_look_that_fails_sends_nothing(org: Scripted) -> None:
    org.retrieves = [(503, {})]
    assert results(org.write(*(write(id, tier="A") for id in org.ids))) == {Result.FAILED}
    assert org.sent(COLLECTION) == []


# Rows


@pytest.mark.parametrize(
    ("problem", "result"),
    [
        (row("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Tier A needs a phone", "ICP_Tier__c"), Result.REFUSED),
        (row("REQUIRED_FIELD_MISSING", "Required fields are missing: [Region__c]"), Result.REFUSED),
        (row("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights"), Result.REFUSED),
        (row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "trigger: NullPointerException"), Result.REFUSED),
        (row("SOMETHING_NEW", "?"), Result.REFUSED),
    ],
)
def test_a_row_refused_for_good_names_its_reason_and_costs_no_other(
    org: Scripted, problem: dict[str, Any], result: Result
) -> None:
    bad = org.ids[1]
    org.refuse[bad] = [[problem]]
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    assert (outcomes[bad].result, outcomes[bad].code) == (result, problem["statusCode"])
    assert str(problem["message"]) in outcomes[bad].message
    assert results({id: one for id, one in outcomes.items() if id != bad}) == {Result.WRITTEN}
    assert len(org.sent(COLLECTION)) == 1


def test_rows_deleted_after_the_look_are_gone(org: Scripted) -> None:
    id = org.ids[0]
    org.refuse[id] = [[row("ENTITY_IS_DELETED", "entity is deleted")]]
    org.deleted[id] = org.ids[1]
    outcome = org.write(write(id, tier="A"))[id]
    assert (outcome.result, outcome.message) == (Result.GONE, f"merged into {org.ids[1]}")


def test_locked_rows_are_sent_again_in_smaller_chunks(server: responses.RequestsMock) -> None:
    org = Scripted(server, count=200)
    locked = org.ids[:120]
    for id in locked:
        org.refuse[id] = [[LOCKED], [LOCKED]]
    assert results(org.write(*(write(id, tier="A") for id in org.ids))) == {Result.WRITTEN}
    assert [len(ids) for ids in ids_sent(org)] == [200, 50, *[10] * 5, 50, *[10] * 5, 20, *[10] * 2]
    assert len(org.waits) == 4
    assert all(0 < seconds < 3 for seconds in org.waits)


def test_a_row_that_stays_locked_may_be_tried_again_another_time(org: Scripted) -> None:
    id = org.ids[0]
    org.refuse[id] = [[LOCKED]] * 9
    outcome = org.write(write(id, tier="A"))[id]
    assert (outcome.result, outcome.code) == (Result.FAILED, "UNABLE_TO_LOCK_ROW")
    assert len(org.sent(COLLECTION)) == 4


def test_what_the_holder_of_a_lock_wrote_is_not_overwritten(org: Scripted) -> None:
    id = org.ids[0]
    org.refuse[id] = [[LOCKED]]
    org.meanwhile = {id: {"ICP_Tier__c": "D"}}
    outcome = org.write(write(id, {"tier": ""}, tier="A"))[id]
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert org.accounts[id]["ICP_Tier__c"] == "D"


def test_rows_that_ran_into_the_limits_of_the_orgs_code_pass_in_smaller_chunks(org: Scripted) -> None:
    problem = row("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "System.LimitException: Too many SOQL queries: 101")
    for id in org.ids:
        org.refuse[id] = [[problem]]
    assert results(org.write(*(write(id, tier="A") for id in org.ids))) == {Result.WRITTEN}


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ([{"success": False, "errors": []}], Result.FAILED),
        ([{"errors": []}], Result.UNCERTAIN),
        ([{"id": "001000000000009AAA", "success": True, "errors": []}], Result.UNCERTAIN),
        ([{"success": "yes", "errors": "none"}], Result.UNCERTAIN),
    ],
)
def test_a_row_that_says_nothing_of_use_is_not_taken_for_written(
    org: Scripted, answer: object, result: Result
) -> None:
    org.whole = [(200, answer)]
    assert results(org.write(write(org.ids[0], tier="A"))) == {result}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "success", "errors", "statusCode", "message"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None)
@given(answer=st.lists(JSON, min_size=1, max_size=1) | JSON, status=st.sampled_from([200, 200, 400, 500]))
def test_no_answer_raises_and_only_success_is_taken_for_written(answer: Any, status: int) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        org = Scripted(server, count=1)
        org.whole = [(status, answer)] * 4
        (outcome,) = org.write(write(org.ids[0], tier="A")).values()
    said = answer[0] if isinstance(answer, list) and len(answer) == 1 else None
    success = status == 200 and isinstance(said, dict) and said.get("success") is True
    assert success or outcome.result is not Result.WRITTEN


# The whole request


@pytest.mark.parametrize("answer", [(500, {}), (503, {}), (200, None), (200, []), (200, {"records": []})])
def test_a_lost_or_unreadable_reply_leaves_its_rows_uncertain(
    server: responses.RequestsMock, answer: tuple[int, object]
) -> None:
    org = Scripted(server, count=250)
    org.whole = [answer]
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    uncertain = {id for id, one in outcomes.items() if one.result is Result.UNCERTAIN}
    assert uncertain == set(org.ids[:200])
    assert results({id: one for id, one in outcomes.items() if id not in uncertain}) == {Result.WRITTEN}


@pytest.mark.parametrize(
    "answer",
    [
        (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")),
        (403, error("API_DISABLED_FOR_ORG")),
        (401, error("INVALID_SESSION_ID")),
        (404, error("NOT_FOUND")),
        (400, error("QUERY_TIMEOUT")),
    ],
)
def test_a_collection_that_was_certainly_not_carried_out_failed(
    org: Scripted, answer: tuple[int, object]
) -> None:
    org.whole = [answer] * 3
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    assert results(outcomes) == {Result.FAILED}
    assert all(outcome.message for outcome in outcomes.values())


def test_a_collection_refused_whole_for_one_row_is_halved_until_only_that_is_left(
    server: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = Scripted(server, count=100)
    bad = org.ids[77]
    carry_out = org._update

    def picky(records: Sequence[Any]) -> tuple[int, object]:
        if any(record["id"] == bad for record in records):
            return 400, error("JSON_PARSER_ERROR", "Cannot deserialize instance of double")
        return carry_out(records)

    monkeypatch.setattr(org, "_update", picky)
    outcomes = org.write(*(write(id, fit_score="5") for id in org.ids))
    assert (outcomes[bad].result, outcomes[bad].code) == (Result.REFUSED, "JSON_PARSER_ERROR")
    assert results({id: one for id, one in outcomes.items() if id != bad}) == {Result.WRITTEN}
    assert len(org.sent(COLLECTION)) <= 1 + 2 * 7


def test_a_field_the_org_lost_disables_that_output_alone(org: Scripted) -> None:
    partly, wholly, free = org.ids
    org.write(write(free, fit_score="1"))
    writer = org.writer()
    list(writer.write([write(free, fit_score="2")]))  # everything is described now
    org.fields = [entry for entry in org.fields if entry["name"] != "ICP_Lane__c"]
    writes = [write(partly, tier="A", lane="sales"), write(wholly, lane="sales"), write(free, tier="A")]
    outcomes = {outcome.account_id: outcome for outcome in writer.write(writes)}
    assert (outcomes[partly].result, outcomes[partly].code) == (Result.FAILED, "OUTPUT_DISABLED")
    assert (outcomes[wholly].result, outcomes[wholly].code) == (Result.REFUSED, "DISABLED")
    assert outcomes[free].result is Result.WRITTEN
    assert "ICP_Lane__c" in outcomes[partly].message
    (again,) = writer.write([write(partly, tier="A", lane="sales")])
    assert again.code == "OUTPUT_DISABLED"


def test_a_picklist_that_lost_our_value_disables_that_output_alone(org: Scripted) -> None:
    lost = next(entry for entry in org.fields if entry["name"] == "ICP_Tier__c")
    message = "bad value for restricted picklist field: A"
    for id in org.ids[:2]:
        org.refuse[id] = [[row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "ICP_Tier__c")]]
    lost["picklistValues"] = [one for one in lost["picklistValues"] if one["value"] != "A"]
    first, second, free = org.ids
    outcomes = org.write(
        write(first, tier="A", fit_score="3"), write(second, tier="A"), write(free, fit_score="3")
    )
    assert (outcomes[first].result, outcomes[first].code) == (Result.FAILED, "OUTPUT_DISABLED")
    assert (outcomes[second].result, outcomes[second].code) == (Result.REFUSED, "DISABLED")
    assert outcomes[free].result is Result.WRITTEN


def test_a_value_only_a_record_type_forbids_is_that_records_refusal(org: Scripted) -> None:
    message = "bad value for restricted picklist field: A"
    org.refuse[org.ids[0]] = [[row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "ICP_Tier__c")]]
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    assert outcomes[org.ids[0]].code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert outcomes[org.ids[0]].result is Result.REFUSED
    assert outcomes[org.ids[1]].result is Result.WRITTEN


def test_a_field_no_write_may_name_is_not_halved(server: responses.RequestsMock) -> None:
    org = Scripted(server, count=100)
    org.whole = [(400, error("INVALID_FIELD", "No such column 'ICP_Tier__c' on sobject of type Account"))] * 9
    outcomes = org.write(*(write(id, tier="A") for id in org.ids))
    assert {outcome.code for outcome in outcomes.values()} == {"INVALID_FIELD"}
    assert len(org.sent(COLLECTION)) == 1


def test_fields_that_cannot_be_described_fail_the_writes_and_raise_nothing(
    org: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = org._answer
    monkeypatch.setattr(org, "_answer", lambda *call: (500, None) if "describe" in call[1] else answer(*call))
    assert results(org.write(*(write(id, tier="A") for id in org.ids))) == {Result.FAILED}
    monkeypatch.undo()
    assert results(org.write(*(write(id, tier="A") for id in org.ids))) == {Result.WRITTEN}
