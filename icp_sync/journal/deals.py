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
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.database import chunks
from icp_sync.journal.deal_rows import (
    COLUMNS,
    UNDECIDED,
    Recorded,
    Stamp,
    Stamped,
    StoredDeal,
    row_of,
    stored,
    with_profile,
)
from icp_sync.journal.encoding import loads, plain
from icp_sync.journal.records import Lease
from icp_sync.ports import Deal

_DEAL = schema.deal
_LOG = schema.evaluation_log
_ACCOUNT = schema.account
_AT_ONCE = 400


@dataclass(slots=True)
class Kept:
    """Of a batch of deals: those met for the first time, and how many stamps the read has settled."""

    new: list[str] = field(default_factory=list)
    settled: Counter[Stamp] = field(default_factory=Counter)


_NOBODY: Mapping[str, Recorded] = MappingProxyType({})


class Deals(Bound):
    def keep_deals(
        self, deals: Sequence[Deal], lease: Lease, *, now: float, stood: Mapping[str, Recorded] = _NOBODY
    ) -> Kept:
        """Remember deals as a read shows them that began `now`; what they show tells what became of stamps
        that were meant. stood: how the companies of those met for the first time stood when they began."""
        kept = Kept()
        with self.writing("deal") as conn:
            self.guard(conn, lease)
            before: dict[str, Any] = {}
            for ids in chunks([deal.id for deal in deals], _AT_ONCE):
                those = select(_DEAL).where(self._mine, _DEAL.c.id.in_(ids))
                before |= {str(found.id): found for found in conn.execute(those)}
            rows: dict[str, dict[str, Any]] = {}
            for deal in deals:
                row, moved = row_of(deal, before.get(deal.id), stood.get(deal.id), now)
                rows[deal.id] = {**row, "connection": self.connection}
                if deal.id not in before:
                    kept.new.append(deal.id)
                if moved is not None:
                    kept.settled[moved] += 1
            upsert(conn, _DEAL, list(rows.values()))
        return kept

    def deals_known(self, ids: Sequence[str]) -> set[str]:
        """Which of these deals were met before."""
        found: set[str] = set()
        with self.reading() as conn:
            for some in chunks(ids, _AT_ONCE):
                those = select(_DEAL.c.id).where(self._mine, _DEAL.c.id.in_(some))
                found |= set(conn.execute(those).scalars())
        return found

    def unseen_deals(self, since: float) -> tuple[int, int]:
        """How many deals no read has met that began since, and how many there are."""
        unseen = func.count().filter(_DEAL.c.seen_at < since)
        with self.reading() as conn:
            missing, of = conn.execute(select(unseen, func.count()).where(self._mine, _HERE)).one()
        return int(missing), int(of)

    def deals_gone(self, lease: Lease, *, unseen_since: float, now: float) -> int:
        """Deals that no read has met that began since: deleted, or hidden from us. What is known of them
        waits for them to come back, for as long as the retention says."""
        with self.writing("deal") as conn:
            self.guard(conn, lease)
            those = (self._mine, _HERE, _DEAL.c.seen_at < unseen_since)
            return conn.execute(update(_DEAL).where(*those).values(gone_at=now)).rowcount

    def recorded(self, wanted: Mapping[str, tuple[str, float, float]]) -> dict[str, Recorded]:
        """Key → (account, at, until): the evaluation in force at an instant, or else the first one until
        another. Absent: nobody had looked at the account by then, or another was merged into it since, and
        nobody knows which of the two is meant."""
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
                merged = self._merged_into(conn, some)
                for key, (account, at, until) in wanted.items():
                    one = _in_force(history.get(account, ()), at, until)
                    if one is not None and merged.get(account, float("-inf")) < at:
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
        rows = [{"b_id": id, **one.values} for id, one in found.items() if one.tier]
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
                "refusals": one.refusals,
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
        none = (_OPEN, _DEAL.c.stamp == Stamp.NONE.value)
        mine = (self._mine, _HERE, *none, _DEAL.c.created_at >= created_since)
        with self.reading() as conn:
            return list(map(stored, conn.execute(select(*COLUMNS).where(*mine).order_by(_DEAL.c.id))))

    def deals_to_stamp(
        self, *, created_since: float, now: float, after: str = "", limit: int = 500
    ) -> list[StoredDeal]:
        """Deals created since whose stamp is known and may be sent now, in order of id."""
        waiting = and_(_DEAL.c.stamp.in_((Stamp.INTENDED.value, Stamp.REFUSED.value)), _DEAL.c.due <= now)
        mine = (self._mine, _HERE, ~_OPEN, _DEAL.c.created_at >= created_since, _DEAL.c.id > after)
        ready = or_(_DEAL.c.stamp == Stamp.NONE.value, waiting)
        with self.reading() as conn:
            rows = conn.execute(select(*COLUMNS).where(*mine, ready).order_by(_DEAL.c.id).limit(limit))
            return list(map(stored, rows))

    def unsure_since(self) -> float | None:
        """The earliest change of a deal whose stamp was sent with an unknown fate, and that was not read
        since; None for no such."""
        sent = (_DEAL.c.stamp == Stamp.INTENDED.value, _DEAL.c.due.is_(None))
        unread = or_(_DEAL.c.stamped_at.is_(None), _DEAL.c.seen_at <= _DEAL.c.stamped_at)
        earliest = select(func.min(_DEAL.c.changed_at)).where(self._mine, _HERE, *sent, unread)
        with self.reading() as conn:
            found = conn.execute(earliest).scalar()
        return None if found is None else float(found)

    def deals_told(self, changed_since: float) -> dict[str, int]:
        """Deals changed since of which another read tells nothing new while they stay as they are: id → that
        change (ms). Whoever still waits for a company, a tier or the fate of a stamp is not among them."""
        told = (_DEAL.c.account != "", _DEAL.c.stamp != Stamp.INTENDED.value)
        decided = or_(~_OPEN, _DEAL.c.stamp != Stamp.NONE.value)
        mine = (self._mine, _HERE, _DEAL.c.changed_at >= changed_since)
        with self.reading() as conn:
            found = conn.execute(select(_DEAL.c.id, _DEAL.c.changed_at).where(*mine, *told, decided))
            return {str(id): round(changed_at * 1000) for id, changed_at in found}

    def deals(self, *, created_since: float = 0.0, after: str = "", limit: int = 1000) -> list[StoredDeal]:
        """Deals created since that are still there, in order of id: the next `limit` after an id."""
        mine = (self._mine, _HERE, _DEAL.c.created_at >= created_since, _DEAL.c.id > after)
        with self.reading() as conn:
            rows = conn.execute(select(*COLUMNS).where(*mine).order_by(_DEAL.c.id).limit(limit))
            return list(map(stored, rows))

    def stamp_counts(self) -> dict[Stamp, int]:
        """How many deals there are of each state."""
        by_state = select(_DEAL.c.stamp, func.count()).where(self._mine, _HERE).group_by(_DEAL.c.stamp)
        with self.reading() as conn:
            return {Stamp(state): int(n) for state, n in conn.execute(by_state)}

    def _merged_into(self, conn: Connection, accounts: Sequence[str]) -> dict[str, float]:
        """Of these accounts those that others were merged into → when we last learned of one."""
        survivor = _ACCOUNT.c.survivor
        gone = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.status == "gone")
        mine = (*gone, survivor.in_(accounts), survivor != "")
        last = select(survivor, func.max(_ACCOUNT.c.settled_at)).where(*mine).group_by(survivor)
        return {str(account): float(at) for account, at in conn.execute(last)}

    @property
    def _mine(self) -> ColumnElement[bool]:
        return _DEAL.c.connection == self.connection


_OPEN = _DEAL.c.tier == ""
_HERE = _DEAL.c.gone_at.is_(None)


def _in_force(history: Sequence[Any], at: float, until: float) -> Any | None:
    """Of evaluations, oldest first, the last one up to an instant, or else the first one until another."""
    n = bisect_right([row.at for row in history], at)
    if n:
        return history[n - 1]
    return history[0] if history and history[0].at <= until else None
