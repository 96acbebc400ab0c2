"""`icp-sync reassign --from REP`: whose accounts would go to whom, as a plan. Writes nothing to the CRM."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from icp_sync.cli.grounds import Judges
from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.output import STDOUT, Out, exactly, rows_to, unfit
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.reassignment import Plan
    from icp_sync.cli.rendering import Screen

ROWS = 20
HEADER = ("id", "name", "domain", "tier", "owner", "new_owner", "what", "why")


def register(app: typer.Typer) -> None:
    app.command()(reassign)


def reassign(
    rep: Annotated[str, typer.Option("--from", metavar="REP", help="Whose accounts: an owner's email.")],
    to: Annotated[
        str,
        typer.Option("--to", metavar="REP|pool:NAME", help="To this person or pool, not as the routes say."),
    ] = "",
    customers: Annotated[bool, typer.Option("--customers", help="Move customers as well.")] = False,
    out: Out = None,
    profile: Judges = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Plan who takes over the accounts of somebody who leaves.

    A plan only: nothing is written to the CRM.
    """
    from icp_sync.cli.grounds import grounds
    from icp_sync.cli.reassignment import plan, to_json
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.routes.ground import routing

    now = time.time()
    leaving = rep.strip().lower()
    if not leaving:
        raise ConfigError([Problem(where="--from", what="names nobody", hint="an owner's email")])
    if problems := unfit(out, exactly(HEADER), as_json=as_json):
        raise ConfigError(problems)
    with grounds(None, config, connection) as at:
        ground = routing(at, profile, now)
        planned = plan(ground, leaving, to.strip(), now, customers=customers)
    if not planned.accounts and leaving not in ground.owners:
        raise _unknown(rep, list(ground.owners))
    if out is not None:
        with rows_to(out) as stream:
            _rows(planned, stream)
    if as_json:
        document(to_json(planned))
    elif out != STDOUT:
        _show(Screen.here(), planned, out)


def _unknown(rep: str, owners: list[str]) -> ConfigError:
    from icp_sync.profile_file.reading import suggestion

    hint = suggestion(rep, owners) or "the journal learns the CRM's owners with each run"
    what = f"'{rep[:80]}' is no owner in the CRM, and owns no account here"
    return ConfigError([Problem(where="--from", what=what, hint=hint)], next_step="icp-sync run --once")


def _rows(planned: Plan, stream: TextIO) -> None:
    from icp_sync.tables.writing import writer

    rows = writer(stream, HEADER)
    for line in planned.lines:
        cells = (line.id, line.name, line.domain, line.tier, planned.rep, line.owner)
        rows.row([*cells, line.fate, line.why])


def _show(screen: Screen, planned: Plan, out: Path | None) -> None:
    from icp_sync.cli.reassignment import Fate
    from icp_sync.reporting.text import counted, short

    of = {fate: [line for line in planned.lines if line.fate is fate] for fate in Fate}
    screen.say(
        f"{planned.rep} owns {counted(planned.accounts, 'account')}: {len(of[Fate.MOVES]):,} would move, "
        f"{len(of[Fate.STAYS]):,} stay, {len(of[Fate.NOBODY]):,} find nobody."
    )
    if planned.people:
        screen.heading("Open accounts in scope, before and after")
        rows = [(p.email, f"{p.before:,}", f"{p.after:,}", p.cap or "", p.note) for p in planned.people]
        screen.table(["who", "before", "after", "cap", ""], rows, right=(1, 2, 3))
    titles = {
        Fate.MOVES: "Would move",
        Fate.STAYS: "Would stay",
        Fate.NOBODY: "Nobody to give them to",
    }
    for fate, title in titles.items():
        if not of[fate]:
            continue
        screen.heading(title)
        lines = [
            (line.id, short(line.name, 24), line.tier, " ".join(filter(None, (line.owner, line.why))))
            for line in of[fate][:ROWS]
        ]
        screen.table(["id", "name", "tier", "to" if fate is Fate.MOVES else "why"], lines)
        if len(of[fate]) > ROWS:
            screen.say(f"and {len(of[fate]) - ROWS:,} more; --out FILE.csv lists them all")
    screen.say()
    if out is not None:
        screen.say(f"Written to {out}.")
    screen.say("A plan only: nothing was changed in the CRM. Give the accounts away there.")
