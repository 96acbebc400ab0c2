"""A large backfill with people at work, taken back beside the daemon: all that is ours, nothing of theirs.

What must stand afterwards is told by the CRM's write log alone: blank where the first write of ours on an
account found it blank, and what people typed since where they did.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp

from tests.postgres import journal_url
from tests.soak.checker import Table, check
from tests.soak.claims import HELD, claims_of
from tests.soak.ground import Ground
from tests.soak.ledger import Entry
from tests.soak.worker import further, until, worker
from tests.sync.processes import Nursery

STREAMS = ("poll", "trailing", "due", "sweep")
RESTORED = HELD | {"owner"}
AGAIN = 5
"""Tries of the undo at most."""
TIMES = 3
"""Cycles of each stream over which it must stay undone."""


def run(
    accounts: int = 10_000,
    edits: int = 500,
    told: Callable[[str], object] = lambda _: None,
    database: str = "sqlite",
) -> dict[str, int | str]:
    """Raises AssertionError where something never happens; what went wrong else is in the columns."""
    folder = Path(mkdtemp(prefix="icp-sync-show-"))
    nursery = Nursery(folder)
    try:
        with journal_url(database) as url:
            at = Ground(folder, nursery, accounts=accounts, journal=url)
            try:
                return _shown(at, edits, told)
            finally:
                at.close()
    finally:
        nursery.close()
        shutil.rmtree(folder, ignore_errors=True)


def _shown(at: Ground, edits: int, told: Callable[[str], object]) -> dict[str, int | str]:
    began = time.monotonic()

    def say(what: str) -> None:
        told(f"{time.monotonic() - began:6.1f} s  {what}")

    at.pass_time(3 * 86_400)  # so that only the backfill reads what nobody has touched
    at.ledger.take()
    at.ledger.entries.clear()  # how they were founded matters to nobody
    with worker(at):
        people = _people_work_beside(at, edits)
        until(lambda: at.wired.journal.backfill_request() is None, "the backfill ends")
        further(at, TIMES, STREAMS[:3])
    say(f"{len(at.companies)} companies backfilled, {people} values typed over ours meanwhile")
    run_id = next(r.id for r in reversed(at.wired.journal.runs(100_000)) if r.kind == "backfill")
    with worker(at, {"schedule__sweep": "1s"}):
        begun = at.now()
        must = _must(at)
        undone = _undone(at, run_id)
        over = at.now()
        say(f"undone: {undone['restored']} accounts restored, {undone['people']} fields left to people")
        first = _table(at, must, (begun, over))
        cycles = further(at, TIMES, STREAMS)
        table = _table(at, must, (begun, over))
    say(f"stayed undone over {dict(cycles)}")
    table.add(Table(findings=first.findings))
    again = {e.id for e in at.ledger.entries if e.ours and e.at > over and e.field in must.get(e.id, {})}
    if not table.clean():
        told(table.said())
    figures = {
        "companies": len(at.companies),
        "restored accounts": undone["restored"],
        "restored fields": undone["fields"],
        "fields people keep": undone["people"],
        "not restored": undone["left"],
        "written again": len(again),
        "cycles since": sum(cycles.values()),
    }
    return {**figures, **table.figures(), "human edits": people}


def _undone(at: Ground, run_id: str) -> Counter[str]:
    """On PostgreSQL the command works beside the daemon; what that has in hand is left for the next try."""
    sums: Counter[str] = Counter()
    for _ in range(AGAIN):
        ended = at.run("undo", run_id, "--apply", "--json")
        assert ended.code == 0 or (ended.code == 1 and ended.out), ended.err
        said = json.loads(ended.out)
        sums.update(restored=said["restored"], fields=said["fields"])
        sums["people"], sums["left"] = max(sums["people"], said["people"]), said["left"]
        if ended.code == 0:
            break
    return sums


def _people_work_beside(at: Ground, edits: int) -> int:
    """While the worker backfills, people type over what it has written already; once over each company."""
    dice, done = random.Random(5), 0
    typed: set[str] = set()
    while done < edits:
        until(lambda n=done: _written(at) * edits >= len(at.companies) * min(n + 1, edits), "it goes on")  # type: ignore[misc]
        ours = [id for id in at.ledger.written if id not in typed]
        chosen = dice.sample(ours, min(len(ours), edits - done, max(1, edits // 20)))
        done += at.type_over(chosen, dice)
        typed.update(chosen)
    return done


def _written(at: Ground) -> int:
    """Companies of ours so far; also keeps the write log from forgetting."""
    at.ledger.take()
    return len(at.ledger.written)


def _must(at: Ground) -> dict[str, dict[str, str]]:
    """Account → field → what an undo of the first writes leaves there."""
    at.ledger.take()
    by_account: dict[str, list[Entry]] = defaultdict(list)
    for e in at.ledger.entries:
        by_account[e.id].append(e)
    return {id: must for id, entries in by_account.items() if (must := _left(entries))}


def _left(entries: Sequence[Entry]) -> dict[str, str]:
    first = next((e.at for e in entries if e.ours), None)
    wrote = {e.field: e.before for e in entries if e.ours and e.at == first and e.field in RESTORED}
    return wrote | {name: value for name, value in claims_of(entries).held.items() if name in wrote}


def _table(at: Ground, must: dict[str, dict[str, str]], span: tuple[int, int]) -> Table:
    return check(at.ledger.evidence(at.companies, reversals=[span]), must)
