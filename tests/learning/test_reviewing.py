"""Reviews are due on their day, and after what was declared until a profile is activated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from icp_sync.domain.profile import Profile
from icp_sync.learning.drift.finding import DAY, State
from icp_sync.learning.drift.reviewing import Event, begins, events, reviews

DAY_OF = begins(date(2027, 3, 1))
DATED = Profile(name="saas", currency="USD", criteria=(), review_minor="2027-03-01", review_full="2028-01-01")


def test_a_review_is_worth_watching_two_weeks_before_and_an_alert_from_its_day_on() -> None:
    states = {days: reviews([DATED], now=DAY_OF + days * DAY)[0].state for days in (-15, -14, -1, 0, 100)}
    assert states == {-15: State.OK, -14: State.WATCH, -1: State.WATCH, 0: State.ALERT, 100: State.ALERT}
    (one,) = reviews([DATED], now=DAY_OF)
    assert one.name == "review/saas/minor"
    assert one.sentence == "The minor review of saas has been due since 2027-03-01"


def test_every_profile_and_both_reviews_are_told() -> None:
    other = replace(DATED, name="other", review_minor="", review_full="2027-01-01")
    late = begins(date(2028, 2, 1))
    assert [one.name for one in reviews([DATED, other], now=late)] == [
        "review/saas/full",
        "review/saas/minor",
        "review/other/full",
    ]


def test_a_profile_without_dates_is_said_to_have_none() -> None:
    (one,) = reviews([replace(DATED, review_minor="", review_full="")], now=DAY_OF)
    assert one.state is State.OK
    assert "no profile names" in one.sentence.lower()


def test_a_declared_event_asks_for_a_review_until_a_profile_is_activated_that_day_or_later() -> None:
    event = Event(on=date(2027, 3, 1), what="EU hosting")
    before, after = DAY_OF - DAY, DAY_OF + DAY
    (one,) = events([event], activated_at=before, now=after)
    assert (one.name, one.state) == ("event/2027-03-01/EU hosting", State.ALERT)
    for activated_at, now in ((before, before), (DAY_OF, after), (after, after)):
        assert events([event], activated_at=activated_at, now=now)[0].state is State.OK
