"""What was measured last, kept in the repository, and README's part of it: the goals beside our figures."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.goals import GOALS, Goal
from tests.bench.sections import SECTIONS
from tests.bench.sections.growth import drawn
from tests.bench.table import Row, Section

FILE = Path("tests/bench/measured.json")
README = Path("README.md")
PAGE = Path("tests/bench/README.md")
GROWTH = Path(".github/growth.svg")
LIMITS = Path(__file__).parent / "limits.md"
"""What stops the rest, written by hand."""
_ABOVE = """# What was measured

`make bench` on two shared cores; every row is of things run in turn in one go. `python -m tests.bench SECTION
--keep` measures a section anew, `--readme` writes this page and README's table from what was kept.
"""
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def keep(found: Mapping[str, Section]) -> None:
    """Replace what is kept of these sections."""
    known = _read()
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    for name, section in found.items():
        known[name] = {**section.to_json(), "measured": when, "python": platform.python_version()}
    FILE.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sections() -> dict[str, Section]:
    """What is kept, by section."""
    fields = ("title", "rows", "said", "data")
    return {name: Section.from_json({f: one[f] for f in fields}) for name, one in _read().items()}


def readme(found: Mapping[str, Section]) -> str:
    """README's table: each goal with the figure that was measured."""
    rows = {row.key: row for section in found.values() for row in section.rows}
    return "\n".join(
        [BEGIN, "| what | goal | measured | met |", "|---|---|---|---|"]
        + [_line(goal, rows) for goal in GOALS]
        + [END]
    )


def draw() -> None:
    """Write README's table and the page of all sections from what is kept."""
    found = sections()
    text = README.read_text(encoding="utf-8")
    table = readme(found)
    README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.S), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    if "growth" in found:
        GROWTH.write_text(drawn(found["growth"]), encoding="utf-8")


def page(found: Mapping[str, Section]) -> str:
    """Every section as it was measured last, and what profiles of them say."""
    told = [found[name].markdown() for name in SECTIONS if name in found]
    return "\n".join([_ABOVE, *told, LIMITS.read_text(encoding="utf-8")])


def _line(goal: Goal, rows: Mapping[str, Row]) -> str:
    measured = [rows[key] for key in goal.keys if key in rows]
    figures = [goal.words.get(row.key, "") + shown(row) for row in measured]
    if goal.noted:
        figures = [f"{said} ({row.note})" for said, row in zip(figures, measured, strict=True)]
    said = "; ".join(figures) or "not measured"
    verdicts = [row.met for row in measured if row.met is not None]
    met = "" if not verdicts else "yes" if all(verdicts) and len(measured) == len(goal.keys) else "**no**"
    return f"| {goal.what} | {goal.goal} | {said} | {met} |"


def shown(row: Row) -> str:
    """A row's figure, and where something stands beside it, the ratio."""
    return row.figure if row.ratio is None else f"{row.ratio:.2f} × ({row.figure})"


def _read() -> dict[str, dict[str, object]]:
    if not FILE.exists():
        return {}
    found: dict[str, dict[str, object]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
