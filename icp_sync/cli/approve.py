"""`icp-sync approve PLAN`: somebody other than its author agrees to a plan, exactly as it stands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem


def register(app: typer.Typer) -> None:
    app.command()(approve)


def approve(
    path: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan's file.")],
    note: Annotated[str, typer.Option("--note", help="Why, for the audit.")] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Approve a plan that somebody else made."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.sync.plan_file import read_plan
    from icp_sync.sync.plan_file.applying import applied_as
    from icp_sync.sync.plan_file.binding import APPROVE, other_profile
    from icp_sync.sync.plan_file.document import AGAIN

    plan = read_plan(path)
    by = who()
    with opened(config, connection) as at:
        if plan.header.connection != at.name:
            what = f"it was made for the connection {plan.header.connection}, this is {at.name}"
            raise ConfigError([Problem(where=str(path), what=what)])
        if by == plan.header.author:
            what = f"{by} made it, so somebody else must approve it"
            raise ConfigError([Problem(where=str(path), what=what)], next_step="ask a colleague")
        if run := applied_as(plan, at.journal):
            what = f"it was applied already, as run {run}"
            raise ConfigError([Problem(where=str(path), what=what)], next_step="icp-sync history")
        if what := other_profile(plan, at.journal):
            raise ConfigError([Problem(where=str(path), what=what)], next_step=AGAIN)
        at.journal.audit(
            APPROVE, who=by, now=time.time(), plan=plan.digest, author=plan.header.author, note=note
        )
    if as_json:
        said = {"plan": str(path), "digest": plan.digest, "author": plan.header.author, "approved_by": by}
        document({"connection": at.name, **said})
        return
    Screen.here().say(
        f"{path} ({plan.accounts:,} accounts, by {plan.header.author}) is approved by {by}. "
        f"To write it: icp-sync apply {path}"
    )
