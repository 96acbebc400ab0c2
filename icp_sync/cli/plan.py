"""`icp-sync plan`: a dry run over the CRM: what would change and cost. Buys nothing, writes nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Limit, Where
from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.errors import UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.sync.draft import Policy
    from icp_sync.sync.report import Report
    from icp_sync.sync.where import Test
    from icp_sync.wiring import Wired

EXAMPLES = 2
BATCH = 100
"""Accounts one read or write request carries."""
BATCH = 100
"""Accounts one request reads or writes."""
ECHOES_A_SEARCH = 200
"""Accounts one search names; our own writes are found again once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A dry run and what it would take. mode: as it was planned for; absent: outputs the CRM lacks."""

    report: Report
    connection: str
    crm: str
    mode: Mode
    live_mode: Mode
    profile: str
    absent: tuple[str, ...]

    @property
    def owners(self) -> dict[str, tuple[int, int]]:
        """Owner → accounts gained and lost."""
        gained, lost = self.report.gained, self.report.released
        people = sorted(who for who in {*gained, *lost} if who)
        return {who: (gained[who], lost[who]) for who in people if gained[who] or lost[who]}

    @property
    def calls(self) -> dict[str, int]:
        """Requests to the CRM the backfill would take; on HubSpot searches find our own writes again."""
        read, written = self.report.read, self.report.written
        if self.crm == "salesforce":  # ids, records and opportunities; compared, collected, owners one by one
            owners = sum(self.report.gained.values())
            return {
                "reads": 2 * ceil(read / 2_000) + ceil(read / 400),
                "writes": ceil(written / 2_000) + ceil(written / 200) + owners,
                "searches": 0,
            }
        return {
            "reads": ceil(read / BATCH),
            "writes": ceil(written / BATCH),
            "searches": ceil(written / ECHOES_A_SEARCH),
        }


def register(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    limit: Limit = None,
    where: Where = None,
    profile: Annotated[
        list[Path] | None,
        typer.Option("--profile", metavar="FILE", help="Plan with these files; repeatable."),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show what would change and cost; writes and buys nothing."""
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.sync.where import parse

    with wired(config, connection, talk=not sys.stderr.isatty()) as (_, parts):
        test = parse(where or (), parts.types)
        policy, named = _policy(parts, profile)
        report = _dry_run(parts, policy, limit, test)
        planned = Planned(
            report=report,
            connection=parts.name,
            crm=parts.crm.kind,
            mode=policy.mode,
            live_mode=parts.journal.mode(),
            profile=named,
            absent=tuple(sorted(getattr(parts.crm, "disabled", {}))),
        )
    if as_json:
        document(to_json(planned))
    else:
        show(Screen.here(), planned)


def _policy(parts: Wired, files: list[Path] | None) -> tuple[Policy, str]:
    """What to plan by, and its name. In mode observe everything would be left out, so plan as for route."""
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import parse_profiles, policy_of

    active = parts.journal.active()
    version, documents = active or (0, ())
    if files or active is None:
        loaded = load_all(files or parts.settings.profiles, types=parts.types)
        same = documents == tuple((one.path.name, one.text) for one in loaded)
        policy = policy_of(tuple(one.profile for one in loaded), version + (not same), parts)
        named = ", ".join(str(one.path) for one in loaded)
    else:
        policy = policy_of(parse_profiles(documents, parts.types), version, parts)
        named = f"the active version {version}"
    return (replace(policy, mode=Mode.ROUTE) if policy.mode is Mode.OBSERVE else policy), named


def _dry_run(parts: Wired, policy: Policy, limit: int | None, where: Test | None) -> Report:
    from icp_sync.cli.run.progress import progress
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import Scope, cycle

    counts = parts.journal.counts()
    known = sum(counts.values()) - counts.get("gone", 0)
    with progress("plan", min(known, limit or known) if where is None else 0) as ticked:
        scope = Scope(apply=False, restart=True, limit=limit, where=where, ticked=ticked)
        report = cycle(Stream.BACKFILL, replace(parts.parts, policy=lambda: policy), scope)
    if report is None:
        raise UnavailableError("another dry run of this connection is under way", next_step="icp-sync status")
    return report


def to_json(planned: Planned) -> dict[str, object]:
    """Everything the screen shows, with up to a thousand changes."""
    from icp_sync.cli.profile.migration import to_json as moves_json

    report = planned.report.to_json()
    return {
        "connection": planned.connection,
        "profile": planned.profile,
        "mode": planned.mode.value,
        "connection_mode": planned.live_mode.value,
        "accounts": planned.report.read,
        "changed": planned.report.written,
        "migrations": moves_json(planned.report.migrations),
        "owners": {who: {"gained": up, "lost": down} for who, (up, down) in planned.owners.items()},
        "fields": dict(planned.report.by_field),
        "changes": report["changes"],
        "left_alone": _left_alone_json(planned.report),
        "held": planned.report.held,
        "calls": planned.calls,
        "enrichment": {
            name: {"requests": n, "credits": planned.report.credits[name]}
            for name, n in planned.report.asked.items()
        },
        "outputs_absent": list(planned.absent),
        "written": 0,
        "bought": 0,
    }


def _left_alone_json(report: Report) -> list[dict[str, str]]:
    names = ("id", "name", "field", "live", "ours")
    return [dict(zip(names, held, strict=True)) for held in report.left_alone]


def show(screen: Screen, planned: Planned) -> None:
    """The plan for people."""
    from icp_sync.cli.profile.migration import show_matrix
    from icp_sync.cli.text import counted

    report = planned.report
    screen.say(
        f"{planned.connection}: {counted(report.read, 'account')} by {planned.profile}, read just now."
    )
    if planned.mode is not planned.live_mode:
        screen.say(
            f"The connection is in mode {planned.live_mode.value}; this is what mode route would write."
        )
    if planned.absent:
        missing = counted(len(planned.absent), "output is", "outputs are")
        screen.say(f"{missing} not in the CRM yet and not counted. next: icp-sync provision --apply")
    screen.heading("Tiers")
    show_matrix(screen, report.migrations)
    screen.heading("Owners gained and lost")
    if planned.owners:
        rows = [(who, gained, lost) for who, (gained, lost) in planned.owners.items()]
        screen.table(["owner", "gained", "lost"], rows, right=(1, 2))
    else:
        screen.say("none")
    _show_fields(screen, report)
    _show_left_alone(screen, report)
    _show_cost(screen, planned)


def _show_fields(screen: Screen, report: Report) -> None:
    from icp_sync.cli.text import short

    screen.heading("Fields that would change")
    if not report.by_field:
        screen.say("none: every record holds what it should")
        return
    examples: dict[str, list[str]] = {}
    for change in report.changes:
        said = examples.setdefault(change.field, [])
        text = f"{short(change.live or 'blank', 24)} → {short(change.desired or 'blank', 32)}"
        if len(said) < EXAMPLES and text not in said and change.field != "seal":
            said.append(text)
    ordered = sorted(report.by_field, key=list(FIELDS).index)
    rows = [(name, f"{report.by_field[name]:,}", ", ".join(examples.get(name, []))) for name in ordered]
    screen.table(["field", "accounts", "live → desired, for example"], rows, right=(1,))


def _show_left_alone(screen: Screen, report: Report) -> None:
    from icp_sync.cli.text import short

    if report.held:
        screen.say(f"{report.held} accounts are held: their seal is foreign or cannot be read.")
    if not report.left_alone:
        return
    screen.heading(f"Values people hold, left alone: {len(report.left_alone):,}")
    rows = [
        (account_id, short(name, 30), field, short(live, 24), short(ours, 24))
        for account_id, name, field, live, ours in report.left_alone[:10]
    ]
    screen.table(["id", "name", "field", "theirs", "ours would be"], rows)


def _show_cost(screen: Screen, planned: Planned) -> None:
    calls, report = planned.calls, planned.report
    screen.heading("It would take")
    searches = f", {calls['searches']:,} searches that find our own writes again" * bool(calls["searches"])
    screen.say(f"about {calls['reads']:,} requests that read, {calls['writes']:,} that write{searches}")
    for name, requests in report.asked.items():
        screen.say(f"{name}: up to {requests:,} requests, {report.credits[name]:,} credits")
    screen.say()
    screen.say("Nothing was written to the CRM and nothing was bought.")
