"""What commands handed over through the journal, performed by whoever holds it.

Each lane performs its requests one after another and knows nothing of the others: an undo does not wait for a
backfill that waits for tomorrow's calls. A request whose process died is taken up again by the next: it is
still "running" in the journal, and only the holder of the lane's lease performs any. Knows nothing of how a
request came, nor who follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from icp_sync.errors import (
    AuthError,
    ConfigError,
    IcpSyncError,
    LostLeaseError,
    UnavailableError,
    UnsafePlanError,
)
from icp_sync.journal import Asked, Journal
from icp_sync.journal.requests import BEGUN
from icp_sync.observe import log
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.keeping import kept
from icp_sync.sync.report import Report

UNDOES, OTHERS, BACKFILLS = "undo requests", "requests", "backfill requests"
LANES = (UNDOES, OTHERS, BACKFILLS)
"""The most urgent first. Under the name of a lane its lease is kept."""
_ALONE = {UNDOES: "undo", BACKFILLS: "backfill"}
"""Lane → the kind of request that has it to itself."""
DONE, FAILED, RUNNING = "done", "failed", "running"
COUNTS = ("read", "written", "unchanged", "refused", "deferred", "held", "waves")
"""What the progress of a request tells of its report."""

Performer = Callable[[Asked, Parts, Scope], Mapping[str, object] | None]
"""Carries a request out and returns its result as plain JSON. None when it ended early, as the scope said so,
having kept its place: called again with the same request, progress in it, it goes on there. One that had
reached its end before, but whose process did not live to say so, returns the same result again."""


def _in(module: str) -> Performer:
    """The `perform` of a module, loaded when it is first needed."""

    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
        found: Performer = import_module(f"icp_sync.sync.{module}").perform
        return found(asked, parts, scope)

    return perform


PERFORMERS: dict[str, Performer] = {
    "backfill": _in("backfill"),
    "undo": _in("undo"),
    "undo preview": _in("undo_preview"),
    "apply": _in("plan_file"),
    "enrich": _in("inquiry"),
}
"""Kind of request → who carries it out."""


def next_in(lane: str, journal: Journal) -> Asked | None:
    """The oldest request of a lane that is not finished."""
    if lane in _ALONE:
        return journal.next_request(_ALONE[lane])
    return journal.next_request(but=_ALONE.values())


def asked_lanes(journal: Journal) -> dict[tuple[str, str], float]:
    """(connection, lane) of every connection of the journal with something to perform → since when."""
    lane_of = {kind: lane for lane, kind in _ALONE.items()}
    found: dict[tuple[str, str], float] = {}
    for (connection, kind), since in journal.open_kinds().items():
        key = (connection, lane_of.get(kind, OTHERS))
        found[key] = min(since, found.get(key, since))
    return found


def serve(parts: Parts, scope: Scope, lanes: Sequence[str] = LANES) -> bool:
    """Perform the oldest request that is not finished, of the first of these lanes that has one; false when
    there was none, or another is at it.

    Raises what makes the whole connection wait or stop (AuthError, UnavailableError, LostLeaseError); the
    request is then taken up again. Any other failure is the request's own.
    """
    return any(_served(lane, parts, scope) for lane in lanes)


def _served(lane: str, parts: Parts, scope: Scope) -> bool:
    journal = parts.journal
    if next_in(lane, journal) is None:
        return False
    lease = journal.lease(lane, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        return False
    try:
        with kept(lease, journal, parts.clock, parts.lease):
            asked = next_in(lane, journal)
            if asked is None or not journal.take_request(asked.id, run=parts.holder, now=parts.clock()):
                return False
            _perform(asked, parts, scope)
    finally:
        journal.release_lease(lease)
    return True


def _perform(asked: Asked, parts: Parts, scope: Scope) -> None:
    journal, followed = parts.journal, _Followed(asked, parts, scope)
    _log(asked).info("request", by=asked.by, again=asked.state == RUNNING)
    state = DONE
    result: dict[str, Any] = {}
    try:
        performer = PERFORMERS.get(asked.kind)
        if performer is None:
            raise ConfigError(f"this version performs no request of the kind '{asked.kind}'")
        followed.begins()
        told = performer(asked, parts, followed.scope())
        if told is None:
            return  # its process is about to end, or it was cancelled: it goes on with the next, if at all
        result = dict(told)
    except (AuthError, UnavailableError, LostLeaseError) as error:
        followed.waits(str(error))
        raise
    except IcpSyncError as error:
        state, result = FAILED, failure(error)
    except Exception as error:
        said = f"this should not have happened: {type(error).__name__}"
        journal.end_request(asked.id, state=FAILED, result={"error": said}, now=parts.clock())
        raise
    if journal.end_request(asked.id, state=state, result=result, now=parts.clock()):
        _log(asked).info("request ended", state=state, error=result.get("error", ""))


def failure(error: IcpSyncError) -> dict[str, Any]:
    """An error as the result of a request: what it says, what helps, and what kind it is."""
    kinds = {UnsafePlanError: "unsafe", ConfigError: "config", AuthError: "auth"}
    kind = next((word for cls, word in kinds.items() if isinstance(error, cls)), "")
    said: dict[str, Any] = {"error": str(error), "next_step": error.next_step, "kind": kind}
    report = getattr(error, "report", None)
    if isinstance(report, Report):
        said |= {**report.to_json(), "changes": [], "left_alone": report.left_alone[:20]}
    return said


class _Followed:
    """Tells the journal how far a request is, and learns from it whether it was cancelled."""

    def __init__(self, asked: Asked, parts: Parts, scope: Scope) -> None:
        self._asked, self._parts, self._scope = asked, parts, scope
        self._before = {name: n for name in COUNTS if isinstance(n := asked.progress.get(name), int)}
        self._now = dict.fromkeys(COUNTS, 0)
        self._begun = asked.progress.get(BEGUN) or parts.clock()
        self._cancelled = False

    def scope(self) -> Scope:
        return replace(self._scope, ticked=self._ticked, going=self._going)

    def begins(self) -> None:
        """From now on it may have done something."""
        self._say(self._asked.progress)

    def waits(self, why: str) -> None:
        """It cannot go on just now."""
        asked = self._parts.journal.request(self._asked.id)
        if asked is not None:
            self._say({**asked.progress, "waits": why})

    def _ticked(self, report: Report) -> None:
        if report.read < self._now["read"]:  # a pass that was begun again
            self._before = {name: self._before.get(name, 0) + n for name, n in self._now.items()}
        self._now = {name: getattr(report, name) for name in COUNTS}
        self._say({name: self._before.get(name, 0) + n for name, n in self._now.items()})
        self._scope.ticked(report)

    def _going(self) -> bool:
        if not self._cancelled:
            asked = self._parts.journal.request(self._asked.id)
            self._cancelled = asked is None or asked.state != RUNNING
        return not self._cancelled and self._scope.going()

    def _say(self, progress: Mapping[str, object]) -> None:
        journal = self._parts.journal
        said = {**progress, BEGUN: self._begun}
        self._cancelled |= not journal.progress_request(self._asked.id, said, now=self._parts.clock())


def _log(asked: Asked) -> Any:
    return log("requests").bind(request=asked.id, kind=asked.kind)
