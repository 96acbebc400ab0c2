"""When somebody should look at the profile again: on the days it names, and after what somebody declared.

Dates only; knows no journal and no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from icp_sync.domain.profile import Profile
from icp_sync.learning.days import begins
from icp_sync.learning.drift.finding import DAY, Finding, State, named

SOON = 14 * DAY
"""A review this near is worth watching."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that changes who fits: a product, a market, a regulation. on: its first day."""

    on: date
    what: str


def reviews(profiles: Sequence[Profile], *, now: float) -> list[Finding]:
    """The review dates of each profile: an alert once one has come, until a later one is active."""
    found: list[Finding] = []
    dated = 0
    for profile in profiles:
        for which, text in (("full", profile.review_full), ("minor", profile.review_minor)):
            if not text:
                continue
            dated += 1
            at = begins(date.fromisoformat(text))
            if now < at - SOON:
                continue
            state = State.ALERT if now >= at else State.WATCH
            is_due = "has been due since" if state is State.ALERT else "is due on"
            found.append(
                Finding(
                    name=named("review", f"{profile.name}/{which}"),
                    state=state,
                    sentence=f"The {which} review of {profile.name} {is_due} {text}",
                    figures={"on": text},
                )
            )
    said = "No review is due" if dated else "No profile names a review date"
    return found or [Finding(name="review", state=State.OK, sentence=said)]


def events(declared: Sequence[Event], *, activated_at: float, now: float) -> list[Finding]:
    """What was declared and has come: a review is due until a profile is activated on that day or later."""
    open_ = [event for event in declared if activated_at < begins(event.on) <= now]
    if not open_:
        return [
            Finding(name="event", state=State.OK, sentence="Nothing declared since the profile was activated")
        ]
    return [
        Finding(
            name=named("event", f"{event.on.isoformat()}/{event.what}"),
            state=State.ALERT,
            sentence=f"{event.what} ({event.on.isoformat()}): a review has been due since",
            figures={"on": event.on.isoformat()},
        )
        for event in open_
    ]
