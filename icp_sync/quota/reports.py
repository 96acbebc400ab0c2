"""What one process knows of its own calls: which are in flight, and what it has not told the others yet.

Its caller holds a lock. Knows no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from icp_sync.quota.day import Told
from icp_sync.quota.ledger import Granted, News

LATE = 0.02
"""Seconds a call may reach the other side after its slot without a word: the guard covers as much."""
EASES = 1.02


@dataclass(slots=True, kw_only=True)
class Flight:
    """One call. at: its slot on the ledger's clock; due, soonest: that instant on ours, at the latest and at
    the earliest that it may be; late: seconds after that it was sent; waited: for it. pauses: how many
    there had been when it was given."""

    buckets: tuple[str, ...]
    at: float = 0.0
    known: int | None = None
    period: int | None = None
    begun: int = 0
    counted: bool = False
    told: bool = False
    answered: bool = False
    due: float = -inf
    soonest: float = inf
    pauses: int = 0
    sent: float = 0.0
    late: float = 0.0
    waited: float = 0.0

    @property
    def reached(self) -> float:
        """When it was sent, on the ledger's clock, at the earliest."""
        return self.at + max(0.0, self.sent - self.due)


class Reports:
    """quiet: buckets whose replies say nothing of the day."""

    def __init__(self, quiet: frozenset[str]) -> None:
        self._quiet = quiet
        self._tick = 0
        self._flying: set[int] = set()
        self._unseen: list[int] = []  # when calls ended of which no later reply has told yet
        self._told: list[tuple[str, Told]] = []
        self._later: list[tuple[str, float, float]] = []
        self._well: set[str] = set()
        self._untold = 0
        self._quickest: dict[str, float] = {}

    def departed(self, buckets: tuple[str, ...], given: Granted, counted: bool) -> Flight:
        self._tick += 1
        if counted:
            self._flying.add(self._tick)
        return Flight(
            buckets=buckets,
            at=given.at,
            known=given.known,
            period=given.period,
            begun=self._tick,
            counted=counted,
        )

    def cancelled(self, flight: Flight) -> None:
        """It was not sent after all."""
        self._flying.discard(flight.begun)

    def heard(self, bucket: str, told: Told, flight: Flight | None) -> None:
        """A reply named figures. flight: its call, where they are those of the day."""
        self._told.append((bucket, told))
        if flight is not None and told.remaining is not None:
            flight.told = True
            self._unseen = [ended for ended in self._unseen if ended > flight.begun]

    def landed(self, flight: Flight, now: float) -> None:
        """Its reply came, or never will."""
        self._tick += 1
        if not flight.buckets:
            return
        if flight.answered:
            self._well.update(flight.buckets)
        if flight.counted:
            self._flying.discard(flight.begun)
            if not flight.told and flight.known:
                self._unseen.append(self._tick)
            if not flight.told and flight.answered and not self._quiet & set(flight.buckets):
                self._untold += 1
        self._notice_lateness(flight, now - flight.sent)

    def _notice_lateness(self, flight: Flight, seconds: float) -> None:
        """A slot counts from when its call arrived: after it was sent, and before its reply by the time the
        quickest take."""
        first = flight.buckets[0]
        quickest = min(seconds, self._quickest.get(first, seconds) * EASES + 0.001)
        self._quickest[first] = quickest
        late = flight.late + seconds - quickest
        if late > LATE:
            self._later += [(bucket, flight.at, flight.at + late) for bucket in flight.buckets]

    def news(self) -> News:
        """Everything not told yet, which counts as told from here on."""
        news = News(
            told=tuple(self._told),
            later=tuple(self._later),
            well=frozenset(self._well),
            untold=self._untold,
            flying=len(self._flying),
            unseen=len(self._unseen),
        )
        self._told, self._later, self._untold = [], [], 0
        self._well.clear()
        return news

    def unheard(self, news: News) -> None:
        """It could not be told after all."""
        self._told = [*news.told, *self._told]
        self._later = [*news.later, *self._later]
        self._well |= news.well
        self._untold += news.untold
