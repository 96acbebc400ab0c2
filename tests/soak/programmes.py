"""The other programmes of the tests, each run within a budget: one row of figures, and whether it held."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import cycle

Figures = Mapping[str, int | str]
Told = Callable[[str], object]

CASES, FIRST = 920, 5
"""About how many cases of the fault programme there are, and after how many their pace is known."""
AT_ONCE = 20
"""Stories of the state machine between two looks at the clock."""


def faults(budget_seconds: float, told: Told) -> Figures:
    """The fault programme: every case, or as many as the time allows, evenly spread over it."""
    from tests.faults.programme import cases, points_tried

    began, seen, tried, broken, due = time.monotonic(), 0, 0, 0, 0.0
    for _, database, name, run in cases():
        seen += 1
        due += _share(budget_seconds, time.monotonic() - began, tried, CASES - seen)
        if due < 1:
            continue
        due, tried = 0.0, tried + 1
        try:
            run()
        except AssertionError as error:
            broken += 1
            told(f"BROKEN on {database}, {name}: {error}")
    return {
        "fault points": len(points_tried()),
        "cases": tried,
        "cases left out": seen - tried,
        "broken": broken,
    }


def _share(budget: float, spent: float, tried: int, left: int) -> float:
    """Which share of the cases still to come there is time for, at the pace so far."""
    if tried < FIRST:
        return 1.0
    return max(0.0, budget - spent) / max(1.0, left * spent / tried)


def of_package(name: str, budget_seconds: float, told: Told) -> Figures:
    """`run(budget_seconds)` of a package of tests: its figures, lists counted. Or that there is none."""
    for place in (name, f"{name}.__main__", f"{name}.programme"):
        try:
            run = getattr(import_module(place), "run", None)
        except ModuleNotFoundError as missing:
            if missing.name not in (name, place):
                raise
            continue
        if run is not None:
            return {
                key.replace("_", " "): _counted(value, told) for key, value in run(budget_seconds).items()
            }
    return {"left out": f"no {name}"}


def _counted(value: object, told: Told) -> int | str:
    if isinstance(value, list | tuple):
        for one in value:
            told(f"BROKEN {one}")
        return len(value)
    return value if isinstance(value, int) else str(value)


def machine(budget_seconds: float, told: Told) -> Figures:
    """The state machine with new dice, again and again, on either database in turn."""
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test

    from tests.sync.test_machine import SyncMachine, SyncMachineOnPostgres

    usual = SyncMachine.TestCase.settings
    machines = cycle((SyncMachine, SyncMachineOnPostgres))
    dice = settings(usual, derandomize=False, database=None, max_examples=AT_ONCE, print_blob=True)
    ends, stories = time.monotonic() + budget_seconds, 0
    while time.monotonic() < ends:
        try:
            run_state_machine_as_test(next(machines), settings=dice)
        except Exception:
            told(traceback.format_exc()[-4000:])
            return {"stories": stories, "broken": 1}
        stories += AT_ONCE
    return {"stories": stories, "broken": 0}
