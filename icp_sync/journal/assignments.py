"""What became of accounts after they were given to somebody: until when they are watched, and how it ended.

A row for each time an account was given; the one that has not ended is the one that is watched. It is kept in
the transaction that commits the account's page, so a breach is decided once whatever dies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, select, update

from icp_sync.domain.assignment import Assignment, How
from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.records import Settled
from icp_sync.observe import breaches_total, first_touch_seconds

_TABLE = schema.assignment
Count = ColumnElement[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchCounts:
    """How many assignments are watched, and how many of these nobody has touched in time; and how many were
    touched in time, and breached, since an instant. actions: what the breaches led to → how many."""

    watched: int = 0
    overdue: int = 0
    touched_in_time: int = 0
    breached: int = 0
    actions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What became of what one person was given. watched: neither touched nor ended yet. ended: for another
    reason than a touch. breached: not touched in time, also where they were late. median: seconds to the
    first touch, None without one."""

    owner: str
    assigned: int = 0
    watched: int = 0
    touched: int = 0
    ended: int = 0
    breached: int = 0
    median: float | None = None


class Assignments(Bound):
    def assignments(self, account_id: str, limit: int = 20) -> list[Assignment]:
        """Whom an account was given to, the last first."""
        mine = (_TABLE.c.connection == self.connection, _TABLE.c.account == account_id)
        with self.reading() as conn:
            found = conn.execute(
                select(*_TABLE.c).where(*mine).order_by(_TABLE.c.routed_at.desc()).limit(limit)
            )
            return [_stored(row) for row in found]

    def touch_counts(self, since: float) -> TouchCounts:
        c = _TABLE.c
        mine = c.connection == self.connection
        watched = select(func.count(), func.count(c.breached_at)).where(mine, c.ended_at.is_(None))
        lately = (mine, c.routed_at >= since)
        touched = select(func.count()).where(
            *lately, c.touched_at.is_not(None), (c.due.is_(None)) | (c.touched_at <= c.due)
        )
        breached = (
            select(c.action, func.count())
            .where(*lately, c.breached_at.is_not(None))
            .group_by(c.action)
            .order_by(c.action)
        )
        with self.reading() as conn:
            open_, overdue = conn.execute(watched).one()
            in_time = int(conn.execute(touched).scalar() or 0)
            actions = {str(action): int(n) for action, n in conn.execute(breached)}
        return TouchCounts(
            watched=open_,
            overdue=overdue,
            touched_in_time=in_time,
            breached=sum(actions.values()),
            actions={action or "late": n for action, n in actions.items()},
        )

    def touches(self, since: float) -> list[Touched]:
        """By owner what was given since an instant, and what became of it; who was given most comes first."""
        c = _TABLE.c
        mine = (c.connection == self.connection, c.routed_at >= since)
        spans: dict[str, list[float]] = {}
        with self.reading() as conn:
            counted = conn.execute(select(c.owner, *_counts()).where(*mine).group_by(c.owner)).all()
            touched = select(c.owner, c.touched_at - c.routed_at).where(*mine, c.touched_at.is_not(None))
            for owner, seconds in conn.execute(touched):
                spans.setdefault(owner, []).append(max(0.0, seconds))
        found = [
            Touched(
                owner=owner,
                assigned=assigned,
                watched=watched,
                touched=touched,
                ended=assigned - watched - touched,
                breached=breached,
                median=median(spans[owner]) if owner in spans else None,
            )
            for owner, assigned, watched, touched, breached in counted
        ]
        return sorted(found, key=lambda one: (-one.assigned, one.owner))


def _counts() -> tuple[Count, ...]:
    c = _TABLE.c
    watched = func.sum(case((c.ended_at.is_(None), 1), else_=0))
    return func.count(), watched, func.count(c.touched_at), func.count(c.breached_at)


def watched(conn: Connection, connection: str, ids: Sequence[str]) -> dict[str, Assignment]:
    """Account → its assignment that has not ended.

    By the primary key, those that ended too: an account has few, the connection may have very many open ones.
    """
    mine = (_TABLE.c.connection == connection, among(_TABLE.c.account, ids))
    rows = conn.execute(select(*_TABLE.c).where(*mine).order_by(_TABLE.c.account, _TABLE.c.routed_at))
    return {row.account: _stored(row) for row in rows if row.ended_at is None}


def tasks_of_ours(conn: Connection, connection: str, ids: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Account → when tasks of ours were put on it, epoch seconds."""
    notice = schema.notice
    found: dict[str, tuple[float, ...]] = {}
    for chunk in chunks(sorted(ids)):
        mine = (notice.c.connection == connection, notice.c.subject.in_(chunk))
        given = (notice.c.state == "sent", notice.c.message == "task", notice.c.sent_at.is_not(None))
        for subject, at in conn.execute(select(notice.c.subject, notice.c.sent_at).where(*mine, *given)):
            found[subject] = (*found.get(subject, ()), at)
    return found


def keep_assignments(conn: Connection, connection: str, landed: Iterable[Settled]) -> None:
    """Within a page's commit: what became of assignments, and those that began."""
    rows = [_row(connection, one.account_id, given) for one in landed for given in one.assignments]
    upsert(conn, _TABLE, rows)


def count_assignments(connection: str, landed: Iterable[Settled]) -> None:
    """Once that is committed: metrics of first touches, and of breaches that were decided."""
    for one in landed:
        for given in one.assignments:
            if given.touched_at is not None:
                first_touch_seconds.labels(connection).observe(max(0.0, given.touched_at - given.routed_at))
        if one.breach:
            breaches_total.labels(connection, one.breach).inc()


def end_gone(conn: Connection, connection: str, ids: Sequence[str], now: float) -> None:
    """Accounts that are gone, or merged away, are not watched any more."""
    for chunk in chunks(list(ids)):
        mine = (_TABLE.c.connection == connection, _TABLE.c.account.in_(chunk), _TABLE.c.ended_at.is_(None))
        conn.execute(update(_TABLE).where(*mine).values(ended_at=now, how=How.GONE.value))


def _row(connection: str, account_id: str, given: Assignment) -> dict[str, Any]:
    data = {
        **({"rerouted": given.rerouted} if given.rerouted else {}),
        **({"let_lie": dict(given.let_lie)} if given.let_lie else {}),
        **({"known": given.known} if given.known is not None else {}),
        **({"lead": given.lead} if given.lead else {}),
        **({"owner_id": given.owner_id} if given.owner_id else {}),
    }
    return {
        "connection": connection,
        "account": account_id,
        "routed_at": given.routed_at,
        "owner": plain(given.owner),
        "rule": given.rule,
        "due": given.due,
        "touched_at": given.touched_at,
        "breached_at": given.breached_at,
        "ended_at": given.ended_at,
        "how": given.how,
        "action": given.action,
        "data": dumps(data),
    }


def _stored(row: Row[Any]) -> Assignment:
    data = loads(row.data)
    return replace(
        Assignment(owner=row.owner, routed_at=row.routed_at, rule=row.rule, due=row.due),
        touched_at=row.touched_at,
        breached_at=row.breached_at,
        ended_at=row.ended_at,
        how=row.how,
        action=row.action,
        rerouted=data.get("rerouted", 0),
        let_lie=data.get("let_lie"),
        known=data.get("known"),
        lead=data.get("lead", ""),
        owner_id=data.get("owner_id", ""),
    )
