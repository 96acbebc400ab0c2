"""All accounts by one Bulk API 2.0 query: a snapshot on disk, given out in order of id.

Results come as CSV pages, in any order of rows, and a page can be cut short without an error. So every page
is counted against its header before it counts, and all pages together against what the job says it found.
All of them go into a temporary SQLite file; what is in memory does not grow with the org. A job that is
interrupted is thrown away: the next one begins where the consumer got to.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from icp_sync.crm.paging import Found
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.columns import ID, Columns
from icp_sync.crm.salesforce.reads.opportunities import OBJECT, Opportunities
from icp_sync.crm.salesforce.reads.snapshot import TALLIED, CutShortError, Snapshot, rows_of
from icp_sync.crm.salesforce.values import raw_of
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log

PAGE_ROWS = 50_000
"""Rows of one page of results: some 25 MB with fifty fields."""

TRIES = 3
PATIENCE = 3_600.0
"""Seconds a job may stand still. Bulk jobs wait in a queue for as long as Salesforce likes."""

_FIRST_LOOK, _LONGEST_LOOK = 0.2, 10.0
_WAITING = frozenset(("Open", "UploadComplete", "InProgress"))
_CODE = re.compile(r"\b(INVALID_FIELD|INVALID_TYPE|MALFORMED_QUERY|INSUFFICIENT_ACCESS\w*)\b")

_log = log("salesforce")


class Bulk:
    """clock: monotonic seconds."""

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        opportunities: Opportunities,
        *,
        page_rows: int = PAGE_ROWS,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._opportunities = opportunities
        self._page_rows = page_rows
        self._patience = patience
        self._clock = clock

    def everything(
        self, columns: Callable[[], Columns], last: str, up_to: str = "", *, at_once: int = soql.PAGE
    ) -> Iterator[Found]:
        """Every account in `(last, up_to]`, "" for no bound, in order, with the values of these columns as
        `Raw` records, so many of them in a part.

        Nothing is asked before the first part is taken.
        """
        try:
            with (
                tempfile.TemporaryDirectory(prefix="icp-sync-") as folder,
                closing(Snapshot(Path(folder))) as store,
            ):
                yield from self._parts(store, columns, last, up_to, at_once)
        except (sqlite3.Error, OSError) as error:
            what = f"the rows of a bulk query could not be kept on disk: {error}"
            raise UnavailableError(what, next_step="make room where TMPDIR points to") from error

    def _parts(
        self, store: Snapshot, columns: Callable[[], Columns], last: str, up_to: str, at_once: int
    ) -> Iterator[Found]:
        read_at = round(self._client.now() * 1000)
        shown, tallied = self._fill(store, columns, last, up_to)
        given = False
        for part in store.parts(last, at_once):
            records = {
                id: raw_of(shown.of_row(row), tally if tallied else None, read_at) for id, row, tally in part
            }
            stamps = {id: raw.stamp for id, raw in records.items()}
            yield Found(stamps=stamps, records=records, read_at=read_at)
            given = True
        if not given:
            yield Found(stamps={}, read_at=read_at)

    def _fill(
        self, store: Snapshot, columns: Callable[[], Columns], last: str, up_to: str
    ) -> tuple[Columns, bool]:
        """Both snapshots into the store; which columns were read, and whether the tallies are known."""
        while True:
            shown = columns()
            where = [soql.after(ID, last) if last else "", soql.up_to(ID, up_to)]
            try:
                self._query(store, soql.select(shown.names, "Account", where), shown.names, store.add)
            except RequestError as error:
                if not self._catalogue.refused(error, shown.names):
                    raise
            else:
                return shown, self._tally(store, last, up_to)

    def _tally(self, store: Snapshot, last: str, up_to: str) -> bool:
        if not self._opportunities.readable:
            return False
        where = [soql.after("AccountId", last), soql.up_to("AccountId", up_to)]
        statement = soql.select(TALLIED, OBJECT, where)
        try:
            self._query(store, statement, TALLIED, store.count)
        except RequestError as error:
            self._opportunities.told(error)
            return False
        return True

    def _query(
        self,
        store: Snapshot,
        statement: str,
        names: Sequence[str],
        take: Callable[[Iterable[Sequence[str]]], int],
    ) -> None:
        """One job from its beginning to its end, its rows taken by the store."""
        with self._job(statement) as id:
            expected = self._finished(id)
            rows, counted = 0, True
            locator, passed = "", set[str]()
            while True:
                told, announced, locator = self._page(store, id, locator, names, take)
                rows, counted = rows + told, counted and announced
                if not locator:
                    break
                if locator in passed:
                    raise UnavailableError("the pages of a bulk query lead in a circle")
                passed.add(locator)
            if expected is None and not counted:
                raise UnavailableError("nobody said how many rows a bulk query has: it may be cut short")
            if expected is not None and rows != expected:
                raise UnavailableError(f"a bulk query brought {rows} rows, its job had {expected}")

    @contextmanager
    def _job(self, statement: str) -> Iterator[str]:
        id = self._client.open_query(statement)
        done = False
        try:
            yield id
            done = True
        finally:
            try:
                if not done:
                    self._client.abort("query", id)
            except (UnavailableError, RequestError, AuthError) as error:
                _log.info("a bulk query could not be aborted", job=id, error=str(error)[:300])
            try:
                self._client.drop("query", id)
            except (UnavailableError, RequestError, AuthError) as error:
                _log.info(
                    "a bulk query could not be deleted, it goes after a week", job=id, error=str(error)[:300]
                )

    def _finished(self, id: str) -> int | None:
        """Wait for the job; how many rows it says it has."""
        pause, done, since = _FIRST_LOOK, -1, self._clock()
        while True:
            job = self._client.job("query", id)
            state, processed = str(job["state"]), job.get("numberRecordsProcessed")
            if state == "JobComplete":
                return processed if isinstance(processed, int) else None
            if state not in _WAITING:
                raise _failure(state, str(job.get("errorMessage") or ""))
            if isinstance(processed, int) and processed > done:
                done, since = processed, self._clock()
            if self._clock() - since > self._patience:
                raise UnavailableError(f"a bulk query stands still, {state}")
            self._client.transport.wait(pause)
            pause = min(pause * 1.6, _LONGEST_LOOK)

    def _page(
        self,
        store: Snapshot,
        id: str,
        locator: str,
        names: Sequence[str],
        take: Callable[[Iterable[Sequence[str]]], int],
    ) -> tuple[int, bool, str]:
        """One page of results into the store: its rows, whether they were announced, and the locator of the
        next one, "" on the last."""
        params = {"maxRecords": str(self._page_rows)} | ({"locator": locator} if locator else {})
        for attempt in range(TRIES):
            headers = self._client.download(f"jobs/query/{id}/results", params=params, into=store.scratch)
            counted = headers.get("Sforce-NumberOfRecords", "")
            nothing = counted == "0" and store.is_scratch_empty  # not even a header, and nobody expects one
            try:
                with store.whole():
                    rows = 0 if nothing else take(rows_of(store.scratch, names))
                    if counted.isdecimal() and rows != int(counted):
                        raise CutShortError(f"{rows} rows of {counted}")
            except CutShortError as error:
                _log.warning(
                    "a page of a bulk query was cut short", job=id, attempt=attempt + 1, error=str(error)
                )
                continue
            following = headers.get("Sforce-Locator", "")
            return rows, counted.isdecimal(), "" if following == "null" else following
        raise UnavailableError("a page of a bulk query came cut short again and again")


def _failure(state: str, message: str) -> Exception:
    """What a job that did not complete raises: a refusal where the statement was to blame."""
    what = f"bulk query: {state}" + (f", {message[:300]}" if message else "")
    code = _CODE.search(message)
    if code:
        return RequestError(what, status=400, body=[{"errorCode": code[1], "message": message}])
    return UnavailableError(what)
