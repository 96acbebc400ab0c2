"""The plan: what would happen if the candidate files were activated: who moves where, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.pages.accounts import profiles_of
from icp_sync.console.rehearsing import Asked, Made, Rehearsing, forget, rehearsing_of
from icp_sync.console.rendering import page
from icp_sync.domain.profile import Profile
from icp_sync.reporting.migration import ORDER
from icp_sync.reporting.plan_files import plan_files
from icp_sync.reporting.profiles import Candidate, candidate
from icp_sync.reporting.rehearsal import Moved, Rehearsal

LIMIT = 50
LONGEST = 200
CHANGES, MOVERS = 40, 15
"""Differences of the profiles, and criteria that move accounts, which are listed."""


def routes() -> list[BaseRoute]:
    return [Route("/c/{connection}/plan", plan), action("plan/again", Role.VIEWER, again)]


def plan(request: Request) -> Response:
    """The page; only its changing part where htmx asks for it."""
    found = figures_of(request)
    version, compiled = profiles_of(found.place)
    before = [one.profile for one in compiled]
    files = candidate(found.place.opened, before, found.place.wired().types)
    rehearsing = rehearsing_of(found, request.app.state.clock)
    made = _made(rehearsing, version, before, files)
    asked = _asked(request)
    moved, after, fit = _movers(made.result, asked) if made and made.result else ([], "", 0)
    counts = found.latest.data["counts"] if found.latest else {}
    filtered = {name: value for name, value in asked.items() if value and name != "after"}
    return page(
        request,
        "_plan.html" if "hx-request" in request.headers else "plan.html",
        title="Plan",
        version=version,
        files=files,
        made=made,
        r=made.result if made else None,
        looked=rehearsing.looked if rehearsing.running else None,
        total=sum(n for name, n in counts.items() if name != "gone"),
        matrix=_matrix(made.result) if made and made.result else None,
        changes=made.result.changes[:CHANGES] if made and made.result else (),
        ranked=made.result.ranked()[:MOVERS] if made and made.result else (),
        asked=asked,
        moved=moved,
        fit=fit,
        exact=_exact(made.result, asked) if made and made.result else 0,
        more=urlencode({**filtered, "after": after}) if after else "",
        start=urlencode(filtered),
        order=ORDER,
        plans=plan_files(found.place.journal),
        applying=[one for one in found.place.journal.requests("waiting", "running") if one.kind == "apply"],
    )


def again(act: Act) -> Done:
    """Have it computed anew."""
    forget(act.place)
    to = f"/c/{act.place.name}/plan"
    return Done(what="plan", said="It is being computed again.", to=to, changed=False)


def _made(rehearsing: Rehearsing, version: int, before: Sequence[Profile], files: Candidate) -> Made | None:
    """The comparison of what is active with these files; begun where there is none yet."""
    if files.problems or files.active:
        return None
    asked = Asked(version=version, digest=files.digest)
    if rehearsing.made is not None and rehearsing.made.asked == asked:
        return rehearsing.made
    rehearsing.begin(asked, before, [one.profile for one in files.loaded])
    return None


def _asked(request: Request) -> dict[str, str]:
    said = {name: request.query_params.get(name, "")[:LONGEST] for name in ("q", "from", "to", "after")}
    said["q"] = said["q"].strip()
    for name in ("from", "to"):
        said[name] = said[name] if said[name] in ORDER else ""
    said["after"] = said["after"] if said["after"].isdecimal() else ""
    return said


def _movers(result: Rehearsal, asked: Mapping[str, str]) -> tuple[list[Moved], str, int]:
    """Those kept by name that fit: a page of them, where the next one begins, and how many fit."""
    text = asked["q"].casefold()
    fit = [
        one
        for one in result.examples
        if asked["from"] in ("", one.before)
        and asked["to"] in ("", one.after)
        and (not text or text in one.name.casefold() or text == one.id)
    ]
    start = min(int(asked["after"] or 0), len(fit))
    end = start + LIMIT
    return fit[start:end], str(end) if end < len(fit) else "", len(fit)


def _exact(result: Rehearsal, asked: Mapping[str, str]) -> int:
    """How many make such a move, whether kept by name or not."""
    return sum(
        n
        for (before, after), n in result.moves.items()
        if before != after and asked["from"] in ("", before) and asked["to"] in ("", after)
    )


def _matrix(result: Rehearsal) -> dict[str, Any]:
    """Heads, and for each tier now its accounts by tier then: (tier then, how many)."""
    after = [tier for tier in ORDER if any(b == tier and n for (_, b), n in result.moves.items())]
    before = [tier for tier in ORDER if any(a == tier and n for (a, _), n in result.moves.items())]
    rows = [(tier, [(to, result.moves.get((tier, to), 0)) for to in after]) for tier in before]
    return {"heads": after, "rows": rows}
