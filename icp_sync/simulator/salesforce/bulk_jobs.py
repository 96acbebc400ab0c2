"""What becomes of an ingest job: its states by the clock, its rows one by one.

A job works while it is looked at: what it would have done by now is done when somebody asks about it, one
internal batch at a time. With no time to take (`bulk_seconds` 0) the first batch is written when the upload
is closed.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_job_states.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from icp_sync.simulator.salesforce import bulk_csv, ids, writing
from icp_sync.simulator.salesforce.duplicates import DuplicateRule
from icp_sync.simulator.salesforce.errors import Json, row_error
from icp_sync.simulator.salesforce.kept import Kept
from icp_sync.simulator.salesforce.org import Org, User
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.salesforce.typed import Unfit, from_cell
from icp_sync.simulator.salesforce.writing import Decided, Refused, Terms
from icp_sync.simulator.store import Source

KEPT_FOR = 7 * 86_400_000
BATCH = 10_000
"""Rows of an internal batch, in which an id may stand once.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/how_requests_are_processed.htm
"""
OPERATIONS = ("insert", "update", "upsert", "delete")
ENDED = ("JobComplete", "Failed", "Aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one row: its record's id ("" for none), whether it is new, why it failed."""

    id: str = ""
    created: bool = False
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Job:
    """One ingest job. Instants are ms of the simulator's clock."""

    id: str
    sobject: SObject
    operation: str
    external_id: str
    delimiter: str
    line_ending: str
    version: str
    user: User
    source: Source
    created: int
    modified: int
    state: str = "Open"
    content: bytes | None = None
    closed: int = 0
    duration: int = 0
    error: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def failed(self) -> int:
        return sum(bool(one.error) for one in self.done)

    def over(self, now: int) -> bool:
        """Whether the job's time has passed and all its rows are done."""
        return now >= self.closed + self.duration and len(self.done) == len(self.rows)


class Jobs:
    """The ingest jobs of an org, the oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[str, Job] = {}
        self._numbers = count(62**5)

    def next_id(self) -> str:
        return ids.shown("750", next(self._numbers))

    def forget(self, now: int) -> None:
        """Drop what is older than a week."""
        for job in [job for job in self.by_id.values() if now - job.created >= KEPT_FOR]:
            del self.by_id[job.id]


JOBS = Kept(Jobs)


def close(org: Org, job: Job) -> None:
    """End the upload: the job's rows are known from here on, and its time runs."""
    job.state, job.closed = "UploadComplete", org.clock.now_ms()
    job.duration = int(org.switches.bulk_seconds * 1000)
    try:
        job.header, job.rows = bulk_csv.parsed(job.content or b"", job.delimiter, job.line_ending)
        _check_columns(org, job)
    except bulk_csv.Unreadable as wrong:
        job.error = str(wrong)
    job.content = None
    advance(org, job)


def look(org: Org, job: Job) -> None:
    """Somebody asks about the job: it is in progress at the first look, and ends when it is over."""
    advance(org, job)
    now = org.clock.now_ms()
    if job.state == "UploadComplete":
        job.state, job.modified = "InProgress", now
    elif job.state == "InProgress" and (job.error or job.over(now)):
        job.state, job.modified = "Failed" if job.error else "JobComplete", now


def advance(org: Org, job: Job) -> None:
    """Write the rows that are due by now, a batch of them at most."""
    if job.state not in ("UploadComplete", "InProgress") or job.error:
        return
    elapsed = org.clock.now_ms() - job.closed
    due = len(job.rows)
    if elapsed < job.duration:
        due = due * max(0, elapsed) // job.duration
    terms = Terms(
        org=org,
        user=job.user,
        source=job.source,
        assigns=org.switches.bulk_auto_assign,
        duplicates=DuplicateRule(org=org, waved=False, always=False),
    )
    for number in range(len(job.done), min(due, len(job.done) + BATCH)):
        if number % BATCH == 0:
            job.seen.clear()
        job.done.append(_done(terms, job, dict(zip(job.header, job.rows[number], strict=True))))


def _check_columns(org: Org, job: Job) -> None:
    """A column that is no field the user can see fails the job before any row. Raises Unreadable."""
    for name in job.header:
        known = job.sobject.field(name)
        if known is None or not org.readable(job.user, job.sobject, known):
            raise bulk_csv.Unreadable(f"InvalidBatch : Field name not found : {name}")
    repeated = {name.lower() for name in job.header}
    if len(repeated) != len(job.header):
        raise bulk_csv.Unreadable("InvalidBatch : Duplicate field name in the header")


def _done(terms: Terms, job: Job, row: Mapping[str, str]) -> Done:
    """Write one row."""
    id_text = next((cell for name, cell in row.items() if name.lower() == "id"), "").strip()
    try:
        decided = _decided(terms, job, row, id_text)
        record_id = writing.carry_out(terms, decided)
    except Refused as refused:
        return Done(id=id_text, error=_text(refused.errors))
    return Done(id=record_id, created=decided.record is None)


def _decided(terms: Terms, job: Job, row: Mapping[str, str], id_text: str) -> Decided:
    values = _values(job, row)
    if job.operation == "insert":
        return writing.decide_create(terms, job.sobject, values)
    if job.operation == "upsert" and job.external_id.lower() != "id":
        return _upserted(terms, job, values)
    if not id_text and job.operation == "upsert":
        return writing.decide_create(terms, job.sobject, values)
    if not id_text:
        message = f"Id not specified in an {job.operation} call"
        raise Refused(row_error("MISSING_ARGUMENT", message))
    _once(job, ids.long(id_text))
    if job.operation == "delete":
        return writing.decide_delete(terms, job.sobject, id_text)
    return writing.decide_update(terms, job.sobject, id_text, values)


def _upserted(terms: Terms, job: Job, values: Mapping[str, str]) -> Decided:
    """A row that names its record by an external id."""
    known = job.sobject.field(job.external_id)
    name = known.name if known is not None else job.external_id
    wanted = values.get(name, "")
    if not wanted:
        raise Refused(row_error("MISSING_ARGUMENT", f"{name} not specified"))
    found = [r for r in job.sobject.rows(terms.user) if r.props.get(name, "").lower() == wanted.lower()]
    if len(found) > 1:
        raise Refused(row_error("DUPLICATE_EXTERNAL_ID", f"{name}: more than one record found", name))
    if not found:
        return writing.decide_create(terms, job.sobject, values)
    _once(job, job.sobject.id_of(found[0]))
    rest = {one: value for one, value in values.items() if one != name}
    return writing.decide_update(terms, job.sobject, job.sobject.id_of(found[0]), rest)


def _values(job: Job, row: Mapping[str, str]) -> dict[str, str]:
    """The cells of a row as texts by API name; an empty cell leaves its field alone."""
    found = {}
    for name, cell in row.items():
        known = job.sobject.fields[name.lower()]
        if cell == "" or known.name == "Id":
            continue
        try:
            found[known.name] = from_cell(known, cell)
        except Unfit as wrong:
            message = f"{known.label}: {wrong}"
            raise Refused(row_error("INVALID_TYPE_ON_FIELD_IN_RECORD", message, known.name)) from None
    return found


def _once(job: Job, record_id: str) -> None:
    if record_id in job.seen:
        raise Refused(row_error("DUPLICATE_VALUE", f"duplicate id specified: {record_id}", "Id"))
    job.seen.add(record_id)


def _text(errors: list[Json]) -> str:
    """Errors as a cell of the failed results: `CODE:message:Field --`."""
    first = errors[0]
    fields = first["fields"]
    named = ", ".join(map(str, fields)) + " " if isinstance(fields, list) and fields else ""
    return f"{first['statusCode']}:{first['message']}:{named}--"
