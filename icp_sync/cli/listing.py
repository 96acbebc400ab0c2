"""Lists that `icp-sync status` adds when asked: accounts of one status, values people hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import LeftAlone, Listed

WORDS = {"dead": "given up on"}
"""How people read a status that goes by another name in `--json`."""


def show_listed(screen: Screen, name: str, items: list[Listed]) -> None:
    """Accounts of one status. name: the status, as `--json` has it."""
    from icp_sync.reporting.text import instant, short

    screen.heading(f"{WORDS.get(name, name).capitalize()}: {len(items)}")
    if items:
        rows = [
            (i.account_id, short(i.name, 30), i.attempts, instant(i.wake_at), short(i.problem, 160))
            for i in items
        ]
        screen.table(["id", "name", "tries", "again at", "problem"], rows, right=(2,))


def show_left_alone(screen: Screen, held: list[LeftAlone]) -> None:
    """Values that stay as people typed them."""
    from icp_sync.reporting.text import day, short

    screen.heading(f"Values people hold: {len(held)}")
    if held:
        rows = [
            (h.account_id, short(h.name, 30), h.field, short(h.live, 30), short(h.desired, 30), day(h.since))
            for h in held
        ]
        screen.table(["id", "name", "field", "theirs", "ours would be", "since"], rows)
        screen.say("to take one back: icp-sync release ID --field FIELD")
