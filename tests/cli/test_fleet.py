"""`icp-sync status` of many connections: a line each, at any width."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from icp_sync.cli.fleet import table
from icp_sync.cli.rendering import Screen

WHY = "by ada@laptop at 2026-11-22 10:00 UTC: their migration weekend, ask before it goes on"


def lines(width: int, *found: dict[str, Any]) -> list[str]:
    shown = io.StringIO()
    table(Screen(Console(file=shown, width=width, highlight=False)), list(found))
    return shown.getvalue().rstrip().splitlines()


def one(name: str, why: str = WHY) -> dict[str, Any]:
    profile = {"version": 12, "evaluated": 100, "accounts": 100}
    return {
        "connection": name,
        "state": "stopped",
        "mode": "observe",
        "profile": profile,
        "behind": 7_100.0,
        "held": 12_345,
        "why": why,
    }


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("name", ["a", "acme_benelux", "a" * 32])
def test_two_hundred_take_two_hundred_lines_at_any_usual_width(width: int, name: str) -> None:
    shown = lines(width, *(one(name) for _ in range(200)))
    assert len(shown) == 202, "the heads, a rule, and a line each"
    assert all(name in line and "stopped" in line and "by ada@" in line for line in shown[2:])
    assert max(map(len, shown)) <= width


def test_what_is_well_says_nothing() -> None:
    assert "…" not in lines(80, one("acme", why=""))[2]
