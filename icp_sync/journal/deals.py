"""Deals as the CRM told of them, how their companies stood when they began, and what was stamped on them.

What a deal's company was at its creation is looked up once, in the history of evaluations, and never changes
afterwards. Whether a stamp is ours is told by intents: it is written down before it is sent, and the next
read of the deal tells what became of it. Must not know a CRM, and decides nothing about when to write.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks, upsert
from icp_sync.journal.deal_rows import (
    COLUMNS,
    UNDECIDED,
    Recorded,
    Stamp,
    Stamped,
    StoredDeal,
    known,
    read,
    stored,
    told,
    with_profile,
)
from icp_sync.journal.encoding import loads, plain
from icp_sync.journal.records import Lease
from icp_sync.ports import Deal

_DEAL = schema.deal
_LOG = schema.evaluation_log
_AT_ONCE = 400


@dataclass(slots=True)
class Kept:
    """Of a batch of deals: those met for the first time, and how many stamps the read has settled."""

    new: list[str] = field(default_factory=list)
    settled: Counter[Stamp] = field(default_factory=Counter)


class Deals(Bound):
    def keep_deals(self, deals: Sequence[Deal], lease: Lease, *, now: float) -> Kept:
        """Remember deals as just read; what they show tells what became of stamps that were meant."""
        kept = Kept()
        with self.writing("deal") as conn:
            self.guard(conn, lease)
            before: dict[str, Any] = {}
            for ids in chunks([deal.id for deal in deals], _AT_ONCE):
                those = select(_DEAL).where(self._mine, _DEAL.c.id.in_(ids))
                before |= {str(found.id): found for found in conn.execute(those)}
            rows: dict[str, dict[str, Any]] = {}
            for deal in deals:
                row = {
                    **read(deal),
                    **known(before.get(deal.id)),
                    "connection": self.connection,
                    "seen_at": now,
                }
                rows[deal.id] = row
                if deal.id not in before:
                    kept.new.append(deal.id)
                if (state := told(deal, row, now)) is not None:
                    kept.settled[state] += 1
            upsert(conn, _DEAL, list(rows.values()))
        return kept

    def drop_deals(self, lease: Lease, *, unseen_since: float) -> int:
        """Forget deals that a whole read begun then did not meet: they are deleted, or hidden from us."""
        with self.writing("deal") as conn:
            self.guard(conn, lease)
            return conn.execute(delete(_DEAL).where(self._mine, _DEAL.c.seen_at < unseen_since)).rowcount

    def recorded(self, wanted: Mapping[str, tuple[str, float, float]]) -> dict[str, Recorded]:
        """Key → (account, at, until): the evaluation in force at an instant, or else the first one until
        another. Absent: nobody had looked at the account by then."""
        accounts = sorted({account for account, _, _ in wanted.values() if account})
        chosen: dict[str, int] = {}
        found: dict[int, Recorded] = {}
        with self.reading() as conn:
            for some in chunks(accounts, _AT_ONCE):
                history: dict[str, list[Any]] = {}
                for row in conn.execute(
                    select(_LOG.c.account, _LOG.c.seq, _LOG.c.at, _LOG.c.tier, _LOG.c.score)
                    .where(_LOG.c.connection == self.connection, _LOG.c.account.in_(some))
                    .order_by(_LOG.c.seq)
                ):
                    history.setdefault(str(row.account), []).append(row)
                for key, (account, at, until) in wanted.items():
                    one = _in_force(history.get(account, ()), at, until)
                    if one is not None:
                        chosen[key] = one.seq
                        found[one.seq] = Recorded(
                            at=one.at, tier=one.tier, score=one.score, profile="", version=0
                        )
            for seqs in chunks(sorted(found), _AT_ONCE):
                for seq, text in conn.execute(select(_LOG.c.seq, _LOG.c.data).where(_LOG.c.seq.in_(seqs))):
                    found[seq] = with_profile(found[seq], loads(text))
        return {key: found[seq] for key, seq in chosen.items()}

    def judge_deals(self, found: Mapping[str, Recorded], lease: Lease) -> None:
        """How companies stood when these deals began; what was known already stays."""
        rows = [
            {
                "b_id": id,
                "tier": one.tier,
                "score": one.score,
                "profile": plain(one.profile),
                "version": one.version,
            }
            for id, one in found.items()
            if one.tier
        ]
        if rows:
            with self.writing("deal") as conn:
                self.guard(conn, lease)
                conn.execute(update(_DEAL).where(self._mine, _DEAL.c.id == bindparam("b_id"), _OPEN), rows)

    def settle_stamps(self, outcomes: Iterable[Stamped], lease: Lease, *, now: float) -> None:
        """What is to become, or became, of stamps; one that is decided already stays as it is."""
        rows = [
            {
                "b_id": one.id,
                "stamp": one.stamp.value,
                "due": one.due,
                "attempts": one.attempts,
                "message": plain(one.message, 1000),
                "stamped_at": now,
            }
            for one in outcomes
        ]
        if rows:
            with self.writing("deal") as conn:
                self.guard(conn, lease)
                still = or_(*(_DEAL.c.stamp == state for state in UNDECIDED))
                conn.execute(update(_DEAL).where(self._mine, _DEAL.c.id == bindparam("b_id"), still), rows)

    def deals_named(self, ids: Sequence[str]) -> list[StoredDeal]:
        """These deals, those that are known."""
        found: list[StoredDeal] = []
        with self.reading() as conn:
            for some in chunks(ids, _AT_ONCE):
                rows = conn.execute(select(*COLUMNS).where(self._mine, _DEAL.c.id.in_(some)))
                found += map(stored, rows)
        return found

    def deals_without_tier(self, *, created_since: float) -> list[StoredDeal]:
        """Deals created since, of whose companies it is not known yet how they stood then."""
        mine = (self._mine, _OPEN, _DEAL.c.stamp == Stamp.NONE.value, _DEAL.c.created_at >= created_since)
        with self.reading() as conn:
            return list(map(stored, conn.execute(select(*COLUMNS).where(*mine).order_by(_DEAL.c.id))))

    def deals_to_stamp(
        self, *, created_since: float, now: float, after: str = "", limit: int = 500
    ) -> list[StoredDeal]:
        """Deals created since whose stamp is known and may be sent now, in order of id."""
        waiting = and_(_DEAL.c.stamp.in_((Stamp.INTENDED.value, Stamp.REFUSED.value)), _DEAL.c.due <= now)
        mine = (self._mine, ~_OPEN, _DEAL.c.created_at >= created_since, _DEAL.c.id > after)
        ready = or_(_DEAL.c.stamp == Stamp.NONE.value, waiting)
        with self.reading() as conn:
            rows = conn.execute(select(*COLUMNS).where(*mine, ready).order_by(_DEAL.c.id).limit(limit))
            return list(map(stored, rows))

    def unsure_since(self) -> float | None:
        """The earliest change of a deal whose stamp was sent with an unknown fate, None for no such."""
        unsure = (_DEAL.c.stamp == Stamp.INTENDED.value, _DEAL.c.due.is_(None))
        with self.reading() as conn:
            found = conn.execute(select(func.min(_DEAL.c.changed_at)).where(self._mine, *unsure)).scalar()
        return None if found is None else float(found)

    def deals(self, *, created_since: float = 0.0, after: str = "", limit: int = 1000) -> list[StoredDeal]:
        """Deals created since, in order of id: the next `limit` after an id."""
        mine = (self._mine, _DEAL.c.created_at >= created_since, _DEAL.c.id > after)
        with self.reading() as conn:
            rows = conn.execute(select(*COLUMNS).where(*mine).order_by(_DEAL.c.id).limit(limit))
            return list(map(stored, rows))

    def stamp_counts(self) -> dict[Stamp, int]:
        """How many deals there are of each state."""
        by_state = select(_DEAL.c.stamp, func.count()).where(self._mine).group_by(_DEAL.c.stamp)
        with self.reading() as conn:
            return {Stamp(state): int(n) for state, n in conn.execute(by_state)}

    @property
    def _mine(self) -> ColumnElement[bool]:
        return _DEAL.c.connection == self.connection


_OPEN = _DEAL.c.tier == ""


def _in_force(history: Sequence[Any], at: float, until: float) -> Any | None:
    """Of evaluations, oldest first, the last one up to an instant, or else the first one until another."""
    n = bisect_right([row.at for row in history], at)
    if n:
        return history[n - 1]
    return history[0] if history and history[0].at <= until else None
