"""`python -m tests.bench.console`: how long each page of the console takes over a million journaled accounts.

A small portal is read and written as ever; its journal is then multiplied by SQL, so that every row looks
like a real one. Medians of five, in milliseconds, by a client on the same machine; goal: 200.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import requests

from icp_sync.console.place import Place
from icp_sync.console.serving import serving
from icp_sync.journal import Journal
from icp_sync.settings.console import ConsoleServer
from icp_sync.wiring import wire
from tests.console.portal import Portal, settled
from tests.console.visiting import paths

GOAL = 200.0
ROUNDS = 5
OF_ACCOUNTS = {
    "account": "id",
    "evaluation": "account",
    "evaluation_log": "account",
    "change_log": "account",
    "left_alone": "account",
    "hold": "account",
    "assignment": "account",
    "notice": "subject",
}
"""Tables with a row or more for each account, and where its id stands."""
_NAMES = ("domain", "name", "name_key")


def multiplied(journal: Path, accounts: int) -> int:
    """Add copies of every account until there are so many; returns how many there are."""
    with closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA synchronous = OFF")
        own = db.execute("SELECT count(*) FROM account").fetchone()[0]
        copies = max(0, -(-accounts // own) - 1)
        db.execute("CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY)")
        db.executemany("INSERT INTO copy VALUES (?)", ((n,) for n in range(1, copies + 1)))
        for table, key in OF_ACCOUNTS.items():
            _copy(db, table, key)
        db.commit()
        db.execute("ANALYZE")
        return int(db.execute("SELECT count(*) FROM account").fetchone()[0])


def _copy(db: sqlite3.Connection, table: str, key: str) -> None:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "seq"]
    quoted = [f'"{name}"' for name in columns]
    taken = [
        f"{name} || '-' || n" if column == key else f"n || {name}" if column in _NAMES else name
        for column, name in zip(columns, quoted, strict=True)
    ]
    db.execute(f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {', '.join(taken)} FROM copy, {table}")


@contextmanager
def console_of(portal: Portal, folder: Path, accounts: int) -> Iterator[tuple[str, Journal]]:
    """The address below which the pages of the multiplied journal are."""
    settings = portal.settings(folder)
    multiplied(folder / "icp-sync.sqlite", accounts)
    wired = wire(settings)
    place = Place(name=wired.name, settings=settings, wired=lambda: wired)
    try:
        with serving([place], ConsoleServer(), "127.0.0.1:0", somebody="bench", clock=time.time) as url:
            yield f"{url}c/{wired.name}/", wired.journal
    finally:
        wired.journal.close()


def timed(url: str, pages: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Page → median and longest of its times, ms. Taken in turn, after each was asked for once."""
    with requests.Session() as client:
        while "being counted" in client.get(url, timeout=600).text:
            time.sleep(1)
        found: dict[str, list[float]] = {page: [] for page in pages}
        for nth in range(ROUNDS + 1):
            for page in pages:
                began = time.perf_counter()
                reply = client.get(url + page, timeout=600)
                took = (time.perf_counter() - began) * 1000
                assert reply.status_code == 200, (page, reply.status_code)
                if nth:
                    found[page].append(took)
    return {page: (statistics.median(times), max(times)) for page, times in found.items()}


def measured(accounts: int, folder: Path) -> dict[str, tuple[float, float]]:
    with settled(folder / "portal", accounts=300) as portal:
        (own := folder / "copy").mkdir()
        with console_of(portal, own, accounts) as (url, journal):
            return timed(url, [*paths(journal), "now"])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=1_000_000)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        found = measured(chosen.accounts, Path(folder))
    if chosen.json:
        print(json.dumps({page: {"median": m, "longest": x} for page, (m, x) in found.items()}, indent=2))
        return
    print(f"| page, {chosen.accounts:,} accounts | median, ms | longest, ms | goal |\n|---|---|---|---|")
    for page, (median, longest) in found.items():
        print(f"| {page or 'overview'} | {median:.0f} | {longest:.0f} | {GOAL:.0f} |")


if __name__ == "__main__":
    main()
