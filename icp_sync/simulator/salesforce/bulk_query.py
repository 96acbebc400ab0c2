"""Bulk API 2.0 query jobs: a query now, its answer as CSV when the job is done.

Rows come in no useful order unless the query orders them. Results are read with the version the job was made
with. A job lives as long as the org; its rows are those there were when it was made.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import deque
from dataclasses import dataclass

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.csv_text import DELIMITERS, LINE_ENDS, table
from icp_sync.simulator.salesforce.errors import Refusal, not_found
from icp_sync.simulator.salesforce.kept import Kept
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.query import read, selected
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import instant_text
from icp_sync.simulator.salesforce.soql.binding import Place
from icp_sync.simulator.salesforce.soql.documents import frozen
from icp_sync.simulator.salesforce.soql.tree import Query
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

Json = dict[str, object]
PREFIX = "750"
FIRST_JOB = 4_000_000
"""Query jobs are numbered from here on, so that no ingest job has an id of theirs."""
LARGEST_PAGE = 50_000
MOST_JOBS_A_DAY = 10_000
URLS_AT_ONCE = 5
PARALLEL_SINCE = 58
DAY = 86_400.0


@dataclass(slots=True, kw_only=True)
class Job:
    """One query job. made: epoch seconds; records: none any more once it is aborted."""

    number: int
    operation: str
    object: str
    version: str
    user: str
    made: float
    columns: tuple[Place, ...]
    records: list[Record]
    chunked: bool
    delimiter: str
    line_end: str
    aborted: bool = False

    @property
    def id(self) -> str:
        return ids.shown(PREFIX, self.number)

    def state(self, org: Org) -> str:
        """By the clock: it waits for a tenth of its time, then works."""
        if self.aborted:
            return "Aborted"
        passed, takes = org.clock.now() - self.made, org.switches.bulk_seconds
        if passed >= takes:
            return "JobComplete"
        return "InProgress" if passed >= takes / 10 else "UploadComplete"


class Jobs:
    """The query jobs of an org."""

    def __init__(self) -> None:
        self.by_id: dict[str, Job] = {}
        self._today: deque[float] = deque()
        self._made = 0

    def next_number(self, now: float) -> int:
        """Raises Refusal when the day's jobs are used up."""
        while self._today and self._today[0] <= now - DAY:
            self._today.popleft()
        if len(self._today) >= MOST_JOBS_A_DAY:
            raise Refusal(400, "LIMIT_EXCEEDED", "The daily limit of bulk query jobs was exceeded.")
        self._today.append(now)
        self._made += 1
        return FIRST_JOB + self._made


JOBS = Kept(Jobs)


def create(call: Call) -> Reply:
    asked = call.json("columnDelimiter", "contentType", "lineEnding", "operation", "query")
    operation, statement = asked.get("operation"), asked.get("query")
    if operation not in ("query", "queryAll"):
        raise Refusal(400, "INVALIDJOB", "operation must be query or queryAll")
    if not isinstance(statement, str) or not statement.strip():
        raise Refusal(400, "INVALIDJOB", "query: a SOQL statement is required")
    delimiter = _one_of(asked, "columnDelimiter", DELIMITERS, "COMMA")
    line_end = _one_of(asked, "lineEnding", LINE_ENDS, "LF")
    tree = read(statement)
    _restrict(tree)
    found = selected(call.org, call.user, tree, statement, deleted=operation == "queryAll")
    jobs, now = JOBS.of(call.org), call.org.clock.now()
    job = Job(
        number=jobs.next_number(now),
        operation=str(operation),
        object=found.binder.sobject.name,
        version=call.version,
        user=call.user.id,
        made=now,
        columns=found.columns,
        records=frozen(found.records),
        chunked=not tree.order and tree.limit is None,
        delimiter=delimiter,
        line_end=line_end,
    )
    jobs.by_id[job.id] = job
    return Reply(body=_told(job, "UploadComplete"))


def look(call: Call) -> Reply:
    job = _job(call)
    return Reply(body=_progress(call, job))


def look_at_all(call: Call) -> Reply:
    jobs = JOBS.of(call.org).by_id.values()
    records = [_progress(call, job) for job in jobs]
    return Reply(body={"done": True, "records": records, "nextRecordsUrl": None})


def change(call: Call) -> Reply:
    job, asked = _job(call), call.json("state")
    if asked.get("state") != "Aborted":
        raise Refusal(400, "INVALIDJOBSTATE", "a query job can only be aborted")
    if job.state(call.org) in ("JobComplete", "Aborted"):
        raise Refusal(400, "INVALIDJOBSTATE", f"Aborting a job in state {job.state(call.org)} is not allowed")
    job.aborted, job.records = True, []
    return Reply(body=_told(job, "Aborted"))


def delete(call: Call) -> Reply:
    job = _job(call)
    if job.state(call.org) not in ("JobComplete", "Aborted"):
        raise Refusal(400, "INVALIDJOBSTATE", "a job that is still at work cannot be deleted; abort it first")
    del JOBS.of(call.org).by_id[job.id]
    return Reply(status=204)


def results(call: Call) -> Reply:
    """One page as CSV; the last names no locator but the word null."""
    job = _finished(call)
    start = _start(call.request.one("locator"), job)
    end = min(start + _page_size(call), len(job.records))
    rows = job.records[start:end]
    delimiter, line_end = DELIMITERS[job.delimiter], LINE_ENDS[job.line_end]
    headers = {
        "Content-Type": "text/csv",
        "Sforce-NumberOfRecords": str(len(rows)),
        "Sforce-Locator": _locator(end) if end < len(job.records) else "null",
    }
    return Reply(body=table(rows, job.columns, delimiter, line_end), headers=headers)


def result_pages(call: Call) -> Reply:
    """Addresses of up to five pages, to be read side by side."""
    if float(call.version) < PARALLEL_SINCE:
        raise not_found()
    job, size = _finished(call), _page_size(call)
    start = _start(call.request.one("locator"), job)
    places = list(range(start, max(len(job.records), 1), size))
    here = f"{call.root}/jobs/query/{job.id}"
    urls = [f"{here}/results?locator={_locator(place)}&maxRecords={size}" for place in places[:URLS_AT_ONCE]]
    body: Json = {"resultPages": [{"resultUrl": url} for url in urls], "done": len(places) <= URLS_AT_ONCE}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{here}/resultPages?locator={_locator(places[URLS_AT_ONCE])}"
    return Reply(body=body)


def _job(call: Call) -> Job:
    job = JOBS.of(call.org).by_id.get(ids.long(call.rest[0]))
    if job is None:
        raise not_found()
    return job


def _finished(call: Call) -> Job:
    job = _job(call)
    if call.version != job.version:
        what = f"the job was created with API version {job.version}, its results must be read with the same"
        raise Refusal(409, "API_VERSION_MISMATCH", what)
    if job.state(call.org) != "JobComplete":
        what = f"results of a job in state {job.state(call.org)} cannot be read"
        raise Refusal(400, "INVALIDJOBSTATE", what)
    return job


def _restrict(tree: Query) -> None:
    """What bulk queries cannot do (Considerations of the Bulk API 2.0 guide)."""
    wrong = {
        "aggregate functions or GROUP BY": tree.aggregated or not tree.columns,
        "OFFSET": tree.offset is not None,
    }
    for what, found in wrong.items():
        if found:
            raise Refusal(400, "API_ERROR", f"Implementation restriction: a bulk query cannot use {what}")


def _one_of(asked: Json, name: str, known: dict[str, str], default: str) -> str:
    given = asked.get(name, default)
    if not isinstance(given, str) or given not in known:
        raise Refusal(400, "INVALIDJOB", f"{name}: {given!r} is none of {', '.join(known)}")
    return given


def _page_size(call: Call) -> int:
    asked = call.request.one("maxRecords")
    if asked and not re.fullmatch(r"[1-9]\d{0,8}", asked, re.ASCII):
        raise Refusal(400, "INVALID_ARGUMENT", f"maxRecords: {asked[:40]!r} is no number of records")
    size = min(int(asked or LARGEST_PAGE), LARGEST_PAGE)
    most = call.org.switches.bulk_page
    return size if most is None else max(1, min(size, int(most)))


def _locator(start: int) -> str:
    return b64encode(str(start).encode()).decode().rstrip("=")


def _start(locator: str, job: Job) -> int:
    """The place a locator means. Raises Refusal for one that is none."""
    if not locator:
        return 0
    try:
        text = b64decode(locator + "=" * (-len(locator) % 4), validate=True).decode("ascii")
    except (NotBase64, ValueError):
        text = ""
    if not re.fullmatch(r"\d{1,12}", text) or int(text) > len(job.records):
        raise Refusal(400, "INVALID_LOCATOR", "the locator is not valid for this job")
    return int(text)


def _told(job: Job, state: str) -> Json:
    made = instant_text(int(job.made * 1000))
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.user,
        "createdDate": made,
        "systemModstamp": made,
        "state": state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "lineEnding": job.line_end,
        "columnDelimiter": job.delimiter,
    }


def _progress(call: Call, job: Job) -> Json:
    state, takes = job.state(call.org), call.org.switches.bulk_seconds
    done = state == "JobComplete"
    return _told(job, state) | {
        "jobType": "V2Query",
        "numberRecordsProcessed": len(job.records) if done else 0,
        "retries": 0,
        "totalProcessingTime": int(takes * 1000) if done else 0,
        "isPkChunkingSupported": job.chunked,
    }


ROUTES = (
    Route(method="POST", pattern="jobs/query", run=create),
    Route(method="GET", pattern="jobs/query", run=look_at_all),
    Route(method="GET", pattern="jobs/query/*", run=look),
    Route(method="PATCH", pattern="jobs/query/*", run=change),
    Route(method="DELETE", pattern="jobs/query/*", run=delete),
    Route(method="GET", pattern="jobs/query/*/results", run=results),
    Route(method="GET", pattern="jobs/query/*/resultPages", run=result_pages),
)
