"""`icp-sync history ID|DOMAIN`: evaluations and writes of one account in time order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from icp_sync.cli.options import Account, AsJson, Config, ConnectionName

if TYPE_CHECKING:
    from icp_sync.journal import Changed, Evaluated, Journal

KINDS = ("DATA", "PROFILE", "ENGINE")
RELEASED = "released"
WORDS = {RELEASED: "given back"}
"""How people read an event that goes by another name in `--json`."""


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    account: Account, config: Config = None, connection: ConnectionName = None, as_json: AsJson = False
) -> None:
    """What happened to an account, and what caused it."""
    from icp_sync.cli.opening import one_account, opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.text import instant

    with opened(config, connection) as at:
        account_id = one_account(at.journal, account)
        events = timeline(at.journal, account_id)
    if as_json:
        document({"connection": at.name, "account": account_id, "events": events})
        return
    screen = Screen.here()
    if not events:
        screen.say(f"Nothing has happened to account {account_id} yet.")
        return
    rows = [
        (instant(float(str(e["at"]))), WORDS.get(str(e["event"]), e["event"]), e["cause"], _said(e))
        for e in events
    ]
    screen.table(["when", "what", "cause", ""], rows)


def timeline(journal: Journal, account_id: str) -> list[dict[str, object]]:
    """Events, oldest first; an evaluation stands before the write that followed from it."""
    events = [*_evaluations(journal.evaluations(account_id)), *_writes(journal.history(account_id))]
    return sorted(events, key=lambda e: (float(str(e["at"])), e["event"] != "evaluated"))


def _evaluations(evaluations: list[Evaluated]) -> Iterator[dict[str, object]]:
    for e in evaluations:
        cause = next((kind for kind in KINDS if f": {kind} " in e.why), "")
        yield {
            "at": e.at,
            "event": "evaluated",
            "run": e.run,
            "tier": e.tier,
            "score": e.score,
            "cause": cause,
            "why": e.why,
        }


def _writes(changes: list[Changed]) -> Iterator[dict[str, object]]:
    groups: dict[tuple[float, str, str], list[Changed]] = {}
    for change in changes:
        groups.setdefault((change.at, change.run, change.result), []).append(change)
    for (at, run, result), group in groups.items():
        yield {
            "at": at,
            "event": result,
            "run": run,
            "cause": "",
            "changes": [
                {"field": c.field, "before": c.before, "after": c.after, "reason": c.reason} for c in group
            ],
        }


def _said(event: dict[str, object]) -> str:
    from icp_sync.cli.text import short

    changes = event.get("changes")
    if not isinstance(changes, list):
        tier = event["tier"] or "out of scope"
        score = f", score {event['score']}" if event["score"] is not None else ""
        return f"{tier}{score}" + (f". {event['why']}" if event["why"] else "")
    if event["event"] == RELEASED:
        values = ", ".join(f"{c['field']} {short(c['after'] or 'blank', 20)}" for c in changes)
        return f"{values}: ours to write again"
    return ", ".join(
        f"{c['field']} {short(c['before'] or 'blank', 20)} → {short(c['after'] or 'blank', 20)}"
        for c in changes
        if c["field"] != "seal"
    )
