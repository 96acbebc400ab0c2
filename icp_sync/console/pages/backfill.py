"""Backfill: what it is for, how far it is, how long still, forecast against actual; begin, pause, go on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.pages.asked import asked_of
from icp_sync.console.rendering import page
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError
from icp_sync.reporting.backfilling import KIND, backfilling, pause
from icp_sync.sync.backfill import halted, lift

LONGEST = 100
_LIVE = ("settled", "deferred", "refused", "dead", "held")


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/backfill", backfill),
        Route("/c/{connection}/backfill/now", now),
        action("backfill/start", Role.APPROVER, _start),
        action("backfill/restart", Role.APPROVER, _restart),
        action("backfill/pause", Role.OPERATOR, _pause),
        action("backfill/resume", Role.OPERATOR, _resume),
        action("backfill/cancel", Role.OPERATOR, _cancel),
    ]


def backfill(request: Request) -> Response:
    return page(request, "backfill.html", title="Backfill", **_shown(request))


def now(request: Request) -> Response:
    """The part that is asked for again while the page is open."""
    return page(request, "_backfill.html", **_shown(request))


def _shown(request: Request) -> dict[str, Any]:
    found = figures_of(request)
    place, at = found.place, request.app.state.clock()
    data = found.latest.data if found.latest else None
    known = sum(data["counts"][name] for name in _LIVE) if data else None
    parts = place.wired().parts
    told = backfilling(place.opened, parts.pacing, at, known)
    total, looked = told["total"], told["looked_at"]
    last = next((one for one in place.journal.requests(limit=20) if one.kind == KIND), None)
    return {
        "told": told,
        "pacing": parts.pacing,
        "mode": place.journal.mode().value,
        "observes": place.journal.mode() is Mode.OBSERVE,
        "share": round(min(100.0, 100.0 * looked / total), 1) if total else None,
        "requests": [asked_of(one) for one in told["requests"]],
        "last": asked_of(last) if last is not None and last.state == "failed" else None,
    }


def _to(act: Act) -> str:
    return f"/c/{quote(act.place.name)}/backfill"


def _handed(act: Act, *, restart: bool = False, resume: bool = False) -> str:
    """Ask the worker for a backfill of all accounts; the request."""
    args: dict[str, object] = {"restart": restart, "resume": resume, "limit": None, "where": []}
    return act.place.journal.ask(KIND, args, by=act.user.name, now=act.now)


def _refuse_second(act: Act) -> None:
    for one in act.place.journal.requests("waiting", "running"):
        if one.kind == KIND:
            raise ConfigError(f"a backfill is asked for already, by {one.by} as request {one.id}")


def _start(act: Act) -> Done:
    _refuse_second(act)
    if why := halted(act.place.journal):
        raise ConfigError(f"the backfill waits for a person: {why}", next_step="let it go on, or begin again")
    request = _handed(act)
    return _done(act, "run --backfill", request, "The worker begins with it in a moment.")


def _restart(act: Act) -> Done:
    _refuse_second(act)
    request = _handed(act, restart=True)
    return _done(act, "run --backfill --restart", request, "The worker begins again in a moment.")


def _done(act: Act, what: str, request: str, said: str) -> Done:
    asked = f"Handed to the worker as request {request}."
    return Done(what=what, said=asked, then=said, to=_to(act), detail={"request": request})


def _pause(act: Act) -> Done:
    pause(act.place.journal, by=act.user.name, now=act.now)
    said = "Paused. One that is under way stops after the page it is at."
    return Done(what="run --pause", said=said, to=_to(act))


def _resume(act: Act) -> Done:
    """Let it go on: by itself where a change asks for it, else as a request."""
    journal = act.place.journal
    if not (why := halted(journal)):
        raise ConfigError("no backfill is paused or halted, so there is nothing to let go on")
    asked = journal.backfill_request()
    if asked is not None:
        lift(journal)
        detail: dict[str, object] = {"was": why}
    else:
        _refuse_second(act)
        detail = {"was": why, "request": _handed(act, resume=True)}
    return Done(
        what="run --backfill --resume",
        said="It may go on.",
        then="It goes on in a moment.",
        to=_to(act),
        detail=detail,
    )


def _cancel(act: Act) -> Done:
    """Take back what was handed over."""
    request = act.form.get("request", "")[:LONGEST]
    found = act.place.journal.request(request)
    if found is None or found.kind != KIND:
        raise ConfigError("there is no such request of a backfill")
    if not act.place.journal.cancel_request(request, now=act.now):
        raise ConfigError(f"request {request} is {found.state} already")
    said = "Cancelled. One that is under way ends after the page it is at; what was settled stays settled."
    return Done(what="run --cancel", said=said, to=_to(act), detail={"request": request})
