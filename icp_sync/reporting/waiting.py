"""What waits for a person, rule by rule, and letting it pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from icp_sync.domain.guard import Rule
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.plan import Hold
    from icp_sync.journal import Journal

KEPT = 100
"""Accounts listed of each rule."""
Data = dict[str, object]


def waiting(journal: Journal, kept: int = KEPT) -> list[Data]:
    """Each rule that holds something: how many accounts, since when, which moves, the first accounts, and the
    command that lets it pass."""
    found: list[Data] = []
    for rule, moves in sorted(journal.waiting_moves().items()):
        most_first = sorted(moves.items(), key=lambda move: (-move[1][0], move[0]))
        found.append(
            {
                "rule": rule,
                "accounts": sum(n for n, _ in moves.values()),
                "since": min(since for _, since in moves.values()),
                "moves": {key: n for key, (n, _) in most_first},
                "examples": [example(hold) for hold in journal.holds_page(rule, limit=kept)],
                "next": f'icp-sync apply --held --rule "{rule}"',
            }
        )
    return found


def example(hold: Hold) -> Data:
    """One account that a rule keeps something of."""
    return {
        "account": hold.account_id,
        "key": hold.key,
        "reason": hold.reason,
        "since": hold.since,
        "fields": [change.field for change in hold.changes if change.field != "seal"],
    }


def the_rule(text: str) -> str:
    """The rule a person means. Raises ConfigError that lists them all."""
    wanted = " ".join(text.strip().lower().replace("-", " ").replace("_", " ").split())
    if wanted in set(Rule):
        return wanted
    hint = f"there are: {', '.join(Rule)}"
    raise ConfigError([Problem(where=f"--rule '{text[:40]}'", what="is no rule of the guard", hint=hint)])


def let_pass(
    journal: Journal, *, by: str, ids: Sequence[str] | None, rule: str | None, now: float
) -> tuple[int, dict[str, int]]:
    """Let held changes pass: of these accounts, by this rule, or all; their accounts are due at once.

    Returns how many were let pass, and how many of each rule. Whoever asked for it audits it.
    """
    before = journal.waiting_holds()
    released = journal.release_holds(by=by, rule=rule, ids=ids, now=now)
    after = journal.waiting_holds()
    return released, {name: n - after.get(name, 0) for name, n in before.items() if n > after.get(name, 0)}
