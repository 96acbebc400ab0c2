"""Growth: what a thousand, ten thousand, a hundred thousand and a million accounts take, and how it rises.

Each size once, in a process of its own: the first pass over the largest alone takes a quarter of an hour.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from math import log, log10
from pathlib import Path

from tests.bench.picture import Chart, Line
from tests.bench.sections.growth.part import BEGINS, RESTS, Part, part_from
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section, number

MOST_MEGABYTES = 200.0
FLAT = 1.25
"""Of the memory a tenth of the accounts took, the most that still counts as flat."""
NOISE = 0.05
"""Of an exponent, what one run on a shared machine may be off."""
CONSOLE = 200.0
"""Milliseconds a page of the console may take."""


def growth(folder: Path, size: Size) -> Section:
    """Rows of the largest size and of the slopes; every size in the table below."""
    rests = (RESTS, BEGINS) if size.minutes >= 1 else (3.0, 4.0)
    return told([_alone(folder, n, *rests) for n in size.growth])


def told(parts: Sequence[Part]) -> Section:
    """The section of parts that were measured, the smallest first."""
    return Section(
        title=f"Growth: {', '.join(f'{one.accounts:,}' for one in parts)} accounts on HubSpot, no limits",
        rows=rows(parts),
        said=_table(parts),
        data={"parts": [asdict(one) for one in parts]},
    )


def _alone(folder: Path, n: int, rests: float, begins: float) -> Part:
    """One size in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.sections.growth", "--size", str(n), "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--rests", str(rests), "--begins", str(begins)], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{n:,} accounts: it ended with {done.returncode}")
    return part_from(json.loads(done.stdout.splitlines()[-1]))


def rows(parts: Sequence[Part]) -> list[Row]:
    last = parts[-1]
    page, (_, longest) = max(last.pages.items(), key=lambda one: one[1][0])
    return [
        _memory(parts),
        _slope("growth.slope.time", "processor time of a first backfill", parts, lambda one: one.first.cpu),
        _slope("growth.slope.second", "processor time of a second pass", parts, lambda one: one.second.cpu),
        _slope("growth.slope.journal", "bytes of the journal", parts, lambda one: one.journal),
        Row(
            key="growth.console",
            what=f"the slowest page of the console over {last.accounts:,} accounts, median",
            unit="ms",
            ours=last.pages[page][0],
            goal=f"< {CONSOLE:.0f} ms",
            met=last.pages[page][0] < CONSOLE,
            note=f"{page or 'overview'}; longest {number(longest)} ms",
        ),
        Row(
            key="growth.idle.poll",
            what=f"a poll that finds nothing, {last.accounts:,} accounts, against {parts[0].accounts:,}",
            unit="ms CPU",
            ours=last.poll.cpu * 1_000,
            beside=parts[0].poll.cpu * 1_000,
            note=f"{last.poll.calls} calls, {last.poll.statements} statements",
        ),
        Row(
            key="growth.idle.daemon",
            what=f"a worker at rest, {last.accounts:,} accounts, against {parts[0].accounts:,}",
            unit="s CPU a minute",
            ours=last.rest.cpu,
            beside=parts[0].rest.cpu,
            note=f"{number(last.rest.megabytes)} MB, {last.rest.statements:.0f} statements a minute",
        ),
    ]


def _memory(parts: Sequence[Part]) -> Row:
    last, before = parts[-1], parts[-2]
    ours, beside = _peak(last), _peak(before)
    return Row(
        key="growth.memory",
        what=f"peak memory of both passes over {last.accounts:,} accounts, against {before.accounts:,}",
        unit="MB",
        ours=ours,
        beside=beside,
        goal=f"flat, < {MOST_MEGABYTES:.0f} MB",
        note=f"at {last.accounts:,} accounts",
        met=ours < MOST_MEGABYTES and ours <= FLAT * beside,
    )


def _peak(part: Part) -> float:
    return max(part.first.megabytes, part.second.megabytes, part.caught.megabytes)


def _slope(key: str, what: str, parts: Sequence[Part], figure: Callable[[Part], float]) -> Row:
    """The exponent of the last step, against that of n log n there; of all the steps the note tells."""
    steps = [_exponents(one, other, figure) for one, other in pairwise(parts)]
    ours, allowed = steps[-1]
    return Row(
        key=key,
        what=f"{what}: exponent from {parts[-2].accounts:,} to {parts[-1].accounts:,}, against n log n",
        unit="",
        ours=ours,
        beside=allowed,
        goal="≤ n log n",
        met=ours <= allowed + NOISE,
        note="before: " + (", ".join(f"{step:.2f}" for step, _ in steps[:-1]) or "none"),
    )


def _exponents(one: Part, other: Part, figure: Callable[[Part], float]) -> tuple[float, float]:
    """On logarithmic axes, the slope between two sizes: of the figure, and of n log n."""
    n, m = one.accounts, other.accounts
    return log(figure(other) / figure(one)) / log(m / n), 1 + log(log(m) / log(n)) / log(m / n)


_HEAD = """| accounts | first pass | µs CPU an account | second pass | µs CPU an account | peak memory \
| journal | our own writes seen | idle poll | at rest | slowest page |
|---|---|---|---|---|---|---|---|---|---|---|"""


def _table(parts: Sequence[Part]) -> str:
    return "\n".join([_HEAD, *(_line(one) for one in parts)])


def _line(one: Part) -> str:
    def each(cpu: float) -> str:
        return number(round(cpu / one.accounts * 1e6))

    cells = (
        f"{one.accounts:,}",
        f"{number(one.first.wall)} s",
        each(one.first.cpu),
        f"{number(one.second.wall)} s",
        each(one.second.cpu),
        f"{number(_peak(one))} MB",
        f"{number(one.journal / 1e6)} MB, {number(one.journal / one.accounts)} bytes an account",
        f"{number(one.caught.wall)} s",
        f"{number(one.poll.cpu * 1_000)} ms CPU, {one.poll.calls} calls, {one.poll.statements} statements",
        f"{number(one.rest.cpu)} s CPU a minute, {number(one.rest.megabytes)} MB",
        f"{number(max(median for median, _ in one.pages.values()))} ms",
    )
    return f"| {' | '.join(cells)} |"


def drawn(section: Section) -> str:
    """The picture of a section that was kept: an SVG."""
    kept = section.data["parts"]
    assert isinstance(kept, list)
    parts = [part_from(one) for one in kept]

    def line(name: str, figure: Callable[[Part], float], *, ideal: bool = False) -> Line:
        return Line(name=name, points=[(one.accounts, figure(one)) for one in parts], ideal=ideal)

    top = round(log10(parts[-1].accounts))
    return Chart(
        title=f"Growth to {10**top:,} accounts",
        across="accounts, with n log n dashed",
        up="seconds, megabytes, milliseconds",
        lines=[
            line("first pass, CPU s", lambda one: one.first.cpu, ideal=True),
            line("journal, MB", lambda one: one.journal / 1e6, ideal=True),
            line("peak memory, MB", _peak),
            line("console, slowest page, ms", lambda one: max(median for median, _ in one.pages.values())),
        ],
    ).svg()
