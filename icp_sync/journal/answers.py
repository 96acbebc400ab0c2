"""What enrichers answered, and what it cost: a question is written down before it is asked.

A row "asked" stands from before the request until its answer arrives. After a crash its fate is unknown:
it may have been paid, so it is not asked again before `retry_unknown_after`. The price counts as spent
from the reservation on, and becomes the real charge with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from icp_sync.domain.facts import Signal
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks, insert, upsert
from icp_sync.journal.encoding import dumps, plain, signals_from_text, signals_to_text
from icp_sync.journal.records import Answered

_ANSWER = schema.answer
_PURCHASE = schema.purchase

RETRY_UNKNOWN_AFTER = 3600.0


class Answers(Bound):
    def reserve(
        self,
        enricher: str,
        keys: Sequence[str],
        price: float,
        *,
        now: float,
        run: str,
        retry_unknown_after: float = RETRY_UNKNOWN_AFTER,
    ) -> tuple[str, ...]:
        """Reserve one request per company key; returns the keys that may be asked now, in order.

        Left out are keys with a valid answer, unless nobody can read it, and those asked less than
        `retry_unknown_after` seconds ago.
        price: credits per request, counted as spent from now on.
        """
        wanted = {plain(key): key for key in keys if key}
        free: set[str] = set()
        with self.writing("reserve") as conn:
            for chunk in chunks(sorted(wanted)):
                self._expire_unreadable(conn, enricher, chunk, now)
                free |= self._ask(conn, enricher, chunk, now, now + retry_unknown_after)
            if price and free:
                self._close(conn, enricher, free)
                rows = [
                    self._purchase(enricher, key, run, now, price, still_open=True) for key in sorted(free)
                ]
                conn.execute(_PURCHASE.insert(), rows)
        return tuple(key for stored, key in wanted.items() if stored in free)

    def _ask(
        self, conn: Connection, enricher: str, keys: Sequence[str], now: float, retry_at: float
    ) -> set[str]:
        """Compare-and-set: of two workers with the same question only one gets to ask it."""
        asked = {"state": "asked", "at": now, "expires_at": retry_at, "signals": "", "unread": ""}
        statement = insert(conn, _ANSWER).on_conflict_do_update(
            index_elements=["connection", "enricher", "key"], set_=asked, where=_ANSWER.c.expires_at <= now
        )
        rows = [{"connection": self.connection, "enricher": enricher, "key": key} | asked for key in keys]
        return set(conn.execute(statement.returning(_ANSWER.c.key), rows).scalars())

    def _expire_unreadable(self, conn: Connection, enricher: str, keys: Sequence[str], now: float) -> None:
        """Give up answers that nobody can recall; else they would bar the question until they expire."""
        hits = (
            _ANSWER.c.connection == self.connection,
            _ANSWER.c.enricher == enricher,
            _ANSWER.c.state == "hit",
            _ANSWER.c.expires_at > now,
        )
        held = conn.execute(select(_ANSWER.c.key, _ANSWER.c.signals).where(*hits, _ANSWER.c.key.in_(keys)))
        lost = [key for key, text in held if not _readable(text)]
        if lost:
            conn.execute(update(_ANSWER).where(*hits, _ANSWER.c.key.in_(lost)).values(expires_at=now))

    def record(
        self,
        enricher: str,
        key: str,
        kind: str,
        signals: Sequence[Signal] = (),
        charge: float = 0.0,
        *,
        now: float,
        expires_at: float = 0.0,
        unread: Mapping[str, str] | None = None,
    ) -> None:
        """Keep one answer the moment it arrived; see `record_all`."""
        one = Answered(
            key=key,
            kind=kind,
            signals=tuple(signals),
            charge=charge,
            expires_at=expires_at,
            unread=unread or {},
        )
        self.record_all(enricher, (one,), now=now)

    def record_all(self, enricher: str, answers: Sequence[Answered], *, now: float) -> None:
        """Keep answers that arrived together, in one transaction. The last of several per key counts.

        A "none" removes the reservation and what it had put down as spent.
        """
        latest = {plain(one.key): one for one in answers}
        kept = {key: one for key, one in latest.items() if one.kind != "none"}
        rows = [
            {
                "connection": self.connection,
                "enricher": enricher,
                "key": key,
                "state": one.kind,
                "at": now,
                "expires_at": one.expires_at,
                "signals": signals_to_text(one.signals) if one.signals else "",
                "unread": dumps(one.unread) if one.unread else "",
            }
            for key, one in kept.items()
        ]
        with self.writing("record") as conn:
            upsert(conn, _ANSWER, rows)
            self._drop(conn, enricher, [key for key in latest if key not in kept])
            self._charge(conn, enricher, kept, now)

    def spent(self, enricher: str, since: float) -> float:
        """Credits spent on this enricher since then, those reserved with an unknown fate among them."""
        with self.reading() as conn:
            total = conn.execute(
                select(func.sum(_PURCHASE.c.amount)).where(
                    _PURCHASE.c.connection == self.connection,
                    _PURCHASE.c.enricher == enricher,
                    _PURCHASE.c.at >= since,
                )
            ).scalar()
        return float(total or 0.0)

    def _drop(self, conn: Connection, enricher: str, keys: Sequence[str]) -> None:
        for chunk in chunks(keys):
            conn.execute(
                delete(_ANSWER).where(
                    _ANSWER.c.connection == self.connection,
                    _ANSWER.c.enricher == enricher,
                    _ANSWER.c.key.in_(chunk),
                    _ANSWER.c.state == "asked",
                )
            )
            conn.execute(
                delete(_PURCHASE).where(
                    _PURCHASE.c.connection == self.connection,
                    _PURCHASE.c.enricher == enricher,
                    _PURCHASE.c.key.in_(chunk),
                    _PURCHASE.c.open,
                )
            )

    def _charge(self, conn: Connection, enricher: str, kept: Mapping[str, Answered], now: float) -> None:
        """Turn reserved prices into real charges; an answer nobody reserved is charged as it came."""
        reserved: dict[str, int] = {}
        for chunk in chunks(sorted(kept)):
            rows = conn.execute(
                select(_PURCHASE.c.key, _PURCHASE.c.seq).where(
                    _PURCHASE.c.connection == self.connection,
                    _PURCHASE.c.enricher == enricher,
                    _PURCHASE.c.key.in_(chunk),
                    _PURCHASE.c.open,
                )
            )
            reserved |= dict(rows.all())
        if reserved:
            conn.execute(
                update(_PURCHASE)
                .where(_PURCHASE.c.seq == bindparam("b_seq"))
                .values(amount=bindparam("b_amount"), open=False),
                [{"b_seq": seq, "b_amount": kept[key].charge} for key, seq in reserved.items()],
            )
        unreserved = [
            self._purchase(enricher, key, "", now, one.charge, still_open=False)
            for key, one in kept.items()
            if one.charge and key not in reserved
        ]
        if unreserved:
            conn.execute(_PURCHASE.insert(), unreserved)

    def _close(self, conn: Connection, enricher: str, keys: set[str]) -> None:
        """An earlier request of unknown fate that is repeated now stays counted at its price."""
        for chunk in chunks(sorted(keys)):
            conn.execute(
                update(_PURCHASE)
                .where(
                    _PURCHASE.c.connection == self.connection,
                    _PURCHASE.c.enricher == enricher,
                    _PURCHASE.c.key.in_(chunk),
                    _PURCHASE.c.open,
                )
                .values(open=False)
            )

    def _purchase(
        self, enricher: str, key: str, run: str, now: float, amount: float, *, still_open: bool
    ) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "enricher": enricher,
            "key": key,
            "run": run,
            "at": now,
            "amount": amount,
            "open": still_open,
        }


def _readable(text: str) -> bool:
    try:
        signals_from_text(text)
    except ValueError:
        return False
    return True
