"""Scoring a CSV export: rows a second beside merely copying the file, and memory beside a tenth of it.

Each run is a process of its own, so that its peak memory is its own: `python -m … FILE.csv` scores one file
once and prints what it took.
"""

from __future__ import annotations

import csv
import gc
import json
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
from tests.bench.places import PROFILE, measured
from tests.bench.sections.size import Size
from tests.bench.table import Row, in_turn


def csv_rows(folder: Path, size: Size) -> list[Row]:
    """Generated rows under the flagship profile, reasons and all, on one core."""
    count = size.rows
    large = export.write(folder / "large.csv", count)
    small = export.write(folder / "small.csv", max(1, count // 10))
    peaks: dict[Path, float] = {}

    def ours(path: Path) -> float:
        took = measured([sys.executable, "-m", __name__, str(path)])
        peaks[path] = max(peaks.get(path, 0.0), took.megabytes)
        return count / float(json.loads(took.out)["seconds"])

    rate, copied, _ = in_turn(
        size.rounds, lambda: ours(large), lambda: count / _copied(large), lambda: ours(small)
    )
    return [
        Row(
            key="scoring.csv",
            what=f"score {count:,} rows of CSV with reasons, against copying them",
            unit="rows/s",
            ours=rate,
            beside=copied,
            goal="≥ 30,000",
            met=rate >= 30_000,
        ),
        Row(
            key="scoring.csv.memory",
            what="peak memory of that, against a tenth of the rows",
            unit="MB",
            ours=peaks[large],
            beside=peaks[small],
            goal="< 200 MB",
            met=peaks[large] < 200,
        ),
    ]


def once(path: Path) -> dict[str, float]:
    """Score one file, as the command does: the processor seconds it took."""
    gc.disable()  # as the command does for itself
    began = time.process_time()
    compiled = [compile_profile(one.profile) for one in load_all([PROFILE])]
    table = Table(path)
    with whole(path.with_suffix(".scored.csv")) as out:
        done = score_file(table, columns_of(table), compiled, out, currency="USD", types={}, now=time.time())
    return {"rows": done.rows, "seconds": time.process_time() - began}


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
