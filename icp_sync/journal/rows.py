"""One account's row while a transaction changes it, and whose load it counts for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from icp_sync.journal import schema
from icp_sync.journal.database import chunks, insert

_TABLE = schema.account


class Stored(NamedTuple):
    """What a transaction must know of an account before it changes it."""

    version: int = 0
    status: str = ""
    counted_owner: str = ""
    survivor: str = ""
    confirmed: str = ""
    intents: str = ""
    unechoed: str = ""
    owed: str = ""
    domain: str = ""
    former: str = ""


ABSENT = Stored()


def lock(conn: Connection, connection: str, ids: Iterable[str]) -> dict[str, Stored]:
    """The rows of these accounts, held until the transaction ends; in id order, so nobody deadlocks."""
    columns = [_TABLE.c[name] for name in Stored._fields]
    found: dict[str, Stored] = {}
    for chunk in chunks(sorted(set(ids))):
        statement = (
            select(_TABLE.c.id, *columns)
            .where(_TABLE.c.connection == connection, _TABLE.c.id.in_(chunk))
            .order_by(_TABLE.c.id)
            .with_for_update()
        )
        for account_id, *values in conn.execute(statement):
            found[account_id] = Stored(*values)
    return found


def blank(connection: str, account_id: str) -> dict[str, Any]:
    """A row for an account of which only evidence or an intent is known yet."""
    return {
        "connection": connection,
        "id": account_id,
        "version": 0,
        "status": "",
        "counted_owner": "",
        "in_scope": False,
        "tier": "",
        "profile_version": 0,
        "score": None,
        "wake_at": None,
        "seen_stamp": None,
        "stamp": 0,
        "settled_at": 0.0,
        "attempts": 0,
        "domain": "",
        "name": "",
        "name_key": "",
        "owner": "",
        "survivor": "",
        "problem": "",
        "fingerprint": "",
        "previous": "",
        "confirmed": "",
        "intents": "",
        "intended_by": "",
        "intended_at": None,
        "evidence": "",
        "parent": "",
        "group_key": "",
        "unechoed": "",
        "sent_at": 0.0,
        "owed": "",
        "withdrawn": "",
        "former": "",
    }


class Loads:
    """How the loads of owners change in one transaction: each account counts for at most one owner."""

    def __init__(self) -> None:
        self.deltas: Counter[str] = Counter()

    def move(self, before: str, after: str) -> None:
        if before != after:
            self.deltas[before] -= 1
            self.deltas[after] += 1

    def store(self, conn: Connection, connection: str) -> None:
        """Add what changed to the counters, each with a new version, in owner order."""
        changed = {owner: delta for owner, delta in sorted(self.deltas.items()) if owner and delta}
        add_to_loads(conn, connection, changed)


def add_to_loads(conn: Connection, connection: str, deltas: Mapping[str, int]) -> None:
    if not deltas:
        return
    table = schema.load
    statement = insert(conn, table)
    statement = statement.on_conflict_do_update(
        index_elements=["connection", "owner"],
        set_={"load": table.c.load + statement.excluded.load, "version": table.c.version + 1},
    )
    rows = [
        {"connection": connection, "owner": owner, "load": delta, "version": 1}
        for owner, delta in deltas.items()
    ]
    conn.execute(statement, rows)
