"""Bulk API 2.0 ingest: a job is made, filled with CSV, closed, watched, and its results are fetched.

It takes no header against assignment or duplicate rules.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_ingest.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from icp_sync.simulator.salesforce import bulk_csv
from icp_sync.simulator.salesforce.bulk_jobs import ENDED, JOBS, OPERATIONS, Job, close, look
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Json, Refusal, not_found
from icp_sync.simulator.salesforce.powers import READ
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import instant_text
from icp_sync.simulator.server import Reply

MOST_BYTES = 100_000_000
CSV = "text/csv; charset=UTF-8"
_PROPERTIES = (
    "assignmentRuleId",
    "columnDelimiter",
    "contentType",
    "externalIdFieldName",
    "lineEnding",
    "object",
    "operation",
)


def create(call: Call) -> Reply:
    """A new job, open for its upload."""
    body, org = call.json(*_PROPERTIES), call.org
    name = str(body.get("object", ""))
    sobject = org.objects.get(name.lower())
    if sobject is None or not org.rights.may_do(call.user, sobject, READ):
        raise Refusal(400, "INVALIDENTITY", f"InvalidEntity : Unknown entity: {name[:40]}")
    operation = str(body.get("operation", ""))
    _one_of("operation", operation, OPERATIONS)
    delimiter = str(body.get("columnDelimiter", "COMMA"))
    _one_of("columnDelimiter", delimiter, bulk_csv.DELIMITERS)
    line_ending = str(body.get("lineEnding", "LF"))
    _one_of("lineEnding", line_ending, bulk_csv.LINE_ENDINGS)
    _one_of("contentType", str(body.get("contentType", "CSV")), ("CSV",))
    external_id = str(body.get("externalIdFieldName", ""))
    known = sobject.field(external_id)
    if operation == "upsert" and (known is None or not (known.unique or known.name == "Id")):
        raise _invalid("InvalidJob : externalIdFieldName must name an external id")
    jobs, now = JOBS.of(org), org.clock.now_ms()
    job = Job(
        id=jobs.next_id(),
        sobject=sobject,
        operation=operation,
        external_id=external_id,
        delimiter=delimiter,
        line_ending=line_ending,
        version=call.version,
        user=call.user,
        source=call.source,
        created=now,
        modified=now,
    )
    jobs.by_id[job.id] = job
    return Reply(body=_described(call, job, whole=False))


def upload(call: Call) -> Reply:
    """The job's CSV, all in one piece and once."""
    job = _job(call)
    if not call.header("Content-Type").lower().startswith("text/csv"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be text/csv")
    if job.state != "Open":
        raise _wrong_state(job, "filled")
    if job.content is not None:
        raise Refusal(
            400,
            "INVALIDJOBSTATE",
            f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current "
            "Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
        )
    if len(call.request.body) > MOST_BYTES:
        message = f"The upload has {len(call.request.body)} bytes; {MOST_BYTES} are allowed"
        raise Refusal(413, "EXCEEDED_MAX_SIZE_REQUEST", message)
    job.content = call.request.body
    return Reply(status=201)


def change(call: Call) -> Reply:
    """Close the upload, or abort the job; what an aborted job has written stays written."""
    job, wanted = _job(call), call.json("state").get("state")
    if wanted == "UploadComplete" and job.state == "Open":
        if job.content is None:
            raise Refusal(400, "INVALIDJOBSTATE", "Upload job data before closing the job")
        close(call.org, job)
    elif wanted == "Aborted" and job.state not in ENDED:
        if job.state != "Open":
            look(call.org, job)
        if job.state in ENDED:
            raise _wrong_state(job, "aborted")
        job.state, job.content = "Aborted", None
    elif wanted in ("UploadComplete", "Aborted"):
        raise _wrong_state(job, "closed" if wanted == "UploadComplete" else "aborted")
    else:
        raise _invalid(f"InvalidJob : state can be changed to UploadComplete or Aborted, not to {wanted!r}")
    job.modified = call.org.clock.now_ms()
    return Reply(body=_described(call, job, whole=False))


def read(call: Call) -> Reply:
    job = _job(call)
    look(call.org, job)
    return Reply(body=_described(call, job, whole=True))


def list_all(call: Call) -> Reply:
    jobs = JOBS.of(call.org)
    jobs.forget(call.org.clock.now_ms())
    found = [_described(call, job, whole=False) for job in jobs.by_id.values()]
    return Reply(body={"done": True, "records": found, "nextRecordsUrl": None})


def delete(call: Call) -> Reply:
    """Forget a job that no longer takes its upload."""
    job = _job(call)
    if job.state not in ("UploadComplete", *ENDED):
        raise _wrong_state(job, "deleted")
    del JOBS.of(call.org).by_id[job.id]
    return Reply(status=204)


def successful(call: Call) -> Reply:
    """The rows that were written, in no order."""
    job = _ended(call)
    rows = [
        (one.id, str(one.created).lower(), *row)
        for one, row in zip(job.done, job.rows, strict=False)
        if not one.error
    ]
    return _results(call, job, ("sf__Id", "sf__Created"), rows)


def failed(call: Call) -> Reply:
    """The rows that were refused, each with why, in no order."""
    job = _ended(call)
    rows = [(one.id, one.error, *row) for one, row in zip(job.done, job.rows, strict=False) if one.error]
    return _results(call, job, ("sf__Id", "sf__Error"), rows)


def unprocessed(call: Call) -> Reply:
    """The rows an aborted or failed job never came to."""
    job = _ended(call)
    return _results(call, job, (), job.rows[len(job.done) :])


def _results(call: Call, job: Job, first: Sequence[str], rows: Iterable[Sequence[str]]) -> Reply:
    shuffled = list(rows)
    call.org.random.shuffle(shuffled)
    body = bulk_csv.written((*first, *job.header), shuffled, job.delimiter)
    return Reply(body=body, headers={"Content-Type": CSV})


def _job(call: Call) -> Job:
    """The job a path names, in its 15- or 18-character form. Raises Refusal."""
    jobs = JOBS.of(call.org)
    jobs.forget(call.org.clock.now_ms())
    wanted = call.rest[0][:15]
    job = next((job for job in jobs.by_id.values() if job.id.startswith(wanted) and len(wanted) == 15), None)
    if job is None:
        raise not_found()
    return job


def _ended(call: Call) -> Job:
    job = _job(call)
    if job.state not in ENDED:
        raise _wrong_state(job, "asked for its results")
    return job


def _described(call: Call, job: Job, *, whole: bool) -> Json:
    body: Json = {
        "id": job.id,
        "operation": job.operation,
        "object": job.sobject.name,
        "createdById": job.user.id,
        "createdDate": instant_text(job.created),
        "systemModstamp": instant_text(job.modified),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches",
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }
    if job.external_id:
        body["externalIdFieldName"] = job.external_id
    if not whole:
        return body
    took = (job.modified - job.closed) if job.state in ENDED and job.closed else 0
    body |= {
        "jobType": "V2Ingest",
        "numberRecordsProcessed": len(job.done),
        "numberRecordsFailed": job.failed,
        "retries": 0,
        "totalProcessingTime": took,
        "apiActiveProcessingTime": took,
        "apexProcessingTime": 0,
    }
    if job.error and job.state == "Failed":
        body["errorMessage"] = job.error
    return body


def _one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise _invalid(f"InvalidJob : {name}: {value[:40]!r} is none of {', '.join(allowed)}")


def _invalid(message: str) -> Refusal:
    return Refusal(400, "INVALIDJOB", message)


def _wrong_state(job: Job, what: str) -> Refusal:
    return Refusal(400, "INVALIDJOBSTATE", f"A job in the state {job.state} cannot be {what}")


ROUTES = (
    Route(method="POST", pattern="jobs/ingest", run=create),
    Route(method="GET", pattern="jobs/ingest", run=list_all),
    Route(method="GET", pattern="jobs/ingest/*", run=read),
    Route(method="PATCH", pattern="jobs/ingest/*", run=change),
    Route(method="DELETE", pattern="jobs/ingest/*", run=delete),
    Route(method="PUT", pattern="jobs/ingest/*/batches", run=upload),
    Route(method="GET", pattern="jobs/ingest/*/successfulResults", run=successful),
    Route(method="GET", pattern="jobs/ingest/*/failedResults", run=failed),
    Route(method="GET", pattern="jobs/ingest/*/unprocessedrecords", run=unprocessed),
)
