"""Events that others send of companies: each kept once, and what they amount to kept as an answer.

An event is a row under a digest of its name; what all events of one source about one company amount to is the
answer of an enricher of that name, so it is recalled like any other. Whatever is told is taken in by short
transactions, each of which leaves events and answers agreeing. How events are added up is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, case, delete, func, or_, select, update

from icp_sync.domain.facts import FactValue, Signal, value_from_json, value_to_json
from icp_sync.journal import schema
from icp_sync.journal.bought import HIT
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.database import chunks, insert
from icp_sync.journal.encoding import dumps, loads, plain, signals_from_text, signals_to_text

_EVENT = schema.inbound_event
_ANSWER = schema.answer
_ACCOUNT = schema.account

A_DOMAIN = 500
"""Events kept of one company and source."""
IN_ALL = 200_000
"""Events kept of one connection; beyond, the companies go that were last told of longest ago."""
_AT_ONCE = 100  # companies a transaction is about
_EVENTS_AT_ONCE = 1_000  # events it reads or removes
_PAGE = 500
_SLACK = 5, 20
"""Beyond the bounds a fifth and a twentieth more are kept for a while: cutting back is dear."""


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


class Fold(Protocol):
    """How events of one company add up."""

    def __call__(self, events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
        """What they amount to, together with what others amounted to before. In any order, and by however
        many steps, the same."""


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

        Once this returns they are safe. An event told again before it is forgotten changes nothing, so what
        ended half-way is simply told again.
        """
        told: dict[str, list[Event]] = {}
        for event in {event.id: event for event in events}.values():
            told.setdefault(event.domain, []).append(event)
        fresh = woken = 0
        full: dict[str, int] = {}
        for domains in _in_turns(chunks(sorted(told), _AT_ONCE)):
            with self.writing("record") as conn:
                new = self._keep_events(conn, source, [event for domain in domains for event in told[domain]])
                known = self._add_events(conn, source, new, fold, now)
                woken += _wake(conn, self.connection, list(new), now)
                counts = self._counted(conn, source, list(new))
            fresh += sum(map(len, new.values()))
            most = a_domain + a_domain // _SLACK[0]
            full |= {d: n for d, n in counts.items() if n > most or (d not in known and n > len(new[d]))}
        for domains in _in_turns(_parts(full)):
            with self.writing("record") as conn:
                self._fold_events(conn, source, domains, fold, now, a_domain)
        if fresh:
            self._drop_silent(in_all, now)
        return Taken(fresh=fresh, repeated=sum(map(len, told.values())) - fresh, woken=woken)

    def events_told(self) -> dict[str, tuple[int, int, float]]:
        """Source → the events kept of it, the companies they are of, and when the latest of them happened."""
        table = _EVENT.c
        rows = select(
            table.source, func.count(), func.count(func.distinct(table.domain)), func.max(table.at)
        ).where(table.connection == self.connection)
        with self.reading() as conn:
            found = conn.execute(rows.group_by(table.source))
            return {source: (events, companies, float(at)) for source, events, companies, at in found}

    def refold(self, source: str, fold: Fold, *, now: float, recent: float) -> int:
        """Add up anew where events have become too old: to be kept at all, or older than `recent` seconds and
        so no longer of the period that visits are counted in. Returns of how many companies."""
        mine = self._of_source(source)
        aged = or_(_EVENT.c.until <= now, (_EVENT.c.recent.is_(True)) & (_EVENT.c.at <= now - recent))
        done = 0
        while True:
            with self.reading() as conn:
                found = select(_EVENT.c.domain).where(*mine, aged).distinct().limit(_PAGE)
                counts = self._counted(conn, source, sorted(conn.execute(found).scalars()))
            if not counts:
                return done
            for domains in _in_turns(_parts(counts)):
                with self.writing("record") as conn:
                    those = (*mine, _EVENT.c.domain.in_(domains))
                    conn.execute(delete(_EVENT).where(*those, _EVENT.c.until <= now))
                    conn.execute(update(_EVENT).where(*those, aged).values(recent=False))
                    self._fold_events(conn, source, domains, fold, now, A_DOMAIN)
                    _wake(conn, self.connection, domains, now)
            done += len(counts)

    def wake_settled(self, sources: Sequence[str], *, after: float, upto: float, now: float) -> int:
        """Make the accounts due again whose companies were last told of in this time, and let whoever has one
        in hand come second: it may have been read before the news came, and be settled after."""
        quiet = select(_ANSWER.c.key).where(
            _ANSWER.c.connection == self.connection,
            _ANSWER.c.enricher.in_(sources),
            _ANSWER.c.at > after,
            _ANSWER.c.at <= upto,
        )
        with self.reading() as conn:
            domains = sorted(set(conn.execute(quiet).scalars()))
        woken = 0
        for chunk in _in_turns(chunks(domains)):
            with self.writing("record") as conn:
                woken += _wake(conn, self.connection, chunk, now, overtaking=True)
        return woken

    def _keep_events(self, conn: Connection, source: str, events: Sequence[Event]) -> dict[str, list[Event]]:
        """Those that are new, by their companies."""
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
        new = set(conn.execute(statement, rows).scalars())
        fresh: dict[str, list[Event]] = {}
        for event in events:
            if event.id in new:
                fresh.setdefault(plain(event.domain), []).append(event)
        return fresh

    def _add_events(
        self, conn: Connection, source: str, new: Mapping[str, Sequence[Event]], fold: Fold, now: float
    ) -> set[str]:
        """Add to what these companies' events amounted to, without reading them again. Returns of whom that
        was known."""
        mine = (*self._answers_of(source), _ANSWER.c.key.in_(list(new)))
        before: dict[str, tuple[Signal, ...]] = {}
        for key, text in conn.execute(select(_ANSWER.c.key, _ANSWER.c.signals).where(*mine)):
            with suppress(ValueError):  # damaged: it is added up anew
                before |= {key: signals} if (signals := signals_from_text(text)) else {}
        amounts = {domain: fold(events, before.get(domain, ())) for domain, events in new.items()}
        self._write_down(conn, source, amounts, now)
        return set(before)

    def _fold_events(
        self, conn: Connection, source: str, domains: Sequence[str], fold: Fold, now: float, most: int
    ) -> None:
        """Write down what all events of these companies amount to, at most the newest ones of each."""
        kept = self._events_of(conn, source, domains)
        excess = [event.id for events in kept.values() for event in events[most:]]
        for ids in chunks(excess):
            conn.execute(delete(_EVENT).where(*self._of_source(source), _EVENT.c.id.in_(ids)))
        amounts = {domain: fold(kept[domain][:most]) if domain in kept else () for domain in domains}
        self._write_down(conn, source, amounts, now)

    def _write_down(
        self, conn: Connection, source: str, amounts: Mapping[str, Sequence[Signal]], now: float
    ) -> None:
        usual = {"connection": self.connection, "enricher": source, "state": HIT, "at": now}
        usual |= dict.fromkeys(("unread", "job", "run"), "")
        rows = []
        for domain, signals in amounts.items():
            until = max((s.until for s in signals if s.until is not None), default=now)
            held = {"key": domain, "signals": signals_to_text(signals), "expires_at": until, "until": until}
            rows += [{**usual, **held}] if signals else []
        upsert(conn, _ANSWER, rows)
        nothing = [domain for domain, signals in amounts.items() if not signals]
        conn.execute(delete(_ANSWER).where(*self._answers_of(source), _ANSWER.c.key.in_(nothing)))

    def _counted(self, conn: Connection, source: str, domains: Sequence[str]) -> dict[str, int]:
        """How many events there are of each."""
        mine = (*self._of_source(source), _EVENT.c.domain.in_(domains))
        counted = select(_EVENT.c.domain, func.count()).where(*mine).group_by(_EVENT.c.domain)
        return {domain: int(count) for domain, count in conn.execute(counted)}

    def _drop_silent(self, most: int, now: float) -> None:
        """When there are too many events, forget companies whole, those last told of longest ago first: what
        is kept of the others stays as it was added up."""
        mine = _EVENT.c.connection == self.connection
        with self.reading() as conn:
            count = int(conn.execute(select(func.count()).where(mine)).scalar() or 0)
            if count <= most + most // _SLACK[1]:
                return
            by_company = select(_EVENT.c.source, _EVENT.c.domain, func.count()).where(mine)
            oldest = by_company.group_by(_EVENT.c.source, _EVENT.c.domain).order_by(func.max(_EVENT.c.at))
            going: dict[str, dict[str, int]] = {}
            for source, domain, held in conn.execute(oldest):
                if count <= most:
                    break
                going.setdefault(source, {})[domain] = held
                count -= held
        for source, counts in going.items():
            for domains in _in_turns(_parts(counts)):
                with self.writing("record") as conn:
                    conn.execute(delete(_EVENT).where(*self._of_source(source), _EVENT.c.domain.in_(domains)))
                    self._write_down(conn, source, dict.fromkeys(domains, ()), now)
                    _wake(conn, self.connection, domains, now)

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

    def _answers_of(self, source: str) -> tuple[ColumnElement[bool], ...]:
        return (_ANSWER.c.connection == self.connection, _ANSWER.c.enricher == source)


def _in_turns(parts: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """With a pause after each, as long as it took: SQLite's lock has no queue, and others wait for it too."""
    took = 0.0
    for part in parts:
        time.sleep(took)
        began = time.monotonic()
        yield part
        took = time.monotonic() - began


def _parts(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Companies a transaction at a time, by how many events there are of each."""
    part: list[str] = []
    held = 0
    for domain, count in counts.items():
        if part and (held + count > _EVENTS_AT_ONCE or len(part) >= _AT_ONCE):
            yield part
            part, held = [], 0
        part.append(domain)
        held += count
    if part:
        yield part


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
