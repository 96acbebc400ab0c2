"""What became of deals, by the tier their company had when they were created.

A tier that goes on changing knows the outcome: who buys is known better, and moves up. The tier of the first
day does not. Pure: knows no journal and no CRM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP
from icp_sync.domain.profile import TIERS
from icp_sync.learning.figures.chance import wilson

TIERS_AND_STATES = (*TIERS, NEEDS_DATA, NOT_ICP)
UNTOLD = ""
"""Of a deal whose company nobody had looked at when it was created."""
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A deal. tier: of its company at its creation, "" nobody knew. created: UTC epoch seconds, 0 unknown.
    closed: the day it was won or lost, None while it is open or where no day is known. amount: in the
    report's currency, None unknown."""

    account_id: str
    tier: str
    created: float
    closed: date | None
    open: bool
    won: bool
    amount: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a customer was worth when first won, and what it is worth now (0 once it has churned), in the
    report's currency; tier: at the creation of that first deal."""

    tier: str
    first: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tier. deals were created, decided of them are closed. rate: won of decided with its Wilson
    interval, None of none. cycle: days from creation to close of the won ones, the median. amount: of the won
    ones, the mean. velocity: amount won a day of cycle, by the deals that are open: open x rate x amount /
    cycle. retention: worth now of what `customers` were worth when first won; each None where unknown."""

    tier: str
    deals: int
    open: int
    decided: int
    won: int
    rate: float | None
    low: float
    high: float
    cycle: float | None
    amount: float | None
    velocity: float | None
    customers: int
    retention: float | None


def rows(sold: Iterable[Sold], kept: Iterable[Kept]) -> tuple[Row, ...]:
    """A row for each tier and state that any deal has, best first, and last the deals of unknown tier."""
    by_tier: dict[str, list[Sold]] = {}
    for deal in sold:
        by_tier.setdefault(deal.tier, []).append(deal)
    worth: dict[str, list[Kept]] = {}
    for customer in kept:
        worth.setdefault(customer.tier, []).append(customer)
    order = (*TIERS_AND_STATES, *sorted(by_tier.keys() - {*TIERS_AND_STATES, UNTOLD}), UNTOLD)
    return tuple(_row(tier, by_tier[tier], worth.get(tier, ())) for tier in order if tier in by_tier)


def _row(tier: str, deals: Sequence[Sold], kept: Sequence[Kept]) -> Row:
    decided = [deal for deal in deals if not deal.open]
    won = [deal for deal in decided if deal.won]
    low, high = wilson(len(won), len(decided))
    rate = len(won) / len(decided) if decided else None
    days = list(_cycles(won))
    cycle = median(days) if days else None
    amounts = [deal.amount for deal in won if deal.amount is not None]
    amount = sum(amounts) / len(amounts) if amounts else None
    still = len(deals) - len(decided)
    first = sum(customer.first for customer in kept)
    return Row(
        tier=tier,
        deals=len(deals),
        open=still,
        decided=len(decided),
        won=len(won),
        rate=rate,
        low=low,
        high=high,
        cycle=cycle,
        amount=amount,
        velocity=_velocity(still, rate, amount, cycle),
        customers=len(kept),
        retention=sum(customer.now for customer in kept) / first if first > 0 else None,
    )


def _cycles(won: Iterable[Sold]) -> Iterator[float]:
    """Days each took. A deal entered after it was closed took none that anybody knows.

    A close date is a day of the portal's own zone: west of UTC, a deal won in the evening it was created
    closes a day before it, and took less than one.
    """
    for deal in won:
        if deal.closed is not None and deal.created > 0:
            days = deal.closed.toordinal() - _EPOCH - deal.created // DAY
            if days >= -1:
                yield max(0.0, days)


_EPOCH = date(1970, 1, 1).toordinal()


def _velocity(still: int, rate: float | None, amount: float | None, cycle: float | None) -> float | None:
    if rate is None or amount is None or cycle is None:
        return None
    return still * rate * amount / max(1.0, cycle)


def customers(
    sold: Iterable[Sold], now: Mapping[str, float | None], until: date, *, since: float = 0.0
) -> Iterator[Kept]:
    """What became of those first won before a day, where both figures are known.

    sold: every deal, so that what was bought first is. now: account → what it is worth today, 0 once it has
    churned, None or absent where nobody says. since: only those whose first won deal began then.
    """
    first: dict[str, Sold] = {}
    for deal in sold:
        if deal.won and deal.closed is not None and deal.amount:
            known = first.get(deal.account_id)
            if known is None or known.closed is None or deal.closed < known.closed:
                first[deal.account_id] = deal
    for account_id, deal in first.items():
        worth = now.get(account_id)
        if deal.created < since or deal.closed is None or deal.closed >= until:
            continue
        if worth is not None and deal.amount is not None:
            yield Kept(tier=deal.tier, first=deal.amount, now=worth)
