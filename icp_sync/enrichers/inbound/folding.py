"""What the events of one company amount to: the last visit, how many in a month, the newest of each fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import inf

from icp_sync.domain.facts import FactValue, Interval, Members, Money, Signal
from icp_sync.enrichers.inbound.mapping import LAST_VISIT
from icp_sync.journal.inbound import A_DOMAIN, Event, Fold

MONTH = 30 * 86_400.0
"""Seconds in which visits are counted."""
GRACE = 86_400.0
"""Seconds a number of visits holds beyond that, for a worker that counts anew a little late."""
RANK = 10
"""Behind everything the CRM says, beside the first enricher."""
_SHOWN = 8


def folding(source: str, now: float) -> Fold:
    """How the events of this source are added up at this moment."""

    def fold(events: Sequence[Event]) -> tuple[Signal, ...]:
        return tuple(_signals(source, [event for event in events if event.until > now], now))

    return fold


def _signals(source: str, events: Sequence[Event], now: float) -> Iterator[Signal]:
    by_fact: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: (-event.at, event.id)):
        for fact in event.facts:
            by_fact.setdefault(fact, []).append(event)
    for fact, telling in sorted(by_fact.items()):
        value = telling[0].facts[fact]
        if isinstance(value, Members) and not value.complete:
            value = Members(_all(fact, telling), complete=False)
        yield _signal(source, fact, value, telling[0], telling[0].until)
    visits = [event for event in by_fact.get(LAST_VISIT, ()) if event.at > now - MONTH]
    if visits and "web_visits" not in by_fact:
        count = float(len(visits))
        many = Interval(count, inf if len(visits) >= A_DOMAIN else count)
        yield _signal(source, "web_visits", many, visits[0], visits[-1].at + MONTH + GRACE)


def _all(fact: str, telling: Sequence[Event]) -> frozenset[str]:
    values = (event.facts[fact] for event in telling)
    return frozenset().union(*(value.known for value in values if isinstance(value, Members)))


def _signal(source: str, fact: str, value: FactValue, event: Event, until: float) -> Signal:
    return Signal(
        fact=fact,
        value=value,
        source=source,
        observed_at=event.at,
        rank=RANK,
        raw=_words(fact, value),
        until=until,
    )


def _words(fact: str, value: FactValue) -> str:
    """For explain; made of what was understood, never of what was sent."""
    if isinstance(value, Members):
        return ", ".join(sorted(value.known)[:_SHOWN])
    if fact == LAST_VISIT or fact.endswith("_date"):
        return datetime.fromtimestamp(value.low, UTC).date().isoformat()
    currency = f" {value.currency}" if isinstance(value, Money) and value.currency else ""
    span = f"{value.low:g}" if value.low == value.high else f"{value.low:g} to {value.high:g}"
    return span + currency
