"""The clock that all processes of a journal share: its database's."""

from __future__ import annotations

import time

from sqlalchemy import Connection, text

from icp_sync.journal import postgres

_NOW = text("SELECT extract(epoch FROM clock_timestamp())")


def moment(conn: Connection) -> float:
    """UTC epoch seconds by the database's clock. SQLite has none but this machine's."""
    if conn.dialect.name == postgres.NAME:
        return float(conn.execute(_NOW).scalar_one())
    return time.time()


_AGREE = 1
"""Decimals of a second to which clocks are compared: how long the question travels is not known better."""
_TRIES = 3


def shared(conn: Connection, now: float) -> float:
    """An instant on this machine's clock, by the one that all share.

    Machines whose clocks differ by minutes mean the same by what is kept so: when a lease ends, when a
    question may be asked again, which day a price counts for. On SQLite both are the same clock.
    """
    return now + ahead(conn)


def ahead(conn: Connection) -> float:
    """Seconds by which the database's clock is ahead of this machine's, to a tenth."""
    if conn.dialect.name != postgres.NAME:
        return 0.0
    found: list[tuple[float, float]] = []
    for _ in range(_TRIES):
        before = time.time()
        there = moment(conn)
        after = time.time()
        took = abs(after - before)
        found.append((took, there - (before + after) / 2))
        if took < 10.0**-_AGREE:  # else this process, or the server, stood still in between
            break
    return round(min(found)[1], _AGREE)
