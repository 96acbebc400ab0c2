"""A bulk query's rows on disk: taken in any order, given out in order of id. Sends nothing.

The rows go into a temporary SQLite file, so that what is in memory does not grow with the org. A page of
CSV counts whole or not at all: it may end too early without anybody saying so.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.columns import STAMP, text_of
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.reads.opportunities import NONE, Tally
from icp_sync.crm.salesforce.values import stamp_of
from icp_sync.errors import UnavailableError
from icp_sync.lean_json import dumps, loads

TALLIED = ("AccountId", "IsClosed", "IsWon", STAMP)
"""What is read of Opportunities, in this order."""

LONGEST_FIELD = 1_000_000
"""Characters; the longest field of Salesforce has 131,072, as many as `csv` takes by itself."""


class CutShortError(Exception):
    """A page of results is not what it should be."""


class Snapshot:
    """The rows of a snapshot by id, and the tallies of Opportunities, in one file that is thrown away."""

    def __init__(self, folder: Path) -> None:
        self.scratch: BinaryIO = (folder / "page.csv").open("w+b")
        # Taken out in the thread that reads ahead, closed in the one that reads.
        self._db = sqlite3.connect(folder / "rows.sqlite", isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode = MEMORY",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -16000",
            "CREATE TABLE rows (id TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID",
            "CREATE TABLE tallies (id TEXT PRIMARY KEY, open INT, won INT, stamp INT) WITHOUT ROWID",
        ):
            self._db.execute(statement)

    def close(self) -> None:
        self.scratch.close()
        self._db.close()

    @property
    def is_scratch_empty(self) -> bool:
        return self.scratch.seek(0, io.SEEK_END) == 0

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All that is taken inside, or nothing of it."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(self, rows: Iterable[Sequence[str]]) -> int:
        """Accounts, `Id` first. Returns how many rows there were."""
        return self._insert(
            "INSERT OR REPLACE INTO rows VALUES (?, ?)", ((_id(row[0]), dumps(row)) for row in rows)
        )

    def count(self, rows: Iterable[Sequence[str]]) -> int:
        """Opportunities, as `TALLIED` has them."""
        stamp = text_of("datetime")
        return self._insert(
            "INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET open = open + excluded.open, won = won + excluded.won, stamp = max(stamp, excluded.stamp)",
            (
                (_id(account), closed != "true", won == "true", stamp_of({STAMP: stamp(at)}))
                for account, closed, won, at in rows
            ),
        )

    def _insert(self, statement: str, rows: Iterable[tuple[object, ...]]) -> int:
        before = self._db.total_changes
        self._db.executemany(statement, rows)
        return self._db.total_changes - before

    def parts(self, last: str, at_once: int = soql.PAGE) -> Iterator[list[tuple[str, list[str], Tally]]]:
        """The accounts after `last`, so many at a time."""
        while True:
            found = self._db.execute(
                "SELECT rows.id, row, open, won, stamp FROM rows LEFT JOIN tallies USING (id)"
                " WHERE rows.id > ? ORDER BY rows.id LIMIT ?",
                (last, at_once),
            ).fetchall()
            if not found:
                return
            yield [
                (id, loads(row), NONE if open is None else Tally(open=open, won=won, stamp=stamp))
                for id, row, open, won, stamp in found
            ]
            last = found[-1][0]


def rows_of(page: BinaryIO, names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The rows of a CSV page below its header. Raises CutShortError where the text ends too early, and
    UnavailableError for other columns than were asked for."""
    page.seek(0)
    text = io.TextIOWrapper(page, encoding="utf-8", newline="")
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
    try:
        reader = csv.reader(text, strict=True)
        header = next(reader, None)
        if header is None:
            raise CutShortError("nothing at all")
        if [name.lower() for name in header] != [name.lower() for name in names]:
            raise UnavailableError("a bulk query answered other columns than were asked for")
        for row in reader:
            if len(row) != len(names):
                raise CutShortError(f"a row of {len(row)} fields instead of {len(names)}")
            yield row
    except (csv.Error, UnicodeDecodeError) as error:  # the end came inside quotes, or inside a letter
        raise CutShortError(str(error)) from error
    finally:
        text.detach()


def _id(text: str) -> str:
    found = long_id(text)
    if not found:
        raise CutShortError("a row without an id")
    return found
