"""What the CRM refused, by its reason, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen

Data = dict[str, object]


def show(screen: Screen, groups: list[Data]) -> None:
    from icp_sync.reporting.text import short

    if not groups:
        return
    screen.heading("Why the CRM refuses")
    rows = []
    for group in groups:
        examples = group["examples"]
        assert isinstance(examples, list)
        named = ", ".join(f"{e['id']} {short(e['name'], 20)}" for e in examples)
        rows.append((f"{group['accounts']:,}", f"{group['given_up']:,}", short(group["reason"], 160), named))
    screen.table(["accounts", "given up", "in the CRM's words", "for example"], rows, right=(0, 1))
    screen.say("Once that is put right: icp-sync retry --all, or icp-sync retry ID")
