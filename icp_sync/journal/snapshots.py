"""What was thought of every account, now or at an instant, a page at a time. Reads only.

An instant is looked up in the history of evaluations, in which the one in force at the beginning of what is
kept stays; what lies before that is not whole any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select

from icp_sync.domain.account import Previous
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import loads, previous_from_text
from icp_sync.journal.retention import ERASED

_ACCOUNT = schema.account
_LOG = schema.evaluation_log


class Snapshot(NamedTuple):
    """One account and its evaluation. name, domain: as they are today, "" of an account that is gone.

    owner: email, at that time. tier: "" out of scope. at: when it was evaluated, epoch seconds. evidence,
    proof, decision: as `domain.why`, `domain.proof` and routing keep them, empty where nothing was kept.
    previous: what the next evaluation was to know of it, None of a past one.
    """

    id: str
    name: str
    domain: str
    owner: str
    tier: str
    score: int | None
    at: float
    evidence: Mapping[str, Any]
    proof: Mapping[str, Any]
    decision: Mapping[str, Any]
    previous: Previous | None


class Snapshots(Bound):
    def snapshot_page(self, after: str, limit: int) -> tuple[Snapshot, ...]:
        """Live accounts that were evaluated, as last settled: the next `limit` after an id."""
        columns = ("id", "name", "domain", "owner", "tier", "score", "settled_at", "evidence", "previous")
        shown = schema.evaluation
        with self.reading() as conn:
            rows = conn.execute(
                select(*(_ACCOUNT.c[name] for name in columns), shown.c.data)
                .outerjoin(
                    shown,
                    and_(shown.c.connection == _ACCOUNT.c.connection, shown.c.account == _ACCOUNT.c.id),
                )
                .where(
                    _ACCOUNT.c.connection == self.connection,
                    _ACCOUNT.c.status.not_in(("", "gone")),
                    _ACCOUNT.c.evidence.not_in(("", "{}")),
                    _ACCOUNT.c.id > after,
                )
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            ).all()
        return tuple(_now(row, loads(row.data)) for row in rows)

    def snapshot_page_at(self, at: float, after: str, limit: int) -> tuple[tuple[Snapshot, ...], str]:
        """The same as of an instant, with the id to go on after, "" at the end. Pages may be empty.

        Who was gone from the CRM by then is left out.
        """
        known = or_(_ACCOUNT.c.status != "gone", _ACCOUNT.c.settled_at > at)
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.id, _ACCOUNT.c.name, _ACCOUNT.c.domain)
                .where(_ACCOUNT.c.connection == self.connection, known, _ACCOUNT.c.id > after)
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            ).all()
            accounts = {row.id: row for row in rows}
            found: list[Any] = []
            for some in chunks(list(accounts)):
                mine = (_LOG.c.connection == self.connection, _LOG.c.account.in_(some), _LOG.c.at <= at)
                last = select(func.max(_LOG.c.seq)).where(*mine).group_by(_LOG.c.account)
                found += conn.execute(select(_LOG).where(_LOG.c.seq.in_(last))).all()
        by_id = {row.account: row for row in found}
        page = [_then(accounts[id], row) for id in accounts if (row := by_id.get(id)) is not None]
        return tuple(page), rows[-1].id if len(rows) == limit else ""

    def erased_since(self, at: float) -> int:
        """Accounts that went from the CRM after an instant and of which everything is erased by now. They may
        have had an evaluation then; when they came is erased as well."""
        erased = (_ACCOUNT.c.status == "gone", _ACCOUNT.c.problem == ERASED, _ACCOUNT.c.settled_at > at)
        with self.reading() as conn:
            mine = select(func.count()).where(_ACCOUNT.c.connection == self.connection, *erased)
            return int(conn.execute(mine).scalar() or 0)

    def evaluated_since(self) -> float | None:
        """When the first evaluation of the history was made, None while there is none."""
        with self.reading() as conn:
            mine = select(func.min(_LOG.c.at)).where(_LOG.c.connection == self.connection)
            found = conn.execute(mine).scalar()
        return None if found is None else float(found)


def _now(row: Any, shown: Mapping[str, Any]) -> Snapshot:
    at = shown.get("at")
    previous = previous_from_text(row.previous)
    return Snapshot(
        id=row.id,
        name=row.name,
        domain=row.domain,
        owner=row.owner,
        tier=row.tier,
        score=row.score,
        at=float(at) if isinstance(at, int | float) else row.settled_at,
        evidence=_mapping(loads(row.evidence)),
        proof={},
        decision={
            **_mapping(shown.get("decision")),
            "owner": previous.routed_owner if previous is not None else "",
        },
        previous=previous,
    )


def _then(account: Any, row: Any) -> Snapshot:
    data = _mapping(loads(row.data))
    at = data.get("at")
    return Snapshot(
        id=account.id,
        name=account.name,
        domain=account.domain,
        owner=str(data.get("owner") or ""),
        tier=row.tier,
        score=row.score,
        at=float(at) if isinstance(at, int | float) else row.at,
        evidence=_mapping(data.get("evidence")),
        proof=_mapping(data.get("proof")),
        decision=_mapping(data.get("decision")),
        previous=None,
    )


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
