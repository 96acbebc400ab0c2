"""The sales of one account → how its story ended, and when. Knows no cohorts and no facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import fsum, isfinite
from typing import NamedTuple

from icp_sync.domain.currency import convert
from icp_sync.domain.facts import FactValue, Members, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A deal, won, lost or still open. Instants are UTC epoch seconds, None where nobody says.

    amount: whole units of `currency` (ISO 4217, "" where nobody says), None unknown. given_up: somebody says
    that it never closed, however young it is; `closed` is when, where they say so.
    """

    account_id: str
    id: str = ""
    created: float | None = None
    closed: float | None = None
    won: bool = False
    open: bool = False
    amount: float | None = None
    currency: str = ""
    given_up: bool = False


class End(StrEnum):
    """How a story ended, or why it did not."""

    WON = "won"
    LOST = "lost"
    NEVER = "never closed"
    OPEN = "open"
    UNDATED = "undated"


class Story(NamedTuple):
    """How all sales of one account ended. guessed: for want of another date, when its deal was created."""

    end: End
    begun: float = 0.0
    decided: float = 0.0
    deal: str = ""
    guessed: bool = False


def story(sales: Sequence[Sale], *, stale_after: float, now: float, undated: bool) -> Story:
    """What the sales of one account amount to.

    The first that was won decides; else the last that was lost; else, when all that are open are older than
    `stale_after` seconds, that nothing ever came of them. undated: no sale of the whole book has a date, so
    that everything is decided `now`.
    """
    won = [s for s in sales if s.won]
    lost = [s for s in sales if not s.won and not s.open and not s.given_up]
    for end, found in ((End.WON, won), (End.LOST, lost)):
        if not found:
            continue
        dated = [
            (at, s.id, s.created or 0.0, s) for s in found if (at := _ended(s, now, undated)) is not None
        ]
        if not dated:
            return Story(End.UNDATED)
        decided, _, _, sale = (min if end is End.WON else max)(dated, key=lambda each: each[:3])
        begun = decided if sale.created is None else min(sale.created, decided)
        return Story(end, begun, decided, sale.id, sale.closed is None and not undated)
    return _never([s for s in sales if s.open or s.given_up], stale_after, now, undated)


def _ended(sale: Sale, now: float, undated: bool) -> float | None:
    """When a sale was won or lost; when it was created, where no other date is known."""
    if sale.closed is not None:
        return sale.closed
    return now if undated else sale.created


def _never(sales: Sequence[Sale], stale_after: float, now: float, undated: bool) -> Story:
    """Given up when the last of the open ones had grown stale; open as long as one of them is young."""
    ends, begun = [], []
    for sale in sales:
        end = None if sale.created is None else sale.created + stale_after
        if sale.given_up:
            end = sale.closed if sale.closed is not None else now if undated else end
            if end is None:
                return Story(End.UNDATED)
            end = min(end, now)
        if end is None or end > now:
            return Story(End.OPEN)
        ends.append((end, sale.id))
        begun.append(end if sale.created is None else min(sale.created, end))
    if not ends:
        return Story(End.OPEN)
    decided, deal = max(ends)
    return Story(End.NEVER, min(begun), decided, deal)


def in_currency(amount: FactValue, currency: str) -> float | None:
    """The middle of what an amount may be in `currency`; None where it has no end or nobody says its
    currency. A plain number is taken to be in that currency already."""
    if isinstance(amount, Members):
        return None
    if isinstance(amount, Money):
        if not amount.currency:
            return None
        amount = convert(amount, currency)
    middle = (amount.low + amount.high) / 2
    return middle if isfinite(middle) else None


def won_amount(sales: Sequence[Sale], currency: str) -> float | None:
    """The sum of the won amounts that are known, each at the rates of the year it was won; None when there
    is none, or nothing but zeros, which is how CRMs write "nobody filled it in"."""
    found = [
        middle
        for sale in sales
        if sale.won and sale.amount is not None and (middle := _in(sale, currency)) is not None
    ]
    return fsum(found) if any(found) else None


def _in(sale: Sale, currency: str) -> float | None:
    amount = sale.amount or 0.0
    return in_currency(Money(amount, amount, sale.currency, _year(sale.closed)), currency)


def _year(at: float | None) -> int | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC).year
    except (OverflowError, OSError, ValueError):
        return None
