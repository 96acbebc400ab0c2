"""One file of evaluations, whole, and what went into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.cli.output import draft_of, rows_to

if TYPE_CHECKING:
    from icp_sync.cli.export.rows import Row, Rows
    from icp_sync.journal import Journal, Snapshot
    from icp_sync.reporting.opened import Opened

PAGE = 900
"""Accounts in memory at once."""


def write_now(at: Opened, out: Path, version: int) -> dict[str, object]:
    """Everybody as last settled. version: of the profile whose facts become columns."""
    return _written(at, out, version, _now(at.journal))


def write_past(at: Opened, out: Path, version: int, end: float) -> dict[str, object]:
    """Everybody as of an instant, and how many may be missing as they were erased since."""
    told = _written(at, out, version, _past(at.journal, end))
    return {**told, "erased": at.journal.erased_since(end)}


def version_at(journal: Journal, at: float) -> int:
    """The profile version active at an instant, 0 for none."""
    return max((one.version for one in journal.versions() if one.activated_at <= at), default=0)


def _written(at: Opened, out: Path, version: int, snapshots: Iterator[Snapshot]) -> dict[str, object]:
    from icp_sync.cli.export.rows import Rows
    from icp_sync.wiring import facts_of

    rows = Rows(at.journal, facts_of(at.connection)[1], version)
    with _into(out, rows) as put:
        for one in snapshots:
            put(rows.row(one))
    tiers = {tier or "out of scope": n for tier, n in sorted(rows.tally.tiers.items())}
    return {
        "out": str(out),
        "profile_version": version,
        "accounts": rows.tally.accounts,
        "tiers": tiers,
        "not_proved": rows.tally.unproved,
        "unread": rows.unread,
    }


@contextmanager
def _into(out: Path, rows: Rows) -> Iterator[Callable[[Row], None]]:
    """Where rows go, as the name of the file says."""
    from icp_sync.domain.standing import instant_text
    from icp_sync.tables.parquet import INSTANT, SUFFIX, ParquetRows
    from icp_sync.tables.writing import writer

    columns = rows.columns
    if out.suffix.lower() == SUFFIX:
        with draft_of(out) as draft, ParquetRows(draft, columns) as file:
            yield file.row
        return
    instants = [at for at, kind in enumerate(columns.values()) if kind == INSTANT]
    with rows_to(out) as stream:
        lines = writer(stream, columns)

        def put(row: Row) -> None:
            for place in instants:
                row[place] = instant_text(row[place])
            lines.row(row)

        yield put


def _now(journal: Journal) -> Iterator[Snapshot]:
    last = ""
    while page := journal.snapshot_page(last, PAGE):
        last = page[-1].id
        yield from page


def _past(journal: Journal, at: float) -> Iterator[Snapshot]:
    page, last = journal.snapshot_page_at(at, "", PAGE)
    yield from page
    while last:
        page, last = journal.snapshot_page_at(at, last, PAGE)
        yield from page
