"""Bulk jobs nobody follows any more: found again, waited for, aborted, their accounts kept back till then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import responses
import structlog
from structlog.testing import capture_logs

from icp_sync.crm.salesforce.writes.writing import Writer
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.observe import arm_faults
from tests.crm.salesforce.ingest import JOB, ROWS, Ingest, Notebook, send, writer
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


def test_a_job_that_can_neither_be_followed_nor_aborted_keeps_its_accounts_from_being_written(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    ingest.trouble, ingest.stuck = {"status": (503, None)}, {"abort": (503, None)}
    ingest.polls = 10_000
    other = org.create(99)
    mine = writer(org, notebook)
    writes = [Write(account_id=id, values={"tier": "A"}) for id in org.ids]
    assert {outcome.result for outcome in mine.write(writes)} == {Result.UNCERTAIN}
    assert list(notebook.jobs) == [JOB]
    assert mine.recover() == frozenset()
    both = {o.account_id: o for o in mine.write([writes[0], Write(account_id=other, values={"tier": "B"})])}
    assert (both[org.ids[0]].result, both[org.ids[0]].code) == (Result.FAILED, "WRITE_UNDER_WAY")
    assert JOB in both[org.ids[0]].message
    assert both[other].result is Result.WRITTEN
    assert "ICP_Tier__c" not in org.accounts[org.ids[0]]
    ingest.state = "JobComplete"
    assert mine._following is not None
    mine._following._clock = lambda: time.monotonic() + 60
    assert mine.recover() == set(org.ids)
    assert [outcome.result for outcome in mine.write(writes[:1])] == [Result.WRITTEN]


def test_a_job_that_was_left_behind_is_waited_for_a_while_and_then_aborted(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    notebook.jobs = {JOB: org.ids}
    ingest.state, ingest.polls = "InProgress", 10_000
    structlog.reset_defaults()
    with capture_logs() as logs:
        assert writer(org, notebook).recover() == set(org.ids)
    assert 120 <= sum(org.waits) < 160
    assert (steps.count("abort"), notebook.jobs) == (1, {})
    said = [entry for entry in logs if entry["event"] == "waiting for a bulk job that was left behind"]
    assert [(entry["job"], entry["state"]) for entry in said] == [(JOB, "InProgress")]


def test_a_job_salesforce_does_not_let_us_abort_is_waited_for_once_and_asked_about_now_and_then(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    notebook.jobs = {JOB: org.ids}
    ingest.state, ingest.polls, ingest.stuck = (
        "InProgress",
        10_000,
        {"abort": (400, error("INVALIDJOBSTATE"))},
    )
    mine = writer(org, notebook)
    assert mine.recover() == frozenset()
    waits, calls = len(org.waits), len(steps)
    assert mine.recover() == frozenset()
    assert len(steps) == calls
    assert mine._following is not None
    mine._following._clock = lambda: time.monotonic() + 60
    assert mine.recover() == frozenset()
    assert steps[calls:] == ["status", "abort", "status"]
    assert (len(org.waits), list(notebook.jobs)) == (waits, [JOB])


def test_a_job_one_of_our_threads_follows_is_left_to_it(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = writer(org, notebook)
    found: list[frozenset[str]] = []
    monkeypatch.setattr(mine._client.transport, "wait", lambda seconds: found.append(mine.recover()))
    writes = [Write(account_id=id, values={"tier": "A"}) for id in org.ids]
    assert {outcome.result for outcome in mine.write(writes)} == {Result.WRITTEN}
    assert found == [frozenset()] * 2
    assert "abort" not in steps


def test_an_account_another_thread_of_ours_is_writing_in_bulk_waits_for_it(
    org: Scripted, notebook: Notebook, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = writer(org, notebook)
    found: list[Outcome] = []
    write = Write(account_id=org.ids[0], values={"tier": "B"})
    monkeypatch.setattr(mine._client.transport, "wait", lambda seconds: found.extend(mine.write([write])))
    list(mine.write([Write(account_id=id, values={"tier": "A"}) for id in org.ids]))
    assert {outcome.code for outcome in found} == {"WRITE_UNDER_WAY"}


def test_jobs_of_a_time_when_bulk_writes_were_wanted_are_seen_to_when_they_are_not(
    org: Scripted, notebook: Notebook, ingest: Ingest, steps: list[str]
) -> None:
    notebook.jobs = {JOB: org.ids}
    plain = writer(org, notebook)
    off = Writer(
        plain._client,
        plain._outputs,
        plain._preparing._values,
        jobs=notebook,
        bulk=False,
        bulk_from=1,
    )
    assert off.recover() == set(org.ids)
    assert steps == ["status", "abort", "status", "ended"]
    writes = [Write(account_id=id, values={"tier": "A"}) for id in org.ids]
    assert {outcome.result for outcome in off.write(writes)} == {Result.WRITTEN}
    assert "open" not in steps


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
