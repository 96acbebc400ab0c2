"""What waits for a person, rule by rule: how it is shown, and how it is let pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.opened import Opened

EXAMPLES = 5
"""Accounts shown of each rule."""
Data = dict[str, object]


def show_waiting(screen: Screen, found: object, passing: object = 0) -> None:
    """The same for people. found: what `waiting` returns. passing: accounts let pass that have not landed."""
    from icp_sync.reporting.text import ago, counted, short

    screen.heading("Waiting for a person")
    assert isinstance(found, list)
    if not found:
        screen.say("nothing")
    if isinstance(passing, int) and passing:
        screen.say(f"{counted(passing, 'account')} let pass; not landed yet (now: icp-sync run --once)")
    for said in found:
        count, since, moves, examples = said["accounts"], said["since"], said["moves"], said["examples"]
        assert isinstance(count, int)
        assert isinstance(since, float | None)
        assert isinstance(moves, dict)
        assert isinstance(examples, list)
        screen.say()
        kinds = ", ".join(f"{key} ({n:,})" for key, n in list(moves.items())[:EXAMPLES])
        screen.say(f"{said['rule']}: {counted(count, 'account')}, first {ago(since)}: {kinds}", "bold")
        rows = [(e["account"], e["key"], short(e["reason"], 90)) for e in examples[:EXAMPLES]]
        screen.table(["id", "what", "why"], rows)
        if count > EXAMPLES:
            screen.say(f"and {count - EXAMPLES:,} more; all of them with --json")
        screen.say(f"to let them pass: {said['next']}")


def let_pass(at: Opened, accounts: Sequence[str], rule: str | None, note: str) -> Data:
    """Let held changes pass: of these accounts, by this rule, or all; their accounts are due at once."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account
    from icp_sync.reporting import waiting

    ids = [one_account(at.journal, text) for text in accounts] if accounts else None
    by, now = who(), time.time()
    released, rules = waiting.let_pass(at.journal, by=by, ids=ids, rule=rule, now=now)
    if released:
        at.journal.audit(
            "apply --held", who=by, now=now, rule=rule or "", accounts=ids or [], rules=rules, note=note
        )
    return {"connection": at.name, "released": released, "rules": rules, "accounts": ids}
