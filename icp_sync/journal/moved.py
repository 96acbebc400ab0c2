"""The mark of a journal that was copied elsewhere for good, on either side of the move.

Here it says where the journal went, there that the copy is not whole yet: whoever opens either is sent on.
On SQLite triggers refuse the writes of whoever had the journal open before it was marked. Must not know how a
journal is copied.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import schema

SINCE = "0008"
"""The first revision of the schema that has marks."""
GOING, GONE, ARRIVING, ARRIVED = "going", "gone", "arriving", "arrived"
SAID = "this journal has moved to "
"""How the refusal of a late write begins."""

_MOVED = schema.moved
_ACTS = ("INSERT", "UPDATE", "DELETE")


class Mark(NamedTuple):
    """mark: by which both sides know each other. other: the other side's place. at: epoch seconds."""

    mark: str
    state: str
    other: str
    at: float


def marks(conn: Connection) -> list[Mark]:
    return [Mark(*row) for row in conn.execute(select(*_MOVED.c).order_by(_MOVED.c.mark))]


def put(conn: Connection, mark: Mark) -> None:
    """Write a mark, in place of what it said before."""
    conn.execute(delete(_MOVED).where(_MOVED.c.mark == mark.mark))
    conn.execute(insert(_MOVED).values(mark._asdict()))


def refuse(conn: Connection, place: str) -> None:
    """Raise ConfigError, saying where to go, for a journal that has moved, or a copy that is not whole."""
    for mark in marks(conn):
        if mark.state == GONE:
            raise gone(place, mark.other, datetime.fromtimestamp(mark.at, UTC).strftime(" on %Y-%m-%d"))
        if mark.state == ARRIVING:
            what = f"is a copy of {mark.other} that is not finished"
            hint = (
                "finish it: stop every worker of the old journal, and let the settings name the old one still"
            )
            raise ConfigError(
                [Problem(where=f"journal {place}", what=what, hint=hint)], next_step="icp-sync journal copy"
            )


def gone(place: str, other: str, when: str = "") -> ConfigError:
    hint = "set ICP_SYNC_JOURNAL, or journal in the settings, to its URL, wherever this one was named"
    problem = Problem(where=f"journal {place}", what=f"has moved{when} to {other}", hint=hint)
    return ConfigError([problem], next_step="icp-sync check, with the new URL")


def late(said: str, place: str) -> ConfigError | None:
    """What the refusal of a write by `close_for_good` means; None for another error."""
    return gone(place, said.removeprefix(SAID)) if said.startswith(SAID) else None


def close_for_good(conn: Connection, other: str) -> None:
    """Let nobody write to a SQLite journal any more who opened it before."""
    said = (SAID + other).replace("'", "''")
    for name in schema.metadata.tables:
        for act in _ACTS:
            conn.exec_driver_sql(
                f'CREATE TRIGGER IF NOT EXISTS "moved_{name}_{act.lower()}" BEFORE {act} ON "{name}"'
                f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
