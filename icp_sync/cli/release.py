"""`icp-sync release`: values of ours that people hold become ours again, on a person's word."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from icp_sync.cli.options import Account, AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem


def register(app: typer.Typer) -> None:
    app.command()(release)


def release(
    account: Account,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; repeatable. All when left out.")
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Take back values people hold on an account.

    The next settlement may overwrite them.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account, opened
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        account_id = one_account(at.journal, account)
        stored = at.journal.account(account_id)
        held = dict(stored.left_alone) if stored else {}
        _refuse_unknown(account_id, field or [], held)
        released = at.journal.release(account_id, field or None, now=time.time(), run="release")
        if released:
            at.journal.audit("release", who=who(), now=time.time(), account=account_id, fields=released)
    if as_json:
        document({"account": account_id, "released": released})
        return
    screen = Screen.here()
    if not released:
        screen.say(f"People hold nothing of ours on account {account_id}.")
        return
    rows = [(name, held[name][0], held[name][1]) for name in released]
    screen.table(["field", "people's value", "ours"], rows)
    screen.say("Ours again; settled with the next due accounts, or now with: icp-sync run --once")


def _refuse_unknown(account_id: str, fields: list[str], held: dict[str, tuple[str, str]]) -> None:
    unknown = [name for name in fields if name not in held]
    if unknown:
        hint = f"they hold {', '.join(sorted(held))}" if held else "they hold nothing there"
        raise ConfigError(
            [
                Problem(where=f"account {account_id}", what=f"people do not hold '{name}'", hint=hint)
                for name in unknown
            ],
            next_step=f"icp-sync explain {account_id}",
        )
