"""How each question is put to an org, and what its replies say. Compares nothing with what is expected."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from icp_sync.crm.probing import NAME, Board, Calls, OutOfCallsError, Wanted
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.probing.questions import (
    BODY_412,
    COMPOSITE,
    DATA_COM,
    INDEX,
    ROW_ERROR,
    ROW_ID,
    SAME_VALUE,
    VIEW_NAMES,
)
from icp_sync.crm.salesforce.probing.scratch import ACCOUNT, Scratch, said
from icp_sync.crm.salesforce.probing.views import ViewNames
from icp_sync.errors import IcpSyncError
from icp_sync.http import UncertainError

LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
"""As If-Unmodified-Since: a condition no account of today meets."""
TOO_LONG = NAME + " " * 2 + "x" * 300
"""A Name has at most 255 characters ("Account" in the Object Reference)."""
LOOKS = 6
"""At a bulk job, before we go without its results."""
SECOND = 1.1
"""Stamps have whole seconds: a write in the same one moves none."""
FIELDS_OF_DATA_COM = ("DunsNumber", "NaicsCode", "NaicsDesc", "Tradestyle", "YearStarted")
ROW = re.compile(r"[A-Z][A-Z_]+:.+:[\w, ]* --", re.DOTALL)
"""What a failed row of a bulk job is read as: CODE:message:FIELD, FIELD --"""

Step = tuple[str, Callable[[], None]]


class Asking:
    """One org's questions. Those that need the scratch account are left open where there is none."""

    def __init__(self, client: Client, calls: Calls, board: Board, scratch: Scratch, wanted: Wanted) -> None:
        self._client = client
        self._calls = calls
        self._board = board
        self._scratch = scratch
        self._wanted = wanted

    def steps(self) -> Sequence[Step]:
        return (
            (DATA_COM, self._data_com),
            (INDEX, self._index),
            (VIEW_NAMES, ViewNames(self._client, self._calls, self._board).ask),
            *((key, self._with_account(key, ask)) for key, ask in self._of_account()),
        )

    def _of_account(self) -> Sequence[Step]:
        return (
            (SAME_VALUE, self._same_value),
            (ROW_ID, self._row_id),
            (BODY_412, self._body_412),
            (COMPOSITE, self._composite),
            (ROW_ERROR, self._row_error),
        )

    def _with_account(self, key: str, ask: Callable[[], None]) -> Callable[[], None]:
        def asked() -> None:
            if self._scratch.id:
                ask()
            else:
                self._board.open(key, self._scratch.refused)

        return asked

    # Of the org

    def _data_com(self) -> None:
        there = [name for name in FIELDS_OF_DATA_COM if name in self._scratch.fields()]
        absent = f"none of {', '.join(FIELDS_OF_DATA_COM)} is there, or shown to us"
        self._board.saw(DATA_COM, bool(there), ", ".join(there) or absent, fields=there)

    def _index(self) -> None:
        """By the plans Salesforce makes. A small org may be scanned all the same, which tells nothing."""
        stamped, modified = self._plans("SystemModstamp"), self._plans("LastModifiedDate")
        plans = {"SystemModstamp": stamped, "LastModifiedDate": modified}
        if "Index" in modified:
            self._board.saw(INDEX, True, f"plans: {', '.join(modified)}", plans=plans)
        elif "Index" in stamped:
            told = f"plans: {', '.join(modified) or 'none'}; by SystemModstamp: {', '.join(stamped)}"
            self._board.saw(INDEX, False, told, plans=plans)
        else:
            why = "no plan uses an index by SystemModstamp either: too few accounts to tell"
            self._board.open(INDEX, why, plans=plans)

    def _plans(self, field: str) -> list[str]:
        """The leading operation of every plan, best first ("Query Performance Feedback", REST API guide)."""
        soql = f"SELECT Id FROM Account WHERE {field} > 2015-01-01T00:00:00Z"  # noqa: S608  our own words
        listed = self._calls("GET", "query", params={"explain": soql}).at("plans")
        plans = listed if isinstance(listed, list) else []
        return [str(one.get("leadingOperationType")) for one in plans if isinstance(one, dict)]

    # Of the scratch account

    def _same_value(self) -> None:
        before = self._scratch.stamps()
        self._client.transport.wait(max(SECOND, self._wanted.settles))
        if self._scratch.stamps() != before:
            self._board.open(SAME_VALUE, "the stamps move by themselves: somebody's automation, or a worker")
            return
        row = self._scratch.write(NAME)
        after = self._scratch.stamps()
        if not row.get("success"):
            self._board.open(SAME_VALUE, f"the write was refused: {row.get('errors')}")
            return
        moved = after[0] != before[0]
        told = f"from {_clock(before[0])} to {_clock(after[0])}" if moved else f"still {_clock(before[0])}"
        self._board.saw(SAME_VALUE, moved, told, before=before, after=after)

    def _row_id(self) -> None:
        row = self._scratch.write(TOO_LONG)
        if row.get("success"):
            self._board.open(ROW_ID, f"a Name of {len(TOO_LONG)} characters was taken")
            return
        named = bool(row.get("id"))
        self._board.saw(ROW_ID, named, f"the row has {', '.join(sorted(row))}", row=row)

    def _body_412(self) -> None:
        seen = self._calls(
            "PATCH",
            f"{ACCOUNT}/{self._scratch.id}",
            json={"Name": NAME},
            headers={"If-Unmodified-Since": LONG_AGO},
        )
        if seen.status == 412:
            empty = seen.data is None or seen.data in ("", [], {})
            told = "HTTP 412 and no body" if empty else f"HTTP 412: {said(seen)}"
            self._board.saw(BODY_412, not empty, told, body=None if empty else seen.said(1_000))
        else:
            self._board.open(BODY_412, f"a condition nothing meets was answered with HTTP {seen.status}")

    def _composite(self) -> None:
        """By a read: a write whose headers are ignored would have none against assignment rules either."""
        part = {
            "method": "GET",
            "url": f"/services/data/v{self._client.version}/{ACCOUNT}/{self._scratch.id}?fields=Name",
            "referenceId": "probe",
            "httpHeaders": {"If-Unmodified-Since": LONG_AGO},
        }
        seen = self._calls("POST", "composite", json={"allOrNone": False, "compositeRequest": [part]})
        listed = seen.at("compositeResponse")
        first = listed[0] if isinstance(listed, list) and listed else None
        status = first.get("httpStatusCode") if isinstance(first, dict) else None
        if status in (200, 412):
            told = f"a read on a condition nothing meets was answered with {status}"
            self._board.saw(COMPOSITE, status == 412, told, part=first)
        else:
            self._board.open(COMPOSITE, f"HTTP {seen.status}, the part {status}: {said(seen)}")

    def _row_error(self) -> None:
        """A bulk job of one row that must fail. It takes no header against assignment rules, and needs none:
        the row it fails on is our own."""
        job = self._bulk_failure()
        try:
            text = self._failed_row(job)
        finally:
            with suppress(IcpSyncError, OutOfCallsError):
                self._calls.spend()
                self._client.drop("ingest", job)
        if text is None:
            self._board.open(ROW_ERROR, f"the bulk job had not ended after {LOOKS} looks")
        elif not text:
            self._board.open(ROW_ERROR, "the bulk job has no failed row")
        else:
            self._board.saw(ROW_ERROR, bool(ROW.fullmatch(text)), text, text=text)

    def _bulk_failure(self) -> str:
        """The id of a job let loose on a Name that is too long."""
        rows = f'Id,Name\n{self._scratch.id},"{TOO_LONG}"\n'.encode()
        self._calls.spend()
        job = str(self._client.open_ingest()["id"])
        for call in (
            lambda: self._client.upload(job, io.BytesIO(rows)),
            lambda: self._client.close_ingest(job),
        ):
            self._calls.spend()
            call()
        return job

    def _failed_row(self, job: str) -> str | None:
        """sf__Error of its failed row, "" where there is none, None where the job takes too long."""
        pause = 0.5
        for _ in range(LOOKS):
            self._calls.spend()
            if self._client.job("ingest", job)["state"] in ("JobComplete", "Failed", "Aborted"):
                break
            self._client.transport.wait(pause)
            pause *= 2
        else:
            return None
        file = io.BytesIO()
        self._calls.spend()
        self._client.download(f"jobs/ingest/{job}/failedResults", into=file)
        return _first_error(file.getvalue().decode("utf-8", "replace"))


def _first_error(text: str) -> str:
    """sf__Error of a CSV's first row, "" where there is none. Raises UncertainError for half a row."""
    try:
        row: dict[str | None, str | None] = next(csv.DictReader(io.StringIO(text), strict=True), {})
    except csv.Error as error:
        raise UncertainError("the failed rows are no CSV, or were cut short") from error
    if None in row or None in row.values():
        raise UncertainError("the failed rows were cut short")
    return row.get("sf__Error") or ""


def _clock(stamp: str) -> str:
    """The time of a day in an instant as Salesforce writes it."""
    return stamp.partition("T")[2].partition(".")[0] or stamp
