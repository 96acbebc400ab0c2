"""`icp-sync history [ID|DOMAIN]`: evaluations and writes of one account in time order, or the latest runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Limit

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Changed, Evaluated, Journal

KINDS = ("DATA", "PROFILE", "ENGINE", "OVERRIDE")
RELEASED = "released"
RUNS = 50
"""Runs listed unless a limit says otherwise."""
WORDS = {RELEASED: "given back"}
"""How people read an event that goes by another name in `--json`."""


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    account: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID|DOMAIN]", help="A record id, a domain, or a company's whole name; none: the runs."
        ),
    ] = None,
    limit: Limit = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """What happened to an account, and what caused it.

    Without an account: the latest runs, newest first.
    """
    from icp_sync.cli.opening import one_account, opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.ran import run_row

    with opened(config, connection) as at:
        if account is None:
            ran = [run_row(run) for run in at.journal.runs(limit or RUNS)]
        else:
            account_id = one_account(at.journal, account)
            events = timeline(at.journal, account_id)
            events = events[-limit:] if limit else events
    if account is None:
        document({"connection": at.name, "runs": ran}) if as_json else _show_runs(Screen.here(), ran)
    elif as_json:
        document({"connection": at.name, "account": account_id, "events": events})
    else:
        _show(Screen.here(), account_id, events)


def _show(screen: Screen, account_id: str, events: list[dict[str, object]]) -> None:
    from icp_sync.reporting.text import instant

    if not events:
        screen.say(f"Nothing has happened to account {account_id} yet.")
        return
    rows = [
        (instant(float(str(e["at"]))), WORDS.get(str(e["event"]), e["event"]), e["cause"], _said(e))
        for e in events
    ]
    screen.table(["when", "what", "cause", ""], rows)


def _show_runs(screen: Screen, runs: list[dict[str, object]]) -> None:
    from icp_sync.reporting.ran import kind_in_words
    from icp_sync.reporting.text import instant, short

    if not runs:
        screen.say("Nothing has run yet. next: icp-sync run --once")
        return
    rows, any_dry = [], any(run["dry"] for run in runs)
    for run in runs:
        of = f"of {run['undoes']}" if run["undoes"] and screen.console is None else ""
        about = " ".join(filter(None, (of, str(run["note"]))))
        wrote = run.get("written", run.get("restored", ""))
        outcome = run["outcome"] or ("running or killed" if run["ended_at"] is None else "ended")
        begun = instant(float(str(run["started_at"])))
        figures = (wrote,) if not any_dry else ("", wrote) if run["dry"] else (wrote, "")
        rows.append(
            (run["id"], kind_in_words(run), begun, outcome, run.get("read", ""), *figures, short(about, 60))
        )
    heads = ["run", "what", "began", "outcome", "read", "wrote on", *(["would write"] if any_dry else [])]
    screen.table([*heads, ""], rows, right=range(4, len(heads)), whole=(0, 1, 3))
    if screen.console is not None:  # two ids beside each other would not fit
        for run in runs:
            if run["undoes"]:
                screen.say(f"{run['id']} undoes {run['undoes']}")
    screen.say("What a run wrote can be taken back: icp-sync undo RUN")


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
            "cause": "UNDO" if _undoes(group) else "",
            "why": _undoes(group),
            "changes": [
                {"field": c.field, "before": c.before, "after": c.after, "reason": c.reason} for c in group
            ],
        }


def _undoes(group: list[Changed]) -> str:
    """The words for what these changes undo, "" where they undo nothing."""
    return next((c.reason for c in group if c.reason.startswith("undo of ")), "")


def _said(event: dict[str, object]) -> str:
    from icp_sync.reporting.text import short

    changes = event.get("changes")
    if not isinstance(changes, list):
        tier = event["tier"] or "out of scope"
        score = f", score {event['score']}" if event["score"] is not None else ""
        return f"{tier}{score}" + (f". {event['why']}" if event["why"] else "")
    if event["event"] == RELEASED:
        values = ", ".join(f"{c['field']} {short(c['after'] or 'blank', 20)}" for c in changes)
        return f"{values}: ours to write again"
    why = f" ({event['why']})" if event["why"] else ""
    said = ", ".join(
        f"{c['field']} {short(c['before'] or 'blank', 20)} → {short(c['after'] or 'blank', 20)}"
        for c in changes
        if c["field"] != "seal"
    )
    return said + why
