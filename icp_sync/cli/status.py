"""`icp-sync status`: where a connection stands, from the journal alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.clustered import show_cluster
from icp_sync.cli.events import show_told
from icp_sync.cli.limits import show_limits
from icp_sync.cli.listing import WORDS
from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.overruling import show_overrides
from icp_sync.cli.undone import show_undone

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Listed

Data = dict[str, object]


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    refused: Annotated[
        bool, typer.Option("--refused", help="List accounts whose write was refused, and why.")
    ] = False,
    deferred: Annotated[bool, typer.Option("--deferred", help="List accounts that are tried again.")] = False,
    held: Annotated[
        bool, typer.Option("--held", help="List what waits for a person, by rule, and accounts held whole.")
    ] = False,
    left_alone: Annotated[bool, typer.Option("--left-alone", help="List values people hold.")] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Where a connection stands: mode, tiers, streams, spend; of several, a line each, the worst first."""
    from icp_sync.cli.fleet import several, show_fleet
    from icp_sync.cli.holding import show_waiting
    from icp_sync.cli.listing import show_left_alone, show_listed
    from icp_sync.cli.opening import opened
    from icp_sync.cli.refusals import show as show_reasons
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.refusals import reasons
    from icp_sync.reporting.status import collect
    from icp_sync.reporting.waiting import waiting

    if not (refused or deferred or held or left_alone) and (each := several(config, connection)):
        show_fleet(each, as_json=as_json)
        return
    with opened(config, connection) as at:
        peoples = at.journal.left_alone()
        data = collect(at, len(peoples))
        lists: dict[str, list[Listed]] = {}
        why = reasons(at.journal) if refused else []
        if refused:
            lists["refused"] = at.journal.refused()
            lists["dead"] = at.journal.dead()
        if deferred:
            lists["deferred"] = at.journal.deferred()
        if held:
            lists["held"] = at.journal.held()
            data["waiting"] = waiting(at.journal)
            data["let_pass"] = at.journal.let_pass()
    if as_json:
        listed = {name: [asdict(item) for item in items] for name, items in lists.items()}
        values = {"left_alone": [asdict(item) for item in peoples]} if left_alone else {}
        document({**data, "lists": {**listed, **values}, **({"reasons": why} if refused else {})})
        return
    screen = Screen.here()
    show(screen, data)
    for name, items in lists.items():
        if items or name != "held":  # what the guard holds is told below
            show_listed(screen, name, items)
    show_reasons(screen, why)
    if held:
        show_waiting(screen, data["waiting"], data["let_pass"])
    if left_alone:
        show_left_alone(screen, peoples)


def show(screen: Screen, data: Data) -> None:
    """The status for people. `data` is what `collect` returns."""
    clustered = data["cluster"]
    assert clustered is None or isinstance(clustered, dict)
    running = data["running"]
    unknown = "its workers, see below" if clustered else "unknown (ask the database)"
    worker = unknown if running is None else running or "nobody"
    screen.say(
        f"{data['connection']}, mode {data['mode']}, bound to {data['bound_to'] or 'nothing yet'}", "bold"
    )
    screen.say(f"working on it now: {worker}")
    if data["paused"]:
        assert isinstance(data["paused"], dict)
        screen.say(f"paused {data['paused']['said']}. To go on: icp-sync resume", "yellow")
    if data["newer_schema"]:
        screen.say(
            f"a newer version migrated the journal to schema {data['newer_schema']}; this one may go on "
            "beside it until it is upgraded, too",
            "yellow",
        )
    _show_profile(screen, data)
    _show_news(screen, data)
    _show_tiers(screen, data)
    _show_streams(screen, data)
    _show_counts(screen, data)
    show_limits(screen, data["limits"])
    show_cluster(screen, clustered)


def _show_profile(screen: Screen, data: Data) -> None:
    profile = data["profile"]
    assert isinstance(profile, dict)
    if not profile["version"]:
        screen.say("no active profile. next: icp-sync profile activate")
        return
    files = ", ".join(profile["files"])
    screen.say(
        f"profile v{profile['version']} ({files}): {profile['evaluated']:,} of {profile['accounts']:,} on "
        f"v{profile['version']}"
    )
    if data["backfill_requested"]:
        screen.say(f"a backfill is requested: {data['backfill_requested']}")
    if data["backfill_paused"]:
        screen.say(
            f"backfills are {data['backfill_paused']}. To go on: icp-sync run --backfill --resume", "yellow"
        )


def _show_news(screen: Screen, data: Data) -> None:
    """What somebody should look at, and what the worker was asked for."""
    from icp_sync.reporting.text import ago

    alerts, requests = data["alerts"], data["requests"]
    assert isinstance(alerts, list)
    assert isinstance(requests, list)
    for alert in alerts:
        screen.say(f"{ago(alert['since'])}: {alert['text']}", "bold red")
    for asked in requests:
        done = ", ".join(f"{name} {n}" for name, n in asked["progress"].items() if n)
        far = f": {done}" if done else ""
        screen.say(f"request {asked['id']} ({asked['kind']}, by {asked['by']}) is {asked['state']}{far}")


def _show_tiers(screen: Screen, data: Data) -> None:
    """Tiers, and what has none because it is outside the scope, so that the column adds up."""
    from icp_sync.cli.profile.migration import ORDER

    tiers, outside = data["tiers"], data["out_of_scope"]
    assert isinstance(tiers, dict)
    rows = sorted(tiers.items(), key=lambda item: ORDER.index(item[0]) if item[0] in ORDER else 99)
    rows += [("out of scope", outside)] if outside else []
    if rows:
        screen.heading("Tiers")
        screen.table(["tier", "accounts"], [(name, f"{n:,}") for name, n in rows], right=(1,))
    if data["tiers_held"]:
        screen.say(
            f"{data['tiers_held']:,} of them wait for a person, and the CRM shows the tier before: "
            "icp-sync status --held"
        )
    undone = data["undone"]
    assert isinstance(undone, dict)
    show_undone(screen, undone)
    show_overrides(screen, data["overrides"])


def _show_streams(screen: Screen, data: Data) -> None:
    from icp_sync.reporting.text import ago, span

    streams = data["streams"]
    assert isinstance(streams, list)
    screen.heading("Streams")
    rows = [
        (
            s["stream"],
            span(s["lag_seconds"]) if s["lag_seconds"] is not None else "",
            ago(s["last_run"]),
            s["outcome"],
            "" if s["read"] is None else f"{s['read']:,}",
            "" if s["written"] is None else f"{s['written']:,}",
        )
        for s in streams
    ]
    screen.table(["stream", "behind", "last run", "outcome", "read", "written"], rows, right=(1, 4, 5))
    _show_freshness(screen, data["freshness"])


def _show_notices(screen: Screen, told: object) -> None:
    """What people are told, where anybody is."""
    assert isinstance(told, dict)
    if told["by"] == "off" and not told["operators"]:
        return
    failed = f", {told['failed']:,} given up" if told["failed"] else ""
    screen.say(
        f"notices to people: {told['waiting']:,} waiting, {told['sent']:,} sent{failed}, "
        f"{told['silent']:,} kept silent during backfills: icp-sync notices"
    )


def _show_freshness(screen: Screen, found: object) -> None:
    """How long changes waited for their standing, where any did."""
    from icp_sync.reporting.text import span

    assert isinstance(found, dict)
    for name, one in found.items():
        for what, those in (("", one), (" whose facts were bought", one["bought"])):
            if those["accounts"]:
                screen.say(
                    f"last {name}: half of {those['accounts']:,} changed accounts{what} written within "
                    f"{span(those['p50'])}, 95 of 100 within {span(those['p95'])}"
                )


def _show_counts(screen: Screen, data: Data) -> None:
    from icp_sync.reporting.text import amount, credits

    counts = data["counts"]
    assert isinstance(counts, dict)
    screen.heading("Accounts")
    screen.say(", ".join(f"{WORDS.get(name, name)} {n:,}" for name, n in counts.items()))
    screen.say(f"values people hold, left alone: {data['left_alone']}")
    screen.say(f"changes only the sweep found: {data['sweep_found_missing']} (must be 0)")
    touches = data["touches"]
    assert isinstance(touches, dict)
    if touches["watched"] or touches["touched_in_time"] or touches["breached"]:
        screen.say(
            f"first touches: {touches['watched']:,} waited for, {touches['overdue']:,} of them too late; "
            f"given in 30 days: {touches['touched_in_time']:,} touched in time, "
            f"{touches['breached']:,} let lie"
        )
    _show_notices(screen, data["notices"])
    deals = data["deals"]
    assert isinstance(deals, dict)
    if deals:
        screen.say("stamps of deals: " + ", ".join(f"{name} {n:,}" for name, n in deals.items()))
    spend = data["enrichment"]
    assert isinstance(spend, list)
    for item in spend:
        recent, ever = credits(item["credits_30_days"]), amount(item["credits"])
        screen.say(f"{item['enricher']}: {recent} in 30 days, {ever} in all")
    show_told(screen, data["inbound"])
