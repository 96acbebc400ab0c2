"""What becomes of an account after we gave it to somebody: by when they are to touch it, and if they did.

A touch is a sales activity on the account after it was given, or a deal opened there. Whoever gives it to
somebody else, or out of the scope, ends the assignment without one. Knows no route and no CRM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from icp_sync.domain.facts import Facts, Interval
from icp_sync.domain.spelling import date_text

LAST_TOUCH = "last_touch"
"""The fact that says when somebody of ours was last in touch; logging a note or a task is none."""
_SATURDAY = 5
_CLOCKS = 300.0
"""Seconds by which the CRM's clock may be ahead of ours: what it dates so little later is not to come."""


class How(StrEnum):
    """How an assignment ended. The value is what people read; ACTIVITY and DEAL are touches."""

    ACTIVITY = "a sales activity"
    DEAL = "a deal was opened"
    REROUTED = "re-routed"
    HANDED_ON = "somebody changed the owner"
    UNDONE = "undone"
    LEFT = "left the scope"
    GONE = "gone from the CRM"


class Action(StrEnum):
    """What a breach leads to."""

    REROUTE = "re-routed"
    ESCALATE = "escalated"
    STAYS = "left with the owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An account given to somebody by a route. Instants are UTC epoch seconds.

    rule: number of the route, 0 when that is not known any more. due: by when it is to be touched, None where
    the route does not say. breached_at: when that passed untouched. ended_at: from when it is not watched any
    more, None while it is; how: why. action: what the breach led to, "" before it is decided.
    rerouted: how often the account had been passed on for a breach before. let_lie: who had it before and let
    it lie, email → by when they were to touch it. known: the last touch known when it was given.
    lead: to whom the breach was escalated, "" for nobody. owner_id: the CRM's id of the owner, "" where it is
    not known yet; an email may change.
    """

    owner: str
    routed_at: float
    rule: int = 0
    due: float | None = None
    touched_at: float | None = None
    breached_at: float | None = None
    ended_at: float | None = None
    how: str = ""
    action: str = ""
    rerouted: int = 0
    let_lie: Mapping[str, float] | None = None
    known: float | None = None
    lead: str = ""
    owner_id: str = ""

    @property
    def lapsed(self) -> bool:
        """Whether its time has passed and nobody has touched it since."""
        return self.breached_at is not None and self.ended_at is None

    @property
    def wakes(self) -> float | None:
        """When somebody has to look whether it was touched, None for never."""
        return self.due if self.ended_at is None and self.breached_at is None else None

    @property
    def passed_over(self) -> Mapping[str, float]:
        """Who is not given it again: email → by when they were to touch it."""
        mine = {self.owner: self.due} if self.lapsed and self.due is not None else {}
        return {**(self.let_lie or {}), **mine}


def let_lie_text(due: float) -> str:
    """Why somebody is passed over."""
    return f"did not touch it by {date_text(due)}"


def due_at(start: float, within: float, zone: tzinfo = UTC, *, weekdays: bool = False) -> float:
    """The instant `within` seconds after `start`; with `weekdays` Saturdays and Sundays of the zone count
    for nothing."""
    if not weekdays:
        return start + within
    at, left = start, within
    while True:
        local = datetime.fromtimestamp(at, zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone).timestamp()
        if local.weekday() < _SATURDAY:
            if at + left <= midnight:
                return at + left
            left -= midnight - at
        at = midnight


def last_touch(facts: Facts) -> Interval | None:
    """When somebody was last in touch: an instant, or the UTC day of a date without a time."""
    value = facts.get(LAST_TOUCH)
    return value if isinstance(value, Interval) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a read shows of an account that was given to somebody.

    ours: whether its owner is one that we were about to write. undone: whether an undo took the owner back.
    owner_id: the CRM's id of the owner, "" where it is not known. read_at: when it was read, by our clock,
    None for just now. unread: whether the CRM would not show the last touch. asked: whether any route states
    a time.
    """

    owner: str
    facts: Facts
    in_scope: bool
    ours: bool = False
    undone: bool = False
    owner_id: str = ""
    read_at: float | None = None
    unread: bool = False
    asked: bool = True


def looked_at(given: Assignment, seen: Seen, now: float, zone: tzinfo = UTC) -> Assignment:
    """The assignment after a read: touched, ended, breached, or as it was. An ended one stays as it is."""
    if given.ended_at is not None:
        return given
    given = _as_named_now(given, seen)
    moved = seen.owner != given.owner and not (given.owner_id and seen.owner_id == given.owner_id)
    if moved and seen.undone:
        return replace(given, ended_at=now, how=How.UNDONE.value)
    if moved and not seen.ours:
        return replace(given, ended_at=now, how=How.HANDED_ON.value)
    at = touched_at(given, seen.facts, now, zone)
    deals = seen.facts.get("open_deals")
    if at is not None:
        return _touched(given, at, How.ACTIVITY, now)
    if isinstance(deals, Interval) and deals.low > 0:
        return _touched(given, now, How.DEAL, now)
    if not seen.in_scope:
        return replace(given, ended_at=now, how=How.LEFT.value)
    if given.breached_at is None and not seen.asked:
        given = replace(given, due=None)
    if given.due is not None and given.breached_at is None and _shows(given.due, seen, now, zone):
        given = replace(given, breached_at=given.due)
    if not moved:
        return given
    return passed_on(given, now)


def _as_named_now(given: Assignment, seen: Seen) -> Assignment:
    """Whoever has another email by now is still the same owner."""
    if seen.owner == given.owner:
        return replace(given, owner_id=seen.owner_id or given.owner_id)
    same = given.owner_id and seen.owner_id == given.owner_id
    return replace(given, owner=seen.owner) if same and not seen.owner.startswith("#") else given


def _shows(due: float, seen: Seen, now: float, zone: tzinfo) -> bool:
    """Whether a read tells that nobody was in touch until then: one made before, or one that hides what was
    done, does not."""
    read_at = now if seen.read_at is None else min(now, seen.read_at)
    return read_at >= due and not seen.unread and not is_masked(seen.facts, now, zone)


def is_masked(facts: Facts, now: float, zone: tzinfo = UTC) -> bool:
    """Whether a meeting on a later day hides what was done before it: where a CRM shows the latest day of all
    activities, that one stands there."""
    value = last_touch(facts)
    if value is None:
        return False
    return (_day(value, zone)[0] if value.high > value.low else value.low) > now


def passed_on(given: Assignment, now: float, *, lapsed: bool | None = None) -> Assignment:
    """The assignment once we have given the account to somebody else. lapsed: whether that was for the
    breach, by default whether there is one."""
    action = Action.REROUTE.value if (given.lapsed if lapsed is None else lapsed) else given.action
    return replace(given, ended_at=now, how=How.REROUTED.value, action=action)


def touched_at(given: Assignment, facts: Facts, now: float, zone: tzinfo = UTC) -> float | None:
    """When it was first seen to be touched after it was given, None when it was not.

    A date without a time counts for the whole day in the zone, the day it was given included. What the CRM
    dates later than now (a meeting that is planned) was done now; one that was planned before it was given is
    a touch on its day.
    """
    value = last_touch(facts)
    if value is None:
        return None
    first, last = value.low, value.high
    later = given.routed_at + _CLOCKS
    if last > first:
        first, last = _day(value, zone)
        later = given.routed_at
    if given.known is not None and value.high <= given.known:
        return first if later < first <= now else None
    return min(max(first, given.routed_at), now) if last >= given.routed_at else None


def _day(value: Interval, zone: tzinfo) -> tuple[float, float]:
    """A UTC day, or several, as the same days of the zone: the first instant and the end."""
    first, last = (datetime.fromtimestamp(at, UTC).date() for at in (value.low, value.high))
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return begin.timestamp(), end.timestamp()


def _touched(given: Assignment, at: float, how: How, now: float) -> Assignment:
    late = given.due is not None and at > given.due
    breached = given.due if late and given.breached_at is None else given.breached_at
    return replace(given, touched_at=at, breached_at=breached, ended_at=now, how=how.value)
