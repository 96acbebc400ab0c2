"""A command that writes, beside a worker that is running: handed over through the journal, and followed.

Without a worker the command does the work itself and holds the journal meanwhile. Knows nothing of what is
asked for: whoever performs it is registered in `sync.requests`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from icp_sync.cli.pausing import refuse_paused
from icp_sync.errors import AuthError, ConfigError, IcpSyncError, Problem, UnavailableError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Asked, Journal
    from icp_sync.settings import Settings
    from icp_sync.wiring import Wired

WORKER = "run"
"""Under this name the long-running worker holds the journal; only it performs requests."""
LOOK = 0.3
"""Seconds between looks how far a request is."""
PATIENCE = 10.0
"""Seconds without a worker after which nobody will go on with a request soon."""
INTERRUPTED = 130
_SQLITE = "sqlite:///"
_HOLDERS = {"backfill": "run --backfill"}
_ONLY_READS = frozenset({"undo preview"})


def here_or_handed(
    settings: Settings,
    wired: Wired,
    kind: str,
    args: Mapping[str, object],
    here: Callable[[], dict[str, Any]],
    screen: Screen | None = None,
) -> dict[str, Any]:
    """What `here` returns, called while this process alone holds the journal; beside a running worker what
    the worker made of the same request.

    args: plain JSON, all the performer needs. screen: where to say that it was handed over, None with
    `--json`. Raises what `here` raises, and the same kind of error for a request that failed; ConfigError
    while the connection is paused, UnavailableError when a process holds the journal that performs nothing
    for others.
    """
    if kind not in _ONLY_READS:
        refuse_paused(wired.journal)
    try:
        with _held(wired.journal, _HOLDERS.get(kind, kind)):
            return here()
    except _TakenError as taken:
        if not _worker(settings.journal):
            raise taken.why from None
    return handed(settings, wired.journal, kind, args, screen)


def handed(
    settings: Settings,
    journal: Journal,
    kind: str,
    args: Mapping[str, object],
    screen: Screen | None = None,
) -> dict[str, Any]:
    """Ask the running worker, follow it to the end, and return its result; see `here_or_handed`."""
    from icp_sync.cli.acting import who

    request = journal.ask(kind, args, by=who(), now=time.time())
    if screen is not None:
        screen.say(f"handed to the worker that is running, as request {request}; Ctrl-C leaves it running")
    try:
        asked = _followed(settings, journal, request, kind)
    except KeyboardInterrupt:
        from icp_sync.cli.rendering import note

        note(f"the worker goes on with request {request}")
        note("to look: icp-sync status")
        note(f"to stop it: icp-sync run --cancel {request}")
        raise typer.Exit(INTERRUPTED) from None
    return _result(asked)


class CancelledError(IcpSyncError):
    """Somebody took the request back."""


class HandedError(UnsafePlanError):
    """What was handed over waits for a person. `result`: what was done until then."""

    def __init__(self, message: str, *, next_step: str, result: Mapping[str, Any]) -> None:
        super().__init__(message, next_step=next_step)
        self.result = result


class _TakenError(Exception):
    """Another process holds the journal. Kept apart from what the work itself may raise."""

    def __init__(self, why: UnavailableError) -> None:
        super().__init__()
        self.why = why


@contextmanager
def _held(journal: Journal, title: str) -> Iterator[None]:
    """Hold the journal, leases of the dead broken; `_TakenError` where another process does."""
    hold = journal.hold(title)
    try:
        hold.__enter__()
    except UnavailableError as error:
        raise _TakenError(error) from error
    try:
        journal.break_leases()
        yield
    finally:
        hold.__exit__(None, None, None)


def _worker(url: str) -> bool:
    """Whether the long-running worker holds this journal."""
    from icp_sync.reporting.running import who_runs

    if not url.startswith(_SQLITE):
        return False
    return (who_runs(Path(url.removeprefix(_SQLITE))) or "").startswith(f"{WORKER} (")


def _followed(settings: Settings, journal: Journal, request: str, kind: str) -> Asked:
    """The request once it has ended. Raises UnavailableError when nobody works on the journal any more."""
    from icp_sync.cli.rendering import note
    from icp_sync.cli.run.progress import progress
    from icp_sync.sync.report import Report

    seen, waves = time.monotonic(), 0
    with progress(_HOLDERS.get(kind, kind), 0) as ticked:
        while True:
            asked = journal.request(request)
            if asked is None:
                raise IcpSyncError(f"request {request} is no longer in the journal")
            if asked.state not in ("waiting", "running"):
                return asked
            far = {name: _number(asked.progress, name) for name in ("read", "written", "waves")}
            ticked(Report.from_json(far))
            if far["waves"] > waves:
                waves = far["waves"]
                note(f"wave {waves} passed: {far['written']} accounts written so far")
            if _worker(settings.journal):
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE:
                raise UnavailableError(
                    f"the worker has ended; request {request} is kept and goes on with its next start",
                    next_step="icp-sync run",
                )
            time.sleep(LOOK)


def _number(progress: Mapping[str, object], name: str) -> int:
    value = progress.get(name)
    return value if isinstance(value, int) else 0


def _result(asked: Asked) -> dict[str, Any]:
    """What the worker answered. A failure becomes the error it was there."""
    result = dict(asked.result)
    if asked.state == "done":
        return {**result, "request": asked.id}
    if asked.state == "cancelled":
        why = f": {result['error']}" if "error" in result else ""
        raise CancelledError(
            f"request {asked.id} was cancelled{why}; what was settled stays settled",
            next_step="icp-sync status",
        )
    said, step = str(result.get("error", "it failed")), str(result.get("next_step", ""))
    match result.get("kind"):
        case "unsafe":
            raise HandedError(said, next_step=step, result=result)
        case "config":
            raise ConfigError([Problem(where=f"request {asked.id}", what=said)], next_step=step)
        case "auth":
            raise AuthError(said, next_step=step)
    raise IcpSyncError(said, next_step=step)
