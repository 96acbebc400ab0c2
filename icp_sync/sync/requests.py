"""What commands handed over through the journal, performed one after another by whoever holds it.

A request whose process died is taken up again by the next: it is still "running" in the journal, and only the
holder of the lease here performs any. Knows nothing of how a request came, nor who follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from icp_sync.journal import Asked
from icp_sync.observe import log
from icp_sync.sync.cycle import LEASE_SECONDS, Parts, Scope
from icp_sync.sync.keeping import kept
from icp_sync.sync.report import Report

STREAM = "requests"
"""Under this name the lease is kept."""
DONE, FAILED, RUNNING = "done", "failed", "running"
COUNTS = ("read", "written", "unchanged", "refused", "deferred", "held", "waves")
"""What the progress of a request tells of its report."""

Performer = Callable[[Asked, Parts, Scope], Mapping[str, object]]
"""Carries a request out and returns its result as plain JSON. It ends early when the scope says so, having
kept its place: called again with the same request, progress in it, it goes on there."""


def _in(module: str) -> Performer:
    """The `perform` of a module, loaded when it is first needed."""

    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object]:
        found: Performer = import_module(f"icp_sync.sync.{module}").perform
        return found(asked, parts, scope)

    return perform


PERFORMERS: dict[str, Performer] = {
    "backfill": _in("backfill"),
    "undo": _in("undo"),
    "apply": _in("plan_file"),
}
"""Kind of request → who carries it out."""


def serve(parts: Parts, scope: Scope) -> bool:
    """Perform the oldest request that is not finished; false when there was none, or another is at it.

    Raises what makes the whole connection wait or stop (AuthError, UnavailableError, LostLeaseError); the
    request is then taken up again. Any other failure is the request's own.
    """
    journal = parts.journal
    if journal.next_request() is None:
        return False
    lease = journal.lease(STREAM, holder=parts.holder, now=parts.clock(), ttl=LEASE_SECONDS)
    if lease is None:
        return False
    try:
        with kept(lease, journal, parts.clock, LEASE_SECONDS):
            asked = journal.next_request()
            if asked is None or not journal.take_request(asked.id, run=parts.holder, now=parts.clock()):
                return False
            _perform(asked, parts, scope)
    finally:
        journal.release_lease(lease)
    return True


def _perform(asked: Asked, parts: Parts, scope: Scope) -> None:
    journal, followed = parts.journal, _Followed(asked, parts, scope)
    _log(asked).info("request", by=asked.by, again=asked.state == RUNNING)
    state, result = DONE, {}
    try:
        performer = PERFORMERS.get(asked.kind)
        if performer is None:
            raise ConfigError(f"this version performs no request of the kind '{asked.kind}'")
        result = dict(performer(asked, parts, followed.scope()))
    except (AuthError, UnavailableError, LostLeaseError) as error:
        followed.waits(str(error))
        raise
    except IcpSyncError as error:
        state, result = FAILED, failure(error)
    except Exception as error:
        said = f"this should not have happened: {type(error).__name__}"
        journal.end_request(asked.id, state=FAILED, result={"error": said}, now=parts.clock())
        raise
    if state == DONE and not scope.going():
        return  # the process is about to end: the next one goes on
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
        self._cancelled = False

    def scope(self) -> Scope:
        return replace(self._scope, ticked=self._ticked, going=self._going)

    def waits(self, why: str) -> None:
        """It cannot go on just now."""
        asked = self._parts.journal.request(self._asked.id)
        if asked is not None:
            self._say({**asked.progress, "waits": why})

    def _ticked(self, report: Report) -> None:
        self._say({name: self._before.get(name, 0) + getattr(report, name) for name in COUNTS})
        self._scope.ticked(report)

    def _going(self) -> bool:
        if not self._cancelled:
            asked = self._parts.journal.request(self._asked.id)
            self._cancelled = asked is None or asked.state != RUNNING
        return not self._cancelled and self._scope.going()

    def _say(self, progress: Mapping[str, object]) -> None:
        journal = self._parts.journal
        self._cancelled |= not journal.progress_request(self._asked.id, progress, now=self._parts.clock())


def _log(asked: Asked) -> Any:
    return log("requests").bind(request=asked.id, kind=asked.kind)
