"""What was paid, or reserved, for answers: one row per request that costs anything, and sums of them.

At most one row per enricher and key is open: reserved, and what it costs is not known yet. Must not know what
was answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, select, update

from icp_sync.domain.buying import Budgets
from icp_sync.journal import schema
from icp_sync.journal.bought import LOST, NONE, REFUSED, UNKNOWN, Answered
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import ACCOUNT_WINDOW, NO_LIMITS, Sums, day_of, first_of_month
from icp_sync.journal.clock import shared
from icp_sync.journal.database import chunks, insert

_PURCHASE = schema.purchase
_SPENDING = schema.spending


class Purchases(Bound):
    def spent(self, enricher: str, since: float) -> float:
        """Credits spent on this enricher since then, those reserved with an unknown fate among them."""
        mine = _PURCHASE.c.connection == self.connection
        total = select(func.sum(_PURCHASE.c.amount)).where(
            mine, _PURCHASE.c.enricher == enricher, _PURCHASE.c.at >= since
        )
        with self.reading() as conn:
            return float(conn.execute(total).scalar() or 0.0)

    def reserved_by(self, run: str) -> dict[str, float]:
        """Credits a run reserved of which nobody knows yet whether they are spent, by enricher."""
        mine = (_PURCHASE.c.connection == self.connection, _PURCHASE.c.run == run, _PURCHASE.c.open)
        total = select(_PURCHASE.c.enricher, func.sum(_PURCHASE.c.amount)).where(*mine)
        with self.reading() as conn:
            rows = conn.execute(total.group_by(_PURCHASE.c.enricher))
            return {name: float(amount) for name, amount in rows if amount}

    def budget_left(self, budgets: Budgets, *, now: float) -> dict[str, float]:
        """Credits left of each budget that is set and has a calendar: "day", "month", "vendor NAME day" and
        "vendor NAME month". Below zero where a source charged more than was reserved."""
        with self.reading() as conn:
            by_vendor = spent_by_vendor(conn, self.connection, shared(conn, now))
        day, month = (sum(sums[i] for sums in by_vendor.values()) for i in (1, 2))
        left = {"day": budgets.day - day, "month": budgets.month - month}
        for name, (of_day, of_month) in budgets.vendors.items():
            _, day, month = by_vendor.get(name, (0.0, 0.0, 0.0))
            left |= {f"vendor {name} day": of_day - day, f"vendor {name} month": of_month - month}
        return {name: credits for name, credits in left.items() if isfinite(credits)}


def spent_by_vendor(
    conn: Connection, connection: str, now: float, since: int | None = None
) -> dict[str, tuple[float, float, float]]:
    """Enricher → credits since a day (the first of the month), this UTC day, this UTC calendar month."""
    today, first = day_of(now), first_of_month(now)
    rows = conn.execute(
        select(
            _SPENDING.c.enricher,
            func.sum(_SPENDING.c.amount),
            func.sum(case((_SPENDING.c.day >= today, _SPENDING.c.amount), else_=0.0)),
            func.sum(case((_SPENDING.c.day >= first, _SPENDING.c.amount), else_=0.0)),
        )
        .where(_SPENDING.c.connection == connection, _SPENDING.c.day >= (first if since is None else since))
        .group_by(_SPENDING.c.enricher)
    )
    return {name: (float(total), float(day), float(month)) for name, total, day, month in rows}


def sums(
    conn: Connection,
    connection: str,
    enricher: str,
    keys: Sequence[str],
    budgets: Budgets,
    run: str,
    now: float,
) -> Sums:
    """What counts against the budgets; where there is none, nothing is added up."""
    limited = budgets.vendors.get(enricher, NO_LIMITS)
    day = month = vendor_day = vendor_month = of_run = 0.0
    if any(map(isfinite, (budgets.day, budgets.month, *limited))):
        by_vendor = spent_by_vendor(conn, connection, now)
        day, month = (sum(row[i] for row in by_vendor.values()) for i in (1, 2))
        _, vendor_day, vendor_month = by_vendor.get(enricher, (0.0, 0.0, 0.0))
    if isfinite(budgets.run):
        mine = (_PURCHASE.c.connection == connection, _PURCHASE.c.run == run)
        of_run = float(conn.execute(select(func.sum(_PURCHASE.c.amount)).where(*mine)).scalar() or 0.0)
    return Sums(
        run=of_run,
        day=day,
        month=month,
        vendor_day=vendor_day,
        vendor_month=vendor_month,
        by_key=_by_key(conn, connection, keys, now) if isfinite(budgets.account) else {},
    )


def _by_key(conn: Connection, connection: str, keys: Sequence[str], now: float) -> dict[str, float]:
    """Key → credits of the last 30 days. A key has few purchases: reading them all spares the planner the
    choice of walking through everybody's of those days."""
    recent = case((_PURCHASE.c.at > now - ACCOUNT_WINDOW, _PURCHASE.c.amount), else_=0.0)
    found: dict[str, float] = {}
    for chunk in chunks(keys):
        rows = conn.execute(
            select(_PURCHASE.c.key, func.sum(recent))
            .where(_PURCHASE.c.connection == connection, _PURCHASE.c.key.in_(chunk))
            .group_by(_PURCHASE.c.key)
        )
        found |= {key: float(amount) for key, amount in rows}
    return found


def _add(conn: Connection, connection: str, enricher: str, by_day: Mapping[int, float]) -> None:
    """Keep the sums of days in step with the purchases, in their transaction."""
    rows = [
        {"connection": connection, "enricher": enricher, "day": day, "amount": amount}
        for day, amount in sorted(by_day.items())
        if amount
    ]
    if rows:
        statement = insert(conn, _SPENDING)
        more = {"amount": _SPENDING.c.amount + statement.excluded.amount}
        conn.execute(
            statement.on_conflict_do_update(index_elements=["connection", "enricher", "day"], set_=more), rows
        )


def open_purchases(
    conn: Connection, connection: str, enricher: str, prices: Mapping[str, float], *, run: str, now: float
) -> None:
    """Reserve these prices. A request of unknown fate that is repeated now stays counted at its own."""
    for chunk in chunks(sorted(prices)):
        conn.execute(
            update(_PURCHASE)
            .where(*_of(connection, enricher), _PURCHASE.c.key.in_(chunk), _PURCHASE.c.open)
            .values(open=False)
        )
    rows = [
        _row(connection, enricher, key, run, now, price, still_open=True)
        for key, price in sorted(prices.items())
        if price
    ]
    if rows:
        conn.execute(_PURCHASE.insert(), rows)
        _add(conn, connection, enricher, {day_of(now): sum(prices.values())})


def short_of(
    conn: Connection,
    connection: str,
    enricher: str,
    keys: Sequence[str],
    price: float,
    *,
    run: str,
    now: float,
) -> dict[str, float]:
    """Key → credits to reserve beside what is left of its job's price, so that a fetch may cost this; 0 where
    enough is left. What was reserved on another day, or in another run, counts for neither of today's."""
    held = _reserved(conn, connection, enricher, keys)

    def short(one: _Open | None) -> float:
        if one is None:
            return price
        here = (day_of(one.at), one.run) == (day_of(now), run)
        return 0.0 if one.amount >= price else price - (one.amount if here else 0.0)

    return {key: short(held.get(key)) for key in keys}


def reserve_again(
    conn: Connection,
    connection: str,
    enricher: str,
    keys: Sequence[str],
    price: float,
    *,
    run: str,
    now: float,
) -> None:
    """Reserve a price anew for what jobs may still cost, where less of theirs is left: that moves here."""
    held = _reserved(conn, connection, enricher, keys)
    short = sorted(key for key in keys if key not in held or held[key].amount < price)
    by_day: dict[int, float] = defaultdict(float)
    for key in short:
        if key in held:
            by_day[day_of(held[key].at)] -= held[key].amount
    for chunk in chunks([held[key].seq for key in short if key in held]):
        conn.execute(delete(_PURCHASE).where(_PURCHASE.c.seq.in_(chunk)))
    if rows := [_row(connection, enricher, key, run, now, price, still_open=True) for key in short]:
        conn.execute(_PURCHASE.insert(), rows)
        by_day[day_of(now)] += price * len(rows)
    _add(conn, connection, enricher, by_day)


class Due(NamedTuple):
    """What an answer means for its reservation.

    kind: of `Answered`, as it is to be understood. mine: false when another run has asked meanwhile, whose
    reservation it is now. waits: a job is ordered, and what it will cost stays reserved.
    """

    kind: str
    answer: Answered
    mine: bool
    waits: bool


class _Settled(NamedTuple):
    amount: float
    still_open: bool


def settle(
    conn: Connection, connection: str, enricher: str, due: Mapping[str, Due], *, run: str, now: float
) -> None:
    """Turn reserved prices into what was really charged; what nobody reserved is charged as it came."""
    reserved = _reserved(conn, connection, enricher, sorted(key for key, one in due.items() if one.mine))
    after = {open_.seq: _settled(due[key], open_.amount) for key, open_ in reserved.items()}
    by_day: dict[int, float] = defaultdict(float)
    for open_ in reserved.values():
        one = after[open_.seq]
        by_day[day_of(open_.at)] += (one.amount if one else 0.0) - open_.amount
    if changed := [
        {"b_seq": seq, "b_amount": one.amount, "b_open": one.still_open} for seq, one in after.items() if one
    ]:
        conn.execute(
            update(_PURCHASE)
            .where(_PURCHASE.c.seq == bindparam("b_seq"))
            .values(amount=bindparam("b_amount"), open=bindparam("b_open")),
            changed,
        )
    for given_back in chunks([seq for seq, one in after.items() if one is None]):
        conn.execute(delete(_PURCHASE).where(_PURCHASE.c.seq.in_(given_back)))
    beside = [
        _row(connection, enricher, key, run, now, one.answer.charge, still_open=False)
        for key, one in due.items()
        if one.answer.charge and (key not in reserved or one.waits)
    ]
    if beside:
        conn.execute(_PURCHASE.insert(), beside)
        by_day[day_of(now)] += sum(row["amount"] for row in beside)
    _add(conn, connection, enricher, by_day)


class _Open(NamedTuple):
    seq: int
    at: float
    amount: float
    run: str


def _reserved(conn: Connection, connection: str, enricher: str, keys: Sequence[str]) -> dict[str, _Open]:
    """Key → what is reserved for it and not known yet."""
    found: dict[str, _Open] = {}
    for chunk in chunks(keys):
        columns = (_PURCHASE.c[name] for name in ("key", "seq", "at", "amount", "run"))
        mine = (*_of(connection, enricher), _PURCHASE.c.key.in_(chunk), _PURCHASE.c.open)
        found |= {
            key: _Open(seq, at, float(amount), by)
            for key, seq, at, amount, by in conn.execute(select(*columns).where(*mine))
        }
    return found


def _settled(due: Due, reserved: float) -> _Settled | None:
    """What becomes of a reservation; None when it is given back."""
    charge = due.answer.charge
    if due.waits:  # what was charged stands beside it; so much less is still to come
        return _Settled(max(reserved - charge, 0.0), still_open=True)
    if due.kind in (UNKNOWN, LOST):
        return _Settled(max(reserved, charge), still_open=True)
    return _Settled(charge, still_open=False) if charge or due.kind not in (NONE, REFUSED) else None


def _of(connection: str, enricher: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _PURCHASE.c.connection == connection, _PURCHASE.c.enricher == enricher


def _row(
    connection: str, enricher: str, key: str, run: str, now: float, amount: float, *, still_open: bool
) -> dict[str, Any]:
    return {
        "connection": connection,
        "enricher": enricher,
        "key": key,
        "run": run,
        "at": now,
        "amount": amount,
        "open": still_open,
    }
