"""What an undo put back and holds back still, said the same way wherever it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from icp_sync.reporting.undone import UNTIL

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen


def show_undone(screen: Screen, undone: Mapping[str, int]) -> None:
    """undone: undo → accounts."""
    from icp_sync.reporting.text import counted

    for run, accounts in sorted(undone.items()):
        holds = "holds" if accounts == 1 else "hold"
        screen.say(f"{counted(accounts, 'account')} {holds} what undo {run} put back, {UNTIL}")
