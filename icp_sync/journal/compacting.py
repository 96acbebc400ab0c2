"""Giving back the room that pruned and erased rows took in the database."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, text

from icp_sync.errors import UnavailableError
from icp_sync.journal import postgres, schema
from icp_sync.journal.bound import Bound


class Compacting(Bound):
    def compact(self) -> tuple[int, int]:
        """Bytes before and after. On SQLite the file is written anew, which needs as much room again beside
        it and nobody else at work; a PostgreSQL server keeps its files and uses the room again.

        Raises UnavailableError when the room is not there, or somebody else is reading.
        """
        if self.engine.dialect.name == postgres.NAME:
            return self._on_postgres()
        before = self._pages()
        raw = self.engine.raw_connection()
        try:
            driver = raw.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the journal cannot be compacted now: {error}", next_step="icp-sync status"
            ) from error
        finally:
            raw.close()
        return before, self._pages()

    def _pages(self) -> int:
        with self.reading() as conn:
            pages, size = (
                int(conn.execute(text(f"PRAGMA {name}")).scalar_one()) for name in ("page_count", "page_size")
            )
        return pages * size

    def _on_postgres(self) -> tuple[int, int]:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            before = _size(conn)
            conn.execute(text("SET statement_timeout = 0"))
            try:
                for name in schema.metadata.tables:
                    conn.execute(text(f"VACUUM (ANALYZE) {conn.dialect.identifier_preparer.quote(name)}"))
            finally:
                wait = postgres.SESSION["statement_timeout"]
                conn.execute(text(f"SET statement_timeout = '{wait}'"))
            return before, _size(conn)


def _size(conn: Connection) -> int:
    sizes = text(
        "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)"
        " FROM unnest(cast(:names AS text[])) name"
    )
    return int(conn.execute(sizes, {"names": list(schema.metadata.tables)}).scalar_one())
