"""`python -m tests.faults [n]`: the whole fault programme, or each n-th case of it, and a table of counts.

Ends with status 1 when a promise was broken, naming each case.
"""

from __future__ import annotations

import sys
from collections import Counter

from icp_sync.observe import configure_logs
from tests.faults.programme import cases, points_tried


def main(every: int) -> int:
    configure_logs(level="CRITICAL")
    tried: Counter[tuple[str, str]] = Counter()
    broken: list[str] = []
    for number, (way, database, name, run) in enumerate(cases()):
        if number % every:
            continue
        try:
            found = run()
        except AssertionError as error:
            found = 1
            broken.append(f"{way} on {database}, {name}: {error}")
            print(f"BROKEN {broken[-1]}", flush=True)
        tried[way, database] += found if type(found) is int else 1
    print(f"{'fault':<12}{'database':<12}{'cases':>7}")
    for (way, database), n in sorted(tried.items()):
        print(f"{way:<12}{database:<12}{n:>7}")
    print(f"{len(points_tried())} fault points, {sum(tried.values())} cases, {len(broken)} promises broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
