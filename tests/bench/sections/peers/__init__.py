"""Connectors beside us, each in an environment of its own, on the same task: `make bench PEERS=1`.

Read everything, then what is new after a job touched 100 accounts. Theirs hand over rows; ours evaluate,
compare and journal them as well. Then the table of what each misses (`adversarial`).
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.places import Served, Took, measured, prepared, settings_of
from tests.bench.sections.adversarial import NAMES, SAID, ours, populated, table, tried
from tests.bench.sections.adversarial.scenes import People
from tests.bench.sections.loops import NO_WAVES
from tests.bench.sections.peers.connectors import Connector, opened
from tests.bench.sections.peers.places import Peer
from tests.bench.sections.peers.places import peers as known
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section

TOUCHED = 100
SEEDS_SINCE = "2023-01-01T00:00:00Z"
_RUN = [sys.executable, "-m", "icp_sync", "run", "--json"]


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One run: what it took, its calls, and how many rows it gave out."""

    took: Took
    calls: int
    rows: int


def peers(folder: Path, size: Size) -> Section:
    """Two rows of each peer, the table of what each misses, and who was not run."""
    all_of_them = known()
    running = [peer for peer in all_of_them if not peer.not_run]
    rows: list[Row] = []
    for crm in NAMES:
        (own := folder / crm).mkdir()
        rows += _compared(own, crm, [peer for peer in running if peer.crm == crm], size)
    left = [f"- {peer.called}: {peer.not_run}." for peer in all_of_them if peer.not_run]
    return Section(
        title=f"Connectors, {size.accounts:,} accounts, then {TOUCHED} touched",
        rows=rows,
        said="\n".join([_missed(folder / "scenes", running, size), "", SAID, "", "Not run:", "", *left]),
    )


def _compared(folder: Path, crm: str, running: Sequence[Peer], size: Size) -> list[Row]:
    """Everybody in turn, so many rounds."""
    taken: dict[str, list[tuple[Pass, Pass]]] = {}
    for nth in range(size.rounds):
        for peer in [None, *running]:
            name = peer.called if peer else ""
            (own := folder / f"{name or 'ours'} {nth}").mkdir()
            with populated(crm, size.accounts) as at:
                passes = _theirs(peer, at, own) if peer else _ours(at, own)
                first = next(passes)
                People(at).touch(TOUCHED)
                taken.setdefault(name, []).append((first, next(passes)))
    mine = taken.pop("")
    return [
        _row(name, nth, [both[nth] for both in mine], [both[nth] for both in theirs])
        for name, theirs in taken.items()
        for nth in (0, 1)
    ]


def _theirs(peer: Peer, at: Served, folder: Path) -> Iterator[Pass]:
    connector = Connector(peer, at, folder, since=SEEDS_SINCE)
    while True:
        before = at.requests()
        took, ids = connector.timed()
        yield Pass(took=took, calls=at.requests() - before, rows=len(ids))


def _ours(at: Served, folder: Path) -> Iterator[Pass]:
    """Reads, evaluates, compares, journals; writes nothing, as they do."""
    config = prepared(settings_of(at, folder, more=NO_WAVES), mode="observe")
    for how in ("--backfill", "--once"):
        before = at.requests()
        took = measured([*_RUN, how, "--config", str(config)])
        yield Pass(took=took, calls=at.requests() - before, rows=_rows_read(json.loads(took.out)))


def _rows_read(said: object) -> int:
    """How many accounts a command read, in whichever of its streams."""
    if isinstance(said, list):
        return sum(map(_rows_read, said))
    if isinstance(said, dict):
        read = said.get("read")
        return read if isinstance(read, int) else sum(map(_rows_read, said.values()))
    return 0


def _row(name: str, nth: int, ours: Sequence[Pass], theirs: Sequence[Pass]) -> Row:
    wall, beside = (statistics.median(run.took.wall for run in runs) for runs in (ours, theirs))
    what = "read all" if nth == 0 else f"read what is new after {TOUCHED} were touched"
    return Row(
        key=f"peers.{name.split()[0]}.{'again' if nth else 'first'}",
        what=f"{name}: {what}",
        unit="s",
        ours=wall,
        beside=beside,
        goal="ahead, in calls too",
        met=wall < beside and ours[-1].calls <= theirs[-1].calls,
        note=f"ours {_told(ours)}; theirs {_told(theirs)}",
    )


def _told(runs: Sequence[Pass]) -> str:
    cpu = statistics.median(run.took.cpu for run in runs)
    peak = max(run.took.megabytes for run in runs)
    return f"{cpu:.1f} s CPU, {peak:.0f} MB, {runs[-1].calls:,} calls, {runs[-1].rows:,} rows"


def _missed(folder: Path, running: Sequence[Peer], size: Size) -> str:
    """The table of what each misses, ours first."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = []
    for crm in NAMES:
        theirs = [opened(peer, yesterday) for peer in running if peer.crm == crm]
        for nth, one in enumerate([ours, *theirs]):
            name, found = tried(crm, one, folder / f"{crm} {nth}", size)
            lines.append([f"{name} ({NAMES[crm]})", *found.cells()])
    return table(lines)
