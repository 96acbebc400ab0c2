"""`icp-sync journal export` and `import`: everything of one connection as a file, and back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

_LONGEST = 64 * 1024 * 1024
"""Characters of a line we read at most."""
_BEGINS = b'{"icp_sync_journal":'
"""How an export begins."""


def register(family: typer.Typer) -> None:
    family.command("export")(export)
    family.command("import")(import_)


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; one JSON object a line.")],
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Write everything known of a connection to a file.

    Also beside a worker. It names companies and owners: keep it as you keep the journal. It holds no secret.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.writing import written_lines
    from icp_sync.reporting.text import counted

    counts: dict[str, int] = {}

    def lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
        for row in rows:
            if row.get("end"):
                counts.update(row["rows"])
            yield json.dumps(row, separators=(",", ":"))

    _refuse_other(path)
    with opened(config, connection, existing=True) as at:
        written_lines(path, lines(at.journal.export(now=time.time())))
        at.journal.audit("journal export", who=who(), now=time.time(), rows=sum(counts.values()))
    if as_json:
        document({"connection": at.name, "file": str(path), "rows": counts})
        return
    screen = Screen.here()
    screen.table(["table", "rows"], [(name, f"{n:,}") for name, n in counts.items()], right=(1,))
    screen.say(f"{counted(sum(counts.values()), 'row')} written to {path}")


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What journal export wrote.")],
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Take in what `journal export` wrote, into an empty journal.

    From one database to another, for example. All or nothing; bring the seal key along.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import counted

    with opened(config, connection) as at:
        with at.journal.hold("journal import"):
            counts = at.journal.take_in(_read(path))
            at.journal.audit("journal import", who=who(), now=time.time(), rows=sum(counts.values()))
        findings = at.journal.verify(now=time.time())
    if as_json:
        told = [finding._asdict() for finding in findings]
        document({"connection": at.name, "file": str(path), "rows": counts, "findings": told})
    else:
        screen = Screen.here()
        screen.say(f"{counted(sum(counts.values()), 'row')} taken in from {path}")
        for finding in findings:
            screen.say(f"! {finding.what}: {finding.said}", "yellow")
        screen.say("next: icp-sync status")
    if findings:
        raise typer.Exit(1)


def _refuse_other(path: Path) -> None:
    """An export takes the place of nothing but an export."""
    if not path.exists() or path.is_dir():
        return  # a folder is refused when it is written to
    with path.open("rb") as file:
        begins = file.read(len(_BEGINS))
    if begins and begins != _BEGINS:
        raise ConfigError(
            [Problem(where=str(path), what="is there already, and no export", hint="name a new file")]
        )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        number = 0
        try:
            while line := file.readline(_LONGEST):
                number += 1
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("no object")
                yield row
        except (ValueError, RecursionError) as error:
            problem = Problem(
                where=f"{path}, line {number + isinstance(error, UnicodeError)}", what="is not JSON"
            )
            raise ConfigError([problem]) from None
