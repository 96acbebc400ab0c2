"""Values of ours that people hold: listing them, and taking them back on a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, select, update

from icp_sync.domain.account import Confirmed, Origin
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import confirmed_to_json, dumps, loads
from icp_sync.journal.records import LeftAlone
from icp_sync.journal.rows import lock

_ACCOUNT = schema.account
_HELD = schema.left_alone

RELEASED = "released"


class Held(Bound):
    def left_alone(self) -> list[LeftAlone]:
        """Every value people hold, by account."""
        mine = (_HELD.c.connection == self.connection, _ACCOUNT.c.connection == self.connection)
        with self.reading() as conn:
            rows = conn.execute(
                select(_HELD.c.account, _ACCOUNT.c.name, _HELD.c.field, _HELD.c.held, _HELD.c.since)
                .join(_ACCOUNT, _ACCOUNT.c.id == _HELD.c.account)
                .where(*mine)
                .order_by(_HELD.c.account, _HELD.c.field)
            ).all()
        found = []
        for account_id, name, field, text, since in rows:
            live, desired = loads(text)
            found.append(
                LeftAlone(
                    account_id=account_id, name=name, field=field, live=live, desired=desired, since=since
                )
            )
        return found

    def left_alone_count(self) -> int:
        """How many values people hold."""
        with self.reading() as conn:
            mine = select(func.count()).select_from(_HELD).where(_HELD.c.connection == self.connection)
            return int(conn.execute(mine).scalar_one())

    def release(
        self, account_id: str, fields: Sequence[str] | None, *, now: float, run: str = ""
    ) -> list[str]:
        """Make the values people hold on this account ours again, all of them when `fields` is None.

        They count as confirmed by us at their live value, so the next settlement may overwrite them; the
        account is due now. Returns the fields released. The history says so.
        """
        with self.writing("release") as conn:
            stored = lock(conn, self.connection, (account_id,)).get(account_id)
            mine = (_HELD.c.connection == self.connection, _HELD.c.account == account_id)
            held = {
                field: loads(text)[0]
                for field, text in conn.execute(select(_HELD.c.field, _HELD.c.held).where(*mine))
                if fields is None or field in fields
            }
            if stored is None or not held:
                return []
            ours = {field: Confirmed(value=live, origin=Origin.OURS, at=now) for field, live in held.items()}
            conn.execute(
                update(_ACCOUNT)
                .where(_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == account_id)
                .values(
                    confirmed=dumps(loads(stored.confirmed) | confirmed_to_json(ours)),
                    version=stored.version + 1,
                    fingerprint="",
                    wake_at=now,
                )
            )
            conn.execute(delete(_HELD).where(*mine, _HELD.c.field.in_(held)))
            _log(conn, self.connection, account_id, held, now, run)
        return sorted(held)


def _log(
    conn: Connection, connection: str, account_id: str, held: Mapping[str, str], now: float, run: str
) -> None:
    row = {
        "connection": connection,
        "run": run,
        "account": account_id,
        "at": now,
        "result": RELEASED,
        "changes": dumps([[field, live, live, "released by hand"] for field, live in held.items()]),
    }
    conn.execute(schema.change_log.insert(), row)
