"""Writes against the simulated org, whose assignment rules move every account they are not told to leave
alone. Whatever happens to sessions, rows and replies, they stay quiet; only bulk jobs, which cannot carry the
header, set them off, and say so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.ports import Query, Stream
from tests.crm.contract import OWNED, live, write_one
from tests.crm.salesforce.ingest import Notebook
from tests.crm.salesforce.world import OURS, Org

LEFT = "left.long.ago@sales.example"
ROUTED = {"tier": "A", "reasons": "Fits:\n- 50 to 500 people", "owner": OWNED}


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    org.crm._client.transport._sleep = lambda _: False
    yield org
    assert org.simulator.admin("GET stats")["auto_assigned"] == 0
    org.close()


def account(org: Org) -> str:
    """One that has not been touched for a while."""
    id = org.create()
    org.advance(10)
    return id


def moved(org: Org) -> Any:
    return org.simulator.admin("GET stats")["auto_assigned"]


@pytest.mark.parametrize("kind", ["401_session", "401_html", "401_object"])
@pytest.mark.parametrize(
    "call", ["POST composite/sobjects", "PATCH sobjects", "PATCH composite/sobjects", "GET query"]
)
def test_a_session_that_ends_in_the_middle_of_any_call_of_a_write_costs_nothing(
    org: Org, kind: str, call: str
) -> None:
    id = account(org)
    org.fault(kind, call, nth=1)
    outcome = write_one(org.crm, id, **ROUTED)
    assert (outcome.result, outcome.refused) == (Result.WRITTEN, {})
    assert ROUTED.items() <= live(org.crm, id).items()


def test_a_session_that_lives_too_short_is_replaced_as_often_as_it_takes(org: Org) -> None:
    org.simulator.admin("POST settings", session_seconds=60)
    for tier in "ABCD":
        id = account(org)
        org.advance(120)
        assert write_one(org.crm, id, tier=tier, owner=OWNED).result is Result.WRITTEN


def refused(org: Org, id: str, **values: str) -> Outcome:
    outcome = write_one(org.crm, id, **values)
    assert outcome.result is Result.REFUSED
    return outcome


def test_rows_the_org_refuses_say_why_and_the_others_land(org: Org) -> None:
    ruled, read_only, hidden, free = (account(org) for _ in range(4))
    message = "Tier B needs a reason"
    org.simulator.admin("POST rules", field=OURS["tier"], value="B", message=message)
    org.simulator.admin("POST access", read_only=[read_only])
    org.simulator.admin("POST access", hide=[hidden])
    writes = [
        Write(account_id=ruled, values={"tier": "B"}),
        *(Write(account_id=id, values={"tier": "A"}) for id in (read_only, hidden, free)),
    ]
    outcomes = {outcome.account_id: outcome for outcome in org.crm.write(writes)}
    assert (outcomes[ruled].result, outcomes[ruled].code) == (
        Result.REFUSED,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    )
    assert message in outcomes[ruled].message
    assert (outcomes[read_only].result, outcomes[read_only].code) == (
        Result.REFUSED,
        "INSUFFICIENT_ACCESS_OR_READONLY",
    )
    assert "out of our sight" in outcomes[hidden].message
    assert outcomes[free].result is Result.WRITTEN


@pytest.mark.parametrize("right", [True, False])
def test_an_owner_who_cannot_have_it_costs_only_the_owner(org: Org, right: bool) -> None:
    id = account(org)
    if right:
        org.simulator.admin("POST users", email=OWNED, active=False)
    else:
        org.simulator.admin("POST settings", transfer_right=False)
    outcome = write_one(org.crm, id, **ROUTED)
    assert outcome.result is Result.WRITTEN
    assert set(outcome.refused) == {"owner"}
    assert live(org.crm, id)["tier"] == "A"
    assert live(org.crm, id)["owner"] == ""


def test_a_person_who_is_quicker_than_our_transfer_keeps_what_they_did(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = account(org)
    send = org.crm._client.update_one

    def late(*given: Any, **how: Any) -> None:
        org.edit(id, tier="D")
        send(*given, **how)

    monkeypatch.setattr(org.crm._client, "update_one", late)
    outcome = write_one(org.crm, id, owner=OWNED)
    assert (outcome.result, outcome.code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert live(org.crm, id)["owner"] == ""


def test_a_row_somebody_else_is_writing_is_left_for_later(org: Org) -> None:
    locked, free = account(org), account(org)
    org.simulator.admin("POST edit", id=locked, properties={"Name": "Mine"}, visible_late=600)
    outcomes = {
        outcome.account_id: outcome
        for outcome in org.crm.write([Write(account_id=id, values={"tier": "A"}) for id in (locked, free)])
    }
    assert (outcomes[locked].result, outcomes[locked].code) == (Result.FAILED, "UNABLE_TO_LOCK_ROW")
    assert outcomes[free].result is Result.WRITTEN
    org.advance(700)
    assert write_one(org.crm, locked, tier="A").result is Result.WRITTEN


def test_a_field_hidden_from_us_disables_that_output_alone(org: Org) -> None:
    id = account(org)
    assert write_one(org.crm, id, tier="B", lane="sales").result is Result.WRITTEN
    org.simulator.admin("POST fields", object="Account", hide=[OURS["lane"]])
    assert write_one(org.crm, id, tier="A", lane="none").code == "OUTPUT_DISABLED"
    assert write_one(org.crm, id, tier="A").result is Result.WRITTEN
    assert list(org.crm.disabled) == ["lane"]


def test_a_record_type_without_our_tier_is_named(org: Org) -> None:
    only = {OURS["tier"]: ["C", "D"]}
    partner = org.simulator.admin("POST record_types", name="Partner", picklists=only)["id"]
    made = org.simulator.admin("POST create", properties={"Name": "P", "RecordTypeId": partner})
    org.advance(10)
    outcome = refused(org, str(made["id"]), tier="A", fit_score="80")
    assert outcome.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert OURS["tier"] in outcome.message
    assert org.crm.disabled == {}


def test_half_a_collection_that_fails_fails_by_half(org: Org) -> None:
    ids = list(org.create_many(10))
    org.advance(10)
    org.fault("207_mixed", "PATCH composite/sobjects", nth=1)
    outcomes = {
        outcome.account_id: outcome
        for outcome in org.crm.write([Write(account_id=id, values={"tier": "B"}) for id in ids])
    }
    landed = {id for id in ids if live(org.crm, id)["tier"] == "B"}
    assert {id for id, one in outcomes.items() if one.result is Result.WRITTEN} == landed
    assert landed


@pytest.mark.parametrize(
    "kind", ["reset_after_apply", "truncated", "html_200", "error_200", "empty_200", "empty_results"]
)
def test_a_collection_whose_reply_is_lost_is_uncertain(org: Org, kind: str) -> None:
    id = account(org)
    org.fault(kind, "PATCH composite/sobjects", nth=1)
    assert write_one(org.crm, id, tier="A").result is Result.UNCERTAIN


@pytest.mark.parametrize("kind", ["reset_after_apply", "error_200", "html_200", "empty_200", "502_html"])
def test_a_transfer_whose_reply_is_lost_is_uncertain_and_the_rest_lands(org: Org, kind: str) -> None:
    id = account(org)
    org.fault(kind, "PATCH sobjects", nth=1)
    assert write_one(org.crm, id, **ROUTED).result is Result.UNCERTAIN
    assert live(org.crm, id)["tier"] == "A"


@pytest.mark.parametrize("kind", ["request_limit", "concurrent_limit", "403"])
def test_a_collection_the_org_had_no_room_for_failed(org: Org, kind: str) -> None:
    id = account(org)
    org.fault(kind, "PATCH composite/sobjects")
    assert write_one(org.crm, id, tier="A").result is Result.FAILED


def test_bulk_jobs_set_the_wire_off_and_say_so_beforehand() -> None:
    notebook = Notebook()
    org = Org(bulk_writes=True, jobs=notebook)
    org.crm._client.transport._sleep = lambda _: False
    org.crm._writer._bulk_from = 3
    ids = [*org.create_many(3)]
    org.simulator.admin("POST rules", field=OURS["tier"], value="D", message="no D")
    structlog.reset_defaults()
    with capture_logs() as logs:
        writes = [
            Write(account_id=id, values={"tier": t, "lane": ""}) for id, t in zip(ids, "ABD", strict=True)
        ]
        outcomes = {outcome.account_id: outcome for outcome in org.crm.write(writes)}
    assert [outcomes[id].result for id in ids] == [Result.WRITTEN, Result.WRITTEN, Result.REFUSED]
    assert "no D" in outcomes[ids[2]].message
    assert [live(org.crm, id)["tier"] for id in ids] == ["A", "B", ""]
    assert any("Sforce-Auto-Assign" in entry["event"] for entry in logs)
    assert moved(org) == 2
    assert notebook.jobs == {}
    org.close()


def test_owners_travel_four_at_once(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(org.create_many(8))
    org.advance(10)
    together = threading.Barrier(4)
    send = org.crm._client.update_one

    def met(*given: Any, **how: Any) -> None:
        together.wait(timeout=20)
        send(*given, **how)

    monkeypatch.setattr(org.crm._client, "update_one", met)
    outcomes = list(org.crm.write([Write(account_id=id, values={"owner": OWNED}) for id in ids]))
    assert [outcome.result for outcome in outcomes] == [Result.WRITTEN] * 8
    assert {live(org.crm, id)["owner"] for id in ids} == {OWNED}


def test_a_person_who_types_while_other_accounts_get_owners_keeps_what_they_typed(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = account(org), account(org)
    send = org.crm._client.update_one

    def late(*given: Any, **how: Any) -> None:
        send(*given, **how)
        org.edit(second, tier="D")

    monkeypatch.setattr(org.crm._client, "update_one", late)
    values, expected = {"tier": "A", "owner": OWNED}, {"tier": "", "owner": ""}
    writes = [Write(account_id=id, values=values, expected=expected) for id in (first, second)]
    outcomes = {outcome.account_id: outcome for outcome in org.crm.write(writes)}
    assert outcomes[first].confirmed == values
    assert outcomes[second].code == "CHANGED_SINCE_READ" or "tier" in outcomes[second].refused
    assert live(org.crm, second)["tier"] == "D"


def test_the_right_to_edit_owners_taken_away_costs_one_call_and_only_the_owner(org: Org) -> None:
    ids = list(org.create_many(12))
    org.advance(10)
    org.crm.fetch(ids)
    org.simulator.admin("POST fields", object="Account", lock=["OwnerId"])
    outcomes = list(org.crm.write([Write(account_id=id, values=ROUTED) for id in ids]))
    assert {outcome.refused["owner"] for outcome in outcomes} == {"DISABLED: we may not edit OwnerId"}
    assert {live(org.crm, id)["tier"] for id in ids} == {"A"}
    assert list(org.crm.disabled) == ["owner"]


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def bulk(notebook: Notebook) -> Iterator[Org]:
    org = Org(bulk_writes=True, jobs=notebook)
    org.crm._client.transport._sleep = lambda _: False
    yield org
    org.close()


def left_behind(org: Org, notebook: Notebook, id: str) -> str:
    """A bulk job for one account, let loose by somebody who went away."""
    org.simulator.admin("POST settings", bulk_seconds=3000)
    client = org.crm._client
    job = str(client.open_ingest()["id"])
    client.call(
        "PUT",
        f"jobs/ingest/{job}/batches",
        body=f"Id,{OURS['tier']}\n{id},C\n",
        headers={"Content-Type": "text/csv"},
    )
    notebook.begun(job, [id])
    client.close_ingest(job)
    return job


@pytest.mark.parametrize("how", ["pages", "write"])
def test_jobs_left_behind_are_seen_to_each_time_and_not_once_a_process(
    bulk: Org, notebook: Notebook, how: str
) -> None:
    id = account(bulk)
    for _ in range(2):
        job = left_behind(bulk, notebook, id)
        if how == "pages":
            first, *_ = bulk.crm.pages(Query(stream=Stream.SWEEP))
            assert first.ids == (id,)
        else:
            assert write_one(bulk.crm, id, tier="A").result is Result.WRITTEN
        assert notebook.jobs == {}
        assert bulk.crm._client.job("ingest", job)["state"] == "Aborted"


def test_nobody_else_waits_while_a_job_left_behind_is_waited_for(
    bulk: Org, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, free = account(bulk), account(bulk)
    left_behind(bulk, notebook, busy)
    answers: list[object] = []

    def others() -> None:
        answers.append(bulk.crm.identity().id)  # asked for the lock that everybody shares
        first, *_ = bulk.crm.pages(Query(stream=Stream.SWEEP))
        answers.append(first.ids)
        answers.append(write_one(bulk.crm, free, tier="A").result)
        answers.append(write_one(bulk.crm, busy, tier="A").code)

    def waiting(seconds: float) -> bool:
        if not answers:
            thread = threading.Thread(target=others, daemon=True)
            thread.start()
            thread.join(timeout=30)
        return False

    monkeypatch.setattr(bulk.crm._client.transport, "_sleep", waiting)
    list(bulk.crm.pages(Query(stream=Stream.SWEEP)))
    assert answers[1:] == [(busy, free), Result.WRITTEN, "WRITE_UNDER_WAY"]
    assert notebook.jobs == {}
