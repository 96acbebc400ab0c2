"""Actions: a form of our own page, somebody who may, what is done, and the entry in the audit.

What an action does to the journal and its entry in the audit are one transaction: there is no one without the
other, and of two who ask for the same at once the second is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from icp_sync.console.access import Role, User
from icp_sync.console.beside import outdated
from icp_sync.console.figures import Figures
from icp_sync.console.guarding import Asking
from icp_sync.console.place import Place
from icp_sync.errors import ConfigError, IcpSyncError

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
    """what: the audit's word for it. said: what is done now, a sentence for the next page, shown at `to`.
    then: what the worker makes of it, said where it works. detail: plain JSON for the audit. changed: whether
    anything was; nothing is audited otherwise. outdates: counts beside the requests that hold no more."""

    what: str
    said: str
    to: str
    then: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    changed: bool = True
    outdates: Collection[str] = ()


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
        journal = found.place.journal
        try:
            with journal.together("audit"):
                done = act(asked)
                if done.changed:
                    journal.audit(done.what, who=user.name, now=now, via=VIA, **done.detail)
        except IcpSyncError as error:
            asking.session.said.append(("problem", plainly(error)))
            return RedirectResponse(back(asking.form, f"/c/{found.place.name}/"), 303)
        outdated(journal, *done.outdates)
        if done.changed:
            found.again()
        asking.session.said += _told(done, found.place)
        return RedirectResponse(done.to, 303)

    return Route(f"/c/{{connection}}/{path}", performed, methods=["POST"])


def plainly(error: IcpSyncError) -> str:
    """An error as sentences on a page: what is wrong, and what helps."""
    said = str(error)
    if isinstance(error, ConfigError):  # only a problem in a file has a place that says anything here
        said = "; ".join(one.what if one.where == "configuration" else str(one) for one in error.problems)
    step = error.next_step
    step = f"On the command line: {step}" if step.startswith("icp-sync") else step
    return " ".join(f"{one[0].upper()}{one[1:].rstrip('.')}." for one in (said, step) if one)


def _told(done: Done, place: Place) -> list[tuple[str, str]]:
    """What the next page says of it; nothing is promised in the name of a worker that has stopped."""
    why = place.halted()
    if not (done.then and why):
        return [("done", f"{done.said} {done.then}".strip())]
    why = why.rstrip(".")
    stopped = (
        f"This connection is stopped: {why}. It begins once it is let go on, or the worker is started again."
    )
    return [("done", done.said), ("problem", stopped)]


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
    return found.looked()
