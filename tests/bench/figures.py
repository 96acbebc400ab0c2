"""A line of a table of figures: what was measured, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line. ours, beside: what was measured, and the oracle's where there is one."""

    what: str
    ours: str
    beside: str = ""
    goal: str = ""
