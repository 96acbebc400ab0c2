"""`icp-sync simulator`: a CRM on this machine, ugly habits included, to try everything against."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from icp_sync.errors import ConfigError, Problem


def register(app: typer.Typer) -> None:
    app.command()(simulator)


def simulator(
    crm: Annotated[
        str, typer.Option("--crm", metavar="hubspot|salesforce", help="Which CRM's API to speak.")
    ] = "hubspot",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 takes a free one.")] = 0,
    accounts: Annotated[int, typer.Option("--accounts", min=0, help="Companies to begin with.")] = 1_800,
    seed: Annotated[int, typer.Option("--seed", help="The same companies for the same seed.")] = 1,
    limits: Annotated[
        str, typer.Option("--limits", metavar="off|free|pro", help="Rate limits of a plan.")
    ] = "off",
    latency: Annotated[float, typer.Option("--latency", min=0, help="Seconds before each answer.")] = 0.0,
    index_lag: Annotated[
        float | None,
        typer.Option(
            "--index-lag",
            min=0,
            help="Seconds until search finds a change; HubSpot's are 3.",
            show_default=False,
        ),
    ] = None,
    contacts: Annotated[
        bool, typer.Option("--contacts", help="Serve the companies' contacts as well.")
    ] = False,
    token: Annotated[
        str, typer.Option("--token", help="The token it accepts; a fixed one when left out.")
    ] = "",
) -> None:
    """Serve a simulated CRM on this machine.

    Prints one JSON line with url, token and accounts, for Salesforce also consumer_key, consumer_secret and
    username, and serves until it is stopped.
    """
    from icp_sync.simulator import Simulator, serve

    ended = threading.Event()
    for caught in (signal.SIGINT, signal.SIGTERM):
        signal.signal(caught, lambda *_: ended.set())
    try:
        served = Simulator(
            crm=crm,
            accounts=accounts,
            seed=seed,
            port=port,
            limits=limits,
            latency=latency,
            index_lag=index_lag,
            contacts=contacts,
            token=token,
        ).start()
    except ValueError as error:
        raise ConfigError(
            [Problem(where="simulator", what=str(error))], next_step="icp-sync simulator --help"
        ) from error
    except OSError as error:
        what = f"port {port} cannot be used: {error.strerror}"
        problem = Problem(where="simulator", what=what, hint="choose another, or 0 for a free one")
        raise ConfigError([problem], next_step="icp-sync simulator --port 0") from error
    print(served.ready_line(), flush=True)
    serve(served, ended)
