"""What experience with each source is added up to: how often it was asked, could tell, and what that cost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from icp_sync.journal import schema
from icp_sync.journal.bought import Learned, Tally
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import insert
from icp_sync.journal.encoding import plain

_TALLY = schema.tally


class Tallies(Bound):
    def learned(self) -> dict[tuple[str, str, str], Learned]:
        """(enricher, fact, segment) → all that was tallied; fact "" is the request as a whole."""
        columns = (_TALLY.c.enricher, _TALLY.c.fact, _TALLY.c.segment)
        counted = select(*columns, _TALLY.c.asked, _TALLY.c.told, _TALLY.c.charge)
        with self.reading() as conn:
            rows = conn.execute(counted.where(_TALLY.c.connection == self.connection)).all()
        return {
            (enricher, fact, segment): Learned(asked=int(asked), told=int(told), charge=float(charge))
            for enricher, fact, segment, asked, told, charge in rows
        }


def add_tallies(conn: Connection, connection: str, enricher: str, tallies: Sequence[Tally]) -> None:
    """Add to what is stored."""
    if not tallies:
        return
    statement = insert(conn, _TALLY)
    statement = statement.on_conflict_do_update(
        index_elements=["connection", "enricher", "fact", "segment"],
        set_={name: _TALLY.c[name] + statement.excluded[name] for name in ("asked", "told", "charge")},
    )
    rows = [
        {
            "connection": connection,
            "enricher": enricher,
            "fact": plain(one.fact),
            "segment": plain(one.segment),
            "asked": int(one.asked),  # PostgreSQL takes no boolean for a number
            "told": int(one.told),
            "charge": float(one.charge),
        }
        for one in tallies
    ]
    conn.execute(statement, rows)
