"""Before anything is sent: claim the accounts, reserve the owners' loads, write down what will be written.

All in one transaction, before any request leaves. After a crash the recorded intents are the evidence that
a value found on the CRM is our own; they stay until a later read resolves them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from icp_sync import lean_json
from icp_sync.domain.account import Owed
from icp_sync.domain.plan import Write
from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import insert_missing
from icp_sync.journal.encoding import (
    loads,
    owed_to_text,
    pairs_from_text,
    pairs_to_text,
    plain,
)
from icp_sync.journal.records import Lease
from icp_sync.journal.rows import ABSENT, CLAIMED, Stored, add_to_loads, lock, overwrite

_ACCOUNT = schema.account
_LOAD = schema.load

GROUP_MOVED = "its group was given to {owner} meanwhile"
ACCOUNT_MOVED = "another worker settled this account meanwhile"
LOAD_MOVED = "the load of {owner} moved meanwhile"


class Intend(Bound):
    def intend(
        self,
        writes: Sequence[Write],
        *,
        versions: Mapping[str, int],
        assignments: Mapping[str, str],
        load_versions: Mapping[str, int],
        run: str,
        lease: Lease,
        now: float,
        together: Mapping[str, tuple[str, frozenset[str]]] | None = None,
        sent_at: float = 0.0,
        owed: Mapping[str, Mapping[str, Owed]] | None = None,
    ) -> tuple[tuple[Write, ...], dict[str, str]]:
        """Claim the accounts of these writes; returns the writes that may be sent and the losers' reasons.

        versions: account id → version as recalled (absent is 0); a winner's grows by one. assignments:
        account id → owner email, reserved by compare-and-set on the owner's load (load_versions, absent
        is 0). together: of assignments that keep a group in one hand, account id → the group and who owned
        something in it when it was decided. sent_at: the CRM's clock, epoch
        seconds, so that the read that follows can find what somebody changed between our last read and this
        write. owed: of accounts that are owed something, all of it. Of a loser nothing is recorded. Raises
        LostLeaseError when the lease was taken over.
        """
        expected = {write.account_id: versions.get(write.account_id, 0) for write in writes}
        with self.writing("intend") as conn:
            self.guard(conn, lease)
            stored = lock(conn, self.connection, expected)
            lost = {
                account_id: ACCOUNT_MOVED
                for account_id, version in expected.items()
                if stored.get(account_id, ABSENT).version != version
            }
            owners = {
                i: owner for i, owner in assignments.items() if i in expected and i not in lost and owner
            }
            keeping = {i: pair for i, pair in (together or {}).items() if i in owners}
            lost |= self._apart(conn, owners, keeping)
            owners = {i: owner for i, owner in owners.items() if i not in lost}
            lost |= self._reserve(conn, owners, stored, load_versions)
            kept = tuple(write for write in writes if write.account_id not in lost)
            self._claim(conn, kept, stored, owners, run, now, sent_at, owed or {})
            self._join(conn, {i: group for i, (group, _) in keeping.items() if i not in lost})
        return kept, lost

    def _reserve(
        self,
        conn: Connection,
        owners: Mapping[str, str],
        stored: Mapping[str, Stored],
        load_versions: Mapping[str, int],
    ) -> dict[str, str]:
        """Count each assigned account for its new owner; the accounts of an owner whose load moved lose."""
        if not owners:
            return {}
        before = {account_id: stored.get(account_id, ABSENT).counted_owner for account_id in owners}
        names = sorted({*owners.values(), *before.values()} - {""})
        absent = [{"connection": self.connection, "owner": name, "load": 0, "version": 0} for name in names]
        insert_missing(conn, _LOAD, absent)
        rows = conn.execute(
            select(_LOAD.c.owner, _LOAD.c.version)
            .where(_LOAD.c.connection == self.connection, _LOAD.c.owner.in_(names))
            .order_by(_LOAD.c.owner)
            .with_for_update()
        )
        moved = {name for name, version in rows if version != load_versions.get(name, 0)}
        lost = {i: LOAD_MOVED.format(owner=owner) for i, owner in owners.items() if owner in moved}
        deltas = Counter[str]()
        for account_id, owner in owners.items():
            if account_id in lost:
                continue
            deltas[owner] += before[account_id] != owner  # even by 0: an assignment moves the version
            if before[account_id] not in ("", owner):
                deltas[before[account_id]] -= 1
        add_to_loads(conn, self.connection, deltas)
        return lost

    def _apart(
        self,
        conn: Connection,
        owners: Mapping[str, str],
        keeping: Mapping[str, tuple[str, frozenset[str]]],
    ) -> dict[str, str]:
        """Those whose group somebody else was given since it was decided."""
        now_owned: dict[str, set[str]] = {}
        groups = sorted({plain(group) for group, _ in keeping.values()})
        rows = conn.execute(
            select(_ACCOUNT.c.id, _ACCOUNT.c.group_key, _ACCOUNT.c.counted_owner).where(
                _ACCOUNT.c.connection == self.connection,
                among(_ACCOUNT.c.group_key, groups),
                _ACCOUNT.c.counted_owner != "",
                _ACCOUNT.c.status != "gone",
            )
        )
        for account_id, group, owner in rows:
            if account_id not in owners:  # else it is just being given away itself
                now_owned.setdefault(group, set()).add(owner)
        lost = {}
        for account_id, (group, known) in keeping.items():
            others = now_owned.get(plain(group), set()) - known - {owners[account_id]}
            if others:
                lost[account_id] = GROUP_MOVED.format(owner=min(others))
        return lost

    def _join(self, conn: Connection, groups: Mapping[str, str]) -> None:
        """Note the groups of accounts never settled, so that others see who was given them."""
        if groups:
            conn.execute(
                update(_ACCOUNT)
                .where(_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == bindparam("b_id"))
                .values(group_key=bindparam("b_group")),
                [{"b_id": account_id, "b_group": plain(group)} for account_id, group in groups.items()],
            )

    def _claim(
        self,
        conn: Connection,
        kept: Sequence[Write],
        stored: Mapping[str, Stored],
        owners: Mapping[str, str],
        run: str,
        now: float,
        sent_at: float,
        owed: Mapping[str, Mapping[str, Owed]],
    ) -> None:
        rows: dict[str, Stored] = {}
        for write in kept:
            before = stored.get(write.account_id, ABSENT)
            last = rows.get(write.account_id, before)
            rows[write.account_id] = before._replace(
                version=before.version + 1,
                counted_owner=owners.get(write.account_id, before.counted_owner),
                intents=with_intents(last.intents, write.values),
                unechoed=pairs_to_text(pairs_from_text(before.unechoed) | write.awaited),
                owed=owed_to_text(owed[write.account_id]) if write.account_id in owed else before.owed,
                sent_at=sent_at,
                intended_by=run,
                intended_at=now,
            )
        met = {account_id: row for account_id, row in rows.items() if account_id in stored}
        overwrite(conn, self.connection, met, CLAIMED)
        overwrite(conn, self.connection, {i: row for i, row in rows.items() if i not in met})


def with_intents(text: str, values: Mapping[str, str]) -> str:
    """Stored intents plus one value per field."""
    intents: dict[str, list[str]] = loads(text)
    for name, value in values.items():
        known = intents.setdefault(name, [])
        if value not in known:
            known.append(value)
    return lean_json.dumps(intents)
