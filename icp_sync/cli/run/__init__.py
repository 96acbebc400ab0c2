"""`icp-sync run`: the long-running worker, one round of it, or one full backfill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Limit, Where
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.daemon import Stopping
    from icp_sync.settings import Settings
    from icp_sync.sync.cycle import Parts, Scope
    from icp_sync.sync.report import Report
    from icp_sync.wiring import Wired

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="One round of poll, trailing, due and deals, then exit.")
    ] = False,
    backfill: Annotated[
        bool,
        typer.Option("--backfill", help="Read and settle every account once, then exit; can be continued."),
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="With --backfill: begin again instead of continuing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="With --backfill: go on although it was halted.")
    ] = False,
    cancel: Annotated[
        str | None,
        typer.Option("--cancel", metavar="REQUEST", help="Stop what a command handed to the worker."),
    ] = None,
    pause: Annotated[
        bool, typer.Option("--pause", help="Stop backfills after a page until --backfill --resume.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing and buy nothing; say what would change.")
    ] = False,
    limit: Limit = None,
    where: Where = None,
    console: Annotated[
        str | None,
        typer.Option("--console", metavar="HOST:PORT", help="Answer with the admin console there, too."),
    ] = None,
    connection: ConnectionName = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Keep every account current until told to stop (Ctrl-C, SIGTERM)."""
    wanted = Wanted(
        once=once,
        backfill=backfill or (dry_run and not once),
        restart=restart,
        resume=resume,
        dry_run=dry_run,
        limit=limit,
        where=tuple(where or ()),
    )
    if cancel is not None or pause:
        if wanted != Wanted() or (pause and cancel is not None):
            what = (
                "--pause goes alone: it stops backfills"
                if pause
                else "--cancel goes alone: it stops a request"
            )
            raise ConfigError(f"{what} and begins nothing")
        from icp_sync.cli.run.backfilling import stopped

        stopped(cancel, connection, config, as_json)
        return
    wanted.refuse_nonsense(as_json)
    if wanted.once or wanted.backfill:
        if console is not None:
            raise ConfigError("--console goes with the worker, not with --once, --backfill or --dry-run")
        _one_shot(wanted, connection, config, as_json)
    else:
        from icp_sync.cli.run.working import work

        work(connection, config, console)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line."""

    once: bool = False
    backfill: bool = False
    restart: bool = False
    resume: bool = False
    dry_run: bool = False
    limit: int | None = None
    where: tuple[str, ...] = ()

    def refuse_nonsense(self, as_json: bool) -> None:
        """Raises ConfigError naming the options that do not go together."""
        if self.once and self.backfill:
            raise ConfigError("--once and --backfill are two different runs; choose one")
        if self.restart and self.resume:
            raise ConfigError("--restart begins again, --resume goes on; choose one")
        for name, given in (("--restart", self.restart), ("--resume", self.resume)):
            if given and not self.backfill:
                raise ConfigError(f"{name} goes with --backfill")
        selective = [name for name, given in (("--limit", self.limit), ("--where", self.where)) if given]
        if as_json:
            selective.append("--json")
        if selective and not (self.once or self.backfill):
            raise ConfigError(f"{', '.join(selective)} goes with --once, --backfill or --dry-run")

    @property
    def title(self) -> str:
        return "run" + (" --once" if self.once else " --backfill") + (" --dry-run" if self.dry_run else "")


# One round, or one backfill


def _one_shot(wanted: Wanted, connection: str | None, config: Path | None, as_json: bool) -> None:
    from icp_sync.cli.pausing import refuse_paused
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.run.backfilling import backfilled
    from icp_sync.cli.run.beside import beside
    from icp_sync.cli.run.summary import show, show_deals
    from icp_sync.daemon import Stopping

    settings = settings_of(config)
    stopping = Stopping()
    began = time.monotonic()
    with ExitStack() as stack:
        wired = stack.enter_context(_wired(settings, connection, stopping))
        if wanted.backfill and not wanted.dry_run:
            backfilled(wanted, settings, wired, stopping, as_json)
            return
        stack.enter_context(stopping.on_signals())
        if not wanted.dry_run:
            refuse_paused(wired.journal)
            stack.enter_context(wired.journal.hold(wanted.title))
            wired.journal.break_leases()
            refuse_unsealed(settings, wired)
        if not wanted.dry_run or wired.journal.bound_to():  # a dry run checks, it does not bind
            bound(wired)
        report = made(wanted, wired, stopping)
        deals = beside(wanted, wired, stopping)
        interrupted = not stopping.going()
    if as_json:
        told = {} if deals is None else {"deals": deals}
        document({**report.to_json(), **told, "connection": wired.name, "interrupted": interrupted})
    else:
        show(Screen.here(), report, wanted, time.monotonic() - began, interrupted=interrupted)
        show_deals(Screen.here(), deals)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def bound(wired: Wired) -> None:
    """Bind the journal to the portal behind the credentials, or check that it is that one."""
    wired.journal.bind(wired.crm.identity().id, crm=wired.crm.kind, now=wired.parts.clock())


@contextmanager
def _wired(settings: Settings, connection: str | None, stopping: Stopping) -> Iterator[Wired]:
    from icp_sync.daemon.portal import close
    from icp_sync.wiring import wire

    wired = wire(settings, connection, stop=stopping.ended)
    try:
        yield wired
    finally:
        stopping.end()
        close(wired)


def refuse_unsealed(settings: Settings, wired: Wired) -> None:
    """Raises ConfigError where something may be written and there is no lasting key to seal it with."""
    from icp_sync.daemon.portal import require_seal
    from icp_sync.domain.standing import Mode

    if wired.journal.mode() is not Mode.OBSERVE:
        require_seal(settings.seal_file.exists(), wired.journal)


def made(wanted: Wanted, wired: Wired, stopping: Stopping) -> Report:
    """Run it, showing how far it is. Raises UnavailableError when another worker is at it."""
    from icp_sync.cli.run.progress import progress
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.where import parse

    known = sum(n for status, n in wired.journal.counts().items() if status != "gone")
    total = min(known, wanted.limit or known) if wanted.backfill else 0
    with progress(wanted.title, total) as ticked:
        scope = Scope(
            apply=not wanted.dry_run,
            limit=wanted.limit,
            where=parse(wanted.where, wired.types) if wanted.where else None,
            restart=wanted.restart,
            ticked=ticked,
            going=stopping.going,
            wait=stopping.draining.wait,
            paused=_paused,
        )
        return (
            _backfill(wired.parts, scope, resume=wanted.resume) if wanted.backfill else _round(wired, scope)
        )


def _paused(seconds: float, waves: int) -> None:
    """Say that a backfill waits, which looks like hanging otherwise. waves: written so far."""
    from icp_sync.cli.rendering import note
    from icp_sync.reporting.text import span

    after = "the first wave" if waves == 1 else f"wave {waves}"
    note(f"waiting {span(seconds)} after {after}, then its accounts are looked at (Ctrl-C keeps the place)")


def _backfill(parts: Parts, scope: Scope, *, resume: bool) -> Report:
    from icp_sync.sync.backfill import backfill

    return _had(backfill(parts, scope, by_hand=True, resume=resume))


def _round(wired: Wired, scope: Scope) -> Report:
    """One cycle each of poll, trailing and due; those left when told to stop are not begun."""
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import cycle
    from icp_sync.sync.report import Report

    whole, parts = Report(apply=scope.apply), wired.parts
    for stream in (Stream.POLL, Stream.TRAILING, Stream.DUE):
        if scope.going():
            whole += _had(cycle(stream, parts, scope))
    return whole


def _had(report: Report | None) -> Report:
    from icp_sync.errors import UnavailableError

    if report is None:
        raise UnavailableError("another worker is at it", next_step="icp-sync status")
    return report


def settings_of(config: Path | None) -> Settings:
    from icp_sync.settings import load

    settings = load(config)
    heard(settings)
    return settings


def heard(settings: Settings) -> None:
    """From here on logs are as the settings say, and what they expose is said."""
    from icp_sync.observe import arm_faults_from_environment, configure_logs, log

    configure_logs(json=settings.log.as_json, level=settings.log.level)
    for problem in settings.exposed:
        log("settings").warning(problem.what, file=problem.where, next=problem.hint)
    arm_faults_from_environment()
