"""`icp-sync profile backtest`: how profiles would have done on deals whose end is known. Changes nothing."""

from __future__ import annotations

from pathlib import Path

import typer

from icp_sync.cli.learn import Accounts, Columns, Currency, Deals, Join
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files


def register(family: typer.Typer) -> None:
    family.command("backtest")(backtest)


def backtest(
    files: Files = None,
    accounts: Accounts = None,
    deals: Deals = None,
    join: Join = None,
    columns: Columns = None,
    currency: Currency = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Try profiles on deals whose end is known.

    One that was learned is tried on what was decided since. Says whether `promote` would take it.
    """
    from dataclasses import replace

    from icp_sync.cli.learn.cohorts import cohorts_json
    from icp_sync.cli.learn.sources import standing
    from icp_sync.cli.profile import proof
    from icp_sync.cli.profile.activation import command
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.profile_file import load_all

    source = proof.Source(
        config=config,
        connection=connection,
        accounts=accounts,
        deals=deals,
        join=join,
        columns=columns or (),
        currency=currency,
    )
    paths = files or _of_settings(config, connection)
    book, definitions = proof.cases_of(source)
    profiles = [one.profile for one in load_all(paths, types=book.types)]
    active, _ = standing(config, connection, offline=accounts is not None)
    found = proof.proven(profiles, active, book, definitions.goal)
    if as_json:
        by = replace(definitions, goal=found.split.goal)
        document({"cohorts": cohorts_json(book, by), **proof.to_json(profiles, found)})
        return
    screen = Screen.here()
    proof.show(screen, profiles, found)
    changed = f"{proof.WHO} Nothing was changed."
    screen.say(f"{changed} next: {command('promote', files)}" if found.verdict.passed else changed)


def _of_settings(config: Path | None, connection: str | None) -> list[Path]:
    """The profile files that the settings name."""
    from icp_sync.cli.opening import read_settings

    return list(read_settings(config, offline=True, only=connection).connection(connection)[1].profiles)
