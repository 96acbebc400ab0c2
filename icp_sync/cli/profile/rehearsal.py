"""What one profile set makes of the accounts beside another, for `profile plan` and `profile diff`.

Reads accounts that are at hand only: no CRM, no enricher, nothing written.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.profile import Profile
    from icp_sync.reporting.opened import Opened

EXAMPLES = 8
NEW, OUT = "new", "out of scope"
LISTED_CHANGES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One account that moves, and by what."""

    id: str
    name: str
    before: str
    after: str
    by: str

    def to_json(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "from": self.before, "to": self.after, "by": self.by}


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """movers: what moves accounts → [up, down]. changes: every difference of the profiles, in words.

    active: the version the first side is active as, 0 when it is not. examples: as many as were asked for.
    """

    source: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    active: int = 0
    accounts: int = 0
    changes: tuple[str, ...] = ()
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    movers: dict[str, list[int]] = field(default_factory=dict)
    examples: list[Moved] = field(default_factory=list)

    @property
    def moved(self) -> int:
        return sum(n for (a, b), n in self.moves.items() if a != b)

    @property
    def entering(self) -> int:
        """Accounts that come into scope."""
        return sum(n for (a, b), n in self.moves.items() if a == OUT != b)

    @property
    def leaving(self) -> int:
        """Accounts that fall out of scope; our fields on them would be blanked."""
        return sum(n for (a, b), n in self.moves.items() if b == OUT != a and a != NEW)

    def ranked(self) -> list[tuple[str, list[int]]]:
        return sorted(self.movers.items(), key=lambda item: (-sum(item[1]), item[0]))

    def to_json(self) -> dict[str, object]:
        from icp_sync.cli.profile.migration import to_json

        return {
            "source": self.source,
            "active_version": self.active,
            "before": list(self.before),
            "candidate": list(self.after),
            "accounts": self.accounts,
            "moved": self.moved,
            "entering": self.entering,
            "leaving": self.leaving,
            "changes": list(self.changes),
            "migrations": to_json(self.moves),
            "movers": [{"criterion": n, "up": up, "down": down} for n, (up, down) in self.ranked()],
            "examples": [one.to_json() for one in self.examples],
        }


def rehearse(at: Opened, paths: Sequence[Path]) -> Rehearsal | None:
    """Compare the files with the active profile on the journal, None when it holds no account yet.

    Raises ConfigError with every problem of the files.
    """
    from icp_sync.cli.grounds import Grounds
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
    result = compare(here, before, after, version=version)
    return result if result.accounts else None


def compare(
    here: Grounds,
    before: Sequence[Profile],
    after: Sequence[Profile],
    *,
    version: int = 0,
    limit: int = EXAMPLES,
) -> Rehearsal:
    """Every account under both sets. version: what `before` is active as, 0 when it is not: then what the
    journal remembers plays no part. Without `before`, every account is new.
    """
    from icp_sync.domain.movement import Comparison

    comparison = Comparison(before or after, after)
    result = Rehearsal(
        source=here.source,
        before=tuple(p.name for p in before),
        after=tuple(p.name for p in after),
        active=version,
        changes=tuple(map(str, comparison.amendments)),
    )
    now = time.time()
    for subject in here.accounts():
        previous = subject.previous if version else None
        move = comparison.move(subject.facts, now, previous=previous, version=version)
        was = move.before if before else NEW
        result.accounts += 1
        result.moves[was, move.after] += 1
        if was == move.after or not before:
            continue
        if move.cause is not None:
            result.movers.setdefault(move.cause.name, [0, 0])[_down(was, move.after)] += 1
        if len(result.examples) < limit:
            by = str(move.cause or "")
            moved = Moved(id=subject.id, name=subject.name, before=was, after=move.after, by=by)
            result.examples.append(moved)
    return result


def _down(before: str, after: str) -> bool:
    from icp_sync.cli.profile.migration import ORDER

    return ORDER.index(after) > ORDER.index(before)


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
    from icp_sync.cli.text import counted, short

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
