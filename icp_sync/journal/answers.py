"""What enrichers answered: a question is written down before it is asked, within the budgets.

A row "asked" stands from before the request until its answer arrives. After a crash its fate is unknown:
it may have been paid, so it is not asked again before `retry_unknown_after`. The price counts as spent
from the reservation on, and becomes the real charge with the answer. Signals of an earlier hit stay on the
row, and are recalled for as long as they hold, whatever becomes of the question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from icp_sync.domain.buying import NO_BUDGETS, Budgets
from icp_sync.domain.facts import Signal
from icp_sync.journal import schema
from icp_sync.journal.bought import (
    HIT,
    KINDS,
    LOST,
    MISS,
    NONE,
    PENDING,
    REFUSED,
    UNKNOWN,
    Answered,
    Reserved,
    Tally,
)
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import Allowance
from icp_sync.journal.bulk import upsert
from icp_sync.journal.clock import shared
from icp_sync.journal.database import chunks, insert
from icp_sync.journal.encoding import dumps, plain, signals_from_text, signals_to_text
from icp_sync.journal.purchases import Due, open_purchases, reserve_again, settle, short_of, sums
from icp_sync.journal.tallies import add_tallies

_ANSWER = schema.answer

RETRY_UNKNOWN_AFTER = 3600.0
ASKED = "asked"


class _Stood(NamedTuple):
    """A question as it stands."""

    state: str = ""
    at: float = 0.0
    expires_at: float = 0.0
    signals: str = ""
    unread: str = ""
    until: float = 0.0
    job: str = ""
    run: str = ""
    ordered: float = 0.0

    @property
    def unreadable(self) -> bool:
        """Whether nobody can recall its signals."""
        try:
            signals_from_text(self.signals)
        except ValueError:
            return True
        return False


class Answers(Bound):
    def reserve(
        self,
        enricher: str,
        prices: Mapping[str, float],
        *,
        now: float,
        run: str,
        budgets: Budgets = NO_BUDGETS,
        retry_unknown_after: float = RETRY_UNKNOWN_AFTER,
        fetch: float = 0.0,
        beside: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> Reserved:
        """Reserve one request per key, in the order given, as many as fit the budgets.

        prices: key → the most credits its request can cost, counted as spent from now on. What an earlier
        one ordered is fetched, at no price, and never ordered again. "" is nobody's key. run: whose budget is
        used, "" none's. fetch: credits that a fetch of this source has been seen to cost: a job that has less
        left of its price needs it anew.
        beside: key → other keys its accounts are asked about under: what was paid there counts. Of workers
        with the same question one may ask it; if it never says what came of it, the next one may after
        `retry_unknown_after` seconds. Raises ValueError for a price that is none.
        """
        names: dict[str, str] = {}
        for key in prices:
            if stored := plain(key):
                names.setdefault(stored, key)
        wanted = {stored: prices[key] for stored, key in names.items()}
        if bad := [price for price in wanted.values() if not 0.0 <= price < inf]:
            raise ValueError(f"{enricher}: {bad[0]} is no price")
        with self.writing("reserve") as conn:
            now = shared(conn, now)
            stood = self._stood(conn, enricher, list(wanted))
            still = {key: price for key, price in wanted.items() if not _bars(stood.get(key), now)}
            waiting = [key for key in still if key in stood and stood[key].job]
            still |= dict.fromkeys(waiting, 0.0)
            if fetch > 0.0:
                still |= short_of(conn, self.connection, enricher, waiting, fetch, run=run, now=now)
            others = {plain(key): [plain(one) for one in same] for key, same in beside.items()}
            granted, over = self._within(conn, enricher, still, budgets, run, now, others)
            jobs = {key: stood[key].job for key in waiting if key in granted}
            self._ask(conn, enricher, granted, run, now, now + retry_unknown_after)
            self._blank(conn, enricher, [key for key in granted if key in stood and stood[key].unreadable])
            ordered = {key: price for key, price in granted.items() if key not in jobs}
            open_purchases(conn, self.connection, enricher, ordered, run=run, now=now)
            if fetch > 0.0:
                reserve_again(conn, self.connection, enricher, list(jobs), fetch, run=run, now=now)
        free = tuple(names[key] for key in granted)
        refused = {names[key]: budget for key, budget in over.items()}
        busy = frozenset(prices) - {"", *free, *refused}
        return Reserved(
            free=free,
            jobs={names[key]: job for key, job in jobs.items()},
            ordered={names[key]: stood[key].ordered for key in jobs},
            busy=busy,
            over=refused,
        )

    def _within(
        self,
        conn: Connection,
        enricher: str,
        prices: Mapping[str, float],
        budgets: Budgets,
        run: str,
        now: float,
        beside: Mapping[str, Collection[str]],
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Those that fit the budgets, and of the others which budget is used up."""
        if not prices:
            return {}, {}
        limits = budgets if run else replace(budgets, run=inf)
        keys = {*prices, *(one for key in prices for one in beside.get(key, ()))}
        spent = sums(conn, self.connection, enricher, sorted(keys), limits, run, now)
        allowance = Allowance(limits, enricher, spent, beside)
        over = {key: used for key, price in prices.items() if (used := allowance.grant(key, price))}
        return {key: price for key, price in prices.items() if key not in over}, over

    def record(
        self,
        enricher: str,
        key: str,
        kind: str,
        signals: Sequence[Signal] = (),
        charge: float = 0.0,
        *,
        now: float,
        expires_at: float = 0.0,
        until: float = 0.0,
        unread: Mapping[str, str] | None = None,
        job: str = "",
    ) -> None:
        """Keep one answer the moment it arrived; see `record_all`."""
        one = Answered(
            key=key,
            kind=kind,
            signals=tuple(signals),
            charge=charge,
            expires_at=expires_at,
            until=until,
            unread=unread or {},
            job=job,
        )
        self.record_all(enricher, (one,), now=now)

    def record_all(
        self,
        enricher: str,
        answers: Sequence[Answered],
        *,
        now: float,
        tallies: Sequence[Tally] = (),
        run: str | None = None,
    ) -> None:
        """Keep answers that arrived together, in one transaction. The last of several per key counts.

        run: that of the reservation, where it is known. What then comes so late that another run has asked
        meanwhile is charged, and a hit or miss kept, but that run's reservation stays.
        """
        latest = {key: one for one in answers if (key := plain(one.key))}
        with self.writing("record") as conn:
            now = shared(conn, now)
            stood = self._stood(conn, enricher, list(latest))
            rows: list[dict[str, Any]] = []
            closed: list[str] = []
            due: dict[str, Due] = {}
            for key, answer in latest.items():
                before = stood.get(key)
                due[key] = _due(answer, before, run)
                after = _after(due[key], before, now)
                if after is None and before is not None:
                    closed.append(key)
                elif after is not None and after != before:
                    rows.append(self._question(enricher, key, after))
            upsert(conn, _ANSWER, rows)
            for chunk in chunks(closed):
                conn.execute(delete(_ANSWER).where(*self._those(enricher, chunk)))
            settle(conn, self.connection, enricher, due, run=run or "", now=now)
            add_tallies(conn, self.connection, enricher, tallies)

    def _stood(self, conn: Connection, enricher: str, keys: Sequence[str]) -> dict[str, _Stood]:
        columns = [_ANSWER.c[name] for name in _Stood._fields]
        found: dict[str, _Stood] = {}
        for chunk in chunks(keys):
            rows = conn.execute(select(_ANSWER.c.key, *columns).where(*self._those(enricher, chunk)))
            found |= {key: _Stood(*values) for key, *values in rows}
        return found

    def _ask(
        self, conn: Connection, enricher: str, keys: Iterable[str], run: str, now: float, retry_at: float
    ) -> None:
        """Nobody else of this connection writes meanwhile, so what stood there stands there still."""
        new = _Stood(state=ASKED, at=now, expires_at=retry_at, run=run)
        asked = {"state": new.state, "expires_at": new.expires_at, "run": new.run}
        if rows := [self._question(enricher, key, new) for key in keys]:
            statement = insert(conn, _ANSWER).on_conflict_do_update(
                index_elements=["connection", "enricher", "key"], set_=asked
            )
            conn.execute(statement, rows)

    def _blank(self, conn: Connection, enricher: str, keys: Sequence[str]) -> None:
        for chunk in chunks(keys):
            blank = update(_ANSWER).where(*self._those(enricher, chunk))
            conn.execute(blank.values(signals="", unread="", until=0.0))

    def _those(self, enricher: str, keys: Sequence[str]) -> tuple[Any, ...]:
        return (
            _ANSWER.c.connection == self.connection,
            _ANSWER.c.enricher == enricher,
            _ANSWER.c.key.in_(keys),
        )

    def _question(self, enricher: str, key: str, stood: _Stood) -> dict[str, Any]:
        return {"connection": self.connection, "enricher": enricher, "key": key, **stood._asdict()}


def _bars(stood: _Stood | None, now: float) -> bool:
    """Whether a question may not be asked now: somebody is asking, an answer holds, or it is too early to
    look for its job. A hit that is lost bars nothing."""
    if stood is None or stood.expires_at <= now:
        return False
    return stood.state != HIT or not stood.unreadable


def _due(answer: Answered, before: _Stood | None, run: str | None) -> Due:
    """What an answer means, knowing who asked last."""
    kind, stood = answer.kind, before or _Stood()
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of answer")
    mine = run is None or stood.run in ("", run)
    if kind == PENDING and not (answer.job or stood.job):
        kind = UNKNOWN  # it was taken, and nobody could ever fetch it
    waits = kind == PENDING or (kind in (NONE, UNKNOWN, REFUSED) and stood.job != "")
    return Due(kind=kind, answer=answer, mine=mine, waits=waits)


def _after(due: Due, before: _Stood | None, now: float) -> _Stood | None:
    """How the question stands after an answer; None when it is as if it had never been asked."""
    answer, stood = due.answer, before or _Stood()
    if due.kind in (HIT, MISS):
        return _Stood(
            state=due.kind,
            at=now,
            expires_at=answer.expires_at,
            signals=signals_to_text(answer.signals) if answer.signals else "",
            unread=dumps(answer.unread) if answer.unread else "",
            until=(answer.until or answer.expires_at) if answer.signals else 0.0,
            run=stood.run,
        )
    if not due.mine:
        return before
    known = stood
    if not stood.signals or stood.until <= now:
        known = stood._replace(at=now, signals="", unread="", until=0.0)
    if due.kind == PENDING:
        since = stood.ordered if stood.job else now
        job = answer.job or stood.job
        return known._replace(state=PENDING, job=job, expires_at=answer.expires_at, ordered=since)
    if due.kind == LOST:
        return known._replace(state=ASKED, job="", expires_at=answer.expires_at, ordered=0.0)
    if due.kind == REFUSED:
        state = PENDING if stood.job else HIT if known.signals else REFUSED
        return known._replace(state=state, expires_at=answer.expires_at)
    if due.kind == UNKNOWN:
        return known._replace(state=ASKED, expires_at=answer.expires_at)
    if stood.state != ASKED:
        return before  # nobody reserved it: there is nothing to give back
    if stood.job:
        return known._replace(state=PENDING, expires_at=now)
    return known._replace(state=HIT, expires_at=now) if known.signals else None
