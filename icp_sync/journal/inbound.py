"""Events that others send of companies: each kept once, and what they amount to kept as an answer.

An event is a row under a digest of its name; what all events of one source about one company amount to is the
answer of an enricher of that name, so it is recalled like any other. How events are added up is not known
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, func, or_, select, update

from icp_sync.domain.facts import FactValue, Signal, value_from_json, value_to_json
from icp_sync.journal import schema
from icp_sync.journal.bought import HIT
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks, insert, upsert
from icp_sync.journal.encoding import dumps, loads, plain, signals_to_text

_EVENT = schema.inbound_event
_ANSWER = schema.answer
_ACCOUNT = schema.account

A_DOMAIN = 500
"""Events kept of one company and source."""
IN_ALL = 200_000
"""Events kept of one connection; beyond, the oldest go."""
_AT_ONCE = 50  # companies whose events are in memory together
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was told of a company.

    id: a digest. domain: registrable. at: when it happened; until: when it is forgotten. facts: what it says.
    """

    id: str
    domain: str
    at: float
    until: float
    facts: Mapping[str, FactValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """fresh: events not known before; repeated: known ones; woken: accounts that are due because of them."""

    fresh: int = 0
    repeated: int = 0
    woken: int = 0


Fold = Callable[[Sequence[Event]], tuple[Signal, ...]]
"""All events kept of one company, newest first → what they amount to."""


class Inbound(Bound):
    def take_events(
        self,
        source: str,
        events: Iterable[Event],
        fold: Fold,
        *,
        now: float,
        a_domain: int = A_DOMAIN,
        in_all: int = IN_ALL,
    ) -> Taken:
        """Keep events that are new, and what their companies' events amount to; their accounts are due.

        Once this returns they are safe. An event told again before it is forgotten changes nothing.
        """
        told = {event.id: event for event in events}
        if not told:
            return Taken()
        with self.writing("record") as conn:
            fresh = self._keep_events(conn, source, told.values())
            domains = sorted({told[id].domain for id in fresh})
            self._fold_events(conn, source, domains, fold, now, a_domain)
            woken = _wake(conn, self.connection, domains, now)
            if fresh:
                self._drop_oldest_events(conn, in_all)
        return Taken(fresh=len(fresh), repeated=len(told) - len(fresh), woken=woken)

    def refold(self, source: str, fold: Fold, *, now: float, recent: float) -> int:
        """Add up anew where events have become too old: to be kept at all, or older than `recent` seconds and
        so no longer of the period that visits are counted in. Returns of how many companies."""
        mine = (_EVENT.c.connection == self.connection, _EVENT.c.source == source)
        aged = or_(_EVENT.c.until <= now, (_EVENT.c.recent.is_(True)) & (_EVENT.c.at <= now - recent))
        done = 0
        while True:
            with self.reading() as conn:
                found = select(_EVENT.c.domain).where(*mine, aged).distinct().limit(_PAGE)
                domains = sorted(conn.execute(found).scalars())
            if not domains:
                return done
            with self.writing("record") as conn:
                for chunk in chunks(domains):
                    those = (*mine, _EVENT.c.domain.in_(chunk))
                    conn.execute(delete(_EVENT).where(*those, _EVENT.c.until <= now))
                    conn.execute(update(_EVENT).where(*those, aged).values(recent=False))
                self._fold_events(conn, source, domains, fold, now, A_DOMAIN)
                _wake(conn, self.connection, domains, now)
            done += len(domains)

    def wake_settled(self, sources: Sequence[str], *, after: float, upto: float, now: float) -> int:
        """Make the accounts due again whose companies were last told of in this time, and let whoever has one
        in hand come second: it may have been read before the news came, and be settled after."""
        with self.writing("record") as conn:
            quiet = select(_ANSWER.c.key).where(
                _ANSWER.c.connection == self.connection,
                _ANSWER.c.enricher.in_(sources),
                _ANSWER.c.at > after,
                _ANSWER.c.at <= upto,
            )
            domains = sorted(set(conn.execute(quiet).scalars()))
            return _wake(conn, self.connection, domains, now, overtaking=True)

    def _keep_events(self, conn: Connection, source: str, events: Iterable[Event]) -> list[str]:
        rows = [
            {
                "connection": self.connection,
                "source": source,
                "id": event.id,
                "domain": plain(event.domain),
                "at": event.at,
                "until": event.until,
                "recent": True,
                "facts": dumps({fact: value_to_json(value) for fact, value in event.facts.items()}),
            }
            for event in events
        ]
        statement = insert(conn, _EVENT).on_conflict_do_nothing().returning(_EVENT.c.id)
        return list(conn.execute(statement, rows).scalars())

    def _fold_events(
        self, conn: Connection, source: str, domains: Sequence[str], fold: Fold, now: float, most: int
    ) -> None:
        """Write down what the events of these companies amount to, at most the newest ones of each."""
        for chunk in chunks(domains, _AT_ONCE):
            kept = self._events_of(conn, source, chunk)
            excess = [event.id for events in kept.values() for event in events[most:]]
            for ids in chunks(excess):
                conn.execute(delete(_EVENT).where(*self._of_source(source), _EVENT.c.id.in_(ids)))
            rows = []
            for domain, events in kept.items():
                signals = fold(events[:most])
                ends = [signal.until for signal in signals if signal.until is not None]
                if signals:
                    rows.append(self._folded_row(source, domain, signals, max(ends, default=now), now))
            upsert(conn, _ANSWER, rows)
            told = {row["key"] for row in rows}
            silent = [domain for domain in chunk if domain not in told]
            conn.execute(
                delete(_ANSWER).where(
                    _ANSWER.c.connection == self.connection,
                    _ANSWER.c.enricher == source,
                    _ANSWER.c.key.in_(silent),
                )
            )

    def _folded_row(
        self, source: str, domain: str, signals: Sequence[Signal], until: float, now: float
    ) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "enricher": source,
            "key": domain,
            "state": HIT,
            "at": now,
            "expires_at": until,
            "signals": signals_to_text(signals),
            "unread": "",
            "until": until,
            "job": "",
            "run": "",
        }

    def _events_of(self, conn: Connection, source: str, domains: Sequence[str]) -> dict[str, list[Event]]:
        columns = (_EVENT.c.domain, _EVENT.c.id, _EVENT.c.at, _EVENT.c.until, _EVENT.c.facts)
        rows = conn.execute(
            select(*columns)
            .where(*self._of_source(source), _EVENT.c.domain.in_(domains))
            .order_by(_EVENT.c.domain, _EVENT.c.at.desc(), _EVENT.c.id)
        )
        return {
            domain: [
                Event(id=id, domain=domain, at=at, until=until, facts=_facts(text))
                for _, id, at, until, text in group
            ]
            for domain, group in groupby(rows, key=lambda row: row[0])
        }

    def _of_source(self, source: str) -> tuple[ColumnElement[bool], ...]:
        return (_EVENT.c.connection == self.connection, _EVENT.c.source == source)

    def _drop_oldest_events(self, conn: Connection, most: int) -> None:
        mine = _EVENT.c.connection == self.connection
        excess = int(conn.execute(select(func.count()).where(mine)).scalar() or 0) - most
        if excess > 0:
            oldest = select(_EVENT.c.source, _EVENT.c.id).where(mine).order_by(_EVENT.c.at).limit(excess)
            for source, id in conn.execute(oldest).all():
                conn.execute(delete(_EVENT).where(*self._of_source(source), _EVENT.c.id == id))


def _facts(text: str) -> dict[str, FactValue]:
    return {fact: value_from_json(value) for fact, value in loads(text).items()}


def _wake(
    conn: Connection, connection: str, domains: Sequence[str], now: float, *, overtaking: bool = False
) -> int:
    """Make the live accounts of these companies due. overtaking: whoever has one in hand loses the comparison
    of versions, and settles it anew."""
    due = {"wake_at": case((_ACCOUNT.c.wake_at < now, _ACCOUNT.c.wake_at), else_=now)}
    values: dict[str, Any] = {**due, "version": _ACCOUNT.c.version + 1} if overtaking else due
    woken = 0
    for chunk in chunks(domains):
        mine = (_ACCOUNT.c.connection == connection, _ACCOUNT.c.domain.in_(chunk))
        live = _ACCOUNT.c.status.not_in(("", "gone"))
        woken += conn.execute(update(_ACCOUNT).where(*mine, live).values(**values)).rowcount
    return woken
