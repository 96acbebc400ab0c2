"""`python -m tests.cluster [--what NAME]`: what a cluster promises, at its full size, as one Markdown table.

Every number of portals, accounts and workers can be said; what is left out is the size of the claim.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

from icp_sync.observe import configure_logs
from tests.cluster import bad_days, bad_portal, faster, recovery, same

Row = tuple[str, Mapping[str, object], bool]
"""What, its figures, and whether it held."""


def told(what: str) -> None:
    print(f"    {what}", file=sys.stderr, flush=True)


def _same(said: argparse.Namespace) -> Iterator[Row]:
    portals, workers = said.portals or 8, said.workers or 4
    accounts = (said.accounts or 40_000) // portals
    found = same.compare(portals, accounts, workers, apart=True, told=told)
    for one in found.different[:5]:
        told(one)
    yield f"{workers} workers and one process, {portals} portals", found.row(), found.right()


def _days(said: argparse.Namespace) -> Iterator[Row]:
    portals, workers = said.portals or 4, said.workers or 4
    accounts = (said.accounts or 4_000) // portals
    found = bad_days.run(portals, accounts, workers, rounds=said.rounds, apart=True, told=told)
    yield f"bad days, {workers} workers, {portals} portals", found, bad_days.held(found)


def _recovery(said: argparse.Namespace) -> Iterator[Row]:
    found = recovery.run(portals=said.portals or 4, workers=said.workers or 2, told=told)
    yield "a worker killed at its tasks, `lease` as by default", found.row(), found.right()


def _portal(said: argparse.Namespace) -> Iterator[Row]:
    for workers in (said.workers or 4, 0):
        found = bad_portal.run(
            said.portals or 8, said.accounts or 40, workers, seconds=said.seconds, told=told
        )
        usual = found.pop("all well")
        mode = f"{workers} workers" if workers else "one process"
        yield f"{mode}, all portals well", usual.row(), not usual.lost
        for ill, fresh in found.items():
            moved = fresh.p95 - usual.p95
            row = {**fresh.row(), "p95 moved by": f"{moved:+.1f} s"}
            yield f"{mode}, one portal {ill}", row, moved < bad_portal.MOST and not fresh.lost


def _faster(said: argparse.Namespace) -> Iterator[Row]:
    found = faster.run(said.accounts or 6_000, times=said.times, told=told)
    yield "two workers and one, 250 ms, one request each", found.row(), found.right()


WHAT: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "same": _same,
    "days": _days,
    "recovery": _recovery,
    "portal": _portal,
    "faster": _faster,
}


def main(arguments: list[str]) -> int:
    reads = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    reads.add_argument("--what", action="append", choices=list(WHAT), help="this one; repeatable")
    for name in ("portals", "accounts", "workers"):
        reads.add_argument(
            f"--{name}", type=int, help="accounts: of all portals together" * (name == "accounts")
        )
    reads.add_argument("--rounds", type=int, default=6, help="of bad days: how often each ill")
    reads.add_argument("--seconds", type=float, default=180.0, help="of each phase with a portal that is ill")
    reads.add_argument("--times", type=int, default=5, help="runs of one and of two workers")
    said = reads.parse_args(arguments)
    configure_logs(level="CRITICAL")
    print("| what | figures | held |\n|---|---|---|", flush=True)
    held = True
    for name in said.what or WHAT:
        for what, figures, well in WHAT[name](said):
            told_of = ", ".join(f"{key} {value}" for key, value in figures.items())
            print(f"| {what} | {told_of} | {'yes' if well else 'NO'} |", flush=True)
            held &= well
    return 0 if held else 1


def run(budget_seconds: float) -> dict[str, int | str]:
    """For the soak: bad days for about so long, and a small comparison with one process."""
    found = same.compare(4, 1_000, 3, apart=True)
    rounds = max(1, int(budget_seconds / 90))
    days = bad_days.run(3, 400, 3, rounds=rounds)
    figures = {name: value for name, value in days.items() if isinstance(value, int)}
    different = len(found.different) + found.refused
    return {**figures, "broken": int(figures.get("broken", 0)) + different}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
