"""`python -m tests.matrix [WORD …] [--seconds N]`: the whole fault matrix, or the cells whose name has all of
these words, and a table of counts.

Ends with status 1 when a promise was broken, naming each cell.
"""

from __future__ import annotations

import argparse
import sys
import time

from icp_sync.observe import configure_logs
from tests.matrix.programme import summed, through, whole


def main(words: list[str], seconds: float) -> int:
    configure_logs(level="CRITICAL")
    every = [cell for cell in whole() if all(word in str(cell) for word in words)]
    until = time.monotonic() + seconds
    table = through(
        every,
        going=lambda: time.monotonic() < until,
        told=lambda text: print(f"BROKEN {text}", flush=True),
    )
    columns = ("cells", "struck", "stopped cycles", "broken")
    print(f"{'place':<20}" + "".join(f"{name:>16}" for name in columns))
    for place, counted in sorted(table.counts.items()):
        print(f"{place:<20}" + "".join(f"{counted[name]:>16}" for name in columns))
    found = summed(table, len(every))
    print(
        f"{found['cells']} of {found['of']} cells, {found['faults']} faults, {found['endpoints']} endpoints, "
        f"at most {found['convergence_rounds']} rounds to rest, {len(table.broken)} promises broken"
    )
    return 1 if table.broken else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    given = parser.parse_args()
    sys.exit(main(given.words, given.seconds))
