"""One account's row while a transaction changes it, and whose load it counts for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bulk import update_rows, upsert_rows
from icp_sync.journal.database import insert

_TABLE = schema.account


class Stored(NamedTuple):
    """An account's row, as it is or as it shall be.

    First comes what every settlement moves and no index holds, see `MOVING`.
    """

    version: int = 0
    settled_at: float = 0.0
    stamp: int = 0
    seen_stamp: int | None = None
    intents: str = ""
    unechoed: str = ""
    sent_at: float = 0.0
    status: str = ""
    counted_owner: str = ""
    in_scope: bool = False
    tier: str = ""
    profile_version: int = 0
    score: int | None = None
    wake_at: float | None = None
    attempts: int = 0
    domain: str = ""
    name: str = ""
    name_key: str = ""
    owner: str = ""
    survivor: str = ""
    problem: str = ""
    fingerprint: str = ""
    previous: str = ""
    confirmed: str = ""
    intended_by: str = ""
    intended_at: float | None = None
    evidence: str = ""
    parent: str = ""
    group_key: str = ""
    owed: str = ""
    withdrawn: str = ""
    former: str = ""


MOVING = Stored._fields[: Stored._fields.index("status")]
"""The columns to overwrite where an account stands as it stood."""

CLAIMED = (
    *("version", "counted_owner", "intents", "unechoed", "owed", "sent_at"),
    *("intended_by", "intended_at"),
)
"""The columns to overwrite of an account that is about to be written."""

ABSENT = Stored()


def lock(conn: Connection, connection: str, ids: Iterable[str]) -> dict[str, Stored]:
    """The rows of these accounts, held until the transaction ends; in id order, so nobody deadlocks."""
    columns = [_TABLE.c[name] for name in Stored._fields]
    found: dict[str, Stored] = {}
    statement = (
        select(_TABLE.c.id, *columns)
        .where(_TABLE.c.connection == connection, among(_TABLE.c.id, set(ids)))
        .order_by(_TABLE.c.id)
        .with_for_update()
    )
    for row in conn.execute(statement).all():
        found[row[0]] = Stored._make(row[1:])
    return found


def overwrite(
    conn: Connection, connection: str, rows: Mapping[str, Stored], columns: tuple[str, ...] = Stored._fields
) -> None:
    """Store these accounts; of those that are there already, perhaps only some columns."""
    if columns == Stored._fields:
        told = [(connection, account_id, *row) for account_id, row in rows.items()]
        upsert_rows(conn, _TABLE, ("connection", "id", *columns), told)
    else:
        some = itemgetter(*map(Stored._fields.index, columns))
        told = [(connection, account_id, *some(row)) for account_id, row in rows.items()]
        update_rows(conn, _TABLE, ("connection", "id", *columns), told)


def blank(connection: str, account_id: str) -> dict[str, Any]:
    """A row for an account of which only evidence or an intent is known yet."""
    return {"connection": connection, "id": account_id, **ABSENT._asdict()}


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
