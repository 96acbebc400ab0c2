"""`icp-sync explain ID|DOMAIN`: why an account has its tier and owner, in full, from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import Account, AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem
from icp_sync.reporting.explain import explain_account, then

if TYPE_CHECKING:
    from collections.abc import Mapping

    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.facts import FactType
    from icp_sync.journal import Journal
    from icp_sync.reporting.explain.as_of import AsOf
    from icp_sync.reporting.opened import Opened


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    account: Account,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="As it was on this day, or at this instant (UTC)."),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Why an account has its tier and its owner, in full.

    With --as-of: why it had them then, and the proof that this was right.
    """
    from dataclasses import asdict

    from icp_sync.cli.explain.showing import show
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.wiring import facts_of

    with opened(config, connection) as at:
        found = _found(at, account)
        if len(found) > 1:
            listed = [{"id": i, "name": n, "domain": d} for i, n, d in found]
            if as_json:
                document({"matches": listed})
            else:
                _show_matches(Screen.here(), account, found)
            return
        if as_of is not None:
            _tell(at, then(at, found[0][0], as_of), as_json=as_json)
            return
        version, compiled = _active(at.journal, facts_of(at.connection)[1])
        explained = explain_account(at.journal, found[0][0], version, compiled)
    if as_json:
        document({"connection": at.name, **asdict(explained)})
    else:
        show(Screen.here(), explained)


def _found(at: Opened, account: str) -> list[tuple[str, str, str]]:
    """Every account the text may mean. Raises ConfigError that says so when it is one that was forgotten."""
    from icp_sync.cli.journal.forget import forgotten_at
    from icp_sync.cli.opening import the_account
    from icp_sync.reporting.text import instant

    try:
        return the_account(at.journal, account)
    except ConfigError:
        if (when := forgotten_at(at, account.strip())) is None:
            raise
        what = f"erased: it was forgotten on {instant(when)}"
        raise ConfigError([Problem(where=f"account '{account[:80]}'", what=what)]) from None


def _tell(at: Opened, told: AsOf, *, as_json: bool) -> None:
    from dataclasses import asdict

    from icp_sync.cli.explain.showing import show_then
    from icp_sync.cli.rendering import Screen, document

    if as_json:
        document({"connection": at.name, **asdict(told)})
    else:
        show_then(Screen.here(), told)


def _active(journal: Journal, types: Mapping[str, FactType]) -> tuple[int, list[Compiled]]:
    from icp_sync.domain.compile import compile_profile
    from icp_sync.wiring import parse_profiles

    active = journal.active()
    if active is None:
        raise ConfigError(
            f"connection {journal.connection} has no active profile", next_step="icp-sync profile activate"
        )
    return active[0], [compile_profile(p) for p in parse_profiles(active[1], types)]


def _show_matches(screen: Screen, text: str, found: list[tuple[str, str, str]]) -> None:
    screen.say(f"{len(found)} accounts match '{text}':")
    screen.table(["id", "name", "domain"], found)
    screen.say(f"next: icp-sync explain {found[0][0]}")
