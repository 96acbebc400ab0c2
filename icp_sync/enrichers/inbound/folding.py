"""What the events of one company amount to: the last visit, how many in a month, the newest of each fact.

Events are added to what earlier ones amounted to, in any order and by any steps with the same result; what is
too old goes when all are added up anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
WEB_VISITS = "web_visits"
MOST_KEPT = 1_000
"""Members of a set; which ones of more does not depend on their order."""
_SHOWN = 8


def folding(source: str, now: float, *, counts: bool = True) -> Fold:
    """How the events of this source are added up at this moment. counts: whether visits are counted; not so
    where the source tells their number itself."""

    def fold(events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
        alive = [event for event in events if event.until > now]
        known = {signal.fact: signal for signal in before if (signal.until or inf) > now}
        counted = known.pop(WEB_VISITS, None) if counts else None
        said = dict(_newest(source, alive, known))
        if counts and WEB_VISITS not in said and (visits := _counted(source, alive, counted, now)):
            said[WEB_VISITS] = visits
        return tuple(said[fact] for fact in sorted(said))

    return fold


def _newest(
    source: str, events: Sequence[Event], known: Mapping[str, Signal]
) -> Iterator[tuple[str, Signal]]:
    """Of each fact the newest value; sets unite. Of several at the same moment it is always the same one."""
    told: dict[str, list[Signal]] = {fact: [signal] for fact, signal in known.items()}
    for event in events:
        for fact, value in event.facts.items():
            told.setdefault(fact, []).append(_signal(source, fact, value, event.at, event.until))
    for fact, signals in told.items():
        newest = max(signals, key=lambda one: (one.observed_at, one.until or inf, repr(one.value)))
        if len(signals) > 1 and isinstance(newest.value, Members) and not newest.value.complete:
            value = Members(_all(signals), complete=False)
            newest = _signal(source, fact, value, newest.observed_at, newest.until or inf)
        yield fact, newest


def _all(signals: Sequence[Signal]) -> frozenset[str]:
    values = (signal.value for signal in signals)
    known = frozenset[str]().union(*(value.known for value in values if isinstance(value, Members)))
    return known if len(known) <= MOST_KEPT else frozenset(sorted(known)[:MOST_KEPT])


def _counted(source: str, events: Sequence[Event], before: Signal | None, now: float) -> Signal | None:
    """How many visits of a month there are; it holds until the first of them is older."""
    visits = [event.at for event in events if LAST_VISIT in event.facts and event.at > now - MONTH]
    if not visits:
        return before
    count, until, last = float(len(visits)), min(visits) + MONTH + GRACE, max(visits)
    if before and isinstance(before.value, Interval):
        count = min(count + before.value.low, float(A_DOMAIN))
        until, last = min(until, before.until or inf), max(last, before.observed_at)
    many = Interval(count, inf if count >= A_DOMAIN else count)
    return _signal(source, WEB_VISITS, many, last, until)


def _signal(source: str, fact: str, value: FactValue, at: float, until: float) -> Signal:
    return Signal(
        fact=fact,
        value=value,
        source=source,
        observed_at=at,
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
