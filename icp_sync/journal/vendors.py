"""How each source of facts is, and what the journal holds of it. Must not know what a source is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from math import isnan
from typing import Any

from sqlalchemy import Connection, case, func, select

from icp_sync.domain.facts import Signal
from icp_sync.journal import schema
from icp_sync.journal.bought import HIT, MISS, VendorReport, VendorState
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import dumps, loads, signals_from_text
from icp_sync.journal.purchases import spent_by_vendor

_ANSWER = schema.answer
_TALLY = schema.tally
_VENDOR = schema.vendor


class Vendors(Bound):
    def vendor(self, enricher: str) -> VendorState:
        """How it was last; as new when nothing was ever said."""
        mine = (_VENDOR.c.connection == self.connection, _VENDOR.c.enricher == enricher)
        with self.reading() as conn:
            return vendor_from_text(conn.execute(select(_VENDOR.c.data).where(*mine)).scalar())

    def save_vendor(self, enricher: str, state: VendorState, *, now: float) -> None:
        row = {"connection": self.connection, "enricher": enricher, "data": vendor_to_text(state), "at": now}
        with self.writing("state") as conn:
            upsert(conn, _VENDOR, [row])

    def examples(self, enricher: str, *, limit: int) -> list[tuple[Signal, ...]]:
        """What its last answers told, the oldest of them first; a miss told nothing. Unreadable ones are left
        out."""
        told = (_ANSWER.c.connection == self.connection, _ANSWER.c.enricher == enricher)
        kinds = _ANSWER.c.state.in_((HIT, MISS))
        latest = select(_ANSWER.c.signals).where(*told, kinds).order_by(_ANSWER.c.at.desc()).limit(limit)
        with self.reading() as conn:
            texts = conn.execute(latest).scalars().all()
        found: list[tuple[Signal, ...]] = []
        for text in reversed(texts):
            with suppress(ValueError):
                found.append(signals_from_text(text) if text else ())
        return found

    def vendor_report(self, *, now: float) -> dict[str, VendorReport]:
        """Enricher → what is known of it, for each that was ever asked."""
        with self.reading() as conn:
            found = {name: VendorReport(**counts) for name, counts in self._held(conn)}
            for name, (total, day, month) in spent_by_vendor(conn, self.connection, now, 0).items():
                known = found.get(name, VendorReport())
                found[name] = replace(known, spent=total, spent_day=day, spent_month=month)
            tallied = select(_TALLY.c.enricher, func.sum(_TALLY.c.asked)).where(
                _TALLY.c.connection == self.connection, _TALLY.c.fact == ""
            )
            for name, asked in conn.execute(tallied.group_by(_TALLY.c.enricher)):
                found[name] = replace(found.get(name, VendorReport()), asked=int(asked))
            return {
                name: replace(known, median_age=self._median_age(conn, name, known.hits, now))
                for name, known in sorted(found.items())
            }

    def _held(self, conn: Connection) -> list[tuple[str, dict[str, int]]]:
        """Enricher → answers by what they are now."""
        waits = _ANSWER.c.job != ""
        kinds = {
            "hits": _ANSWER.c.state == HIT,
            "misses": _ANSWER.c.state == MISS,
            "pending": waits,
            "unknown": (_ANSWER.c.state == "asked") & ~waits,
        }
        counts = [func.sum(case((condition, 1), else_=0)) for condition in kinds.values()]
        rows = conn.execute(
            select(_ANSWER.c.enricher, *counts)
            .where(_ANSWER.c.connection == self.connection)
            .group_by(_ANSWER.c.enricher)
        )
        return [(name, dict(zip(kinds, map(int, held), strict=True))) for name, *held in rows]

    def _median_age(self, conn: Connection, enricher: str, hits: int, now: float) -> float | None:
        if not hits:
            return None
        came = (
            select(_ANSWER.c.at)
            .where(
                _ANSWER.c.connection == self.connection,
                _ANSWER.c.enricher == enricher,
                _ANSWER.c.state == HIT,
            )
            .order_by(_ANSWER.c.at)
            .offset(hits // 2)
            .limit(1)
        )
        return max(0.0, now - float(conn.execute(came).scalar_one()))


def vendor_to_text(state: VendorState) -> str:
    """Fields at their default are left out."""
    usual = asdict(VendorState())
    return dumps({name: value for name, value in asdict(state).items() if value != usual[name]})


def vendor_from_text(text: str | None) -> VendorState:
    """The inverse; what this version cannot read is as if it had not been said."""
    try:
        said: Any = loads(text)
    except ValueError:
        said = {}
    if not isinstance(said, dict):
        return VendorState()
    usual = asdict(VendorState())
    return VendorState(**{k: v for k, v in said.items() if k in usual and _like(v, usual[k])})


def _like(value: object, usual: object) -> bool:
    """Whether a stored value is of its field's kind."""
    if isinstance(usual, str):
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float) or isnan(value):
        return False
    return isinstance(value, int) or not isinstance(usual, int)
