"""`icp-sync audit`: who changed what, when; and whether the record of it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Audited

LATEST = 50
BROKEN = 1


def register(app: typer.Typer) -> None:
    app.command()(audit)


def audit(
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only from this day or instant on (UTC).")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="The latest so many; 50 unless --since is given.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all of them to a file, one JSON object a line."),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Who changed what, and when.

    Each entry's digest covers the one before, signed with the seal key where there is one. When one was
    altered, taken out or made without the key, the exit code is 1.
    """
    from icp_sync.cli.moments import moment
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.writing import written_lines
    from icp_sync.reporting.trail import entry_of

    begin = moment(since, option="--since") if since is not None else 0.0
    most = limit or (None if since is not None or export is not None else LATEST)
    with opened(config, connection) as at:
        entries = at.journal.audited(since=begin, limit=most)
        broken = at.journal.audit_broken()
        if export is not None:
            written_lines(export, (json.dumps(entry_of(entry)) for entry in entries))
    if as_json:
        last = entries[-1].digest if entries else ""
        told = {"broken_at": broken, "last_digest": last, "exported": str(export) if export else None}
        document({"connection": at.name, **told, "entries": [entry_of(entry) for entry in entries]})
    else:
        _show(Screen.here(), entries, broken, export, since)
    if broken is not None:
        raise typer.Exit(BROKEN)


def _show(
    screen: Screen, entries: list[Audited], broken: int | None, export: Path | None, since: str | None
) -> None:
    from icp_sync.reporting.text import counted, instant, short
    from icp_sync.reporting.trail import broken_in_words, in_words

    if export is not None:
        screen.say(f"{counted(len(entries), 'entry', 'entries')} written to {export}")
    elif not entries:
        screen.say(f"Nothing since {since}." if since else "Nobody has changed anything yet.")
    else:
        most = 10**6 if screen.console is None else 200  # piped, nothing is cut
        rows = [(e.seq, instant(e.at), e.who, e.what, short(in_words(e.detail), most)) for e in entries]
        screen.table(["", "when", "who", "what", ""], rows, right=(0,))
    if broken is not None:
        screen.say(f"! {broken_in_words(broken)}", "bold red")
    elif entries:
        screen.say(f"The chain holds. Its last digest: {entries[-1].digest}")
