"""Whether the journal is whole: what its database says of itself, and what must be true of our own tables.

Reads only, in one view, so it may run beside a worker. Each finding is a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, inspect, select, text

from icp_sync.errors import ConfigError
from icp_sync.journal import postgres, schema
from icp_sync.journal.audit import Audit
from icp_sync.journal.budgets import DAY, TOLERANCE, first_of_month
from icp_sync.journal.encoding import (
    changes_from_text,
    confirmed_from_text,
    intents_from_text,
    pairs_from_text,
    previous_from_text,
    signals_from_text,
    withdrawn_from_text,
)
from icp_sync.ports import Position

_ACCOUNT = schema.account
AHEAD = 3_600.0
"""Seconds a position may be ahead of our clock before it is wrong: clocks differ, hours do not."""
EXAMPLES = 5
_TOLD = 20


class Finding(NamedTuple):
    """One thing that is not as it must be. what: "database", "schema", "loads" … said: a sentence."""

    what: str
    said: str


def _loads(value: str) -> object:
    return json.loads(value) if value else None


_READABLE: dict[str, dict[str, Callable[[str], object]]] = {
    "account": {
        "previous": previous_from_text,
        "confirmed": confirmed_from_text,
        "intents": intents_from_text,
        "evidence": _loads,
        "unechoed": pairs_from_text,
        "withdrawn": withdrawn_from_text,
    },
    "evaluation": {"data": _loads},
    "evaluation_log": {"data": _loads},
    "change_log": {"changes": lambda value: changes_from_text("", value)},
    "left_alone": {"held": _loads},
    "hold": {"changes": lambda value: changes_from_text("", value)},
    "answer": {"signals": signals_from_text, "unread": _loads},
    "profile_version": {"documents": _loads},
    "position": {"data": lambda value: Position.from_json(json.loads(value))},
    "run": {"detail": _loads, "report": _loads},
    "request": {"args": _loads, "progress": _loads, "result": _loads},
    "job": {"accounts": _loads},
    "daily": {"data": _loads},
    "vendor": {"data": _loads},
}
"""Table → column → what must be able to read it."""


class Verifying(Audit):
    def verify(self, *, now: float) -> list[Finding]:
        """Everything that is not as it must be; nothing when the journal is whole."""
        found: list[Finding] = []
        try:
            with self.reading() as conn:
                found += _database(conn)
                if not found:  # what is damaged cannot be looked through
                    found += _schema(conn)
                if not found:  # what is missing would only be told again
                    found += self._contents(conn, now)
        except ConfigError as error:  # so damaged that even looking ends
            found = found or [Finding("database", error.problems[0].what)]
        if not found and (seq := self.audit_broken()) is not None:
            found.append(
                Finding("audit", f"entry {seq} is missing, not signed, or does not follow from the last")
            )
        return found

    def _contents(self, conn: Connection, now: float) -> Iterator[Finding]:
        yield from self._loads(conn)
        yield from self._versions(conn)
        yield from self._stale_positions(conn, now)
        yield from self._spending(conn, now)
        yield from self._strays(conn)
        for name, columns in _READABLE.items():
            yield from self._readable(conn, schema.metadata.tables[name], columns)

    def _loads(self, conn: Connection) -> Iterator[Finding]:
        """Each owner's counter says how many accounts are counted for them."""
        load = schema.load
        mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.counted_owner != "")
        per_owner = select(_ACCOUNT.c.counted_owner, func.count()).where(*mine)
        rows = conn.execute(per_owner.group_by(_ACCOUNT.c.counted_owner))
        counted = {owner: int(n) for owner, n in rows}
        stored = select(load.c.owner, load.c.load).where(load.c.connection == self.connection)
        kept = {owner: int(n) for owner, n in conn.execute(stored)}
        for owner in sorted(counted.keys() | kept.keys()):
            if counted.get(owner, 0) != kept.get(owner, 0):
                said = f"{owner} counts {kept.get(owner, 0)} accounts, and has {counted.get(owner, 0)}"
                yield Finding("loads", said)

    def _spending(self, conn: Connection, now: float) -> Iterator[Finding]:
        """What budgets count by day is what was bought, this month and the last."""
        bought, spending = schema.purchase, schema.spending
        first = first_of_month(first_of_month(now) * DAY - 1)
        was, said = (
            {
                name: float(amount)
                for name, amount in conn.execute(
                    select(table.c.enricher, func.sum(table.c.amount))
                    .where(table.c.connection == self.connection, since)
                    .group_by(table.c.enricher)
                )
            }
            for table, since in ((bought, bought.c.at >= first * DAY), (spending, spending.c.day >= first))
        )
        for name in sorted(was.keys() | said.keys()):
            cost, counted = was.get(name, 0.0), said.get(name, 0.0)
            if abs(cost - counted) > TOLERANCE * max(1.0, cost):
                yield Finding("spending", f"{name} counts {counted:g} credits, and cost {cost:g}")

    def _versions(self, conn: Connection) -> Iterator[Finding]:
        state, version = self.state(conn), schema.profile_version
        active = int(str(state.active_version)) if state else 0
        known = set(
            conn.execute(select(version.c.version).where(version.c.connection == self.connection)).scalars()
        )
        if active and active not in known:
            yield Finding("profile", f"version {active} is active, and its documents are missing")

    def _stale_positions(self, conn: Connection, now: float) -> Iterator[Finding]:
        """No stream has read further than now."""
        position = schema.position
        rows = conn.execute(
            select(position.c.stream, position.c.data).where(position.c.connection == self.connection)
        )
        for stream, data in rows:
            try:
                done_to = Position.from_json(json.loads(data)).done_to
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # told as unreadable
            if done_to / 1000 > now + AHEAD:
                ahead = (done_to / 1000 - now) / 3600
                yield Finding("position", f"{stream} stands {ahead:.1f} hours in the future")

    def _strays(self, conn: Connection) -> Iterator[Finding]:
        """What is kept about an account belongs to one that is known."""
        for table in (schema.evaluation, schema.left_alone, schema.hold):
            known = select(_ACCOUNT.c.id).where(_ACCOUNT.c.connection == self.connection)
            rows = conn.execute(
                select(table.c.account)
                .where(table.c.connection == self.connection, table.c.account.not_in(known))
                .limit(EXAMPLES)
            )
            for account_id in rows.scalars():
                yield Finding(table.name, f"belongs to account {account_id}, which is not known")

    def _readable(
        self, conn: Connection, table: Table, columns: dict[str, Callable[[str], object]]
    ) -> Iterator[Finding]:
        keys = [column for column in table.primary_key if column.name != "connection"]
        wanted = [table.c[name] for name in columns]
        rows = conn.execution_options(yield_per=1_000).execute(
            select(*keys, *wanted).where(table.c.connection == self.connection)
        )
        told = 0
        for row in rows:
            values = row[len(keys) :]
            for (name, read), value in zip(columns.items(), values, strict=True):
                if told < _TOLD and not _can(read, value):
                    told += 1
                    which = " ".join(str(key) for key in row[: len(keys)])
                    yield Finding(table.name, f"{name} of {which} cannot be read")


def _can(read: Callable[[str], object], value: Any) -> bool:
    try:
        read(value or "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return True


def _database(conn: Connection) -> Iterator[Finding]:
    """What SQLite finds in its own file; a PostgreSQL server looks after its own."""
    if conn.dialect.name == postgres.NAME:
        return
    for said in conn.execute(text("PRAGMA integrity_check(20)")).scalars():
        if said != "ok":
            yield Finding("database", str(said))


def _schema(conn: Connection) -> Iterator[Finding]:
    """Every table and column of this version is there."""
    here = inspect(conn)
    for name, table in schema.metadata.tables.items():
        if not here.has_table(name):
            yield Finding("schema", f"the table {name} is missing")
            continue
        missing = {column.name for column in table.c} - {column["name"] for column in here.get_columns(name)}
        for column in sorted(missing):
            yield Finding("schema", f"the column {name}.{column} is missing")
