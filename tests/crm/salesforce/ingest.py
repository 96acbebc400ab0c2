"""The other side of a bulk job, as a test tells it to be, and a journal that keeps the jobs in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from icp_sync.crm.salesforce.ids import numbered
from icp_sync.crm.salesforce.writes.writing import Writer
from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.salesforce.scripted import Answer, Scripted

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

    trouble: what a step ("open", "upload", "close", "status", a result's name) answers instead, once; stuck:
    the same, each time.
    """

    def __init__(self, org: Scripted, steps: list[str]) -> None:
        self.state = "Open"
        self.ends_as = "JobComplete"
        self.polls = 2  # answered InProgress first
        self.failed: dict[str, str] = {}
        self.unprocessed: set[str] = set()
        self.silent: set[str] = set()
        self.trouble: dict[str, Answer] = {}
        self.stuck: dict[str, Answer] = {}
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
        if step in self.stuck:
            return self.stuck[step]
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


def writer(org: Scripted, notebook: Notebook) -> Writer:
    return org.writer(jobs=notebook, bulk_from=ROWS)


def send(org: Scripted, notebook: Notebook, **values: str) -> dict[str, Outcome]:
    writes = [Write(account_id=id, values=values or {"tier": "A"}) for id in org.ids]
    found = {outcome.account_id: outcome for outcome in writer(org, notebook).write(writes)}
    assert found.keys() == set(org.ids)
    return found


def results(outcomes: dict[str, Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes.values()}
