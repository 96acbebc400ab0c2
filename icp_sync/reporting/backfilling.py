"""Where the backfill of a connection stands: asked for why, how far, how long still, what was forecast.

From the journal and the settings alone. A pass may be made by several runs, one after another.
"""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError
from icp_sync.ports import Stream
from icp_sync.reporting.limits import limits
from icp_sync.reporting.ran import count, is_dry, spent
from icp_sync.sync.backfill import halted, paused
from icp_sync.sync.cycle import PURPOSE
from icp_sync.sync.forecast import Forecast, Speed, Workload, forecast
from icp_sync.sync.waves import RESUME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from icp_sync.journal import Asked, Journal, RunRecord
    from icp_sync.reporting.opened import Opened
    from icp_sync.sync.pacing import Pacing

KIND = Stream.BACKFILL.value
RUNS = 400
"""Runs of a pass that are added up, each of its ranges has some; a pass of more is told of by the latest."""
COUNTS = ("read", "spared", "written", "unchanged", "refused", "deferred", "held", "waves")
Data = dict[str, Any]


def backfilling(at: Opened, pacing: Pacing, now: float, known: int | None = None) -> Data:
    """known: live accounts there are, None where nobody counted them.

    state: "none", "requested", "running", "paused", "halted", "interrupted" or "finished". total: of accounts
    to read, None before the first pass has ended. eta: seconds, None where nobody can tell. ranges: of ids it
    is cut into, 0 while it is made as one; of them are at their end, and in the hands of workers now.
    """
    journal = at.journal
    began, runs = _pass(journal)
    asked = journal.backfill_request()
    state = journal.backfill_state()
    running = next((run for run in runs if run.ended_at is None and journal.is_going(run, now=now)), None)
    ranges = journal.ranges(now=now)
    done = {name: sum(count(run, name) or 0 for run in runs) for name in COUNTS}
    looked_at = done["read"] + done["spared"]
    finished = journal.position(KIND).finished
    total = max(known, looked_at) if known is not None and _read_before(journal, began) else None
    if finished:
        total = looked_at or None
    found: Data = {
        "state": _state(journal, began, running=running is not None, finished=finished, asked=bool(asked)),
        "reason": asked.reason if asked else "",
        "asked_at": asked.at if asked else None,
        "why_not": halted(journal),
        "paused": paused(journal),
        "halted_at": state.at or None,
        "requests": _open(journal),
        "began": began,
        "ended": runs[0].ended_at if runs and running is None else None,
        "runs": [run.id for run in runs],
        "waves_passed": max(done["waves"], state.waves),
        "ranges": len(ranges),
        "ranges_finished": sum(one.position.finished for one in ranges),
        "ranges_held": sum(one.held for one in ranges),
        "looked_at": looked_at,
        "total": total,
        "credits": sum(spent(run) for run in runs),
        **done,
    }
    found["seconds"] = None if began is None else max(0.0, (found["ended"] or now) - began)
    found["eta"] = _eta(found) if running is not None else None
    found["forecast"] = forecasts(at, pacing, found, known, now)
    found["calls_today"] = next(
        (one["day"]["backfill"] for one in limits(at.connection, journal) if one["day"] is not None), None
    )
    return found


def pause(journal: Journal, *, by: str, now: float) -> None:
    """Let no backfill go on. Raises ConfigError where none is asked for or under way, or it is paused."""
    if why := paused(journal):
        raise ConfigError(f"backfills are {why} already", next_step=RESUME)
    last = journal.runs_page(kind=KIND, dull=True, limit=1).runs
    going = journal.is_cut() or (bool(last) and journal.is_going(last[0], now=now))
    if not (going or journal.backfill_request() or _open(journal)):
        raise ConfigError("no backfill is asked for or under way", next_step="icp-sync status")
    journal.pause_backfills(by=by, now=now)


def _open(journal: Journal) -> list[Asked]:
    """Backfills somebody handed over that are not finished."""
    return [one for one in journal.requests("waiting", "running") if one.kind == KIND]


def _state(journal: Journal, began: float | None, *, running: bool, finished: bool, asked: bool) -> str:
    if paused(journal):
        return "paused"
    if halted(journal):
        return "halted"
    if running:
        return "running"
    if asked or _open(journal):
        return "requested"
    if began is None:
        return "none"
    return "finished" if finished else "interrupted"


def _pass(journal: Journal) -> tuple[float | None, list[RunRecord]]:
    """When the latest pass began, and its runs, newest first."""
    begun = journal.positions().get((PURPOSE, ""))
    if begun is None:
        return None, []
    runs = [run for run in journal.runs_page(kind=KIND, dull=True, limit=RUNS).runs if not is_dry(run)]
    found = [run for run in runs if run.started_at > begun[1]]
    earlier = [run for run in runs if run.started_at <= begun[1]]
    if earlier:  # the last of them began the pass
        found.append(max(earlier, key=lambda run: run.started_at))
    return (found[-1].started_at if found else begun[1]), found


def _read_before(journal: Journal, began: float | None) -> bool:
    """Whether all accounts were read at some time, so that it is known how many there are."""
    if any(journal.position(stream.value).finished for stream in (Stream.BACKFILL, Stream.SWEEP)):
        return True
    earlier = journal.runs_page(kind=KIND, dull=True, limit=RUNS).runs
    return any(
        run.report.get("outcome") == "done" and not is_dry(run)
        for run in earlier
        if began is not None and run.started_at < began
    )


def _eta(found: Data) -> float | None:
    """Seconds that are left at the rate so far."""
    if not found["total"] or not found["looked_at"] or not found["seconds"]:
        return None
    return float((found["total"] - found["looked_at"]) * found["seconds"] / found["looked_at"])


def forecasts(at: Opened, pacing: Pacing, found: Data, known: int | None, now: float) -> Data | None:
    """What all of it may take (`whole`), what the part that is done should have taken (`so_far`), and the dry
    run they go by, where there was one. None before anybody knows how many accounts there are."""
    total = found["total"] or known
    if not total or at.journal.mode() is Mode.OBSERVE:
        return None
    dry = _dry(at.journal)
    looked_at, written = found["looked_at"], found["written"]
    if looked_at and found["state"] in ("running", "paused", "halted", "interrupted", "finished"):
        basis, changed = "read", round(written * total / looked_at)
    elif dry is not None and (read := count(dry, "read")):
        basis, changed = "plan", round(_would_write(dry) * total / read)
    else:
        basis, changed = "most", total
    whole = _ahead(at, pacing, total, min(total, changed), now)
    so_far = _ahead(at, pacing, looked_at, written, now) if looked_at else None
    return {
        "basis": basis,
        "plan": dry.id if dry is not None else "",
        "planned_at": dry.started_at if dry is not None else None,
        "credits": spent(dry) if dry is not None else None,
        "accounts": total,
        "changed": min(total, changed),
        "whole": _plain(whole),
        "so_far": _plain(so_far) if so_far else None,
    }


def ahead(at_crm: str, burst: int, search: int, pacing: Pacing, work: Workload, now: float) -> Forecast:
    """What a backfill of so much takes, its waits between waves among it."""
    return forecast(
        at_crm, work, Speed(burst=burst, search=search, pauses=pacing.waits(work.changed)), now=now
    )


def _ahead(at: Opened, pacing: Pacing, accounts: int, changed: int, now: float) -> Forecast:
    said = at.connection.quota
    work = Workload(accounts=accounts, changed=changed)
    return ahead(at.connection.crm, said.burst, said.search, pacing, work, now)


def _plain(found: Forecast) -> Data:
    plain = asdict(found)
    seconds = found.seconds if isfinite(found.seconds) else None
    return {**plain, "calls": dict(found.calls), "total": found.total, "seconds": seconds}


def _dry(journal: Journal) -> RunRecord | None:
    """The latest dry run of all accounts."""
    runs: Sequence[RunRecord] = journal.runs_page(kind=KIND, dull=True, limit=RUNS).runs
    return next((run for run in runs if is_dry(run) and run.report.get("outcome") == "done"), None)


def _would_write(run: RunRecord) -> int:
    return (count(run, "written") or 0) + (count(run, "waiting") or 0)
