"""`python -m tests.many`: how fresh the others' records stay while one portal hangs, or answers only 429.

People edit companies in all portals but one. How long each edit waits for its score is read from the CRMs'
own logs of writes. Prints the 95th percentile before and during, as a table or JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from icp_sync.observe import configure_logs
from tests.many.agency import agency
from tests.many.people import FAULTS, People


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--portals", type=int, default=20)
    options.add_argument("--accounts", type=int, default=12)
    options.add_argument("--poll", type=float, default=10.0, help="seconds between two polls of a portal")
    options.add_argument("--seconds", type=float, default=60.0, help="of each phase")
    options.add_argument("--rest", type=float, default=5.0, help="seconds after a phase")
    options.add_argument("--faults", nargs="+", choices=FAULTS, default=list(FAULTS))
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    configure_logs(json=False, level="critical")  # of preparing them
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), chosen)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    print("| one portal | edits | p50 | p95 | lost |\n|---|---|---|---|---|")
    for name, one in figures.items():
        print(f"| {name} | {one['edits']} | {one['p50']:.1f} s | {one['p95']:.1f} s | {one['lost']} |")


def measured(folder: Path, chosen: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Phase → what became of its edits: well, then each fault with a pause after it."""
    figures: dict[str, dict[str, float]] = {}
    with (
        agency(folder, chosen.portals, accounts=chosen.accounts, poll=chosen.poll) as made,
        made.working(ends=1.0),
    ):
        people = People(made, ill=next(iter(made.portals)))
        people.wait_for_all(300)
        figures["is well"] = people.at_work(chosen.seconds)
        for fault in chosen.faults:
            people.strike(fault)
            figures[fault] = people.at_work(chosen.seconds)
            people.heal()
            time.sleep(chosen.rest)
        complaints = [line for line in made.log.splitlines() if people.of_the_well(line)]
        print("\n".join(complaints[:20]), file=sys.stderr)
    return figures


if __name__ == "__main__":
    main()
