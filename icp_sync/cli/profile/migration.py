"""The tier-migration matrix for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icp_sync.reporting.migration import ORDER, Moves, matrix, to_json

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

__all__ = ["ORDER", "Moves", "matrix", "show_matrix", "to_json"]


def show_matrix(screen: Screen, moves: Moves) -> None:
    """The matrix for people."""
    heads, rows = matrix(moves)
    screen.table(heads, rows, right=range(1, len(heads)))
