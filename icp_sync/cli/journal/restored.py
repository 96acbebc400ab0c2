"""`icp-sync journal restored`: a journal that other means brought back waits for somebody to look, too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from icp_sync.cli.options import AsJson, Config
from icp_sync.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from icp_sync.journal.copying import Quieted


def register(family: typer.Typer) -> None:
    family.command("restored")(restored)


def restored(config: Config = None, as_json: AsJson = False) -> None:
    """After pg_restore, or a file put back by hand: let nothing in it act by itself.

    With every worker stopped. Every connection begins in mode observe; what commands asked for and what
    waited to be told is dropped, as after journal restore.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.journal import restore
    from icp_sync.cli.opening import opened, read_each
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.journal.copying import alone, names, quieted

    settings = read_each(config, offline=True).settings
    first = next(iter(settings.connections), None)
    if first is None:
        raise ConfigError("the settings name no connection", next_step="icp-sync init")
    done: dict[str, Quieted] = {}
    with opened(config, first, existing=True) as at, at.journal.hold("journal restored"):
        if not alone(at.journal):
            raise UnavailableError("a worker uses this journal", next_step="stop every worker, then again")
        for name in names(at.journal):
            journal = at.journal.for_connection(name)
            done[name] = quieted(journal, now=time.time())
            journal.audit("journal restored", who=who(), now=time.time(), mode=done[name].mode)
    if as_json:
        document({"connections": {name: one._asdict() for name, one in done.items()}, "mode": "observe"})
        return
    screen = Screen.here()
    restore.told(screen, done)
    restore.go_on(screen, {name: one for name, one in done.items() if name in settings.names})
