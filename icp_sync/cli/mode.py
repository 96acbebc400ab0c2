"""`icp-sync mode`: what a connection may write. Each step up is explicit."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.domain.standing import Mode

MEANING = {
    Mode.OBSERVE: "evaluates, writes nothing",
    Mode.WRITE: "writes the standing",
    Mode.ROUTE: "writes the standing and owners",
}


def register(app: typer.Typer) -> None:
    app.command()(mode)


def mode(
    wanted: Annotated[
        Mode | None,
        typer.Argument(metavar="[observe|write|route]", help="The new mode; shown when left out."),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show or set what may be written."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.binding import refuse_unready
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        before = at.journal.mode()
        after = wanted or before
        if wanted and wanted is not Mode.OBSERVE:
            refuse_unready(at.settings.seal_file, at.journal)
        if after is not before:
            at.journal.set_mode(after, now=time.time())
            at.journal.audit("mode", who=who(), now=time.time(), before=before.value, after=after.value)
        steps = list(Mode)
        rose = steps.index(after) > steps.index(before)
        if rose:
            at.journal.request_backfill(f"mode {before.value} → {after.value}", time.time())
    if as_json:
        document({"connection": at.name, "before": before.value, "mode": after.value, "backfill": rose})
        return
    screen = Screen.here()
    screen.say(
        f"{at.name}: {after.value} ({MEANING[after]})"
        + (f", before {before.value}" if after != before else "")
    )
    if after is Mode.ROUTE and not at.connection.outputs.owner:
        screen.say("Owners are only suggested, in routed_owner: outputs.owner is false.")
    if rose:
        screen.say("A paced backfill is requested; a running daemon starts it, or: icp-sync run --backfill")
