"""`icp-sync profile diff` between the active profile and a candidate over a million journaled accounts.

A small portal is read and written as ever; its accounts are then multiplied in the journal, in the order in
which a backfill would have made them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import statistics
import sys
from contextlib import closing
from pathlib import Path

from tests.bench.places import LISTED, NO_WAVES, icp_sync, measured, prepared, served, settings_of
from tests.bench.sections.size import Size
from tests.bench.table import Row, spread

_CHANGES = (
    (r"between: \[2000, 60k\]", "between: [1500, 60k]"),
    (r"weight: 12", "weight: 14"),
    (r"A: 85, B: 65", "A: 84, B: 66"),
)
"""What the candidate does otherwise: a band, a weight, tiers."""
SECONDS, MEGABYTES = 8.0, 200.0


def whatif_rows(folder: Path, size: Size) -> list[Row]:
    with served(accounts=size.accounts, limits="off") as crm:
        config = prepared(settings_of(crm, folder, more=NO_WAVES))
        icp_sync("run", "--backfill", "--config", str(config))
    accounts = multiplied(folder / "journal.sqlite", size.journaled)
    command = [sys.executable, "-m", "icp_sync", "profile", "diff", "active", str(candidate(folder))]
    command += ["--config", str(config), "--json"]
    took = [measured(command) for _ in range(size.rounds)]
    looked = json.loads(took[0].out)["accounts"]
    if looked != accounts:
        raise RuntimeError(f"{looked:,} accounts were looked at of {accounts:,}")
    walls, peak = [one.wall for one in took], max(one.megabytes for one in took)
    wall = statistics.median(walls)
    return [
        Row(
            key="scoring.whatif",
            what=f"profile diff of the active profile and a candidate over {accounts:,} journaled accounts",
            unit="s",
            ours=wall,
            goal=f"< {SECONDS:.0f} s",
            met=wall < SECONDS,
            note=f"{statistics.median(one.cpu for one in took):.1f} s of processor",
            spread=spread(walls),
        ),
        Row(
            key="scoring.whatif_memory",
            what="the same: peak memory of the largest of its processes",
            unit="MB",
            ours=peak,
            goal=f"< {MEGABYTES:.0f} MB",
            met=peak < MEGABYTES,
        ),
    ]


def candidate(folder: Path) -> Path:
    """The shipped profile with a few changes."""
    text = LISTED.read_text(encoding="utf-8")
    for was, now in _CHANGES:
        text, found = re.subn(was, now, text)
        assert found, was
    path = folder / "candidate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def multiplied(journal: Path, accounts: int) -> int:
    """Add copies of all accounts until there are so many; returns how many there are."""
    with closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA synchronous = OFF")
        own = db.execute("SELECT count(*) FROM account").fetchone()[0]
        db.execute("CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO copy VALUES (?)", ((n,) for n in range(1, -(-accounts // own))))
        columns = [row[1] for row in db.execute("PRAGMA table_info(account)")]
        taken = [f"printf('%07d-', n) || {name}" if name == "id" else name for name in columns]
        into, those = ", ".join(columns), ", ".join(taken)
        db.execute(f"INSERT INTO account ({into}) SELECT {those} FROM copy CROSS JOIN account")
        db.commit()
        db.execute("ANALYZE")
        return int(db.execute("SELECT count(*) FROM account").fetchone()[0])
