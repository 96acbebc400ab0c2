"""`icp-sync run --backfill`: by this process, or by the worker that is running; and what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from icp_sync.errors import ConfigError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.run import Wanted
    from icp_sync.daemon import Stopping
    from icp_sync.journal import Journal
    from icp_sync.settings import Settings
    from icp_sync.sync.report import Report
    from icp_sync.wiring import Wired

INTERRUPTED = 130
KIND = "backfill"


def backfilled(wanted: Wanted, settings: Settings, wired: Wired, stopping: Stopping, as_json: bool) -> None:
    """Make the backfill and say what it did. Exits 130 when interrupted; raises UnsafePlanError, having said
    it, when it was halted."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.handing import here_or_handed
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.run import refuse_unsealed
    from icp_sync.sync.where import parse

    screen = None if as_json else Screen.here()
    began = time.monotonic()

    def here() -> dict[str, Any]:
        return _here(wanted, settings, wired, stopping)

    refuse_unsealed(settings, wired)
    parse(wanted.where, wired.types)  # before anything is said or kept
    _refuse_halted(wired.journal, wanted)
    if screen is not None:
        _forecast(wanted, wired)
    args = {
        "restart": wanted.restart,
        "resume": wanted.resume,
        "limit": wanted.limit,
        "where": list(wanted.where),
    }
    wired.journal.audit("run --backfill", who=who(), now=time.time(), **args)
    try:
        result = here_or_handed(settings, wired, KIND, args, here, screen)
    except UnsafePlanError as error:
        _say({**_told(error), "interrupted": False}, wanted, wired, screen, time.monotonic() - began)
        raise
    _say(result, wanted, wired, screen, time.monotonic() - began)
    if result.get("interrupted"):
        raise typer.Exit(INTERRUPTED)


def stopped(request: str | None, connection: str | None, config: Path | None, as_json: bool) -> None:
    """Stop a request, or all backfills until somebody lets them go on."""
    from icp_sync.cli.opening import opened

    with opened(config, connection) as at:
        if request is None:
            paused(at.journal, as_json)
        else:
            cancelled(at.journal, request, as_json)


def cancelled(journal: Journal, request: str, as_json: bool) -> None:
    """Take back what was handed to the worker. Raises ConfigError when there is nothing to take back."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.rendering import Screen, document

    if not journal.cancel_request(request, now=time.time()):
        asked = journal.request(request)
        what = f"is {asked.state} already" if asked else "is not in the journal"
        raise ConfigError(f"request {request} {what}", next_step="icp-sync status")
    journal.audit("run --cancel", who=who(), now=time.time(), request=request)
    if as_json:
        document({"request": request, "cancelled": True})
    else:
        Screen.here().say(f"request {request} ends after the page it is at; what was settled stays settled")


def paused(journal: Journal, as_json: bool) -> None:
    """Let no backfill go on until somebody says so. Raises ConfigError where there is none to pause."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.backfilling import pause

    now = time.time()
    pause(journal, by=who(), now=now)
    journal.audit("run --pause", who=who(), now=now)
    if as_json:
        document({"paused": True})
        return
    screen = Screen.here()
    screen.say("Backfills are paused: one that is under way stops after the page it is at.")
    screen.say("To go on: icp-sync run --backfill --resume")


def _refuse_halted(journal: Journal, wanted: Wanted) -> None:
    """Raises UnsafePlanError while a halted backfill waits for somebody to say that it may go on."""
    from icp_sync.sync.backfill import halted
    from icp_sync.sync.waves import HaltedError

    why = halted(journal)
    if why and not (wanted.resume or wanted.restart):
        raise HaltedError(why)


def _forecast(wanted: Wanted, wired: Wired) -> None:
    """What it may take at the most, once everything was read: before, nobody knows how much there is."""
    from icp_sync.cli.rendering import note
    from icp_sync.domain.standing import Mode
    from icp_sync.ports import Stream
    from icp_sync.reporting.backfilling import ahead
    from icp_sync.reporting.text import counted, span
    from icp_sync.sync.forecast import Workload

    known = sum(n for status, n in wired.journal.counts().items() if status != "gone")
    most = min(known, wanted.limit or known)
    read = any(wired.journal.position(s.value).finished for s in (Stream.BACKFILL, Stream.SWEEP))
    if not most or not read or wired.journal.mode() is Mode.OBSERVE:
        return
    limits, waits = wired.settings.quota, wired.parts.pacing.waits(most)
    work, now = Workload(accounts=most, changed=most), wired.parts.clock()
    found = ahead(wired.crm.kind, limits.burst, limits.search, wired.parts.pacing, work, now)
    pauses = f", {span(waits)} of it between waves" if waits else ""
    note(
        f"at most {found.total:,} calls and {span(found.seconds)}{pauses}, if all of "
        f"{counted(most, 'account')} known so far had to be written (icp-sync plan says how many)"
    )


def _here(wanted: Wanted, settings: Settings, wired: Wired, stopping: Stopping) -> dict[str, Any]:
    from icp_sync.cli.run import bound, made, refuse_unsealed

    with ExitStack() as stack:
        stack.enter_context(stopping.on_signals())
        refuse_unsealed(settings, wired)
        bound(wired)
        report = made(wanted, wired, stopping)
        return {**report.to_json(), "interrupted": not stopping.going()}


def _told(error: UnsafePlanError) -> dict[str, Any]:
    """What a halted backfill had done until then, and why it was halted."""
    report: Report | None = getattr(error, "report", None)
    done = report.to_json() if report is not None else getattr(error, "result", {})
    return {**done, "halted": str(error)}


def _say(
    result: Mapping[str, Any], wanted: Wanted, wired: Wired, screen: Screen | None, seconds: float
) -> None:
    from icp_sync.cli.rendering import document
    from icp_sync.cli.run.summary import show
    from icp_sync.sync.report import Report

    if screen is None:
        document({"interrupted": False, **result, "connection": wired.name})
    elif result.get("joined"):
        screen.say("a backfill was under way already; it has read everything")
    elif "read" in result:
        report = Report.from_json(result)
        show(screen, report, wanted, seconds, interrupted=bool(result.get("interrupted")))
