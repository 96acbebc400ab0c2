"""How many connections stand, a line each: what somebody has to look at first comes first.

From the journal and the settings alone; a handful of small queries a connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from icp_sync.errors import Problem
from icp_sync.ports import Stream
from icp_sync.sync.alarms import HALTED
from icp_sync.sync.backfill import halted

if TYPE_CHECKING:
    from icp_sync.journal import Alert, Journal

STOPPED, ALERT, PAUSED, HELD, OK = "stopped", "alert", "paused", "held", "ok"
WORST_FIRST = (STOPPED, ALERT, PAUSED, HELD, OK)
Data = dict[str, Any]


def fleet(journals: Mapping[str, Journal], broken: Mapping[str, Sequence[Problem]], now: float) -> list[Data]:
    """Each connection: state (one of `WORST_FIRST`), why, mode, bound_to, profile, behind (seconds its poll
    is), held (changes that wait for a person), alerts, paused, backfill_halted. broken: connections whose
    settings cannot be used; a worker that had begun one before goes on with what it had, so it is stopped
    only where the journal says so."""
    found = [_line(name, journal, broken.get(name, ()), now) for name, journal in journals.items()]
    return sorted(
        found, key=lambda one: (WORST_FIRST.index(one["state"]), -(one["behind"] or 0), one["connection"])
    )


def _line(name: str, journal: Journal, problems: Sequence[Problem], now: float) -> Data:
    alerts, pause = journal.alerts(), journal.connection_paused()
    active, (done, total) = journal.active(), journal.progress()
    position = journal.positions().get((Stream.POLL.value, ""), (None, 0.0))[0]
    held = journal.waiting_holds()
    state, why = _state(problems, alerts, str(pause) if pause else "", held)
    return {
        "connection": name,
        "state": state,
        "why": why,
        "mode": journal.mode().value,
        "bound_to": journal.bound_to(),
        "profile": {"version": active[0] if active else 0, "evaluated": done, "accounts": total},
        "behind": now - position.done_to / 1000 if position and position.done_to else None,
        "held": sum(held.values()),
        "alerts": [{"name": one.name, "text": one.text, "since": one.since} for one in alerts],
        "paused": None if pause is None else {"by": pause.by, "at": pause.at, "why": pause.why},
        "backfill_halted": halted(journal),
    }


def _state(
    problems: Sequence[Problem], alerts: Sequence[Alert], paused: str, held: Mapping[str, int]
) -> tuple[str, str]:
    """What is worst about it, and its reason in words."""
    wrong = "; ".join(map(str, problems))
    stopped = next((one for one in alerts if one.name == HALTED), None)
    if stopped is not None:
        return STOPPED, wrong or stopped.text
    if wrong:
        return ALERT, f"not usable as it is written now: {wrong}"
    others = [f"{one.name}: {one.text}" for one in alerts]
    if others:
        return ALERT, others[0] + (f" (and {len(others) - 1} more)" if others[1:] else "")
    if paused:
        return PAUSED, paused
    if any(held.values()):
        return HELD, ", ".join(f"{rule} {n:,}" for rule, n in held.items() if n)
    return OK, ""
