"""A row that tells of an account's fate → a sale, the facts of its fate, and the cohort somebody names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from icp_sync.domain.facts import FactValue, Interval, yes_no
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.cases import Cohort
from icp_sync.learning.definitions import CHURNED_ON, NPS, OUTCOMES, RENEWALS, VALUE
from icp_sync.learning.past.sales import Sale
from icp_sync.learning.past.wanting import counted
from icp_sync.learning.sources.told_columns import Told
from icp_sync.learning.sources.told_names import (
    BEGUN,
    CURRENCY,
    DECIDED,
    OBSERVED,
    OUTCOME,
    PARENT,
    SAID_WORDS,
    Said,
    said_of,
)

NUMBERS = (VALUE, RENEWALS, NPS)
_LISTED = 20
_ONCE = Interval(1, 1)
_OF_CUSTOMERS = (Said.CHURNED, Said.RETAINED, Said.BEST, Said.LOW)
"""Words of somebody who knows which customers left."""
_PLACED = {Said.BEST: Cohort.BEST, Said.LOW: Cohort.LOW}


@dataclass(slots=True)
class Row:
    """What one row tells. said: None where it names no outcome. begun, decided, observed: epoch seconds.
    parent: the account above, as the cell names it."""

    said: Said | None = None
    begun: float | None = None
    decided: float | None = None
    observed: float | None = None
    parent: str = ""
    told: dict[str, FactValue] = field(default_factory=dict)

    @property
    def placed(self) -> Cohort | None:
        """The cohort the row names outright."""
        return _PLACED.get(self.said) if self.said else None

    def sale(self, account_id: str) -> Sale:
        """The outcome as a sale of that account."""
        said = self.said
        return Sale(
            account_id=account_id,
            created=self.begun,
            closed=None if said is Said.OPEN else self.decided,
            won=said not in (Said.LOST, Said.NEVER, Said.OPEN),
            open=said is Said.OPEN,
            given_up=said is Said.NEVER,
        )

    def join(self, other: Row) -> None:
        """Fill what this row does not tell with what another tells."""
        self.told = {**other.told, **self.told}
        if self.said is None:
            self.said, self.begun, self.decided = other.said, other.begun, other.decided


class Rows:
    """The rows of one file; words for outcomes that nobody knows are counted.

    currency: ISO 4217 of amounts that do not say theirs.
    """

    def __init__(self, told: Told, *, currency: str) -> None:
        self.told, self._currency = told, currency
        self._unknown: Counter[str] = Counter()
        self._first = 0
        self._known = 0
        self._stayed = False

    def read(self, row: int, cells: Sequence[str]) -> Row:
        told = self.told
        money = told.money(VALUE, row, cells, told.code(CURRENCY, cells, self._currency))
        said, decided = self._said(row, cells), told.day(DECIDED, row, cells)
        unread = decided is None and said is not Said.OPEN and told.says(DECIDED, cells)
        found = Row(
            said=said,
            begun=None if unread else told.day(BEGUN, row, cells),  # no date stands in for an unread one
            decided=decided,
            observed=told.day(OBSERVED, row, cells),
            parent=told.text(PARENT, cells),
        )
        values = {
            CHURNED_ON: told.date(CHURNED_ON, row, cells),
            VALUE: money,
            RENEWALS: told.number(RENEWALS, row, cells),
            NPS: told.number(NPS, row, cells),
        }
        found.told = {key: value for key, value in values.items() if value is not None}
        if found.said is Said.CHURNED:
            found.told.setdefault(CHURNED_ON, yes_no(True))
        elif found.said is Said.RETAINED:
            found.told[RENEWALS] = _ONCE
        return found

    @property
    def telling(self) -> frozenset[str]:
        """Of the keys of a fate, those there is a column for that can be read, whatever it holds, and those
        that outcomes tell."""
        keys = {key for key in OUTCOMES if self.told.has(key) and not self.told.dateless(key)}
        return frozenset(keys | ({CHURNED_ON} if self._stayed else set()))

    def notes(self) -> list[str]:
        """Outcomes left out. Raises ConfigError when no cell of the column is an outcome, or none of those
        that say when is a date."""
        dateless = self.told.dateless(DECIDED) if self._known else None
        if dateless is not None:
            raise ConfigError([dateless], next_step='icp-sync learn … --map "COLUMN=decided"')
        if not self._unknown:
            return []
        where, column = self.told.table.path, self.told.column(OUTCOME)
        listed = ", ".join(f"'{word}' ({n:,})" for word, n in self._unknown.most_common(_LISTED))
        if not self._known:
            what = f"column '{column[:60]}' holds no outcome: {listed}"
            problem = Problem(where=f"{where}:{self._first}", what=what, hint=f"outcomes are {SAID_WORDS}")
            raise ConfigError([problem], next_step='icp-sync learn … --map "COLUMN=outcome"')
        rows = f"{counted(sum(self._unknown.values()), 'row')} left out"
        return [
            f"{where}:{self._first}: column '{column[:60]}': {rows}, whose outcome nobody knows: {listed}; "
            f"outcomes are {SAID_WORDS}"
        ]

    def _said(self, row: int, cells: Sequence[str]) -> Said | None:
        text = self.told.text(OUTCOME, cells)
        if not text:
            return None
        said = said_of(text)
        if said is None:
            self._first = self._first or row
            self._unknown[text[:40]] += 1
        else:
            self._known += 1
            self._stayed = self._stayed or said in _OF_CUSTOMERS
        return said
