"""What one profile set makes of the accounts beside another: the matrix, who moves, and by what.

Looks at accounts that are at hand only: no CRM, no enricher, nothing written.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from icp_sync.domain.movement import Comparison
from icp_sync.journal.told import Asked
from icp_sync.reporting.migration import ORDER, to_json

if TYPE_CHECKING:
    from icp_sync.domain.profile import Profile
    from icp_sync.journal.told import Told
    from icp_sync.reporting.subjects import Subject

EXAMPLES = 8
NEW, OUT = "new", "out of scope"
TICK = 2_000


class Known(Protocol):
    """Accounts and where they come from, in words."""

    @property
    def source(self) -> str: ...

    def accounts(self, told: Told | None = None) -> Iterator[Subject]: ...


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

    def add(self, part: Rehearsal) -> None:
        """Count another part of the accounts in, whose ids come after these."""
        self.accounts += part.accounts
        self.moves.update(part.moves)
        for name, counted in part.movers.items():
            up, down = self.movers.get(name, (0, 0))
            self.movers[name] = [up + counted[0], down + counted[1]]
        self.examples += part.examples

    def ranked(self) -> list[tuple[str, list[int]]]:
        return sorted(self.movers.items(), key=lambda item: (-sum(item[1]), item[0]))

    def to_json(self) -> dict[str, object]:
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


def compare(
    here: Known,
    before: Sequence[Profile],
    after: Sequence[Profile],
    *,
    version: int = 0,
    limit: int = EXAMPLES,
    each: int | None = None,
    ticked: Callable[[int], None] = lambda n: None,
) -> Rehearsal:
    """Every account under both sets. version: what `before` is active as, 0 when it is not: then what the
    journal remembers plays no part. Without `before`, every account is new. limit: how many that move are
    named; each: how many of one move among them. ticked: told now and then how many were looked at; what it
    raises ends the comparison.
    """
    comparison = Comparison(before or after, after)
    result = Rehearsal(
        source=here.source,
        before=tuple(p.name for p in before),
        after=tuple(p.name for p in after),
        active=version,
        changes=tuple(map(str, comparison.amendments)),
    )
    now, kept = time.time(), Counter[tuple[str, str]]()
    for subject in here.accounts(Asked(comparison.asked)):
        previous = subject.previous if version else None
        move = comparison.move(subject.facts, now, previous=previous, version=version)
        was = move.before if before else NEW
        result.accounts += 1
        if result.accounts % TICK == 0:
            ticked(result.accounts)
        result.moves[was, move.after] += 1
        if was == move.after or not before:
            continue
        if move.cause is not None:
            result.movers.setdefault(move.cause.name, [0, 0])[_down(was, move.after)] += 1
        kept[was, move.after] += 1
        if len(result.examples) < limit and (each is None or kept[was, move.after] <= each):
            by = str(move.cause or "")
            moved = Moved(id=subject.id, name=subject.name, before=was, after=move.after, by=by)
            result.examples.append(moved)
    return result


def _down(before: str, after: str) -> bool:
    return ORDER.index(after) > ORDER.index(before)
