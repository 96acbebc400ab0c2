"""The simulation held against the real engine at a small size: the same calls, and how long either takes.

Two portals in one process, their backfill and then the poll that reads back what it wrote, side by side.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from icp_sync.observe import configure_logs
from icp_sync.ports import Stream
from icp_sync.sync.pacing import Pacing
from icp_sync.wiring import Wired
from tests.scale.calibrating import calibrated
from tests.scale.costs import Assumed, Costs
from tests.scale.engine import Process
from tests.scale.ground import Served, configured, opened, ran
from tests.scale.scenarios import Ran, Scenario, run

AT_ONCE = Pacing(canary=0, watch=0.0, wave=0, pause=0.0)
KINDS = {
    "GET companies": "list",
    "POST search": "search",
    "POST batch/read": "batch/read",
    "POST batch/update": "batch/update",
}
"""Endpoint → kind of call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """calls: kind → number, of each step. seconds: what each step took. changed: of those read, written."""

    calls: Sequence[Mapping[str, int]]
    seconds: Sequence[float]
    changed: float = 0.0


def real(accounts: int, *, journal: str = "", latency: float = 0.0, portals: int = 2) -> Both:
    """The engine against simulated portals. journal: its URL, by default a SQLite file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = {f"portal{n}": Served("hubspot", accounts, seed=n + 1) for n in range(portals)}
        for one in served.values():
            stack.callback(one.close)
        settings = configured(folder, journal or f"sqlite:///{folder}/journal.sqlite", served)
        first: Wired | None = None
        wired = []
        for name in served:
            wired.append(opened(settings, name, first.journal if first else None))
            first = first or wired[0]
        stack.callback(wired[0].journal.close)
        for one in served.values():
            one.admin("POST settings", latency=latency)
        steps = [_step(served, wired, Stream.BACKFILL)]
        for one in served.values():
            one.admin("POST clock", advance=30)
        for each in wired:
            each.crm.fetch(["1"])  # hears the clock; else the window is opened twice
        steps.append(_step(served, wired, Stream.POLL))
    calls = [step.calls[0] for step in steps]
    return Both(calls=calls, seconds=[step.seconds[0] for step in steps], changed=steps[0].changed)


def _step(served: Mapping[str, Served], wired: Sequence[Wired], stream: Stream) -> Both:
    """One cycle of all portals side by side."""
    for one in served.values():
        one.forget()
    read, written = [0], [0]

    def cycle(one: Wired) -> None:
        (report,) = ran(one, stream)
        read[0] += report.read
        written[0] += report.written

    threads = [threading.Thread(target=cycle, args=(one,)) for one in wired]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    found = dict.fromkeys(KINDS.values(), 0)
    for one in served.values():
        for endpoint, number in one.calls().items():
            if endpoint in KINDS:
                found[KINDS[endpoint]] += number
    return Both(calls=[_some(found)], seconds=[seconds], changed=written[0] / max(1, read[0]))


def modelled(accounts: int, changed: float, costs: Costs, assumed: Assumed, portals: int = 2) -> Both:
    """The same, simulated: one worker, one range a portal, neither waves nor limits."""
    scenario = Scenario(
        name="as in reality",
        crm="hubspot",
        sizes=(accounts,) * portals,
        partitions=1,
        pacing=AT_ONCE,
        paced=False,
        follows=False,
        unlimited=True,
        changed=changed,
    )
    filled = run(scenario, 1, costs, assumed)
    before, at = _made(filled), filled.seconds
    polled = filled.crew.time.start(_polls(filled))
    filled.crew.time.run(polled, at + 86_400.0)
    after = _made(filled)
    echo = {kind: after[kind] - before[kind] for kind in after}
    return Both(calls=[_some(before), _some(echo)], seconds=[at, filled.crew.time.now - at])


def _polls(filled: Ran) -> Process:
    crew = filled.crew
    windows = [
        crew.time.start(portal.echo(crew.workers[0], until=crew.time.now)) for portal in filled.portals
    ]
    yield from windows


def _made(ran: Ran) -> dict[str, int]:
    found = dict.fromkeys(KINDS.values(), 0)
    for portal in ran.portals:
        for kind, number in portal.limits.made.items():
            found[kind] += number
    return found


def _some(calls: Mapping[str, int]) -> dict[str, int]:
    return {kind: number for kind, number in sorted(calls.items()) if number}


def main() -> None:
    from tests.postgres import Server

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=2_000)
    options.add_argument("--latency", type=float, default=0.25)
    options.add_argument("--costs", type=Path)
    chosen = options.parse_args()
    configure_logs(level="error")
    costs = Costs.load(chosen.costs) if chosen.costs else calibrated()
    server = Server()
    try:
        seen = real(chosen.accounts, journal=server.database(), latency=chosen.latency)
    finally:
        server.close()
    assumed = replace(Assumed(), latency=chosen.latency, trip=0.0, flush=0.0, cores=1)
    said = modelled(chosen.accounts, seen.changed, costs, assumed)
    print("| 2 portals | calls, real | calls, simulated | seconds, real | simulated |\n|---|---|---|---|---|")
    for n, what in enumerate(("first backfill", "poll of its echo")):
        line = [str(seen.calls[n]), str(said.calls[n]), f"{seen.seconds[n]:.1f}", f"{said.seconds[n]:.1f}"]
        print(f"| {what} | " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
