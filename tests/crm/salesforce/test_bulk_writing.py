"""Bulk jobs: journaled before they may write, their results matched by id, and none left running unseen."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import responses
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from icp_sync.crm.salesforce.ids import numbered
from icp_sync.crm.salesforce.preparing import Input
from icp_sync.crm.salesforce.writing import Writer
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.errors import UnavailableError
from icp_sync.observe import arm_faults
from tests.crm.salesforce.scripted import Answer, Scripted, error

JOB = numbered("750", 1)
ROWS = 5


class Notebook:
    """Remembers jobs, and in which order things happened."""

    def __init__(self, steps: list[str] | None = None) -> None:
        self.jobs: dict[str, Sequence[str]] = {}
        self.steps = [] if steps is None else steps

    def begun(self, job_id: str, account_ids: Sequence[str]) -> None:
        self.jobs[job_id] = account_ids
        self.steps.append("begun")

    def ended(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)
        self.steps.append("ended")

    def open(self) -> dict[str, Sequence[str]]:
        return dict(self.jobs)


class Ingest:
    """One job's other side. failed: id → sf__Error. unprocessed, silent: ids that end up there, or nowhere.

    trouble: what a step ("open", "upload", "close", "status", a result's name) answers instead, once.
    """

    def __init__(self, org: Scripted, steps: list[str]) -> None:
        self.state = "Open"
        self.ends_as = "JobComplete"
        self.polls = 2  # answered InProgress first
        self.failed: dict[str, str] = {}
        self.unprocessed: set[str] = set()
        self.silent: set[str] = set()
        self.trouble: dict[str, Answer] = {}
        self.closes_anyway = False
        self.steps = steps
        self.uploaded: list[dict[str, str]] = []
        self.text = ""
        org.jobs = self.answer

    def answer(self, method: str, path: str, body: Any) -> Answer:
        step = {
            ("POST", ""): "open",
            ("PUT", f"{JOB}/batches"): "upload",
            ("PATCH", JOB): "close" if body == {"state": "UploadComplete"} else "abort",
            ("GET", JOB): "status",
            ("DELETE", JOB): "drop",
        }.get((method, path), path.rpartition("/")[2])
        self.steps.append(step)
        if step in self.trouble:
            if step == "close" and self.closes_anyway:
                self.state = "InProgress"
            return self.trouble.pop(step)
        return getattr(self, step)(body)

    def open(self, body: Any) -> Answer:
        return 200, {"id": JOB, "state": "Open"}

    def upload(self, body: str) -> Answer:
        self.text = body
        self.uploaded = list(csv.DictReader(io.StringIO(body, newline="")))
        return 201, None

    def close(self, body: Any) -> Answer:
        self.state = "InProgress"
        return 200, {"id": JOB, "state": "UploadComplete"}

    def abort(self, body: Any) -> Answer:
        self.state = "Aborted"
        return 200, {"id": JOB, "state": "Aborted"}

    def drop(self, body: Any) -> Answer:
        return 204, None

    def status(self, body: Any) -> Answer:
        if self.state == "InProgress":
            self.polls -= 1
            self.state = self.ends_as if self.polls < 0 else self.state
        return 200, {"id": JOB, "state": self.state, "errorMessage": "InvalidBatch"}

    def successfulResults(self, body: Any) -> Answer:
        others = self.failed.keys() | self.unprocessed | self.silent
        rows = [row["Id"] for row in self.uploaded if row["Id"] not in others]
        return 200, "".join(['"sf__Id","sf__Created","Id"\n', *(f'"{i}","false","{i}"\n' for i in rows)])

    def failedResults(self, body: Any) -> Answer:
        rows = [f'"{i}","{why}","{i}"\n' for i, why in reversed(self.failed.items())]
        return 200, "".join(['"sf__Id","sf__Error","Id"\n', *rows])

    def unprocessedrecords(self, body: Any) -> Answer:
        return 200, "".join(['"Id"\n', *(f'"{i}"\n' for i in self.unprocessed)])


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


def writer(org: Scripted, notebook: Notebook) -> Writer:
    return org.writer(jobs=notebook, bulk_from=ROWS)


def send(org: Scripted, notebook: Notebook, **values: str) -> dict[str, Outcome]:
    writes = [Write(account_id=id, values=values or {"tier": "A"}) for id in org.ids]
    found = {outcome.account_id: outcome for outcome in writer(org, notebook).write(writes)}
    assert found.keys() == set(org.ids)
    return found


def results(outcomes: dict[str, Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes.values()}


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
    ingest.trouble = {"close": (502, None), "abort": (502, None)}
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]


def test_a_job_that_cannot_be_followed_stays_in_the_journal(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    ingest.trouble = {"status": (503, None)}
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]


def test_a_job_too_slow_for_our_patience_stays_in_the_journal(
    org: Scripted, notebook: Notebook, ingest: Ingest
) -> None:
    ingest.polls = 10_000
    assert results(send(org, notebook)) == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]
    assert 3600 <= sum(org.waits) < 3700
    assert max(org.waits) <= 36


def test_what_a_crash_leaves_behind_is_in_the_journal(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    def crash(name: str) -> None:
        if name == "salesforce.bulk":
            raise KeyboardInterrupt

    arm_faults(crash)
    try:
        with pytest.raises(KeyboardInterrupt):
            send(org, notebook)
    finally:
        arm_faults(None)
    assert notebook.jobs == {JOB: org.ids}
    assert "close" not in steps


@pytest.mark.parametrize(
    ("state", "done"),
    [
        ("Open", ["abort"]),
        ("UploadComplete", []),
        ("InProgress", []),
        ("JobComplete", []),
        ("Aborted", []),
    ],
)
def test_a_job_of_an_earlier_run_is_aborted_or_waited_for(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], state: str, done: list[str]
) -> None:
    notebook.jobs = {JOB: org.ids}
    ingest.state = state
    if state == "UploadComplete":
        ingest.state = "InProgress"
    assert writer(org, notebook).recover() == set(org.ids)
    assert notebook.jobs == {}
    assert [step for step in steps if step in ("abort", "close", "upload")] == done


def test_a_job_salesforce_has_forgotten_is_forgotten(org: Scripted, notebook: Notebook) -> None:
    notebook.jobs = {JOB: org.ids}
    assert writer(org, notebook).recover() == set(org.ids)
    assert notebook.jobs == {}


@pytest.mark.parametrize("answer", [(503, None), (400, error("INVALIDJOB")), (403, error("NO"))])
def test_a_job_nobody_can_tell_of_is_asked_about_again_next_time(
    org: Scripted, notebook: Notebook, ingest: Ingest, answer: Answer
) -> None:
    notebook.jobs = {JOB: org.ids}
    ingest.trouble = {"status": answer}
    assert writer(org, notebook).recover() == frozenset()
    assert list(notebook.jobs) == [JOB]


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


def test_a_stop_ends_the_wait_for_a_job(
    org: Scripted, notebook: Notebook, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.polls = 10_000
    mine = writer(org, notebook)

    def stopped(seconds: float) -> None:
        raise UnavailableError("stopped while waiting to try again")

    monkeypatch.setattr(mine._client.transport, "wait", stopped)
    outcomes = list(mine.write([Write(account_id=id, values={"tier": "A"}) for id in org.ids]))
    assert {outcome.result for outcome in outcomes} == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]
