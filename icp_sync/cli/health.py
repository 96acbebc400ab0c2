"""`icp-sync health`: asks the worker of these settings whether all is well, for a container's health check.

An image needs no curl for it. Reads the settings for the address and talks to nobody else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config
from icp_sync.errors import ConfigError, UnavailableError

TIMEOUT = 5.0  # seconds
LONGEST = 1_000_000  # bytes of an answer
SERVER = "icp-sync"  # as the worker names itself
WELL = ("ok", "starting", "waiting", "paused")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, never listened on


def register(app: typer.Typer) -> None:
    app.command()(health)


def health(
    ready: Annotated[
        bool, typer.Option("--ready", help="Whether it is ready (/readyz), not only well (/healthz).")
    ] = False,
    alive: Annotated[
        bool, typer.Option("--alive", help="Whether it answers at all, though a stream or the CRM be down.")
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Ask the running worker whether it is well; exit code 1 when it is not, or does not answer.

    For health checks of containers and scripts, without curl. Where an answer restarts something: --alive.
    """
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.rendering import Screen, document

    if ready and alive:
        raise ConfigError("--ready and --alive are two questions", next_step="icp-sync health --alive")
    here = read_settings(config, offline=True, only=()).health
    if not here.port:
        raise ConfigError("health.port is 0: the worker answers nobody", next_step="set health.port")
    well, said = asked(here.host, here.port, "/readyz" if ready else "/healthz")
    well = well or alive  # a CRM that is down is nothing a restart would mend
    if as_json:
        document(said)
    else:
        word = "ready" if ready else "alive" if alive else "well"
        Screen.here().say("; ".join(troubles(said)) or (word if well else f"not {word}"))
    if not well:
        raise typer.Exit(1)


def asked(host: str, port: int, path: str) -> tuple[bool, Mapping[str, Any]]:
    """Whether the worker answers 200, and its document. Raises UnavailableError when there is none."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        said = json.loads(reply.read(LONGEST))
        if (reply.getheader("Server") or "").strip() != SERVER or not isinstance(said, dict):
            raise ValueError("something else answers there")
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        what = f"no worker answers at {host}:{port}{path}: {error or type(error).__name__}"
        raise UnavailableError(what, next_step="icp-sync run") from None
    finally:
        connection.close()
    return reply.status == 200, said


def troubles(said: Mapping[str, Any]) -> Iterator[str]:
    """What is not well, by connection and stream: "main/poll down"; or why a connection is not ready."""
    connections = said.get("connections")
    for name, told in connections.items() if isinstance(connections, dict) else ():
        for key, value in told.items() if isinstance(told, dict) else ():
            if isinstance(value, dict) and "state" in value and value["state"] not in WELL:
                yield f"{name}/{key} {value['state']}"
            elif key == "reasons" and isinstance(value, list):
                yield from (f"{name}: {reason}" for reason in value)
