"""What became of accounts after they were given to somebody: for `touches`, `status` and an explanation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from icp_sync.domain.assignment import Assignment
from icp_sync.reporting.text import instant, span

if TYPE_CHECKING:
    from icp_sync.journal import Journal

MONTH = 30 * 86_400.0
HOUR = 3600.0
Data = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """One time an account was given to somebody. Instants are UTC epoch seconds, None for not (yet).

    rule: number of the route, 0 where that is not known. action: what the breach led to. how: how it ended.
    """

    owner: str
    rule: int
    routed_at: float
    due: float | None
    touched_at: float | None
    breached_at: float | None
    ended_at: float | None
    how: str
    action: str
    lead: str
    said: str


def assignment_rows(journal: Journal, account_id: str, now: float) -> tuple[AssignmentRow, ...]:
    """Whom an account was given to, the last first, as far as that was so by `now`."""
    found = [given for given in journal.assignments(account_id) if given.routed_at <= now]
    return tuple(_row(_as_of(given, now), now) for given in found)


def _as_of(given: Assignment, now: float) -> Assignment:
    """Less what came later."""

    def past(at: float | None) -> float | None:
        return at if at is not None and at <= now else None

    kept = replace(
        given,
        touched_at=past(given.touched_at),
        breached_at=past(given.breached_at),
        ended_at=past(given.ended_at),
    )
    over, let_lie = kept.ended_at is not None, kept.breached_at is not None
    return replace(kept, how=kept.how if over else "", action=kept.action if let_lie else "")


def _row(given: Assignment, now: float) -> AssignmentRow:
    return AssignmentRow(
        owner=given.owner,
        rule=given.rule,
        routed_at=given.routed_at,
        due=given.due,
        touched_at=given.touched_at,
        breached_at=given.breached_at,
        ended_at=given.ended_at,
        how=given.how,
        action=given.action,
        lead=given.lead,
        said=said(given, now),
    )


def said(given: Assignment, now: float) -> str:
    """ "routed 2026-11-20 09:00 UTC to ada@example.com by route 2; first touch by …; touched …"."""
    by = f" by route {given.rule}" if given.rule else ""
    parts = [f"routed {instant(given.routed_at)} to {given.owner}{by}"]
    if given.due is not None:
        parts.append(f"first touch by {instant(given.due)}")
    if given.touched_at is not None:
        after = span(max(0.0, given.touched_at - given.routed_at))
        parts.append(f"touched {instant(given.touched_at)}, {after} later ({given.how})")
        if given.breached_at is not None:
            parts.append("too late")
    elif given.breached_at is not None:
        to = f" to {given.lead}" if given.lead else ""
        parts.append(f"breached {instant(given.breached_at)}, {given.action or 'not decided yet'}{to}")
    elif given.ended_at is None and given.due is not None:
        left = given.due - now
        parts.append(f"{span(left)} left" if left > 0 else "due now")
    if given.ended_at is not None and given.touched_at is None:
        parts.append(f"ended {instant(given.ended_at)} ({given.how})")
    return "; ".join(parts)


def touch_counts(journal: Journal, now: float) -> Data:
    """Of assignments: watched now and overdue; touched in time and breached, of those given in 30 days."""
    return asdict(journal.touch_counts(now - MONTH))


def touches(journal: Journal, since: float) -> list[Data]:
    """By owner: assigned, touched, median hours to the first touch, breached; of those given since then."""
    return [
        {
            "owner": one.owner,
            "assigned": one.assigned,
            "waiting": one.watched,
            "touched": one.touched,
            "ended": one.ended,
            "median_hours": None if one.median is None else round(one.median / HOUR, 1),
            "breached": one.breached,
        }
        for one in journal.touches(since)
    ]
