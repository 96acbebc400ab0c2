"""Values onto very many accounts by Bulk API 2.0: a file goes up, Salesforce works on it, three files tell.

Only for those who asked for it: a job takes no `Sforce-Auto-Assign` header ("Request Headers" in the Bulk API
2.0 guide), so the org's assignment rules run on every row. Nothing is written before the job is closed, which
happens only once the journal knows it; what a crash leaves behind is waited for, or aborted.
"""

from __future__ import annotations

import csv
import io
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.jobs import Jobs
from icp_sync.crm.salesforce.preparing import Input, Preparing, outcome, rejected
from icp_sync.crm.salesforce.replies import Complaint
from icp_sync.domain.plan import Outcome, Result
from icp_sync.errors import AuthError, IcpSyncError, RequestError, UnavailableError
from icp_sync.observe import fault_point, log

FILE_BYTES = 90_000_000
"""Of the 150 MB a job may have once it is encoded ("Bulk API 2.0 Limits": upload no more than 100 MB)."""

JOB_SECONDS = 3600.0
LONGEST_PAUSE = 30.0
NULL = "#N/A"
"""An empty cell leaves a field as it is; this one blanks it."""

ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
_TROUBLE = (UnavailableError, AuthError, RequestError)

_log = log("salesforce")
_remembered = fault_point("salesforce.bulk", "a bulk job the journal knows of and nobody has closed yet")


class BulkWriter:
    """job_seconds: how long a job is waited for before its rows are left to a later read."""

    def __init__(
        self,
        client: Client,
        preparing: Preparing,
        jobs: Jobs,
        *,
        job_seconds: float = JOB_SECONDS,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self._client = client
        self._preparing = preparing
        self._jobs = jobs
        self._job_seconds = job_seconds
        self._file_bytes = file_bytes
        self._warned = False

    def send(self, items: Sequence[Input]) -> Iterator[Outcome]:
        """What became of each; never raises for what the other side does."""
        if not self._warned:
            self._warned = True
            _log.warning(
                "bulk writes run the org's assignment rules: Sforce-Auto-Assign cannot be sent with them",
                connection=self._client.transport.name,
                rows=len(items),
                next_step="set bulk_writes to false unless no rule may move an account",
            )
        for rows, file in self._files(items):
            yield from self._one(rows, file)

    def recover(self) -> frozenset[str]:
        """See to the jobs of an earlier run: those still open are aborted, the others are waited for.

        Returns the accounts of those that have ended. Raises nothing; what cannot be found out stays open.
        """
        ended: set[str] = set()
        for id, accounts in self._jobs.open().items():
            try:
                if self._state(id) == "Open":
                    self._client.abort("ingest", id)
                self._await(id)
            except RequestError as error:
                if error.status != 404:
                    _log.warning("a bulk job cannot be followed", job=id, error=str(error))
                    continue  # else Salesforce has forgotten it: jobs are kept for seven days
            except (UnavailableError, AuthError) as error:
                _log.warning("a bulk job cannot be followed yet", job=id, error=str(error))
                continue
            self._jobs.ended(id)
            ended.update(accounts)
        return frozenset(ended)

    # One job

    def _one(self, items: Sequence[Input], file: BinaryIO) -> Iterator[Outcome]:
        try:
            id = str(self._client.open_ingest()["id"])
        except _TROUBLE as error:
            yield from _all(items, Result.FAILED, str(error))
            return
        try:
            self._client.upload(id, file)
        except _TROUBLE as error:  # lost or not, an open job writes nothing
            with suppress(IcpSyncError):
                self._client.abort("ingest", id)
            self._drop(id)
            yield from _all(items, Result.FAILED, str(error))
            return
        self._jobs.begun(id, [item.id for item in items])
        _remembered()
        try:
            if not self._closed(id):
                self._client.abort("ingest", id)  # before a close that is still on its way arrives
                self._jobs.ended(id)
                self._drop(id)
                yield from _all(items, Result.FAILED, "the bulk job could not be closed")
                return
            info = self._await(id)
        except _TROUBLE as error:  # the journal keeps it: `recover` sees to it
            yield from _all(items, Result.UNCERTAIN, f"bulk job {id}: {error}")
            return
        yield from self._told(id, items, info)
        self._jobs.ended(id)
        self._drop(id)

    def _closed(self, id: str) -> bool:
        """Whether the job was let loose. A lost reply is answered by looking; raises when that fails too."""
        try:
            return self._client.close_ingest(id).get("state") != "Open"
        except _TROUBLE as error:
            _log.warning("closing a bulk job went wrong", job=id, error=str(error))
            return self._state(id) != "Open"

    def _drop(self, id: str) -> None:
        """Do away with a job that has written nothing, or has ended. If not, Salesforce does in a week."""
        with suppress(IcpSyncError):
            self._client.drop("ingest", id)

    def _state(self, id: str) -> str:
        return str(self._client.job("ingest", id)["state"])

    def _await(self, id: str) -> Mapping[str, Any]:
        """The job once it has ended. Raises UnavailableError when that takes too long, or we are to stop."""
        waited, pause = 0.0, 0.5
        while (info := self._client.job("ingest", id))["state"] not in ENDED:
            if waited >= self._job_seconds:
                raise UnavailableError(f"it is still {info['state']} after {waited:.0f} s")
            pause = min(LONGEST_PAUSE, pause * 1.6)
            step = pause * random.uniform(0.8, 1.2)  # noqa: S311  spreads workers, guards nothing
            self._client.transport.wait(step)
            waited += step
        return info

    # What became of the rows

    def _told(self, id: str, items: Sequence[Input], info: Mapping[str, Any]) -> Iterator[Outcome]:
        left = {item.id[:15]: item for item in items}
        said = f"bulk job {id} ended as {info['state']}" + (
            f": {reason}" if (reason := info.get("errorMessage")) else ""
        )
        for name, became in (
            ("successfulResults", _written),
            ("failedResults", _failed),
            ("unprocessedrecords", None),
        ):
            try:
                for row in self._rows(id, name):
                    item = left.pop((row.get("sf__Id") or row.get("Id") or "")[:15], None)
                    if item is not None:
                        yield became(item, row) if became else outcome(item.id, Result.FAILED, message=said)
            except _TROUBLE as error:
                said = f"{said}, and its {name} could not be read: {error}"
            except csv.Error:
                said = f"{said}, and its {name} are no CSV"
        yield from _all(list(left.values()), Result.UNCERTAIN, f"{said}; none of its results names this row")

    def _rows(self, id: str, name: str) -> Iterator[Mapping[str, str]]:
        with tempfile.TemporaryFile() as file:
            self._client.download(f"jobs/ingest/{id}/{name}", into=file)
            file.seek(0)
            text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
            yield from csv.DictReader(text)

    # The file

    def _files(self, items: Sequence[Input]) -> Iterator[tuple[list[Input], BinaryIO]]:
        """Files of rows, none too large for a job, each there until the next one is asked for."""
        columns = sorted({name for item in items for name in self._preparing.record(item)} - {"id"})
        waiting = list(reversed(items))
        while waiting:
            with tempfile.TemporaryFile() as file:
                yield self._fill(file, columns, waiting), file

    def _fill(self, file: BinaryIO, columns: Sequence[str], waiting: list[Input]) -> list[Input]:
        """Take rows from the end of `waiting` until the file is full; returns those taken."""
        taken: list[Input] = []
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # Python leaves a lone carriage return unquoted, and a row would end there.
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["Id", *columns])
        while waiting and file.tell() < self._file_bytes:
            item = waiting.pop()
            record = self._preparing.record(item)
            writer.writerow([item.id, *(_cell(record, column) for column in columns)])
            taken.append(item)
        text.detach()
        return taken


def _cell(record: Mapping[str, Any], column: str) -> str:
    if column not in record:
        return ""
    value = record[column]
    if value is None or value == "":
        return NULL
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(item: Input, row: Mapping[str, str]) -> Outcome:
    return outcome(item.id, Result.WRITTEN, confirmed=item.values)


def _failed(item: Input, row: Mapping[str, str]) -> Outcome:
    """A failed row says `CODE:message:FIELD, FIELD --`."""
    text = row.get("sf__Error") or ""
    code, _, said = text.partition(":")
    message, _, fields = said.removesuffix("--").strip().rpartition(":")
    if not code.replace("_", "").isalpha() or not code.isupper():
        return rejected(item, [Complaint(code="REFUSED", message=text)])
    named = frozenset(name.strip() for name in fields.split(",")) - {""}
    return rejected(item, [Complaint(code=code, message=message or said, fields=named)])


def _all(items: Sequence[Input], result: Result, message: str) -> Iterator[Outcome]:
    return (outcome(item.id, result, message=message) for item in items)
