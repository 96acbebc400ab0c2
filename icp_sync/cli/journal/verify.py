"""`icp-sync journal verify` and `vacuum`: whether the journal is whole, and giving back unused room."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName

FOUND = 1


def register(family: typer.Typer) -> None:
    family.command("verify")(verify)
    family.command("vacuum")(vacuum)


def verify(config: Config = None, connection: ConnectionName = None, as_json: AsJson = False) -> None:
    """Whether the journal is whole; exit code 1 when it is not.

    Changes nothing, also beside a worker. Looks at the database itself, the tables, the owners' counters,
    positions, the audit's chain, and whether everything stored can be read.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import counted

    with opened(config, connection, existing=True) as at:
        findings = at.journal.verify(now=time.time())
    if as_json:
        document({"connection": at.name, "whole": not findings, "findings": [f._asdict() for f in findings]})
    elif not findings:
        Screen.here().say(f"{at.name}: the journal is whole.")
    else:
        screen = Screen.here()
        screen.table(["what", "finding"], findings)
        screen.say(f"{counted(len(findings), 'finding')}. Keep a copy of the journal before anything else;")
        screen.say("next: restore a backup, or begin anew with: icp-sync journal rebuild")
    if findings:
        raise typer.Exit(FOUND)


def vacuum(
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="First remove history older than is kept.")
    ] = True,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Give back the room of what was removed.

    Removes history older than `retention` first. A SQLite journal is written anew: stop the worker before.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.wiring import keep_of

    with opened(config, connection, existing=True) as at, at.journal.hold("journal vacuum"):
        pruned = at.journal.prune(keep_of(at.connection), now=time.time()).to_json() if prune else {}
        at.journal.audit("journal vacuum", who=who(), now=time.time(), **pruned)
        before, after = at.journal.compact()
    if as_json:
        document({"connection": at.name, "bytes_before": before, "bytes_after": after, "pruned": pruned})
        return
    screen = Screen.here()
    removed = ", ".join(f"{name} {n:,}" for name, n in pruned.items() if n)
    if removed:
        screen.say(f"removed as older than is kept: {removed}")
    screen.say(f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now")
