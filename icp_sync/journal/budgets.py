"""Whether one more request fits the budgets: sums, the calendar, and who may still be asked. Pure.

Never allows what would take a sum beyond its budget. Reserved prices are in the sums already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from types import MappingProxyType

from icp_sync.domain.buying import Budgets

DAY = 86_400.0
ACCOUNT_WINDOW = 30 * DAY
"""Seconds over which the purchases of one account are added up."""
TOLERANCE = 1e-6
"""Credits: sums of floats are not exact, and a millionth of a credit is no request."""
NO_LIMITS = (inf, inf)


def day_of(now: float) -> int:
    """The UTC day of an instant, in days since 1970-01-01."""
    return int(now // DAY)


def first_of_month(now: float) -> int:
    """The first day of its UTC calendar month, likewise."""
    return day_of(now) - datetime.fromtimestamp(now, UTC).day + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Credits spent or reserved. day, month: of the whole connection; by_key: key → in the last 30 days."""

    run: float = 0.0
    day: float = 0.0
    month: float = 0.0
    vendor_day: float = 0.0
    vendor_month: float = 0.0
    by_key: Mapping[str, float] = field(default_factory=dict)


class Allowance:
    """What may still be spent on one enricher, less what is granted meanwhile."""

    def __init__(
        self,
        budgets: Budgets,
        enricher: str,
        spent: Sums,
        beside: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """beside: key → the other keys under which the same accounts are asked about."""
        vendor_day, vendor_month = budgets.vendors.get(enricher, NO_LIMITS)
        self._account = budgets.account
        self._by_key = dict(spent.by_key)
        self._beside = beside
        self._left = {
            "run": budgets.run - spent.run,
            "day": budgets.day - spent.day,
            "month": budgets.month - spent.month,
            "vendor day": vendor_day - spent.vendor_day,
            "vendor month": vendor_month - spent.vendor_month,
        }

    def grant(self, key: str, price: float) -> str:
        """Take the price from what is left; "" when it fits, else the first budget that it does not fit.

        What costs nothing always fits.
        """
        if price <= 0.0:
            return ""
        before = self._by_key.get(key, 0.0)
        elsewhere = max((self._by_key.get(one, 0.0) for one in self._beside.get(key, ())), default=0.0)
        if before + elsewhere + price > self._account + TOLERANCE:
            return "account"
        for name, left in self._left.items():
            if price > left + TOLERANCE:
                return name
        self._by_key[key] = before + price
        for name in self._left:
            self._left[name] -= price
        return ""
