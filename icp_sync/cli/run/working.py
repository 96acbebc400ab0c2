"""The long-running worker: its connections, as many as can be used, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, IcpSyncError

if TYPE_CHECKING:
    from icp_sync.daemon import Stopping
    from icp_sync.daemon.portal import Portal
    from icp_sync.daemon.supply import Supply
    from icp_sync.settings import Each


def work(connection: str | None, config: Path | None, console: str | None) -> None:
    """The worker until it is told to stop. console: where its console answers, None as the settings say.

    Raises ConfigError, or what else is wrong, where not one connection can be used; otherwise one that
    cannot is told and tried again.
    """
    from icp_sync.cli.run import heard
    from icp_sync.cli.run.console import answering
    from icp_sync.daemon import Daemon
    from icp_sync.settings import load_each

    def load() -> Each:
        return load_each(config, only=None if connection is None else [connection])

    each = load()
    settings = each.settings
    heard(settings)
    if connection is not None or not settings.connections:
        settings.connection(connection)
    with ExitStack() as stack:
        stopping, supply, portals, broken = supplied(stack, load, each, "run", one=connection or "")
        listen = console or settings.console.listen
        daemon = Daemon(
            portals,
            stopping,
            health=(settings.health.host, settings.health.port),
            inbound=settings.inbound,
            stays=bool(listen),
            supply=supply,
            broken=broken,
        )
        if listen:
            stack.enter_context(answering(listen, settings, lambda: daemon.fleet.portals))
        daemon.run()


def supplied(
    stack: ExitStack, load: Callable[[], Each], each: Each, who: str, *, one: str = ""
) -> tuple[Stopping, Supply, list[Portal], list[tuple[str, IcpSyncError]]]:
    """What a worker stands on until the stack is closed: a way to be told to stop, the connections, those
    that can be built, and why others cannot. who: as it holds the journal. one: the only one, "" for all.

    Raises where none can be built, or another holds the journal.
    """
    from icp_sync.daemon import Stopping
    from icp_sync.daemon.supply import Supply
    from icp_sync.wiring import open_journal

    stopping = Stopping()
    journal = open_journal(each.settings, "")
    stack.callback(journal.close)
    supply = Supply(load, each, journal, stopping, one=one)
    stack.callback(supply.close)
    stack.enter_context(stopping.on_signals(supply.hangup))
    portals, broken = _portals(supply)
    stack.enter_context(journal.hold(who))
    for portal in portals:
        portal.wired.journal.break_leases()
    return stopping, supply, portals, broken


def _portals(supply: Supply) -> tuple[list[Portal], list[tuple[str, IcpSyncError]]]:
    """Those that can be built, and why the others cannot. Raises where there is none."""
    portals: list[Portal] = []
    broken: list[tuple[str, IcpSyncError]] = []
    for name in supply.names:
        try:
            portals.append(supply.make(name))
        except IcpSyncError as error:
            broken.append((name, error))
    if not portals and broken:
        raise _all_of([error for _, error in broken])
    return portals, broken


def _all_of(errors: list[IcpSyncError]) -> IcpSyncError:
    """One error of several: every problem of each where all are the configuration's, else the first other."""
    other = next((error for error in errors if not isinstance(error, ConfigError)), None)
    if other is not None or len(errors) == 1:
        return other or errors[0]
    problems = [problem for error in errors if isinstance(error, ConfigError) for problem in error.problems]
    return ConfigError(list(dict.fromkeys(problems)), next_step=errors[0].next_step)
