"""`icp-sync retry`: what the CRM refused or put off is tried again at once, what was given up on too."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

SHOWN = 20


def register(app: typer.Typer) -> None:
    app.command()(retry)


def retry(
    accounts: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|DOMAIN]…", help="Accounts to try again.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every account refused, deferred or given up on.")
    ] = False,
    note: Annotated[str, typer.Option("--note", help="Why, for the audit.")] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Try again what the CRM refused.

    A running worker does within a minute; without one, icp-sync run --once does.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account, opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import counted

    if bool(accounts) is everything:
        what = "name accounts, or --all for every one"
        raise ConfigError([Problem(where="retry", what=what)], next_step="icp-sync status --refused")
    now = time.time()
    with opened(config, connection) as at:
        ids = None if everything else [one_account(at.journal, account) for account in accounts or []]
        woken = at.journal.retry(ids, now=now)
        if woken:
            named = [] if everything else woken
            at.journal.audit("retry", who=who(), now=now, accounts=len(woken), ids=named, note=note)
    nothing = [] if ids is None else [account_id for account_id in ids if account_id not in woken]
    if as_json:
        document({"connection": at.name, "retried": len(woken), "ids": woken, "nothing_to_retry": nothing})
        return
    screen = Screen.here()
    if nothing:
        screen.say(f"Nothing was refused or deferred on {', '.join(nothing[:SHOWN])}.")
    if woken:
        screen.say(f"{counted(len(woken), 'account')} due now: {', '.join(woken[:SHOWN])}")
        screen.say("A running worker tries them within a minute; without one: icp-sync run --once")
    elif everything:
        screen.say("Nothing is refused, deferred or given up on.")
