"""Who belongs to which cohort, as somebody decided it. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from icp_sync.domain.facts import Money

if TYPE_CHECKING:
    from icp_sync.settings.learning import Learning

DAY = 86_400.0
MONTH = 365.2425 * DAY / 12

CHURNED_ON, VALUE, RENEWALS, NPS = OUTCOMES = ("churned_on", "value", "renewals", "nps")
"""Keys that name a fact of the account's fate, and what a file may tell of it."""


class Goal(StrEnum):
    """What a profile is learned to tell. WON: was won, and has not churned since. BEST: the best cohort
    against all that could be placed in another."""

    WON = "won"
    BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Who belongs to which cohort. Spans in seconds, shares in [0, 1].

    months: cases decided within so many months count. retained_after: a customer for so long has stayed.
    high_value: the top share of those who stayed, by value, unless `min_value` says what is much. low_value:
    the bottom share. stale_after: an open deal older than that came to nothing. churned_on, value, renewals,
    nps: names of facts, "" where no fact tells. known_before: facts somebody vouches for as known before the
    sale.
    """

    goal: Goal = Goal.WON
    months: int = 24
    retained_after: float = 365 * DAY
    high_value: float = 0.20
    min_value: Money | None = None
    low_value: float = 0.50
    stale_after: float = 180 * DAY
    churned_on: str = ""
    value: str = ""
    renewals: str = ""
    nps: str = ""
    known_before: frozenset[str] = frozenset()

    def fact(self, key: str) -> str:
        """The fact that one of `OUTCOMES` names, "" for none."""
        named = {CHURNED_ON: self.churned_on, VALUE: self.value, RENEWALS: self.renewals, NPS: self.nps}
        return named[key]

    @property
    def outcomes(self) -> Mapping[str, str]:
        """Fact → the key that names it."""
        return {name: key for key in OUTCOMES if (name := self.fact(key))}


def defined(section: Learning) -> Definitions:
    """What the settings of a connection say."""
    return Definitions(
        goal=Goal(section.goal),
        months=section.months,
        retained_after=section.retained_after,
        high_value=section.high_value,
        min_value=section.min_value,
        low_value=section.low_value,
        stale_after=section.stale_after,
        churned_on=section.churned_on,
        value=section.value,
        renewals=section.renewals,
        nps=section.nps,
        known_before=frozenset(section.known_before),
    )
