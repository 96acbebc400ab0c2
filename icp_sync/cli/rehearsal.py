"""What a candidate profile makes of the facts in the journal, beside what the active one makes of them.

Reads the journal only: no CRM, no enricher, nothing written.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.opening import Opened
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.account import Previous
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.facts import Facts
    from icp_sync.journal import Journal

PAGE = 900
EXAMPLES = 8
NEW, OUT = "new", "out of scope"


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """movers: criterion → [accounts it moves up, down]. active: the version, 0 when there is none."""

    active: int
    names: tuple[str, ...]
    accounts: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    movers: dict[str, list[int]] = field(default_factory=dict)
    examples: list[tuple[str, str, str, str]] = field(default_factory=list)  # id, name, from, to

    @property
    def moved(self) -> int:
        return sum(n for (a, b), n in self.moves.items() if a != b)

    def to_json(self) -> dict[str, object]:
        from icp_sync.cli.migration import to_json

        return {
            "source": "journal",
            "active_version": self.active,
            "candidate": list(self.names),
            "accounts": self.accounts,
            "moved": self.moved,
            "migrations": to_json(self.moves),
            "movers": [{"criterion": n, "up": up, "down": down} for n, (up, down) in self.ranked()],
            "examples": [{"id": i, "name": n, "from": a, "to": b} for i, n, a, b in self.examples],
        }

    def ranked(self) -> list[tuple[str, list[int]]]:
        return sorted(self.movers.items(), key=lambda item: (-sum(item[1]), item[0]))


def rehearse(at: Opened, paths: Sequence[Path]) -> Rehearsal | None:
    """Evaluate every journaled account under the files, None when the journal holds no account yet.

    Raises ConfigError with every problem of the files.
    """
    from icp_sync.domain.compile import compile_profile
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import facts_of, parse_profiles

    types = facts_of(at.connection)[1]
    candidate = [compile_profile(one.profile) for one in load_all(paths, types=types)]
    version, documents = at.journal.active() or (0, ())
    active = [compile_profile(p) for p in parse_profiles(documents, types)] if version else []
    result = Rehearsal(active=version, names=tuple(c.profile.name for c in candidate))
    now = time.time()
    for account_id, facts, previous in _remembered(at.journal, now):
        _compare(result, at.journal, account_id, facts, previous, active, candidate, now)
    return result if result.accounts else None


def _remembered(journal: Journal, now: float) -> Iterator[tuple[str, Facts, Previous | None]]:
    """Every live account with the facts of its last evaluation."""
    from icp_sync.domain.why import facts_of_evidence

    last = ""
    while ids := journal.live_ids_page(last, PAGE):
        last = ids[-1]
        memory = journal.recall(dict.fromkeys(ids, ""), now=now)
        for account_id in ids:
            remembered = memory.of(account_id)
            if remembered.evidence:
                yield account_id, facts_of_evidence(remembered.evidence), remembered.previous


def _compare(
    result: Rehearsal,
    journal: Journal,
    account_id: str,
    facts: Facts,
    previous: Previous | None,
    active: Sequence[Compiled],
    candidate: Sequence[Compiled],
    now: float,
) -> None:
    from icp_sync.domain.evaluation import evaluate

    version = result.active
    before = evaluate(active, facts, previous, now, version=version) if active else None
    after = evaluate(candidate, facts, previous, now, version=version + 1)
    here, there = _tier(before), _tier(after)
    result.accounts += 1
    result.moves[here, there] += 1
    if here == there or before is None:
        return
    criterion = _mover(before, after)
    if criterion:
        result.movers.setdefault(criterion, [0, 0])[after.score < before.score] += 1
    if len(result.examples) < EXAMPLES:
        stored = journal.account(account_id)
        result.examples.append((account_id, stored.name if stored else "", here, there))


def _tier(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return NEW
    return evaluation.tier if evaluation.in_scope else OUT


def _mover(before: Evaluation, after: Evaluation) -> str:
    """The criterion whose points moved most; gates and flags decide when no points moved."""
    old, new = _points(before), _points(after)
    changes = {name: abs(new.get(name, 0) - old.get(name, 0)) for name in {**old, **new}}
    name = max(sorted(changes), key=lambda n: changes[n], default="")
    return name if changes.get(name) else "gates, flags and bands"


def _points(evaluation: Evaluation) -> Mapping[str, int]:
    shown = evaluation.shown
    pairs = zip(shown.profile.criteria, shown.points, strict=True)
    return {criterion.name: got for criterion, (got, _) in pairs}


def show(screen: Screen, result: Rehearsal, files: Sequence[Path] = ()) -> None:
    """The matrix, the criteria that move accounts, a few of those accounts, and how to activate `files`."""
    from icp_sync.cli.migration import show_matrix
    from icp_sync.cli.text import counted, short

    against = f"the active version {result.active}" if result.active else "nothing: no profile is active"
    screen.say(f"{', '.join(result.names)} against {against}, on the facts in the journal.")
    screen.say(f"{counted(result.accounts, 'account')}, {result.moved:,} would move:")
    show_matrix(screen, result.moves)
    if result.movers:
        screen.heading("Criteria that move them")
        rows = [(name, up, down) for name, (up, down) in result.ranked()[:10]]
        screen.table(["criterion", "up", "down"], rows, right=(1, 2))
    if result.examples:
        screen.heading("For example")
        screen.table(
            ["id", "name", "now", "then"], [(i, short(n, 40), a, b) for i, n, a, b in result.examples]
        )
    activate = shlex.join(["icp-sync", "profile", "activate", *map(str, files)])
    screen.say(f"Nothing was changed. next: {activate}")
