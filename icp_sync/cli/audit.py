"""`icp-sync audit`: who changed what, when; and whether the record of it is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Audited

LATEST = 50
_DIGEST = re.compile(r"(\w+:)?[0-9a-f]{64}")
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

    begin = moment(since, option="--since") if since is not None else 0.0
    most = limit or (None if since is not None or export is not None else LATEST)
    with opened(config, connection) as at:
        entries = at.journal.audited(since=begin, limit=most)
        broken = at.journal.audit_broken()
        if export is not None:
            written_lines(export, (json.dumps(_entry(entry)) for entry in entries))
    if as_json:
        last = entries[-1].digest if entries else ""
        told = {"broken_at": broken, "last_digest": last, "exported": str(export) if export else None}
        document({"connection": at.name, **told, "entries": [_entry(entry) for entry in entries]})
    else:
        _show(Screen.here(), entries, broken, export, since)
    if broken is not None:
        raise typer.Exit(BROKEN)


def _entry(entry: Audited) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "who": entry.who,
        "what": entry.what,
        "detail": dict(entry.detail),
        "digest": entry.digest,
    }


def _show(
    screen: Screen, entries: list[Audited], broken: int | None, export: Path | None, since: str | None
) -> None:
    from icp_sync.cli.text import counted, instant, short

    if export is not None:
        screen.say(f"{counted(len(entries), 'entry', 'entries')} written to {export}")
    elif not entries:
        screen.say(f"Nothing since {since}." if since else "Nobody has changed anything yet.")
    else:
        most = 10**6 if screen.console is None else 200  # piped, nothing is cut
        rows = [(e.seq, instant(e.at), e.who, e.what, short(_said(e.detail), most)) for e in entries]
        screen.table(["", "when", "who", "what", ""], rows, right=(0,))
    if broken is not None:
        screen.say(
            f"! The chain is broken at entry {broken}: it, or one before it, was altered or taken out, "
            "or made without the seal key.",
            "bold red",
        )
    elif entries:
        screen.say(f"The chain holds. Its last digest: {entries[-1].digest}")


def _said(detail: object) -> str:
    """What an entry tells beside who, what and when; what is blank is left out."""
    parts = sorted(detail.items(), key=lambda part: part[0] != "note") if isinstance(detail, dict) else ()
    return ", ".join(f"{name} {_value(value)}" for name, value in parts if value not in ("", [], {}, None))


def _value(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value[:-52]}…" if _DIGEST.fullmatch(value) else value
