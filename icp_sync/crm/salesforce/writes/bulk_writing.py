"""Values onto very many accounts by Bulk API 2.0: a file goes up, Salesforce works on it, three files tell.

Only for those who asked for it: a job takes no `Sforce-Auto-Assign` header ("Request Headers" in the Bulk API
2.0 guide), so the org's assignment rules run on every row, and what people type meanwhile is overwritten.
Nothing is written before the job is closed, which happens only once the journal knows it.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.replies import Complaint
from icp_sync.crm.salesforce.writes.chunks import CAPACITY, lost_outputs
from icp_sync.crm.salesforce.writes.jobs import TROUBLE, Following
from icp_sync.crm.salesforce.writes.preparing import Input, Preparing, outcome, rejected
from icp_sync.domain.plan import Outcome, Result
from icp_sync.errors import IcpSyncError
from icp_sync.observe import fault_point, log

FILE_BYTES = 90_000_000
"""Of the 150 MB a job may have once it is encoded ("Bulk API 2.0 Limits": upload no more than 100 MB)."""

NULL = "#N/A"
"""An empty cell leaves a field as it is; this one blanks it."""

SUCCESSFUL, FAILED, UNPROCESSED = "successfulResults", "failedResults", "unprocessedrecords"

_log = log("salesforce")
_remembered = fault_point("salesforce.bulk", "a bulk job the journal knows of and nobody has closed yet")


class BulkWriter:
    """file_bytes: how large a file may grow before the next one is begun."""

    def __init__(
        self, client: Client, preparing: Preparing, following: Following, *, file_bytes: int = FILE_BYTES
    ) -> None:
        self._client = client
        self._preparing = preparing
        self._following = following
        self._file_bytes = file_bytes
        self._warned = False

    def send(self, items: Sequence[Input]) -> Iterator[Outcome]:
        """What became of each; never raises for what the other side does."""
        if not self._warned:
            self._warned = True
            _log.warning(
                "bulk writes run the org's assignment rules: Sforce-Auto-Assign cannot be sent with them; "
                "and what a person types into one of these accounts while the job runs is overwritten",
                connection=self._client.transport.name,
                rows=len(items),
                next_step="set bulk_writes to false unless no rule may move an account",
            )
        for rows, file in self._files(items):
            yield from self._one(rows, file)

    # One job

    def _one(self, items: Sequence[Input], file: BinaryIO) -> Iterator[Outcome]:
        try:
            id = str(self._client.open_ingest()["id"])
        except TROUBLE as error:
            yield from _all(items, Result.FAILED, str(error))
            return
        try:
            self._client.upload(id, file)
        except TROUBLE as error:  # lost or not, an open job writes nothing
            with suppress(IcpSyncError):
                self._client.abort("ingest", id)
            self._drop(id)
            yield from _all(items, Result.FAILED, str(error))
            return
        self._following.begin(id, [item.id for item in items])
        try:
            _remembered()
            yield from self._loose(id, items)
        finally:
            self._following.let_go(id)

    def _loose(self, id: str, items: Sequence[Input]) -> Iterator[Outcome]:
        """Let the job loose and follow it to its end; one that cannot be followed is aborted."""
        info: Mapping[str, Any] | None = None
        begun, trouble = True, ""
        try:
            begun = self._closed(id)
            info = self._following.wait(id) if begun else None
        except TROUBLE as error:
            trouble = str(error)
            _log.warning("a bulk job cannot be followed", job=id, error=trouble)
        try:
            # Also one that was not closed: before a close that is still on its way arrives.
            info = info or self._following.stop(id)
        except TROUBLE as error:  # the journal keeps it, and its accounts are kept back until it has ended
            said = f"bulk job {id}: {trouble}; {error}" if trouble else f"bulk job {id}: {error}"
            yield from _all(items, Result.UNCERTAIN, said)
            return
        if begun:
            yield from self._told(id, items, info)
        else:
            yield from _all(items, Result.FAILED, "the bulk job could not be closed")
        self._following.end(id)
        self._drop(id)

    def _closed(self, id: str) -> bool:
        """Whether the job was let loose. A lost reply is answered by looking; raises when that fails too."""
        try:
            return self._client.close_ingest(id).get("state") != "Open"
        except TROUBLE as error:
            _log.warning("closing a bulk job went wrong", job=id, error=str(error))
            return str(self._following.look(id)["state"]) != "Open"

    def _drop(self, id: str) -> None:
        """Do away with a job that has written nothing, or has ended. If not, Salesforce does in a week."""
        with suppress(IcpSyncError):
            self._client.drop("ingest", id)

    # What became of the rows

    def _told(self, id: str, items: Sequence[Input], info: Mapping[str, Any]) -> Iterator[Outcome]:
        left = {item.id[:15]: item for item in items}
        failed: list[tuple[Input, Complaint]] = []
        said = f"bulk job {id} ended as {info['state']}" + (
            f": {reason}" if (reason := info.get("errorMessage")) else ""
        )
        lost = self._vanished(items) if info["state"] == "Failed" else frozenset()
        for name in (SUCCESSFUL, FAILED, UNPROCESSED):
            try:
                for row in self._rows(id, name):
                    item = left.pop((row.get("sf__Id") or row.get("Id") or "")[:15], None)
                    if item is None:
                        continue
                    if name == FAILED:
                        failed.append((item, _complaint(row)))
                    elif name == SUCCESSFUL:
                        yield outcome(item.id, Result.WRITTEN, confirmed=item.values)
                    elif lost & item.values.keys():
                        yield self._preparing.dropped(item.id, item.values, lost)
                    else:
                        yield outcome(item.id, Result.FAILED, message=said)
            except TROUBLE as error:
                said = f"{said}, and its {name} could not be read: {error}"
            except (csv.Error, UnicodeDecodeError):
                said = f"{said}, and its {name} are no CSV or were cut short"
        yield from self._complained(failed)
        yield from _all(list(left.values()), Result.UNCERTAIN, f"{said}; none of its results names this row")

    def _vanished(self, items: Sequence[Input]) -> frozenset[str]:
        """The outputs the org has lost: one column it does not know fails a job before its first row."""
        try:
            return self._preparing.vanished(items)
        except TROUBLE as error:
            _log.warning("could not read the fields again", error=str(error))
            return frozenset()

    def _complained(self, failed: Sequence[tuple[Input, Complaint]]) -> Iterator[Outcome]:
        """Failed rows, those apart that failed because the org has lost a field or a value of ours."""
        items, found = [item for item, _ in failed], [complaint for _, complaint in failed]
        lost = lost_outputs(self._client, self._preparing, items, found)
        for item, complaint in failed:
            if complaint.code in CAPACITY and lost & item.values.keys():
                yield self._preparing.dropped(item.id, item.values, lost)
            else:
                yield rejected(item, [complaint])

    def _rows(self, id: str, name: str) -> Iterator[Mapping[str, str]]:
        """The rows of one result file. Raises csv.Error or UnicodeDecodeError at a row that is not whole:
        half an error text would be an error of another kind."""
        with tempfile.TemporaryFile() as file:
            self._client.download(f"jobs/ingest/{id}/{name}", into=file)
            file.seek(0)
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            for row in csv.DictReader(text, strict=True):
                if None in row or None in row.values():
                    raise csv.Error("a row of more or fewer fields than the header has")
                yield row

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


def _complaint(row: Mapping[str, str]) -> Complaint:
    """What a failed row says: `CODE:message:FIELD, FIELD --`."""
    text = row.get("sf__Error") or ""
    code, _, said = text.partition(":")
    message, _, fields = said.removesuffix("--").strip().rpartition(":")
    if not code.replace("_", "").isalpha() or not code.isupper():
        return Complaint(code="REFUSED", message=text)
    named = frozenset(name.strip() for name in fields.split(",")) - {""}
    return Complaint(code=code, message=message or said, fields=named)


def _all(items: Sequence[Input], result: Result, message: str) -> Iterator[Outcome]:
    return (outcome(item.id, result, message=message) for item in items)
