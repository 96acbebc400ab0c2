"""`make simulate`: how many workers it takes, and what gives out first. One Markdown table, and JSON.

Deterministic by its seed and its costs: those are measured first, two minutes, or taken from `--costs`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from icp_sync.observe import configure_logs
from tests.scale.calibrating import calibrated
from tests.scale.costs import Assumed, Costs, told
from tests.scale.failures import Failure, dying, failure_table, hanging
from tests.scale.measuring import Line, line, table, verdict
from tests.scale.scenarios import SCENARIOS, Scenario, run


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--costs", type=Path, help="take these, do not measure")
    options.add_argument("--save", type=Path, help="keep the costs measured, for --costs")
    options.add_argument("--workers", default="1,2,4,8,16")
    options.add_argument("--only", default="", help="scenarios whose name holds this")
    options.add_argument("--shrink", type=int, default=1, help="divide every portal's accounts by this")
    options.add_argument("--json", type=Path, help="write all figures to this file")
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    configure_logs(level="error")
    costs = Costs.load(chosen.costs) if chosen.costs else calibrated(_say)
    if chosen.save:
        costs.save(chosen.save)
    workers = [int(word) for word in chosen.workers.split(",")]
    scenarios = [small(one, chosen.shrink) for one in SCENARIOS if chosen.only in one.name]
    assumed = Assumed()
    lines, failures = simulated(scenarios, workers, costs, assumed, chosen.processes)
    print("\n".join(document(scenarios, lines, failures, costs, assumed)))
    if chosen.json:
        found = {
            "costs": asdict(costs),
            "assumed": asdict(assumed),
            "lines": [one.to_json() for one in lines],
            "failures": [one.to_json() for one in failures],
        }
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def small(scenario: Scenario, times: int) -> Scenario:
    """The same with fewer accounts."""
    sizes = tuple(max(100, size // times) for size in scenario.sizes)
    return replace(scenario, sizes=sizes)


def simulated(
    scenarios: Sequence[Scenario], workers: Sequence[int], costs: Costs, assumed: Assumed, processes: int
) -> tuple[list[Line], list[Failure]]:
    """Every scenario with so many workers each, and what failures do; several at a time."""
    with ProcessPoolExecutor(processes) as pool:
        lines = [pool.submit(_line, one, n, costs, assumed) for one in scenarios for n in workers]
        failures = [pool.submit(failure, costs, assumed) for failure in (dying, hanging)]
        return [one.result() for one in lines], [one.result() for one in failures]


def _line(scenario: Scenario, workers: int, costs: Costs, assumed: Assumed) -> Line:
    found = line(run(scenario, workers, costs, assumed), costs)
    _say(table([found])[-1])
    return found


def document(
    scenarios: Sequence[Scenario],
    lines: Sequence[Line],
    failures: Sequence[Failure],
    costs: Costs,
    assumed: Assumed,
) -> list[str]:
    """The table, what fails, the next bottleneck of each, and the foot."""
    found = [*table(lines), "", *failure_table(list(failures)), ""]
    found += [
        "- " + verdict([one for one in lines if one.scenario == scenario.name]) for scenario in scenarios
    ]
    return [*found, "", *(f"- {text}" for text in told(costs, assumed))]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
