"""What the files make of the accounts beside the active profile, at a terminal: `profile plan` and `diff`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.reporting.rehearsal import EXAMPLES, NEW, OUT, Moved, Rehearsal

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.opened import Opened

__all__ = ["EXAMPLES", "NEW", "OUT", "Moved", "Rehearsal", "rehearse", "show", "show_moves"]

LISTED_CHANGES = 12


def rehearse(at: Opened, paths: Sequence[Path]) -> Rehearsal | None:
    """Compare the files with the active profile on the journal, None when it holds no account yet.

    Raises ConfigError with every problem of the files.
    """
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.profile.in_parts import compared
    from icp_sync.wiring import facts_of

    here = Grounds(
        source="the journal",
        types=facts_of(at.connection)[1],
        settings=at.settings,
        connection=at.connection,
        name=at.name,
        opened=at.journal,
    )
    after = here.profiles(paths)
    version, before = here.active() if at.journal.active() else (0, ())
    result = compared(here, before, after, version=version)
    return result if result.accounts else None


def show(screen: Screen, result: Rehearsal, files: Sequence[Path] = ()) -> None:
    """The comparison with the active version, and how to activate `files`."""
    against = f"the active version {result.active}" if result.active else "nothing: no profile is active"
    screen.say(f"{', '.join(result.after)} against {against}, on the facts in the journal.")
    show_moves(screen, result)
    activate = shlex.join(["icp-sync", "profile", "activate", *map(str, files)])
    screen.say(f"Nothing was changed. next: {activate}")


def show_moves(screen: Screen, result: Rehearsal) -> None:
    """The matrix, the scope, what moves accounts, and some of those accounts."""
    from icp_sync.cli.profile.migration import show_matrix
    from icp_sync.reporting.text import counted, short

    screen.say(f"{counted(result.accounts, 'account')}, {result.moved:,} would move:")
    show_matrix(screen, result.moves)
    if result.entering or result.leaving:
        screen.say(f"Into the scope: {result.entering:,}. Out of it: {result.leaving:,}.")
    if result.changes:
        screen.heading("What differs")
        for change in result.changes[:LISTED_CHANGES]:
            screen.say(f"- {change}")
        if len(result.changes) > LISTED_CHANGES:
            screen.say(f"- and {len(result.changes) - LISTED_CHANGES} more")
    if result.movers:
        screen.heading("Criteria that move them")
        rows = [(name, up, down) for name, (up, down) in result.ranked()[:10]]
        screen.table(["criterion, gate, flag or band", "up", "down"], rows, right=(1, 2))
    if result.examples:
        screen.heading("For example" if len(result.examples) < result.moved else "Who moves")
        listed = [(e.id, short(e.name, 24), e.before, e.after, short(e.by, 60)) for e in result.examples]
        screen.table(["id", "name", "now", "then", "by"], listed)
