"""What is known of a customer's fate → the cohort it belongs to, or why that cannot be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from icp_sync.domain.facts import FactValue, Interval, Members, Money
from icp_sync.learning.cases import Cohort
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.past.sales import End, in_currency

DETRACTOR = 6
"""The highest answer of a detractor, of 0 to 10 (Reichheld, "The One Number You Need to Grow", 2003)."""

Placed = tuple[Cohort, str]
"""A cohort, and for the unplaced one why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is known of one account whose story has an end.

    churned: the customer is gone. age: seconds since it was won or lost, None where nobody says. worth: in
    the book's currency, None unknown. renewals, nps: as the facts say, None unknown.
    """

    end: End
    churned: bool = False
    age: float | None = None
    worth: float | None = None
    renewals: FactValue | None = None
    nps: FactValue | None = None

    def stayed(self, retained_after: float) -> bool:
        """Whether it was won, is still there, and has been for long enough or renewed."""
        if self.end is not End.WON or self.churned:
            return False
        return _at_least_once(self.renewals) or (self.age is not None and self.age >= retained_after)

    @property
    def detractor(self) -> bool:
        return isinstance(self.nps, Interval) and self.nps.high <= DETRACTOR


def gone(churned_on: FactValue | None, value: FactValue | None, now: float) -> bool:
    """Whether a won customer has left: on a day that has come, by a plain yes, or because it is worth
    nothing any more."""
    if isinstance(value, Interval | Money) and value.low == value.high == 0:
        return True
    if isinstance(churned_on, Members):
        return "yes" in churned_on.known
    return isinstance(churned_on, Interval) and churned_on.low <= now


def place(fates: Sequence[Fate], by: Definitions, *, currency: str) -> list[Placed]:
    """The cohort of each, in the given order. Value is compared among those who stayed."""
    values = sorted(f.worth for f in fates if f.worth is not None and f.stayed(by.retained_after))
    high, low = bounds(values, by, currency)
    return [_placed(fate, by, high, low) for fate in fates]


def bounds(values: Sequence[float], by: Definitions, currency: str) -> tuple[float | None, float | None]:
    """From where on a value is high, and up to where it is low; None where there is nothing to compare."""
    least = in_currency(by.min_value, currency) if by.min_value else None
    if not values or (least is None and values[0] == values[-1] and len(values) > 1):
        return least, None
    low = values[ceil(len(values) * by.low_value) - 1] if by.low_value > 0 else None
    if least is not None:
        return least, low
    return values[-ceil(len(values) * by.high_value)] if by.high_value > 0 else None, low


def _placed(fate: Fate, by: Definitions, high: float | None, low: float | None) -> Placed:
    if fate.end is not End.WON:
        return (Cohort.LOST if fate.end is End.LOST else Cohort.NEVER), ""
    if fate.churned:
        return Cohort.CHURNED, ""
    if not fate.stayed(by.retained_after):
        why = "won too recently" if fate.age is not None else "nobody says when it was won"
        return Cohort.UNPLACED, why
    return by_value(fate.worth, detractor=fate.detractor, high=high, low=low)


def by_value(worth: float | None, *, detractor: bool, high: float | None, low: float | None) -> Placed:
    """Where a customer who stayed belongs. high, low: as `bounds` has them."""
    if worth is None:
        return Cohort.UNPLACED, "worth unknown"
    if high is None and low is None:
        return Cohort.UNPLACED, "all who stayed are worth the same"
    if high is not None and worth >= high:
        return (Cohort.UNPLACED, "high value, but a detractor") if detractor else (Cohort.BEST, "")
    if low is not None and worth <= low:
        return Cohort.LOW, ""
    return Cohort.UNPLACED, "retained, between high and low value"


def _at_least_once(renewals: FactValue | None) -> bool:
    if isinstance(renewals, Members):
        return "yes" in renewals.known
    return isinstance(renewals, Interval) and renewals.low >= 1
