"""Where a ledger is kept: in the memory of one process, or in the journal, for all of a connection's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from icp_sync.journal import QUOTA_ALERT, Journal
from icp_sync.quota.ledger import Ledger
from icp_sync.quota.rates import Rate, Window

T = TypeVar("T")


class Keeping(Protocol):
    shared: bool
    """Whether other processes see it too."""

    def change(self, act: Callable[[Ledger, float], T]) -> T:
        """Let `act` look at and change the ledger, alone; it is told the time on the ledger's clock."""

    def alert(self, text: str, now: float) -> None:
        """Somebody should know; "" takes it back."""


class InMemory:
    """Its caller sees to it that one thread changes it at a time. clock: monotonic seconds."""

    shared = False

    def __init__(self, rates: Mapping[str, Rate], clock: Callable[[], float]) -> None:
        self.ledger = Ledger(windows={name: Window(rate=rate) for name, rate in rates.items()})
        self._clock = clock

    def change(self, act: Callable[[Ledger, float], T]) -> T:
        return act(self.ledger, self._clock())

    def alert(self, text: str, now: float) -> None:
        """The log is all there is."""


class InJournal:
    """One row of the journal, by its database's clock: SQLite's is this machine's, PostgreSQL's its server's.

    Whatever a call costs there is little beside the call: one short transaction. What nobody else has changed
    meanwhile is not read anew. Its caller sees to it that one thread changes it at a time.
    """

    shared = True

    def __init__(self, journal: Journal, rates: Mapping[str, Rate]) -> None:
        self._journal, self._rates = journal, rates
        self._ours: tuple[str, Ledger] | None = None  # the ledger last written, as text and as it is

    def change(self, act: Callable[[Ledger, float], T]) -> T:
        def changed(text: str, at: float, now: float) -> tuple[str, T]:
            ours, self._ours = self._ours, None  # whatever is raised from here on, it is read again
            if ours is not None and ours[0] == text and at <= now:
                ledger = ours[1]
            else:
                ledger = Ledger.from_text(text, self._rates, at=at, now=now)
            result = act(ledger, now)
            said = ledger.to_text()
            self._ours = said, ledger
            return said, result

        return self._journal.change_quota(changed)

    def alert(self, text: str, now: float) -> None:
        if text:
            self._journal.raise_alert(QUOTA_ALERT, text, now=now)
        else:
            self._journal.end_alert(QUOTA_ALERT)
