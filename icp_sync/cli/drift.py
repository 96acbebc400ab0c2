"""`icp-sync drift`: whether the active profile still tells who is won and who stays, on one screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.learning.drift.finding import Finding
    from icp_sync.learning.drift.watch import WatchReport
    from icp_sync.reporting.opened import Opened


def register(app: typer.Typer) -> None:
    app.command()(drift)


def drift(
    accounts: Annotated[
        str, typer.Option("--accounts", metavar="NAME", help="List the accounts behind a finding.")
    ] = "",
    anew: Annotated[bool, typer.Option("--now", help="Look now, not at what the last look found.")] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Whether the profile still holds: wins, churn, inputs, overrides.

    Shows what the worker's last look found. Reads the journal alone and writes nothing to the CRM.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        report = _report(at, anew)
        chosen = _chosen(report, accounts) if accounts else []
        named = _named(at, chosen)
    if as_json:
        document({**report.to_json(), **({"accounts": named} if accounts else {})})
        return
    screen = Screen.here()
    if accounts:
        _show_accounts(screen, chosen, named)
    else:
        show(screen, at.name, report)


def _report(at: Opened, anew: bool) -> WatchReport:
    """What the last look found; of a look now where there was none, or one is asked for."""
    from icp_sync.learning.definitions import defined
    from icp_sync.learning.drift.watch import report_of, watch, watching
    from icp_sync.wiring import facts_of, parse_profiles

    active, kept = at.journal.active(), at.journal.watched()
    if active is None:
        raise ConfigError(
            [Problem(where=f"connection {at.name}", what="has no active profile whose drift could be told")],
            next_step="icp-sync profile activate",
        )
    if kept is not None and not anew:
        return report_of(kept)
    _, types = facts_of(at.connection)
    return watch(
        at.journal,
        parse_profiles(active[1], types),
        defined(at.connection.learning),
        time.time,
        types=types,
        watching=watching(at.connection.watch),
    )


def _chosen(report: WatchReport, name: str) -> list[Finding]:
    """The finding of that name, or all of that kind. Raises ConfigError naming those there are."""
    found = [one for one in report.findings if name == one.name]
    found = found or [one for one in report.findings if name == one.kind]
    if not found:
        there = ", ".join(one.name for one in report.findings)
        raise ConfigError(
            [
                Problem(
                    where=f"finding '{name[:80]}'",
                    what="there is none of this name",
                    hint=f"named are {there}",
                )
            ],
            next_step="icp-sync drift",
        )
    return found


def _named(at: Opened, chosen: list[Finding]) -> list[dict[str, str]]:
    """The accounts behind findings, with their names; one that is gone meanwhile has none."""
    listed = []
    for one in chosen:
        for account_id in one.accounts:
            stored = at.journal.account(account_id)
            listed.append(
                {
                    "finding": one.name,
                    "id": account_id,
                    "name": stored.name if stored else "",
                    "domain": stored.domain if stored else "",
                    "tier": stored.tier if stored else "",
                }
            )
    return listed


def show(screen: Screen, name: str, report: WatchReport) -> None:
    """The findings, gravest first, each with its sentence."""
    from icp_sync.reporting.text import ago, day

    since = f", compared with {day(report.baseline_at)}" if report.baseline_at is not None else ""
    screen.say(f"{name}, profile v{report.version}, looked at {ago(report.at)}{since}", "bold")
    rows = [
        (one.state.value, one.name, one.sentence, f"{one.behind:,}" if one.behind else "")
        for one in report.findings
    ]
    screen.table(["state", "finding", "what was found", "accounts"], rows, right=(3,))
    behind = next((one.name for one in report.findings if one.behind), "")
    if behind:
        screen.say(f'The accounts behind a finding: icp-sync drift --accounts "{behind}"')


def _show_accounts(screen: Screen, chosen: list[Finding], named: list[dict[str, str]]) -> None:
    for one in chosen:
        screen.say(f"{one.state.value}: {one.sentence}", "bold")
        rows = [(a["id"], a["name"], a["domain"], a["tier"]) for a in named if a["finding"] == one.name]
        if rows:
            screen.table(["account", "name", "domain", "tier"], rows, whole=(0,))
        if one.behind > len(rows):
            screen.say(f"the first {len(rows):,} of {one.behind:,} accounts")
        if not one.behind:
            screen.say("no account stands behind this")
