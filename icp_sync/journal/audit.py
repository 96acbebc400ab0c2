"""Who changed what: append-only, each entry's digest covering the one before, so that a gap shows.

How many entries there are, and the last one's digest, stand on the connection's own row as well: an end that
was taken off shows too. Where there is a seal key, digests are made with it, and nobody without it can make
the chain anew. A digest made with a key begins with the id of the installation whose key that is. Must not
know what the entries are about.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Row, select

from icp_sync.domain.seal import SealKey
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.records import Audited

_AUDIT = schema.audit

SIGNED = "audit signed"
"""The entry with which signing by a key begins behind entries that it did not sign."""


class _End(NamedTuple):
    """Where the chain ends: how many entries so far, the digest of the last, and a digest of both."""

    entries: int = 0
    digest: str = ""
    proof: str = ""

    @classmethod
    def read(cls, text: str) -> _End:
        """As written; one that cannot be read is nobody's, and proves nothing."""
        entries, _, rest = text.partition(" ")
        digest, _, proof = rest.partition(" ")
        return cls(int(entries), digest, proof) if entries.isdecimal() else cls()

    def written(self) -> str:
        return f"{self.entries} {self.digest} {self.proof}"


class Audit(Bound):
    _key: SealKey | None = None

    def signing_with(self, key: SealKey | None) -> Self:
        """This journal, whose audit is signed with the key from here on."""
        self._key = key
        return self

    def audit(self, what: str, *, who: str, now: float, **detail: object) -> int:
        """Add an entry; returns its number. detail: plain JSON."""
        key, who = self._key, plain(who)
        with self.writing("audit") as conn:
            end = self._end(conn)
            if key is not None and end.entries and not _by(end.proof, key):
                end, _ = self._add(conn, end, SIGNED, who, now, {"entries before": end.entries})
            end, number = self._add(conn, end, what, who, now, detail)
            self.set_state(conn, audit_end=end.written())
        return number

    def _add(
        self, conn: Connection, end: _End, what: str, who: str, now: float, detail: dict[str, object]
    ) -> tuple[_End, int]:
        """Add an entry behind the end as it is written down, whatever rows there are; the end, its number."""
        at, what, text = float(now), plain(what), dumps(detail)
        digest = _digest(self._key, end.digest, repr(at), who, what, text)
        row = {"connection": self.connection, "at": at, "who": who, "what": what, "detail": text}
        entered = conn.execute(_AUDIT.insert().values(row | {"digest": digest}).returning(_AUDIT.c.seq))
        count = end.entries + 1
        proof = _digest(self._key, "end", str(count), digest)
        return _End(count, digest, proof), int(entered.scalar_one())

    def _end(self, conn: Connection) -> _End:
        state = self.state(conn)
        return _End.read(str(state.audit_end)) if state else _End()

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
        """The number of the first entry that does not follow from the one before, None when all do.

        One more than the newest where the end is missing. With a key at hand: also the first one not signed
        by it behind one that is, and the newest while it is not signed. What another key signed is vouched
        for by the first entry that ours signed behind it, and is not looked at.
        """
        with self.reading() as conn:
            end, walk = self._end(conn), _Walk(self._key)
            mine = _AUDIT.c.connection == self.connection
            for row in conn.execute(select(*_AUDIT.c).where(mine).order_by(_AUDIT.c.seq)):
                if not walk.follows(row):
                    return int(row.seq)
        if (end.entries, end.digest) != (walk.count, walk.digest):
            return walk.newest + 1
        proven = not walk.count or end.proof == _digest(self._key, "end", str(walk.count), walk.digest)
        return None if self._key is None or proven else walk.newest


class _Walk:
    """The way along the chain, entry by entry, with a key or without."""

    def __init__(self, key: SealKey | None) -> None:
        self._key = key
        self._signed = False
        self.count, self.newest, self.digest = 0, 0, ""

    def follows(self, row: Row[Any]) -> bool:
        """Whether this entry follows from the one before it; then it is the one before the next."""
        ours = self._key is not None and _by(row.digest, self._key)
        begins = ours and not self._signed
        if (self._signed and not ours) or (begins and self.count and row.what != SIGNED):
            return False
        made = _digest(
            self._key if ours else None, self.digest, repr(float(row.at)), row.who, row.what, row.detail
        )
        if (ours or _by(row.digest, None)) and made != row.digest:
            return False
        self._signed |= ours
        self.count, self.newest, self.digest = self.count + 1, int(row.seq), row.digest
        return True


def _by(digest: str, key: SealKey | None) -> bool:
    """Whether a digest says that it was made with this key, or with none."""
    return digest.rpartition(":")[0] == (key.installation if key else "")


def _digest(key: SealKey | None, *parts: str) -> str:
    text = "\x00".join(parts).encode()
    if key is None:
        return sha256(text).hexdigest()
    return f"{key.installation}:{hmac.new(key.key, b'audit' + bytes(1) + text, sha256).hexdigest()}"
