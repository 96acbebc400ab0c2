"""Actions: a form of our own page, somebody who may, what is done, and the entry in the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from icp_sync.console.access import Role, User
from icp_sync.console.figures import Figures
from icp_sync.console.guarding import Asking
from icp_sync.console.place import Place
from icp_sync.errors import IcpSyncError

VIA = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody asks for: where, with which fields, and in whose name."""

    place: Place
    form: Mapping[str, str]
    user: User
    now: float
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """what: the audit's word for it. said: one sentence for the next page, shown at `to`. detail: plain JSON
    for the audit. changed: whether anything was; nothing is audited otherwise."""

    what: str
    said: str
    to: str
    detail: Mapping[str, object] = field(default_factory=dict)
    changed: bool = True


def action(path: str, role: Role, act: Callable[[Act], Done]) -> Route:
    """POST on a path below a connection, for this role and those above it. What `act` raises of our errors is
    said on the page the form came from."""

    def performed(request: Request) -> Response:
        asking: Asking = request.scope["icp_sync.asking"]
        user = asking.session.user
        if user is None or user.role < role:
            raise HTTPException(403, f"only an {role.word} may do that" if role else "log in first")
        found = figures_of(request)
        now = request.app.state.clock()
        asked = Act(
            place=found.place,
            form=asking.form,
            user=user,
            now=now,
            params={name: str(value) for name, value in request.path_params.items()},
        )
        try:
            done = act(asked)
        except IcpSyncError as error:
            step = f" next: {error.next_step}" if error.next_step else ""
            asking.session.said.append(("problem", f"{error}{step}"))
            return RedirectResponse(back(asking.form, f"/c/{found.place.name}/"), 303)
        if done.changed:
            found.place.journal.audit(done.what, who=user.name, now=now, via=VIA, **done.detail)
            found.again()
        asking.session.said.append(("done", done.said))
        return RedirectResponse(done.to, 303)

    return Route(f"/c/{{connection}}/{path}", performed, methods=["POST"])


def back(form: Mapping[str, str], otherwise: str) -> str:
    """The page of ours a form says it came from."""
    asked = form.get("back", "")
    ours = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if ours else otherwise


def figures_of(request: Request) -> Figures:
    """Those of the connection in the address."""
    found: Figures | None = request.app.state.figures.get(request.path_params["connection"])
    if found is None:
        raise HTTPException(404, "there is no such connection")
    return found
