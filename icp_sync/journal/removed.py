"""What is known of fields that were taken away from the CRM is forgotten: made again, they begin anew."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import dumps, loads
from icp_sync.journal.rows import lock

_ACCOUNT = schema.account
_HELD = schema.left_alone


class Removed(Bound):
    def forget_fields(self, fields: Collection[str]) -> int:
        """Forget whose values stood in these fields, ours and people's; returns on how many accounts.

        Without this their being blank later would look as if people had cleared them. Values that come back
        with the fields are known by the seal. Each page of accounts is a transaction; repeating is harmless.
        """
        with self.reading() as conn:
            mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.confirmed != "")
            ids = list(conn.execute(select(_ACCOUNT.c.id).where(*mine).order_by(_ACCOUNT.c.id)).scalars())
        return sum(self._forget_those(page, frozenset(fields)) for page in chunks(ids)) if fields else 0

    def _forget_those(self, ids: Collection[str], fields: frozenset[str]) -> int:
        forgotten = 0
        with self.writing("state") as conn:
            for account_id, stored in lock(conn, self.connection, ids).items():
                confirmed = loads(stored.confirmed)
                left = {field: value for field, value in confirmed.items() if field not in fields}
                if len(left) < len(confirmed):
                    forgotten += 1
                    those = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == account_id)
                    known = {"confirmed": dumps(left), "version": stored.version + 1, "fingerprint": ""}
                    conn.execute(update(_ACCOUNT).where(*those).values(known))
            held = (
                _HELD.c.connection == self.connection,
                _HELD.c.account.in_(ids),
                _HELD.c.field.in_(fields),
            )
            conn.execute(delete(_HELD).where(*held))
        return forgotten
