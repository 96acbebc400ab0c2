"""What waits for a person, rule by rule: how it is shown, and how it is let pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.plan import Hold
    from icp_sync.journal import Journal
    from icp_sync.reporting.opened import Opened

EXAMPLES = 5
"""Accounts shown of each rule."""
KEPT = 100
"""Accounts listed of each rule in JSON."""
Data = dict[str, object]


def waiting(journal: Journal) -> list[Data]:
    """Each rule that holds something: how many accounts, since when, which moves, the first accounts, and the
    command that lets it pass."""
    found: list[Data] = []
    for rule, count in sorted(journal.waiting_holds().items()):
        holds = [hold for hold in journal.holds(rule=rule) if not hold.released_by]
        keys: dict[str, int] = {}
        for hold in holds:
            keys[hold.key] = keys.get(hold.key, 0) + 1
        found.append(
            {
                "rule": rule,
                "accounts": count,
                "since": min((hold.since for hold in holds), default=None),
                "moves": dict(sorted(keys.items(), key=lambda item: -item[1])),
                "examples": [_one(hold) for hold in holds[:KEPT]],
                "next": f'icp-sync apply --held --rule "{rule}"',
            }
        )
    return found


def _one(hold: Hold) -> Data:
    return {
        "account": hold.account_id,
        "key": hold.key,
        "reason": hold.reason,
        "since": hold.since,
        "fields": [change.field for change in hold.changes if change.field != "seal"],
    }


def show_waiting(screen: Screen, found: object, passing: object = 0) -> None:
    """The same for people. found: what `waiting` returns. passing: accounts let pass that have not landed."""
    from icp_sync.cli.text import ago, counted, short

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


def the_rule(text: str) -> str:
    """The rule a person means. Raises ConfigError that lists them all."""
    from icp_sync.domain.guard import Rule

    wanted = " ".join(text.strip().lower().replace("-", " ").replace("_", " ").split())
    if wanted in set(Rule):
        return wanted
    hint = f"there are: {', '.join(Rule)}"
    raise ConfigError([Problem(where=f"--rule '{text[:40]}'", what="is no rule of the guard", hint=hint)])


def let_pass(at: Opened, accounts: Sequence[str], rule: str | None, note: str) -> Data:
    """Let held changes pass: of these accounts, by this rule, or all; their accounts are due at once."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account

    ids = [one_account(at.journal, text) for text in accounts] if accounts else None
    by, now = who(), time.time()
    before = at.journal.waiting_holds()
    released = at.journal.release_holds(by=by, rule=rule, ids=ids, now=now)
    after = at.journal.waiting_holds()
    rules = {name: n - after.get(name, 0) for name, n in before.items() if n > after.get(name, 0)}
    if released:
        at.journal.audit(
            "apply --held", who=by, now=now, rule=rule or "", accounts=ids or [], rules=rules, note=note
        )
    return {"connection": at.name, "released": released, "rules": rules, "accounts": ids}
