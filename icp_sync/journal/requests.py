"""What a command asks of the process that holds the journal: handed over here, and followed from here."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, func, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.records import Asked

_REQUEST = schema.request

WAITING, RUNNING, CANCELLED = "waiting", "running", "cancelled"
OPEN = (WAITING, RUNNING)
BEGUN = "begun"
"""Under this name the progress of a request says when it was first taken in hand, epoch seconds."""


class Requests(Bound):
    def ask(self, kind: str, args: Mapping[str, object], *, by: str, now: float) -> str:
        """Hand a request over; returns its id, which sorts by time."""
        begun = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S-%f")
        request_id = f"{begun}-{secrets.token_hex(2)}"
        row = {
            "connection": self.connection,
            "id": request_id,
            "kind": kind,
            "args": dumps(args),
            "by": plain(by),
            "at": now,
            "state": WAITING,
            "run": "",
            "progress": "",
            "result": "",
            "updated_at": now,
        }
        with self.writing("request") as conn:
            conn.execute(_REQUEST.insert(), row)
        return request_id

    def request(self, request_id: str) -> Asked | None:
        with self.reading() as conn:
            row = conn.execute(
                select(*_REQUEST.c).where(
                    _REQUEST.c.connection == self.connection, _REQUEST.c.id == request_id
                )
            ).first()
        return None if row is None else _asked(row)

    def requests(self, *states: str, limit: int = 100) -> list[Asked]:
        """The latest requests, newest first, of these states or of all."""
        mine = [_REQUEST.c.connection == self.connection]
        if states:
            mine.append(_REQUEST.c.state.in_(states))
        with self.reading() as conn:
            rows = conn.execute(select(*_REQUEST.c).where(*mine).order_by(_REQUEST.c.id.desc()).limit(limit))
            return [_asked(row) for row in rows]

    def next_request(self, *kinds: str, but: Collection[str] = ()) -> Asked | None:
        """The oldest that is not finished, of these kinds or of all but some; one that is running already
        was left by a process that died."""
        mine = [_REQUEST.c.connection == self.connection, _REQUEST.c.state.in_(OPEN)]
        if kinds:
            mine.append(_REQUEST.c.kind.in_(kinds))
        if but:
            mine.append(_REQUEST.c.kind.not_in(but))
        with self.reading() as conn:
            row = conn.execute(select(*_REQUEST.c).where(*mine).order_by(_REQUEST.c.id).limit(1)).first()
        return None if row is None else _asked(row)

    def open_kinds(self) -> dict[tuple[str, str], float]:
        """(connection, kind) of every connection's requests that are not finished → when the oldest was made,
        epoch seconds. One query, however many connections there are."""
        open_ones = (
            select(_REQUEST.c.connection, _REQUEST.c.kind, func.min(_REQUEST.c.at))
            .where(_REQUEST.c.state.in_(OPEN))
            .group_by(_REQUEST.c.connection, _REQUEST.c.kind)
        )
        with self.reading() as conn:
            return {(connection, kind): float(at) for connection, kind, at in conn.execute(open_ones)}

    def take_request(self, request_id: str, *, run: str = "", now: float) -> bool:
        """Begin it; false when it was cancelled or finished meanwhile."""
        return self._set(request_id, OPEN, now, state=RUNNING, run=run)

    def progress_request(self, request_id: str, progress: Mapping[str, object], *, now: float) -> bool:
        """Say how far it is; false when it was cancelled: then stop."""
        return self._set(request_id, (RUNNING,), now, progress=dumps(progress))

    def end_request(self, request_id: str, *, state: str, result: Mapping[str, object], now: float) -> bool:
        """It is done, or failed for the reason in the result."""
        return self._set(request_id, OPEN, now, state=state, result=dumps(result))

    def cancel_request(self, request_id: str, *, now: float) -> bool:
        """Take it back, or stop it at its next page; false when it is finished already."""
        return self._set(request_id, OPEN, now, state=CANCELLED)

    def _set(self, request_id: str, states: tuple[str, ...], now: float, **values: object) -> bool:
        those = (
            _REQUEST.c.connection == self.connection,
            _REQUEST.c.id == request_id,
            _REQUEST.c.state.in_(states),
        )
        with self.writing("request") as conn:
            done = conn.execute(update(_REQUEST).where(*those).values(updated_at=now, **values))
            return bool(done.rowcount)


def _asked(row: Row[Any]) -> Asked:
    return Asked(
        id=row.id,
        kind=row.kind,
        args=loads(row.args),
        by=row.by,
        at=row.at,
        state=row.state,
        run=row.run,
        progress=loads(row.progress),
        result=loads(row.result),
        updated_at=row.updated_at,
    )
