"""`profile activate` and `profile promote` end here alike: making files the active version, and saying so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from icp_sync.reporting import activation
from icp_sync.reporting.activation import (
    LEARNED,
    PROMOTED,
    REFUSED,
    Activated,
    asked,
    command,
    is_active,
    ready,
    refuse,
    resembling,
    unproven,
)

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.profile_file import Loaded
    from icp_sync.reporting.opened import Opened

__all__ = [
    "LEARNED",
    "PROMOTED",
    "REFUSED",
    "Activated",
    "asked",
    "command",
    "is_active",
    "make_active",
    "ready",
    "refuse",
    "resembling",
    "show",
    "unproven",
]


def make_active(
    at: Opened, loaded: Sequence[Loaded], *, note: str, what: str, who: str, **detail: object
) -> Activated:
    """Activate, request the backfill that rolls it out, and enter `what` with its detail in the audit."""
    now = time.time()
    done = activation.make_active(at, loaded, note=note, now=now)
    if done.changed:
        at.journal.audit(what, who=who, now=now, **(activation.audited(done, loaded, note) | detail))
    return done


def show(screen: Screen, done: Activated) -> None:
    """What was activated and what follows, for people."""
    from icp_sync.reporting.text import counted

    if not done.changed:
        screen.say(f"These files are the active version {done.version} already; nothing changed.")
        return
    screen.say(f"Active: version {done.version} ({', '.join(done.names)}).")
    for said in done.resembling:
        screen.say(f"! {said}.", "yellow")
    known = f"{counted(done.accounts, 'account')} will be re-evaluated"
    known = known if done.accounts else "no account was read yet"
    screen.say(f"{known}; a paced backfill is requested, which a running daemon starts.")
    screen.say("next: icp-sync provision (new flags need options), then icp-sync run --backfill")
