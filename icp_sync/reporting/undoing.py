"""What an undo did or would do, for people: what goes back, what stays and why, what no undo takes back.

Of the plain data that `sync.undone.Undone.to_json` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from icp_sync.reporting.text import amount, counted

PREVIEW = "undo preview"
"""The kind of request with which a worker is asked what an undo would do."""
Told = Mapping[str, Any]


def headline(told: Told) -> str:
    """ "backfill 2026… wrote on 3 accounts: 12 fields on 3 would be restored."."""
    did = "restored" if told["apply"] else "would be restored"
    return (
        f"{told['kind']} {told['run']} wrote on {counted(told['accounts'], 'account')}: "
        f"{counted(told['fields'], 'field')} on {told['restored']:,} {did}."
    )


def by_field(told: Told) -> list[tuple[str, int]]:
    """Field → accounts on which it goes back, most first."""
    return sorted(told["by_field"].items(), key=lambda row: (-row[1], row[0]))


def untouched(told: Told) -> Iterator[str]:
    """What is not touched although the run wrote it, and nobody has edited it since."""
    said = [
        (told["same"], "hold what they held before already"),
        (sum(told["absent"].values()), f"are not carried any more: {', '.join(sorted(told['absent']))}"),
        (sum(told["nobody"].values()), f"held owners who are none now: {', '.join(sorted(told['nobody']))}"),
    ]
    for n, what in said:
        if n:
            yield f"{counted(n, 'field')}, not touched: they {what}"


def lasting(told: Told) -> Iterator[str]:
    """What no undo takes back."""
    found = told["irreversible"]
    lines = [
        (found["seen_by_others"], "{} on which workflows, e-mails and integrations may have acted"),
        (found["owners_notified"], "{} given to an owner, who was told"),
        (found["deleted"], "{} deleted since"),
        (found["merged"], "{} merged into others since"),
        (found["timestamps"], "{} whose history and last-changed date keep both writes"),
    ]
    for n, text in lines:
        if n:
            yield text.format(counted(n, "account"))
    if credits := ", ".join(f"{amount(n)} of {name}" for name, n in found["credits"].items()):
        yield f"credits spent: {credits}"
