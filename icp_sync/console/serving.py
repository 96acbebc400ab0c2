"""The console on a port, in a thread of its own, for as long as the worker runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from icp_sync.console.access import Access, Role, User
from icp_sync.console.app import made
from icp_sync.console.connections import PLACES, Patient
from icp_sync.console.guarding import is_loopback
from icp_sync.console.place import Place
from icp_sync.console.shelf import Shelf
from icp_sync.errors import ConfigError, Problem, unheard
from icp_sync.observe import log
from icp_sync.settings.console import ConsoleServer, address

AT_ONCE = 2 * PLACES
"""Connections at a time: beyond `PLACES` silent ones make room, beyond these nobody is let in."""
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not bound to
NEXT = "icp-sync console password"


@contextmanager
def serving(
    places: Sequence[Place] | Callable[[], Sequence[Place]],
    said: ConsoleServer,
    listen: str,
    *,
    somebody: str,
    clock: Callable[[], float],
) -> Iterator[str]:
    """Serve until the block ends; yields the address people open. places: or who says which there are now.

    somebody: who acts where no login is asked for, as the audit shall have it. Raises ConfigError where the
    settings would let anybody in, or the port is taken.
    """
    try:
        host, port = address(listen)
    except ValueError as error:
        raise ConfigError([Problem(where=f"--console {listen[:80]}", what=str(error))]) from error
    _refuse_open_doors(said, host)
    figures = Shelf(places if callable(places) else lambda: places, clock)
    app = made(figures, _access(said, host, somebody, clock), hosts=_hosts(said, host), secure=_secure(said))
    server, listening = _server(app, said, host, port)
    thread = threading.Thread(target=server.run, args=([listening],), name="console", daemon=True)
    figures.start()
    thread.start()
    scheme = "https" if said.certificate else "http"
    url = f"{scheme}://{_shown(host)}:{listening.getsockname()[1]}/"
    log("console").info("answers", url=url, login=bool(said.users))
    try:
        yield url
    finally:
        server.should_exit = True
        figures.stop()
        thread.join(timeout=10)
        listening.close()


def _refuse_open_doors(said: ConsoleServer, host: str) -> None:
    if is_loopback(host) and not said.hosts and not said.proxy:
        return
    where = f"console on {host}"
    problems = []
    if not said.users:
        what = "answers beyond this machine, and there are no users to log in"
        problems.append(Problem(where=where, what=what, hint=NEXT))
    if not _secure(said):
        what = "would send passwords in the clear"
        hint = "set certificate and key under [console], or proxy = true where a proxy speaks TLS before it"
        problems.append(Problem(where=where, what=what, hint=hint))
    if host in _EVERYWHERE and not said.hosts:
        what = "nothing says by which names people reach it, so that everybody would be turned away"
        problems.append(Problem(where=where, what=what, hint="set hosts under [console]"))
    if problems:
        raise ConfigError(problems, next_step=problems[0].hint)


def _secure(said: ConsoleServer) -> bool:
    return said.certificate is not None or said.proxy


def _hosts(said: ConsoleServer, host: str) -> list[str]:
    return [*said.hosts, *([] if host in _EVERYWHERE else [host.lower()])]


def _access(said: ConsoleServer, host: str, somebody: str, clock: Callable[[], float]) -> Access:
    users = {
        name: (Role.named(user.role), user.password.get_secret_value()) for name, user in said.users.items()
    }
    free = is_loopback(host) and not users and not said.proxy
    return Access(users, User(name=somebody, role=Role.named(said.local)) if free else None, clock)


def _server(app: ASGIApp, said: ConsoleServer, host: str, port: int) -> tuple[uvicorn.Server, socket.socket]:
    config = uvicorn.Config(
        app,
        http=Patient,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        proxy_headers=False,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        ssl_certfile=said.certificate,
        ssl_keyfile=said.key,
    )
    try:
        config.load()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        what = f"cannot answer: {error}"
        hint = "name a free port, and files that can be read"
        raise unheard(f"console {host}:{port}", what, error, hint) from error
    return uvicorn.Server(config), listening


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
