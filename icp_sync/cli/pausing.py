"""`icp-sync pause` and `icp-sync resume`: nothing is done for a connection until somebody lets it go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.journal import Journal


def register(app: typer.Typer) -> None:
    app.command()(pause)
    app.command()(resume)


def pause(
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="The reason, for whoever looks later.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Do nothing more for a connection until resume: no reading, writing, buying or telling of reps."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import journal_of
    from icp_sync.cli.rendering import Screen, document

    with journal_of(config, connection) as journal:
        name, now = journal.connection, time.time()
        if not journal.pause_connection(by=who(), why=why, now=now):
            said = journal.connection_paused()
            raise ConfigError(
                f"connection {name} is paused already, {said}",
                next_step=f"icp-sync resume --connection {name}",
            )
        journal.audit("pause", who=who(), now=now, why=why)
    if as_json:
        document({"connection": name, "paused": True, "by": who(), "why": why})
        return
    screen = Screen.here()
    screen.say(f"{name} is paused: what is under way ends after its page, and nothing new begins.")
    screen.say(f"To go on: icp-sync resume --connection {name}")


def resume(
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Let a connection go on that was paused, or that stopped because something was wrong with it."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import journal_of
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.sync.alarms import HALTED

    with journal_of(config, connection) as journal:
        name, now = journal.connection, time.time()
        stopped = any(alert.name == HALTED for alert in journal.alerts())
        paused = journal.resume_connection(by=who(), now=now)
        journal.audit("resume", who=who(), now=now, paused=paused, stopped=stopped)
    if as_json:
        document({"connection": name, "was_paused": paused, "was_stopped": stopped})
        return
    was = " and ".join(word for word, so in (("paused", paused), ("stopped", stopped)) if so)
    screen = Screen.here()
    screen.say(f"{name} was {was or 'neither paused nor stopped'}. A worker that runs goes on in a moment.")


def refuse_paused(journal: Journal) -> None:
    """Raises ConfigError while somebody wants that nothing is done for a connection."""
    if (said := journal.connection_paused()) is not None:
        raise ConfigError(
            f"connection {journal.connection} is paused, {said}",
            next_step=f"icp-sync resume --connection {journal.connection}",
        )
