"""Bulk jobs: journaled before they may write, their results matched by id, and none left running unseen."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator

import pytest
import responses
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from icp_sync.crm.salesforce.ids import numbered
from icp_sync.crm.salesforce.writes.preparing import Input
from icp_sync.domain.plan import Result, Write
from icp_sync.errors import UnavailableError
from tests.crm.salesforce.ingest import JOB, ROWS, Ingest, Notebook, results, send, writer
from tests.crm.salesforce.scripted import Answer, Scripted, error


@pytest.fixture
def org() -> Iterator[Scripted]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        yield Scripted(server, count=ROWS)


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def notebook(steps: list[str]) -> Notebook:
    return Notebook(steps)


@pytest.fixture
def ingest(org: Scripted, steps: list[str]) -> Ingest:
    return Ingest(org, steps)


def test_the_journal_knows_of_a_job_before_it_may_write_and_until_its_results_are_read(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    outcomes = send(org, notebook)
    assert results(outcomes) == {Result.WRITTEN}
    assert all(outcome.confirmed == {"tier": "A"} for outcome in outcomes.values())
    read = ["successfulResults", "failedResults", "unprocessedrecords"]
    assert steps == ["open", "upload", "begun", "close", "status", "status", "status", *read, "ended", "drop"]
    assert notebook.jobs == {}
    assert org.sent("PATCH composite/sobjects") == []


def test_a_file_blanks_with_its_own_word_and_leaves_alone_what_a_row_does_not_write(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    for id in org.ids:
        org.accounts[id]["ICP_Lane__c"] = "sales"
    long = 'line one\nline "two", and more'
    writes = [
        Write(account_id=org.ids[0], values={"tier": "A", "reasons": long, "target_account": "true"}),
        *(Write(account_id=id, values={"lane": "", "fit_score": "72.5"}) for id in org.ids[1:]),
    ]
    assert {outcome.result for outcome in writer(org, notebook).write(writes)} == {Result.WRITTEN}
    first, second = ingest.uploaded[0], ingest.uploaded[1]
    assert (first["ICP_Reasons__c"], first["Target__c"], first["ICP_Lane__c"]) == (long, "true", "")
    assert (second["ICP_Lane__c"], second["ICP_Fit_Score__c"], second["ICP_Tier__c"]) == ("#N/A", "72.5", "")
    assert "\r" not in ingest.text


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), max_size=4))
def test_any_text_comes_out_of_the_file_as_it_went_in(texts: list[str]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
        bulk = Scripted(server).writer(jobs=Notebook())._bulk
    assert bulk is not None
    waiting = [
        Input(id=numbered("001", n), values={}, sent={"reasons": text}) for n, text in enumerate(texts)
    ]
    with tempfile.TemporaryFile() as file:
        taken = bulk._fill(file, ["ICP_Reasons__c"], list(reversed(waiting)))
        file.seek(0)
        rows = list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")))
    assert taken == waiting
    assert [row["Id"] for row in rows] == [item.id for item in waiting]
    assert [row["ICP_Reasons__c"] for row in rows] == [text or "#N/A" for text in texts]


def test_results_are_matched_by_id_and_say_why(org: Scripted, notebook: Notebook, ingest: Ingest) -> None:
    refused, locked, odd, unprocessed, good = org.ids
    ingest.failed = {
        refused: "FIELD_CUSTOM_VALIDATION_EXCEPTION:Needs a phone: now:ICP_Tier__c --",
        locked: "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--",
        odd: "something nobody foresaw",
    }
    ingest.unprocessed = {unprocessed}
    outcomes = send(org, notebook)
    assert (outcomes[refused].result, outcomes[refused].code) == (
        Result.REFUSED,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    )
    assert "Needs a phone: now" in outcomes[refused].message
    assert "ICP_Tier__c" in outcomes[refused].message
    assert (outcomes[locked].result, outcomes[locked].code) == (Result.FAILED, "UNABLE_TO_LOCK_ROW")
    assert (outcomes[odd].result, outcomes[odd].message) == (Result.REFUSED, "something nobody foresaw")
    assert outcomes[unprocessed].result is Result.FAILED
    assert outcomes[good].result is Result.WRITTEN


@pytest.mark.parametrize("ends_as", ["Failed", "Aborted"])
def test_a_job_that_failed_says_so_for_the_rows_it_did_not_reach(
    org: Scripted, notebook: Notebook, ingest: Ingest, ends_as: str
) -> None:
    ingest.ends_as, ingest.unprocessed = ends_as, set(org.ids[1:])
    outcomes = send(org, notebook)
    assert outcomes[org.ids[0]].result is Result.WRITTEN
    assert {outcomes[id].result for id in org.ids[1:]} == {Result.FAILED}
    assert ends_as in outcomes[org.ids[1]].message
    assert "InvalidBatch" in outcomes[org.ids[1]].message


def test_a_row_no_result_names_is_uncertain(org: Scripted, notebook: Notebook, ingest: Ingest) -> None:
    ingest.silent = {org.ids[0]}
    outcomes = send(org, notebook)
    assert outcomes[org.ids[0]].result is Result.UNCERTAIN
    assert results({id: one for id, one in outcomes.items() if id != org.ids[0]}) == {Result.WRITTEN}


def test_results_that_cannot_be_read_are_uncertain(org: Scripted, notebook: Notebook, ingest: Ingest) -> None:
    ingest.trouble = {"successfulResults": (503, None)}
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert notebook.jobs == {}


@pytest.mark.parametrize("end", ["_LOCK", "unable", '","001'])
def test_half_a_line_of_results_turns_no_locked_row_into_a_refused_one(
    org: Scripted, notebook: Notebook, ingest: Ingest, end: str
) -> None:
    locked = org.ids[-1]
    ingest.failed = {locked: "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--"}
    text = str(ingest.failedResults(None)[1])
    ingest.trouble = {"failedResults": (200, text[: text.rindex(end)])}
    assert send(org, notebook)[locked].result is Result.UNCERTAIN


@pytest.mark.parametrize("step", ["open", "upload"])
@pytest.mark.parametrize("answer", [(500, None), (400, error("EXCEEDED_LIMIT")), (403, error("NO"))])
def test_what_goes_wrong_before_the_job_is_closed_writes_nothing(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], step: str, answer: Answer
) -> None:
    ingest.trouble = {step: answer}
    assert results(send(org, notebook)) == {Result.FAILED}
    assert "close" not in steps
    assert notebook.jobs == {}
    assert ("abort" in steps) == (step == "upload")


@pytest.mark.parametrize("answer", [(200, None), (200, error("UNKNOWN_EXCEPTION"))])
def test_an_upload_that_is_not_confirmed_writes_nothing(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], answer: Answer
) -> None:
    ingest.trouble = {"upload": answer}
    assert results(send(org, notebook)) == {Result.FAILED}
    assert "close" not in steps


@pytest.mark.parametrize("answer", [(200, {"id": JOB, "state": "Open"}), (200, error("UNKNOWN_EXCEPTION"))])
def test_a_job_that_stays_open_is_aborted(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], answer: Answer
) -> None:
    ingest.trouble = {"close": answer}
    assert results(send(org, notebook)) == {Result.FAILED}
    assert "abort" in steps
    assert notebook.jobs == {}


@pytest.mark.parametrize(("closes_anyway", "result"), [(True, Result.WRITTEN), (False, Result.FAILED)])
def test_a_close_whose_reply_was_lost_is_answered_by_looking(
    org: Scripted,
    notebook: Notebook,
    ingest: Ingest,
    steps: list[str],
    closes_anyway: bool,
    result: Result,
) -> None:
    ingest.trouble, ingest.closes_anyway = {"close": (502, None)}, closes_anyway
    assert results(send(org, notebook)) == {result}
    assert notebook.jobs == {}
    assert ("abort" in steps) != closes_anyway


def test_a_job_that_can_neither_be_closed_nor_aborted_stays_in_the_journal(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    ingest.trouble, ingest.stuck = {"close": (502, None)}, {"abort": (502, None)}
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]


def test_a_job_that_cannot_be_followed_is_aborted_and_tells_how_far_it_came(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    ingest.stuck, ingest.unprocessed = {"status": (503, None)}, set(org.ids[2:])
    outcomes = send(org, notebook)
    assert {id for id, one in outcomes.items() if one.result is Result.WRITTEN} == set(org.ids[:2])
    assert {outcomes[id].result for id in org.ids[2:]} == {Result.FAILED}
    assert "abort" in steps
    assert notebook.jobs == {}


def test_a_job_too_slow_for_our_patience_is_aborted(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    ingest.polls, ingest.unprocessed = 10_000, set(org.ids)
    assert results(send(org, notebook)) == {Result.FAILED}
    assert 3600 <= sum(org.waits) < 3700
    assert max(org.waits) <= 36
    assert (steps.count("abort"), notebook.jobs) == (1, {})


@pytest.mark.parametrize("gone", [(404, error("NOT_FOUND")), (404, None)])
def test_a_job_somebody_deletes_meanwhile_has_ended_and_its_rows_are_uncertain(
    org: Scripted, notebook: Notebook, ingest: Ingest, gone: Answer
) -> None:
    missing = ("status", "abort", "successfulResults", "failedResults", "unprocessedrecords", "drop")
    ingest.stuck = dict.fromkeys(missing, gone)
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert notebook.jobs == {}


def test_fewer_rows_and_rows_with_an_owner_go_without_a_job(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    owner = "ada@sales.example"
    first, *rest = org.ids
    writes = [
        Write(account_id=first, values={"tier": "A", "owner": owner}),
        *(Write(account_id=id, values={"tier": "A"}) for id in rest),
    ]
    outcomes = list(writer(org, notebook).write(writes))
    assert {outcome.result for outcome in outcomes} == {Result.WRITTEN}
    assert steps == []


def test_without_a_journal_for_jobs_there_are_none(org: Scripted, ingest: Ingest, steps: list[str]) -> None:
    plain = org.writer(bulk_from=1)
    writes = [Write(account_id=id, values={"tier": "A"}) for id in org.ids]
    assert {outcome.result for outcome in plain.write(writes)} == {Result.WRITTEN}
    assert plain.recover() == frozenset()
    assert steps == []


def test_that_assignment_rules_will_run_is_said_once(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    structlog.reset_defaults()
    mine = writer(org, notebook)
    with capture_logs() as logs:
        for tier in ("A", "B"):
            ingest.state = "Open"
            list(mine.write([Write(account_id=id, values={"tier": tier}) for id in org.ids]))
    said = [entry for entry in logs if "Sforce-Auto-Assign" in entry["event"]]
    assert [entry["log_level"] for entry in said] == ["warning"]
    assert "while the job runs is overwritten" in said[0]["event"]


def test_a_file_too_large_for_one_job_is_several(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    mine = writer(org, notebook)
    assert mine._bulk is not None
    mine._bulk._file_bytes = 50  # a heading and two rows
    writes = [Write(account_id=id, values={"tier": "A"}) for id in org.ids]
    seen: list[str] = []
    for outcome in mine.write(writes):
        seen.append(outcome.account_id)
        if ingest.state == "JobComplete" and len(seen) in (2, 4):
            ingest.state, ingest.polls = "Open", 0
    assert sorted(seen) == org.ids
    assert steps.count("open") == 3


def test_a_stop_ends_the_wait_for_a_job_and_the_job(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.polls, ingest.unprocessed = 10_000, set(org.ids)
    mine = writer(org, notebook)

    def stopped(seconds: float) -> None:
        raise UnavailableError("stopped while waiting to try again")

    monkeypatch.setattr(mine._client.transport, "wait", stopped)
    outcomes = list(mine.write([Write(account_id=id, values={"tier": "A"}) for id in org.ids]))
    assert {outcome.result for outcome in outcomes} == {Result.FAILED}
    assert steps.count("abort") == 1
    assert notebook.jobs == {}


def test_what_people_type_while_owners_are_given_is_seen_before_the_job_begins(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    owned = org.create(99)
    edited, *rest = org.ids
    org.meanwhile = {edited: {"ICP_Tier__c": "D"}}
    writes = [
        Write(account_id=owned, values={"owner": "ada@sales.example"}),
        *(Write(account_id=id, values={"tier": "A"}, expected={"tier": ""}) for id in org.ids),
    ]
    outcomes = {outcome.account_id: outcome for outcome in writer(org, notebook).write(writes)}
    assert (outcomes[edited].result, outcomes[edited].code) == (Result.FAILED, "CHANGED_SINCE_READ")
    assert {outcomes[id].result for id in rest} == {Result.WRITTEN}
    assert sorted(row["Id"] for row in ingest.uploaded) == rest


def test_a_value_the_org_lost_disables_that_output_as_it_does_without_a_job(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    first, second, other, *_ = org.ids
    mine = writer(org, notebook)
    mine._outputs.definitions()
    tier = next(entry for entry in org.fields if entry["name"] == "ICP_Tier__c")
    tier["picklistValues"] = [one for one in tier["picklistValues"] if one["value"] != "A"]
    bad = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: A:ICP_Tier__c --"
    ingest.failed = {
        first: bad,
        second: bad,
        other: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for its record type:ICP_Lane__c --",
    }
    writes = [
        Write(account_id=first, values={"tier": "A", "lane": "sales"}),
        Write(account_id=second, values={"tier": "A"}),
        *(Write(account_id=id, values={"lane": "sales"}) for id in org.ids[2:]),
    ]
    outcomes = {outcome.account_id: outcome for outcome in mine.write(writes)}
    assert (outcomes[first].result, outcomes[first].code) == (Result.FAILED, "OUTPUT_DISABLED")
    assert (outcomes[second].result, outcomes[second].code) == (Result.REFUSED, "DISABLED")
    assert (outcomes[other].result, outcomes[other].code) == (
        Result.REFUSED,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    )
    assert list(mine._outputs.disabled) == ["tier"]
    assert len(org.sent("GET sobjects/Account/describe")) == 2
