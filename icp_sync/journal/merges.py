"""Accounts that are gone: tombstones, and the evidence a survivor of a merge inherits.

A CRM that merges two records keeps some of either's values. Whatever we had written to the one merged
away is therefore ours on the survivor too, or it would look like somebody's edit. Evidence moves: a
tombstone reported again gives nothing twice. A deletion keeps its evidence, should the record come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, update

from icp_sync.domain.account import Origin
from icp_sync.journal import schema
from icp_sync.journal.assignments import end_gone
from icp_sync.journal.database import chunks, insert_missing
from icp_sync.journal.encoding import dumps, loads
from icp_sync.journal.families import wake
from icp_sync.journal.notices import move_notices
from icp_sync.journal.rows import ABSENT, Loads, Stored, blank, lock

_ACCOUNT = schema.account


def bury(conn: Connection, connection: str, gone: Mapping[str, str], moved: Loads, now: float) -> None:
    """Tombstone these ids (id → survivor or ""); survivors inherit, and are due at once if they did."""
    if not gone:
        return
    stored = lock(conn, connection, [*gone, *filter(None, gone.values())])
    heirs = _heirs(conn, connection, gone, stored)
    tombs: list[dict[str, Any]] = []
    inherited: dict[str, Stored] = {}
    for account_id, heir in heirs.items():
        before = stored.get(account_id, ABSENT)
        if before is ABSENT:
            continue  # never met, and nothing follows from it
        passes_on = bool(heir and (before.confirmed or before.intents))
        buried = before.status == "gone" and before.survivor == heir and not before.counted_owner
        if buried and not passes_on:
            continue  # told again
        if passes_on:
            inherited[heir] = _inherit(inherited.get(heir, stored.get(heir, ABSENT)), before)
            before = before._replace(confirmed="", intents="")
        moved.move(before.counted_owner, "")
        tombs.append(
            blank(connection, account_id)
            | {"version": before.version + 1, "status": "gone", "survivor": heir}
            | {"confirmed": before.confirmed, "intents": before.intents, "settled_at": now}
        )
    _store_tombs(conn, connection, tombs)
    _store_heirs(conn, connection, inherited, now)
    end_gone(conn, connection, [str(tomb["id"]) for tomb in tombs], now)
    move_notices(conn, connection, {str(tomb["id"]): str(tomb["survivor"]) for tomb in tombs})
    wake(conn, connection, _ACCOUNT.c.parent, [str(tomb["id"]) for tomb in tombs], now)


def _heirs(
    conn: Connection, connection: str, gone: Mapping[str, str], stored: dict[str, Stored]
) -> dict[str, str]:
    """Each id's last survivor, following merges of merges, those of earlier pages included."""
    heirs: dict[str, str] = {}
    for account_id in gone:
        met, heir = {account_id}, gone[account_id]
        while heir and heir not in met:
            met.add(heir)
            if heir not in stored:
                stored |= lock(conn, connection, [heir])
            later = gone.get(heir) or stored.get(heir, ABSENT).survivor
            if not later:
                break
            heir = later
        heirs[account_id] = "" if heir == account_id else heir
    return heirs


def _inherit(heir: Stored, merged: Stored) -> Stored:
    """The heir with the merged account's evidence added to its own, as intents.

    A live value equal to one of ours is ours on the heir as well; but the heir never held it as far as we
    know, so its own blank there must not look like a value that somebody cleared. What people held on the
    merged account is no evidence of anything.
    """
    confirmed = loads(heir.confirmed)
    intents: dict[str, list[str]] = loads(heir.intents)
    extra: dict[str, list[str]] = loads(merged.intents)
    for name, (value, origin, *_) in loads(merged.confirmed).items():
        if origin == Origin.OURS and value and [value, origin] != confirmed.get(name, ())[:2]:
            extra.setdefault(name, []).append(value)
    for name, values in extra.items():
        intents[name] = list(dict.fromkeys([*intents.get(name, []), *values]))
    return heir._replace(intents=dumps(intents) if intents else "")


_DEAD = ("version", "status", "survivor", "counted_owner", "in_scope", "wake_at", "seen_stamp")
_DEAD_TOO = ("confirmed", "intents", "settled_at", "fingerprint")


def _store_tombs(conn: Connection, connection: str, tombs: list[dict[str, Any]]) -> None:
    """Name, domain and last standing stay on the tombstone, for whoever looks it up."""
    if not tombs:
        return
    insert_missing(conn, _ACCOUNT, tombs)
    conn.execute(
        update(_ACCOUNT)
        .where(_ACCOUNT.c.connection == connection, _ACCOUNT.c.id == bindparam("b_id"))
        .values({name: bindparam(f"b_{name}") for name in (*_DEAD, *_DEAD_TOO)}),
        [{f"b_{name}": tomb[name] for name in ("id", *_DEAD, *_DEAD_TOO)} for tomb in tombs],
    )
    for chunk in chunks([str(tomb["id"]) for tomb in tombs]):
        for held in (schema.left_alone, schema.hold):
            conn.execute(delete(held).where(held.c.connection == connection, held.c.account.in_(chunk)))


def _store_heirs(conn: Connection, connection: str, inherited: Mapping[str, Stored], now: float) -> None:
    """An heir never met keeps version 0; one already settled moves on, so whoever holds it re-reads."""
    rows = [
        {
            "id": heir,
            "version": after.version + 1 if after.version else 0,
            "confirmed": after.confirmed,
            "intents": after.intents,
            "fingerprint": "",
            "wake_at": now,
        }
        for heir, after in inherited.items()
    ]
    insert_missing(conn, _ACCOUNT, [blank(connection, str(row["id"])) for row in rows])
    if not rows:
        return
    names = ("version", "confirmed", "intents", "fingerprint", "wake_at")
    conn.execute(
        update(_ACCOUNT)
        .where(_ACCOUNT.c.connection == connection, _ACCOUNT.c.id == bindparam("b_id"))
        .values({name: bindparam(f"b_{name}") for name in names}),
        [{f"b_{name}": row[name] for name in ("id", *names)} for row in rows],
    )
