"""How the deals of a connection are followed."""

from __future__ import annotations

from dataclasses import dataclass

DEALS = "deals"
"""The stream's name: of its lease, its runs and its position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """stamp: whether deals are given the tier their company had when they began. grace: seconds after which a
    first verdict on the company comes too late for that."""

    stamp: bool = False
    grace: float = 86_400.0
