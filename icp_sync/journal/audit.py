"""Who changed what: append-only, each entry's digest covering the one before, so that a gap shows."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.records import Audited

_AUDIT = schema.audit


class Audit(Bound):
    def audit(self, what: str, *, who: str, now: float, **detail: object) -> int:
        """Add an entry; returns its number. detail: plain JSON."""
        who, what, text = plain(who), plain(what), dumps(detail)
        with self.writing("audit") as conn:
            before = self._last(conn)
            row = {
                "connection": self.connection,
                "at": now,
                "who": who,
                "what": what,
                "detail": text,
                "digest": _digest(before, now, who, what, text),
            }
            entered = conn.execute(_AUDIT.insert().values(row).returning(_AUDIT.c.seq))
            return int(entered.scalar_one())

    def _last(self, conn: Connection) -> str:
        """The digest of the newest entry; nobody else adds one until this transaction ends."""
        mine = _AUDIT.c.connection == self.connection
        newest = select(_AUDIT.c.digest).where(mine).order_by(_AUDIT.c.seq.desc()).limit(1)
        return str(conn.execute(newest.with_for_update()).scalar() or "")

    def audited(self, *, since: float = 0.0, limit: int | None = None) -> list[Audited]:
        """Entries from an instant on, oldest first; with a limit the newest so many."""
        mine = (_AUDIT.c.connection == self.connection, _AUDIT.c.at >= since)
        with self.reading() as conn:
            rows = conn.execute(
                select(*_AUDIT.c).where(*mine).order_by(_AUDIT.c.seq.desc()).limit(limit)
            ).all()
        return [
            Audited(
                seq=row.seq,
                at=row.at,
                who=row.who,
                what=row.what,
                detail=loads(row.detail),
                digest=row.digest,
            )
            for row in reversed(rows)
        ]

    def audit_broken(self) -> int | None:
        """The number of the first entry that does not follow from the one before, None when all do."""
        digest = ""
        with self.reading() as conn:
            rows = conn.execute(
                select(*_AUDIT.c).where(_AUDIT.c.connection == self.connection).order_by(_AUDIT.c.seq)
            )
            for row in rows:
                if _digest(digest, row.at, row.who, row.what, row.detail) != row.digest:
                    return int(row.seq)
                digest = row.digest
        return None


def _digest(before: str, at: float, who: str, what: str, detail: str) -> str:
    return sha256("\x00".join((before, repr(at), who, what, detail)).encode()).hexdigest()
