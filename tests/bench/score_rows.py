"""Scoring a CSV export: rows a second beside merely copying the file, and memory beside a tenth of it.

Each run is a process of its own, so that its peak memory is its own: `python -m tests.bench.score_rows
FILE.csv` scores one file once and prints what it took.
"""

from __future__ import annotations

import csv
import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from icp_sync.domain.compile import compile_profile
from icp_sync.profile_file import load_all
from icp_sync.tables.columns import columns_of
from icp_sync.tables.reading import Table
from icp_sync.tables.scored_file import score_file
from icp_sync.tables.writing import whole
from tests.bench import export
from tests.bench.rows import PROFILE, Row, in_turn

_PEAK_UNIT = 1024 if sys.platform == "linux" else 1024 * 1024  # getrusage: kilobytes, on macOS bytes


def scored_rows(folder: Path, rounds: int, count: int) -> list[Row]:
    """`count` generated rows under the flagship profile, reasons and all, on one core."""
    large = export.write(folder / "large.csv", count)
    small = export.write(folder / "small.csv", max(1, count // 10))
    peaks: dict[Path, float] = {}

    def ours(path: Path) -> float:
        found = _process(path)
        peaks[path] = max(peaks.get(path, 0.0), found["peak"])
        return count / found["seconds"]

    rate, copied, _ = in_turn(
        rounds, lambda: ours(large), lambda: count / _copied(large), lambda: ours(small)
    )
    return [
        Row(
            what=f"score {count:,} rows of CSV with reasons, against copying them",
            unit="rows/s",
            ours=rate,
            beside=copied,
            goal="≥ 30,000 rows/s",
        ),
        Row(
            what="peak memory of that, against a tenth of the rows",
            unit="MB",
            ours=peaks[large],
            beside=peaks[small],
            goal="< 200 MB, flat",
        ),
    ]


def once(path: Path) -> dict[str, float]:
    """Score one file, as the command does: processor seconds it took, and the peak memory in MB."""
    gc.disable()  # as the command does for itself
    began = time.process_time()
    compiled = [compile_profile(one.profile) for one in load_all([PROFILE])]
    table = Table(path)
    with whole(path.with_suffix(".scored.csv")) as out:
        done = score_file(table, columns_of(table), compiled, out, currency="USD", types={}, now=time.time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PEAK_UNIT
    return {"rows": done.rows, "seconds": time.process_time() - began, "peak": peak}


def _process(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.score_rows", str(path)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def _copied(path: Path) -> float:
    began = time.process_time()
    with (
        path.open(newline="", encoding="utf-8") as read,
        path.with_suffix(".copy").open("w", newline="") as to,
    ):
        csv.writer(to).writerows(csv.reader(read))
    return time.process_time() - began


if __name__ == "__main__":
    print(json.dumps(once(Path(sys.argv[1]))))
