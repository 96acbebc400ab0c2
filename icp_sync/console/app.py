"""The console as an ASGI application: its pages, its actions, and what is said when something fails."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from icp_sync.console.access import LONGEST_PASSWORD, Access
from icp_sync.console.acting import back
from icp_sync.console.figures import Figures
from icp_sync.console.guarding import Asking, Guarding
from icp_sync.console.pages import routes
from icp_sync.console.rendering import page
from icp_sync.errors import IcpSyncError
from icp_sync.observe import log

_STATIC = Path(__file__).parent / "static"


def made(
    figures: Mapping[str, Figures], access: Access, *, hosts: Collection[str], secure: bool
) -> Starlette:
    app = Starlette(
        routes=[
            Mount("/static", StaticFiles(directory=_STATIC)),
            Route("/", _first),
            Route("/login", _login, methods=["GET", "POST"]),
            Route("/logout", _logout, methods=["POST"]),
            *routes(),
        ],
        middleware=[Middleware(Guarding, access=access, hosts=hosts, secure=secure, unforeseen=_unforeseen)],
        exception_handlers={HTTPException: _refused, IcpSyncError: _failed},
    )
    app.state.figures = figures
    app.state.access = access
    app.state.clock = time.time
    return app


def _first(request: Request) -> Response:
    """Where there are several connections, all of them at a glance; else the only one."""
    figures = {name: one.looked() for name, one in request.app.state.figures.items()}
    if len(figures) == 1:
        return RedirectResponse(f"/c/{next(iter(figures))}/", 303)
    return page(request, "connections.html", figures=figures)


def _login(request: Request) -> Response:
    access: Access = request.app.state.access
    form: dict[str, str] = dict(request.scope.get("icp_sync.form") or {})
    wanted = back({"back": form.get("next", request.query_params.get("next", ""))}, "/")
    asking: Asking | None = request.scope.get("icp_sync.asking")
    if request.method == "GET":
        if asking is not None and asking.session.user is not None:
            return RedirectResponse(wanted, 303)
        return page(request, "login.html", problem="", next=wanted, name="")
    name = form.get("name", "").strip().lower()[:64]
    client = request.client.host if request.client else ""
    if (wait := access.wait(name, client)) > 0:
        said = f"too many wrong tries; wait {wait:.0f} seconds"
        return page(request, "login.html", status=429, problem=said, next=wanted, name=name)
    user = access.login(name, form.get("password", "")[:LONGEST_PASSWORD], client)
    if user is None:
        log("console").warning("a login failed", name=name)
        said = "no such user, or another password"
        return page(request, "login.html", status=403, problem=said, next=wanted, name=name)
    if asking is not None:
        access.end(asking.session)  # a session known before the login is worth nothing after it
    request.scope["icp_sync.session"] = access.begin(user)
    log("console").info("logged in", name=name, role=user.role.word)
    return RedirectResponse(wanted, 303)


def _logout(request: Request) -> Response:
    asking: Asking | None = request.scope.get("icp_sync.asking")
    if asking is not None:
        request.app.state.access.end(asking.session)
    return RedirectResponse("/login", 303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: "There is nothing at this address."}.get(error.status_code, error.detail)
    return page(request, "problem.html", status=error.status_code, why=said, step="")


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, IcpSyncError)
    return page(request, "problem.html", status=503, why=str(error), step=error.next_step)


def _unforeseen(request: Request, error: Exception) -> Response:
    """Its words go to the log, which is redacted; the page names none of them."""
    log("console").error("this should not have happened", path=request.url.path, error=repr(error))
    said = "Something went wrong here that nobody foresaw. The worker's log says what."
    return page(request, "problem.html", status=500, why=said, step="")
