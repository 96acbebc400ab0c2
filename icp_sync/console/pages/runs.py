"""Runs: what the worker and commands did, what a run wrote on which account, and taking it back."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.pages.asked import asked_of
from icp_sync.console.rendering import page
from icp_sync.errors import ConfigError
from icp_sync.journal import Asked, Journal, RunRecord
from icp_sync.journal.paging import Sent
from icp_sync.reporting.ran import count, counts_of, is_dry, kind_in_words, moves, run_row, spent, undoes
from icp_sync.reporting.undoing import PREVIEW, lasting, untouched
from icp_sync.sync.undoable import Wanted, undoable

LIMIT = 30
WRITES = 50
CAUSES = 500
"""Writes of which the cause is counted."""
KINDS = ("DATA", "PROFILE", "ENGINE", "OVERRIDE")
LONGEST = 100
UNDOING = ("undo", PREVIEW)
_DID = ("written", "restored", "refused", "deferred", "held", "left")


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/runs", runs),
        Route("/c/{connection}/runs/{run}", run),
        Route("/c/{connection}/runs/{run}/now", now),
        action("runs/{run}/preview", Role.OPERATOR, _preview),
        action("runs/{run}/undo", Role.APPROVER, _undo),
    ]


def runs(request: Request) -> Response:
    """The latest runs, a page at a time."""
    journal = figures_of(request).place.journal
    kinds = journal.run_kinds()
    kind = request.query_params.get("kind", "")
    asked = {
        "kind": kind if kind in kinds else "",
        "all": "1" if request.query_params.get("all") else "",
        "after": request.query_params.get("after", "")[:LONGEST],
    }
    found = journal.runs_page(kind=asked["kind"], dull=bool(asked["all"]), after=asked["after"], limit=LIMIT)
    filtered = {name: value for name, value in asked.items() if value and name != "after"}
    return page(
        request,
        "runs.html",
        title="Runs",
        asked=asked,
        kinds=kinds,
        rows=[_row(one, journal, request.app.state.clock()) for one in found.runs],
        more=urlencode({**filtered, "after": found.after}) if found.after else "",
        start=urlencode(filtered),
        unfolded=urlencode({**filtered, "all": "1"}),
        any_at_all=bool(kinds),
    )


def run(request: Request) -> Response:
    """One run: what it did, write by write."""
    journal = figures_of(request).place.journal
    found = _known(journal, request.path_params["run"])
    after = _number(request.query_params.get("after", ""))
    sent = journal.sent_in(found.id, after=after, limit=WRITES + 1)
    return page(
        request,
        "run.html",
        title=f"Run {found.id}",
        **_shown(request, found),
        sent=sent[:WRITES],
        next_after=sent[WRITES - 1].seq if len(sent) > WRITES else 0,
        after=after,
        causes=_causes(journal, found, sent),
        causes_of=CAUSES,
    )


def now(request: Request) -> Response:
    """The part that is asked for again while something goes on."""
    found = _known(figures_of(request).place.journal, request.path_params["run"])
    return page(request, "_run.html", **_shown(request, found))


def _shown(request: Request, found: RunRecord) -> dict[str, Any]:
    """A run, and what is being done about it."""
    journal, at = figures_of(request).place.journal, request.app.state.clock()
    wanted = [
        one for one in journal.requests(limit=50) if one.kind in UNDOING and one.args.get("run") == found.id
    ]
    undone = journal.undoes_of(found.id)
    previews = (
        one for one in wanted if one.kind == PREVIEW and (not undone or one.at > undone[0].started_at)
    )
    preview = next(previews, None)
    asked = next((one for one in wanted if one.kind != PREVIEW), None)
    try:
        undoable(journal, found.id, at)
        why_not = ""
    except ConfigError as error:
        why_not = "; ".join(filter(None, (f"{one.what}. {one.hint}".strip(". ") for one in error.problems)))
    going = journal.is_going(found, now=at)
    return {
        "run": _row(found, journal, at),
        "report": found.report,
        "moves": moves(found),
        "fields": counts_of(found, "by_field"),
        "problems": _pairs(found.report.get("problems"))[:20],
        "undone_by": [{**_row(one, journal, at), "whole": _whole(one)} for one in undone],
        "undone": any(
            _whole(one) and one.report.get("done") and not one.report.get("left") for one in undone
        ),
        "preview": asked_of(preview),
        "undo": asked_of(asked),
        "why_not": why_not,
        "untouched": untouched,
        "lasting": lasting,
        "going": going,
        "again": going
        or any(one is not None and one.state in ("waiting", "running") for one in (preview, asked)),
    }


def _row(found: RunRecord, journal: Journal, at: float) -> dict[str, Any]:
    """A run in a list. took: seconds, so far where it goes on."""
    row: dict[str, Any] = dict(run_row(found))
    going = found.ended_at is None and journal.is_going(found, now=at)
    row["going"] = going
    row["outcome"] = "going on" if going else row["outcome"] or ("ended" if found.ended_at else "killed")
    end = found.ended_at if found.ended_at is not None else at if going else None
    return {
        **row,
        "what": kind_in_words(row),
        "took": None if end is None else max(0.0, end - found.started_at),
        "address": f"runs/{quote(found.id, safe='')}",
        "wrote": _wrote(found),
        "read": count(found, "read"),
        "refused": count(found, "refused"),
        "held": _held(found),
        "credits": spent(found),
        "undoes": undoes(found),
    }


def _wrote(found: RunRecord) -> int | None:
    """Accounts it wrote on; of an undo those it restored; of a dry run those it would have written."""
    if found.kind == "undo":
        return count(found, "restored")
    wrote, waiting = count(found, "written"), count(found, "waiting")
    return wrote if wrote is None or not is_dry(found) else wrote + (waiting or 0)


def _held(found: RunRecord) -> int | None:
    waits = found.report.get("waits")
    own = count(found, "held")
    kept = sum(n for n in waits.values() if isinstance(n, int)) if isinstance(waits, dict) else 0
    return None if own is None else own + kept


def _causes(journal: Journal, found: RunRecord, sent: tuple[Sent, ...]) -> dict[str, int]:
    """Why tiers moved: what the evaluations of the first writes say."""
    first = sent if len(sent) <= WRITES else journal.sent_in(found.id, limit=CAUSES)
    causes = Counter(kind for one in first for kind in KINDS if f": {kind} " in one.why)
    return dict(causes.most_common())


def _known(journal: Journal, run_id: str) -> RunRecord:
    found = journal.run(run_id[:LONGEST])
    if found is None:
        raise HTTPException(404, "the journal knows no such run")
    return found


def _pairs(value: object) -> list[tuple[str, str]]:
    rows = value if isinstance(value, list) else []
    return [(str(r["id"]), str(r["what"])) if isinstance(r, dict) else (str(r[0]), str(r[1])) for r in rows]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _whole(undo: RunRecord) -> bool:
    """Whether it undoes all of its run, rather than some accounts or fields."""
    return not (undo.detail.get("fields") or undo.detail.get("ids"))


def _to(act: Act) -> str:
    return f"/c/{quote(act.place.name)}/runs/{quote(act.params['run'], safe='')}#undo"


def _preview(act: Act) -> Done:
    """Ask the worker what an undo would give back."""
    wanted = Wanted(run=act.params["run"], by=act.user.name)
    undoable(act.place.journal, wanted.run, act.now)
    if _asked_already(act, PREVIEW) is None:
        act.place.journal.ask(PREVIEW, wanted.to_json(), by=act.user.name, now=act.now)
    return Done(
        what=PREVIEW,
        said="It is asked for.",
        then="The worker looks what would go back; this page shows it in a moment.",
        to=_to(act),
        changed=False,
    )


def _undo(act: Act) -> Done:
    """Hand the undo of a whole run to the worker."""
    journal = act.place.journal
    wanted = Wanted(run=act.params["run"], by=act.user.name, note=act.form.get("note", "").strip()[:500])
    undoable(journal, wanted.run, act.now)
    if one := _asked_already(act, "undo"):
        raise ConfigError(f"the undo of this run is asked for already, by {one.by} as request {one.id}")
    request = journal.ask("undo", wanted.to_json(), by=act.user.name, now=act.now)
    return Done(
        what="undo asked for",
        said=f"Handed to the worker as request {request}.",
        then="This page follows it.",
        to=_to(act),
        detail={"run": wanted.run, "request": request},
    )


def _asked_already(act: Act, kind: str) -> Asked | None:
    """A request of this kind about this run that is not finished."""
    run, waiting = act.params["run"], act.place.journal.requests("waiting", "running")
    return next((one for one in waiting if one.kind == kind and one.args.get("run") == run), None)
