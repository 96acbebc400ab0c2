"""What a write that evaluated nothing made of its accounts: an undo, an applied plan.

Of each account only whose values are whose, what was withdrawn and the history change. Its evaluation stays
as it was; it is due at once, and the read that follows resolves its intents like those of any crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.commit import keep_evidence, log_changes, move, with_confirmed, without
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import pairs_to_text, plain, withdrawn_to_text
from icp_sync.journal.guarding import note_movements
from icp_sync.journal.records import Amended, Lease
from icp_sync.journal.rows import ABSENT, Loads, Stored, lock
from icp_sync.ports import Position

_ACCOUNT = schema.account
_AMENDED = (
    "version",
    "confirmed",
    "intents",
    "counted_owner",
    "owner",
    "stamp",
    "unechoed",
    "sent_at",
    "withdrawn",
    "problem",
)


class Amend(Bound):
    def amend(
        self,
        amended: Sequence[Amended],
        *,
        position: Position | None,
        stream: str,
        partition: str = "",
        lease: Lease,
        run: str,
        now: float,
    ) -> list[str]:
        """Remember these writes and how far the run is; returns the accounts another worker overtook.

        Of those the evidence is kept, as in `commit`. Raises LostLeaseError, having changed nothing.
        """
        with self.writing("amend") as conn:
            self.guard(conn, lease)
            overtaken = self._amend(conn, amended, now)
            log_changes(conn, self.connection, amended, run, now)
            note_movements(conn, self.connection, amended, run, now)
            if position is not None:
                move(conn, self.connection, stream, partition, position, now)
        return overtaken

    def _amend(self, conn: Connection, amended: Sequence[Amended], now: float) -> list[str]:
        """Overwrite the accounts still at the version we know; returns the others."""
        stored = lock(conn, self.connection, (one.account_id for one in amended))
        known = self._known(conn, list(stored))
        moved, rows, overtaken = Loads(), [], []
        for one in amended:
            before = stored.get(one.account_id, ABSENT)
            if before.version != one.version:
                keep_evidence(conn, self.connection, one, before, now)
                overtaken.append(one.account_id)
                continue
            values = _after(one, before, known[one.account_id])
            moved.move(before.counted_owner, values["counted_owner"])
            rows.append({"b_id": one.account_id, **{f"b_{name}": value for name, value in values.items()}})
        if rows:
            conn.execute(
                update(_ACCOUNT)
                .where(_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == bindparam("b_id"))
                .values(
                    fingerprint="",
                    wake_at=now,
                    seen_stamp=None,
                    attempts=0,
                    **{name: bindparam(f"b_{name}") for name in _AMENDED},
                ),
                rows,
            )
        moved.store(conn, self.connection)
        return overtaken

    def _known(self, conn: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
        found: dict[str, Row[Any]] = {}
        for chunk in chunks(ids):
            mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(chunk))
            columns = (_ACCOUNT.c.id, _ACCOUNT.c.owner, _ACCOUNT.c.stamp, _ACCOUNT.c.in_scope)
            found |= {row.id: row for row in conn.execute(select(*columns).where(*mine))}
        return found


def _after(one: Amended, before: Stored, known: Row[Any]) -> dict[str, Any]:
    """The columns in `_AMENDED`."""
    owner = known.owner if one.owner is None else plain(one.owner)
    gone = {name: (value,) for name, value in one.replaced.items()}  # no evidence of anything any more
    return {
        "version": before.version + 1,
        "confirmed": with_confirmed(before.confirmed, one),
        "intents": without(before.intents, gone) if gone else before.intents,
        "counted_owner": before.counted_owner if one.owner is None else owner if known.in_scope else "",
        "owner": owner,
        "stamp": max(known.stamp, one.stamp),
        "unechoed": pairs_to_text(one.unechoed),
        "sent_at": one.sent_at,
        "withdrawn": withdrawn_to_text(one.withdrawn),
        "problem": plain(one.problem, 2000),
    }
