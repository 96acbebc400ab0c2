"""Runs, and the counters that outlive them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import insert
from icp_sync.journal.encoding import dumps, loads
from icp_sync.journal.records import RunRecord

_RUN = schema.run
_EVENT = schema.event


class Runs(Bound):
    def start_run(
        self, kind: str, *, now: float, detail: Mapping[str, object] | None = None, partition: str = ""
    ) -> str:
        """Record a run that begins; returns its id, which sorts by time: 20261121-223000-ab12.

        partition: the range of a backfill it makes, "" for no such.
        """
        begun = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        with self.writing("run") as conn:
            while True:
                run_id = f"{begun}-{secrets.token_hex(2)}"
                row = {
                    "connection": self.connection,
                    "id": run_id,
                    "kind": kind,
                    "started_at": now,
                    "ended_at": None,
                    "detail": dumps(detail or {}),
                    "report": "",
                    "partition": partition,
                }
                fresh = insert(conn, _RUN).values(row).on_conflict_do_nothing().returning(_RUN.c.id)
                if conn.execute(fresh).scalar() is not None:
                    return run_id

    def report_run(self, run_id: str, report: Mapping[str, object]) -> None:
        """What a run that goes on has done so far."""
        with self.writing("run") as conn:
            conn.execute(
                update(_RUN)
                .where(_RUN.c.connection == self.connection, _RUN.c.id == run_id)
                .values(report=dumps(report))
            )

    def end_run(self, run_id: str, report: Mapping[str, object], *, now: float) -> None:
        with self.writing("run") as conn:
            conn.execute(
                update(_RUN)
                .where(_RUN.c.connection == self.connection, _RUN.c.id == run_id)
                .values(ended_at=now, report=dumps(report))
            )

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The latest runs, newest first."""
        columns = (_RUN.c.id, _RUN.c.kind, _RUN.c.started_at, _RUN.c.ended_at, _RUN.c.detail, _RUN.c.report)
        with self.reading() as conn:
            rows = conn.execute(
                select(*columns)
                .where(_RUN.c.connection == self.connection)
                .order_by(_RUN.c.started_at.desc(), _RUN.c.id.desc())
                .limit(limit)
            ).all()
        return [
            RunRecord(
                id=run_id,
                kind=kind,
                started_at=started_at,
                ended_at=ended_at,
                detail=loads(detail),
                report=loads(report),
            )
            for run_id, kind, started_at, ended_at, detail, report in rows
        ]

    def count_event(self, name: str, n: int = 1) -> None:
        """Add to a counter that survives restarts, such as sweep_found_missing."""
        with self.writing("event") as conn:
            count(conn, self.connection, name, n)

    def events(self) -> dict[str, int]:
        with self.reading() as conn:
            mine = _EVENT.c.connection == self.connection
            rows = conn.execute(select(_EVENT.c.name, _EVENT.c.count).where(mine))
            return dict(rows.all())


def count(conn: Connection, connection: str, name: str, n: int) -> None:
    statement = insert(conn, _EVENT).values(connection=connection, name=name, count=n)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["connection", "name"], set_={"count": _EVENT.c.count + statement.excluded.count}
        )
    )
