"""`python -m tests.soak [--minutes N] [--only PART]`: all programmes in turn, one table. See `make soak`.

Each part gets its share of the time. Ends with status 1 when a promise was broken or a bound exceeded.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable

from icp_sync.observe import configure_logs
from tests.soak import buying, endurance, kills, programmes, show
from tests.soak.checker import COLUMNS
from tests.soak.programmes import Figures
from tests.vendors import reckoning

SHOW_MINUTES = 14
"""Below so many minutes for the show it is a smaller one, in proportion."""
COMPANIES, EDITS = 10_000, 500


def told(what: str) -> None:
    print(f"    {what}", flush=True)


def _show(seconds: float, database: str = "sqlite") -> Figures:
    part = min(1.0, seconds / (60 * SHOW_MINUTES))
    return show.run(int(COMPANIES * part), int(EDITS * part), told, database)


PARTS: dict[str, tuple[float, Callable[[float], Figures]]] = {
    "faults": (0.12, lambda seconds: programmes.faults(seconds, told)),
    "kills": (0.18, lambda seconds: kills.run(seconds, told=told)),
    "buying": (0.06, lambda seconds: buying.run(seconds, told=told)),
    "matrix": (0.10, lambda seconds: programmes.of_package("tests.matrix", seconds, told)),
    "machine": (0.06, lambda seconds: programmes.machine(seconds, told)),
    "simulation": (0.08, lambda seconds: programmes.of_package("tests.simulation", seconds, told)),
    "cluster": (0.06, lambda seconds: programmes.of_package("tests.cluster", seconds, told)),
    "show": (0.12, _show),
    "show pg": (0.12, lambda seconds: _show(seconds, "postgresql")),
    "endurance": (0.05, lambda seconds: endurance.run(seconds, told=told)),
    "endurance pg": (0.05, lambda seconds: endurance.run(seconds, told=told, database="postgresql")),
}
"""Part → its share of the time, and what runs it. In all others both databases take turns."""

WRONG = (*COLUMNS, *reckoning.COLUMNS, "broken", "unbounded", "failed", "not restored", "written again")
"""Figures that are to be 0."""


def main(arguments: list[str]) -> int:
    reads = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    reads.add_argument("--minutes", type=float, default=55.0, help="for all parts together")
    reads.add_argument("--only", action="append", choices=list(PARTS), help="this part; repeatable")
    given = reads.parse_args(arguments)
    configure_logs(level="CRITICAL")
    chosen = {name: part for name, part in PARTS.items() if not given.only or name in given.only}
    whole = sum(share for share, _ in chosen.values())
    rows: dict[str, Figures] = {}
    for name, (share, run) in chosen.items():
        print(f"{name}:", flush=True)
        began = time.monotonic()
        try:
            rows[name] = run(60 * given.minutes * share / whole)
        except Exception:
            told(traceback.format_exc())
            rows[name] = {"failed": 1}
        told(f"{time.monotonic() - began:.0f} s")
    show_table(rows)
    return 1 if any(wrong(figures) for figures in rows.values()) else 0


def wrong(figures: Figures) -> list[str]:
    """The names of figures that should be 0 and are not."""
    return [name for name in WRONG if figures.get(name)]


def show_table(rows: dict[str, Figures]) -> None:
    """One line a figure, one column a part."""
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    ordered = [n for n in names if n not in WRONG] + [n for n in WRONG if n in names]
    width = max(map(len, ordered), default=0)
    print()
    print(" " * width, *(f"{part:>12}" for part in rows))
    for name in ordered:
        print(f"{name:<{width}}", *(f"{_cell(figures.get(name)):>12}" for figures in rows.values()))
    bad = {part: found for part, figures in rows.items() if (found := wrong(figures))}
    print(f"\nBROKEN: {bad}" if bad else "\nEvery promise held.")


def _cell(value: int | str | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
