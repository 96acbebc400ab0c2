"""`icp-sync journal rebuild`: a new journal learns from the CRM, by the seal, whose values are whose."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.settings import Settings
    from icp_sync.wiring import Wired

INTERRUPTED = 130


def register(family: typer.Typer) -> None:
    family.command("rebuild")(rebuild)


def rebuild(
    again: Annotated[
        bool, typer.Option("--again", help="Also on a journal that knows accounts; it keeps what it settled.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Fill a new journal from the CRM.

    Writes nothing to the CRM. For a journal that was lost; needs the seal key it wrote with.
    """
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document

    with wired(config, connection) as (settings, at):
        told = _rebuilt(settings, at, again=again)
        told = {"connection": at.name, "mode": at.journal.mode().value, **told}
    if as_json:
        document(told)
    else:
        show(Screen.here(), told)
    if not told["done"]:
        raise typer.Exit(INTERRUPTED)


def _rebuilt(settings: Settings, at: Wired, *, again: bool) -> dict[str, Any]:
    from icp_sync.cli.acting import who
    from icp_sync.cli.run.progress import progress
    from icp_sync.daemon import Stopping
    from icp_sync.daemon.portal import require_seal
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.rebuild import rebuild

    require_seal(settings.seal_file.exists(), at.journal)
    stopping = Stopping()
    with at.journal.hold("journal rebuild"), stopping.on_signals(), progress("rebuild", 0) as ticked:
        at.journal.break_leases()
        at.journal.bind(at.crm.identity().id, crm=at.crm.kind, now=time.time())
        activated = _activated(at)
        told = rebuild(at.parts, Scope(ticked=ticked, going=stopping.going), again=again).to_json()
        if told["done"]:
            at.journal.audit("journal rebuild", who=who(), now=time.time(), **told)
    return {**told, "activated": activated}


def _activated(at: Wired) -> int:
    """The version of the settings' profiles where none was active, 0 where one is."""
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import tables_of

    if at.journal.active() is not None:
        return 0
    loaded = load_all(list(at.settings.profiles), types=at.types)
    tables_of(at.settings, [one.profile for one in loaded], at.types)
    documents = tuple((one.path.name, one.text) for one in loaded)
    return at.journal.activate(documents, now=time.time(), note="journal rebuild")


def show(screen: Screen, told: Mapping[str, Any]) -> None:
    """The report for people. `told` is what `Rebuilt.to_json` gives, with connection, mode and activated."""
    from icp_sync.reporting.text import counted

    screen.say(f"{told['connection']}: {counted(told['accounts'], 'account')} read, none written", "bold")
    rows = [
        ("sealed by us", told["sealed"]),
        ("not sealed: what stands there is people's", told["unsealed"]),
        ("sealed by another installation: held", told["foreign"]),
        ("with a seal nobody can read: held", told["unreadable"]),
        ("known already: kept as they are", told["known"]),
    ]
    screen.table(["accounts", ""], [(what, f"{n:,}") for what, n in rows if n], right=(1,))
    screen.say(f"{counted(told['ours'], 'value')} ours, {told['people']:,} people's")
    if told["unexplained"]:
        n = counted(told["unexplained"], "account")
        screen.say(
            f"{n}: the facts at hand do not give what we wrote; answers once bought may be missing, "
            "or an undo gave back what stood there before"
        )
    if told["activated"]:
        screen.say(f"the profiles of the settings are active, as version {told['activated']}")
    if told["foreign"]:
        screen.say("If the other installation was this one, bring its seal key here: icp-sync bind")
    if not told["done"]:
        screen.say("Stopped after a page; the same command goes on from there.")
    elif told["mode"] == "observe":
        screen.say("next: icp-sync plan, then icp-sync mode write (or route), whichever it was before")
    else:
        screen.say("next: icp-sync run --backfill")
