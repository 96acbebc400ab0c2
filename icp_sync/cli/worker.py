"""`icp-sync worker`: one of any number of processes that share the connections of a journal on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import Config
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.settings import Each, Settings


def register(app: typer.Typer) -> None:
    app.command()(worker)


def worker(
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, max=200, help="Short cycles at once, instead of the setting's."),
    ] = None,
    console: Annotated[
        str | None,
        typer.Option("--console", metavar="HOST:PORT", help="Answer with the admin console there, too."),
    ] = None,
    config: Config = None,
) -> None:
    """Share the work on all connections with other workers until told to stop (Ctrl-C, SIGTERM)."""
    from icp_sync.cli.run import heard
    from icp_sync.cli.run.console import answering
    from icp_sync.cli.run.working import supplied
    from icp_sync.settings import load_each

    def load() -> Each:
        return load_each(config)

    each = load()
    settings = each.settings
    heard(settings)
    _refuse_sqlite(settings)
    try:
        from icp_sync.cluster import Worker
    except ImportError as error:
        what = f"a cluster needs more than is installed: {error}"
        problem = Problem(where="cluster", what=what)
        raise ConfigError([problem], next_step="pip install 'icp-sync[cluster]'") from error
    if not settings.connections:
        settings.connection()
    said = settings.cluster
    with ExitStack() as stack:
        stopping, supply, portals, broken = supplied(stack, load, each, "worker")
        made = Worker(
            portals,
            stopping,
            supply,
            cluster=said if jobs is None else said.model_copy(update={"jobs": jobs}),
            health=(settings.health.host, settings.health.port),
            inbound=settings.inbound,
            broken=broken,
        )
        if listen := console or settings.console.listen:
            stack.enter_context(answering(listen, settings, lambda: made.fleet.portals))
        made.run()


def _refuse_sqlite(settings: Settings) -> None:
    """Raises ConfigError where the journal is a file, which one machine alone can share."""
    if settings.journal.startswith("sqlite"):
        what = "workers share a journal on PostgreSQL, and this one is a SQLite file"
        hint = "icp-sync run serves it in one process; icp-sync journal copy --to URL moves it"
        raise ConfigError([Problem(where="journal", what=what, hint=hint)])
