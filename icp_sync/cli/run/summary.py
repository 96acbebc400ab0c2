"""What a run did, in a dozen lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from icp_sync.domain.standing import STATES

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.run import Wanted
    from icp_sync.sync.report import Report

SHOWN = 5
"""Examples of each kind; `--json` and `status` have them all."""


def show(screen: Screen, report: Report, wanted: Wanted, seconds: float, *, interrupted: bool) -> None:
    """Counts, tiers, what was bought, and the accounts somebody should look at."""
    if wanted.backfill:
        screen.say(f"{report.read} companies evaluated")
    _counts(screen, report, seconds)
    _tiers(screen, report)
    _enrichment(screen, report)
    _examples(screen, report)
    if interrupted:
        again = "icp-sync run --backfill" if wanted.backfill else "icp-sync run --once"
        screen.say(f"stopped early; what was settled stays settled. To continue: {again}")


def show_deals(screen: Screen, deals: Mapping[str, Any] | None) -> None:
    """One line of what became of deals; None where they are not followed."""
    if deals is None:
        return
    if "error" in deals:
        screen.say(f"deals could not be followed: {deals['error']}")
        return
    stamps = "".join(f", {n:,} {state}" for state, n in deals["stamps"].items())
    screen.say(f"deals: {deals['read']:,} read, {deals['new']:,} of them new{stamps}")


def _counts(screen: Screen, report: Report, seconds: float) -> None:
    planned = "written" if report.apply else "would be written"
    rows = [
        ("read", report.read),
        ("not looked at again (unchanged since settled)", report.spared),
        ("unchanged", report.unchanged),
        (planned, report.written),
        ("field values", report.fields),
        ("left alone (values people hold)", len(report.left_alone)),
        ("waiting for a higher mode", report.waiting),
        ("refused by the CRM", report.refused),
        ("deferred", report.deferred + report.lost),
        *((f"waiting for a person ({rule})", n) for rule, n in sorted(report.waits.items())),
        ("held (a seal that is not ours)", report.held),
        ("gone (deleted or merged)", report.gone),
    ]
    seldom = {"waiting for a higher mode", "held (a seal that is not ours)"}
    screen.table(
        ["accounts", ""], [(name, f"{n:,}") for name, n in rows if n or name not in seldom], right=(1,)
    )
    screen.say(f"in {seconds:.1f} s")
    if report.waits.total():
        screen.say("what waits for a person: icp-sync status --held")


def _tiers(screen: Screen, report: Report) -> None:
    order = {tier: at for at, tier in enumerate((*STATES, "out of scope"))}
    rows = [
        (tier, f"{n:,}")
        for tier, n in sorted(report.tiers.items(), key=lambda item: order.get(item[0], len(order)))
        if n
    ]
    if rows:
        screen.say()
        screen.table(["tier", "accounts"], rows, right=(1,))
    moved = {(a, b): n for (a, b), n in report.migrations.items() if a not in (b, "new") and n}
    if moved:
        kept = f"; of these {report.stayed:,} wait for a person, the CRM shows the tier before"
        screen.say(
            "verdicts moved: "
            + ", ".join(f"{a} → {b} {n:,}" for (a, b), n in sorted(moved.items()))
            + kept * bool(report.stayed)
        )


def _enrichment(screen: Screen, report: Report) -> None:
    from icp_sync.reporting.text import counted, credits

    for name, asked in sorted(report.asked.items()):
        if asked:
            verb = "asked" if report.apply else "would be asked"
            knew = f", knew {report.hits[name]:,}" if report.apply else ""
            spent = credits(round(report.credits[name], 2))
            cost = f", {spent}" if report.credits[name] else ""
            screen.say(f"{name} {verb} about {counted(asked, 'company', 'companies')}{knew}{cost}")
    for name, beyond in sorted(report.over_budget.items()):
        about = counted(beyond, "company", "companies")
        screen.say(f"{name} was not asked about {about}: beyond the budgets (icp-sync vendors)")
    screen.say(f"enrichment calls: {report.calls if report.apply else 0}")


def _examples(screen: Screen, report: Report) -> None:
    for account_id, name, field, live, ours in report.left_alone[:SHOWN]:
        screen.say(f"left alone: {name} ({account_id}) holds {field} {live!r}, ours would be {ours!r}")
    if len(report.left_alone) > SHOWN:
        screen.say("more: icp-sync status --left-alone")
    for account_id, what in report.problems[:SHOWN]:
        screen.say(f"not written: {account_id}: {what}")
    if len(report.problems) > SHOWN:
        screen.say("more: icp-sync status --refused --deferred")
