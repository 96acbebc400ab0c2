"""What people hold of ours, kept anew with each page: a value that they hold still keeps its date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, select

from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import dumps, loads
from icp_sync.journal.records import Settled

_TABLE = schema.left_alone


def keep_left_alone(conn: Connection, connection: str, landed: Sequence[Settled], now: float) -> None:
    """Within a page's commit: replace what people hold on these accounts."""
    since: dict[tuple[str, str], tuple[str, float]] = {}
    ids = [one.account_id for one in landed]
    mine = (_TABLE.c.connection == connection, among(_TABLE.c.account, ids))
    for account_id, name, held, at in conn.execute(
        select(_TABLE.c.account, _TABLE.c.field, _TABLE.c.held, _TABLE.c.since).where(*mine)
    ):
        since[account_id, name] = (loads(held)[0], at)
    if gone := {account_id for account_id, _ in since}:
        _delete_held(conn, connection, gone)
    rows = {}
    for one in landed:
        for name, (live, desired) in one.left_alone.items():
            held_since = since.get((one.account_id, name))
            rows[one.account_id, name] = {
                "connection": connection,
                "account": one.account_id,
                "field": name,
                "held": dumps([live, desired]),
                "since": held_since[1] if held_since and held_since[0] == live else now,
            }
    upsert(conn, _TABLE, list(rows.values()))


def _delete_held(conn: Connection, connection: str, ids: Iterable[str]) -> None:
    conn.execute(
        delete(_TABLE).where(_TABLE.c.connection == connection, _TABLE.c.account == bindparam("b_id")),
        [{"b_id": account_id} for account_id in ids],
    )
