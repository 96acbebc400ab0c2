"""By when somebody is to touch what they were given, and what counts as a touch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from icp_sync.domain.assignment import Assignment, How, Seen, due_at, looked_at
from icp_sync.domain.facts import FactValue, Interval
from icp_sync.domain.profile import DAY

HOUR = 3600.0
ADA, BOB = "ada@example.com", "bob@example.com"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


ROUTED = at("2026-11-20T09:00")  # a Friday
GIVEN = Assignment(owner=ADA, routed_at=ROUTED, rule=1, due=ROUTED + 2 * DAY)


def day(text: str) -> Interval:
    return Interval(at(text), at(text) + DAY - 1)


def instant(seconds: float) -> Interval:
    return Interval(seconds, seconds)


def look(
    given: Assignment,
    now: float,
    touch: FactValue | None = None,
    *,
    owner: str = ADA,
    deals: float | None = None,
    zone: str = "UTC",
    **how: bool,
) -> Assignment:
    facts: dict[str, FactValue] = {} if touch is None else {"last_touch": touch}
    if deals is not None:
        facts["open_deals"] = instant(deals)
    seen = Seen(owner=owner, facts=facts, in_scope=how.pop("in_scope", True), **how)
    return looked_at(given, seen, now, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "hours", "weekdays", "due"),
    [
        ("2026-11-20T09:00", 48, False, "2026-11-22T09:00"),
        ("2026-11-20T09:00", 48, True, "2026-11-24T09:00"),  # Friday, and the weekend does not count
        ("2026-11-21T13:00", 4, True, "2026-11-23T04:00"),  # given on a Saturday, it begins on Monday
        ("2026-11-16T09:00", 48, True, "2026-11-18T09:00"),
        ("2026-11-20T20:00", 4, True, "2026-11-21T00:00"),  # to the last instant of Friday
        ("2026-11-16T09:00", 240, True, "2026-11-30T09:00"),
    ],
)
def test_a_stated_time_ends_when_it_says(start: str, hours: int, weekdays: bool, due: str) -> None:
    assert due_at(at(start), hours * HOUR, weekdays=weekdays) == at(due)


def test_a_weekend_is_the_one_of_the_crms_own_zone() -> None:
    auckland = ZoneInfo("Pacific/Auckland")  # it is Saturday there already, thirteen hours ahead
    assert due_at(at("2026-11-20T12:00"), HOUR, auckland, weekdays=True) == at("2026-11-22T12:00")
    assert due_at(at("2026-11-20T12:00"), HOUR, UTC, weekdays=True) == at("2026-11-20T13:00")


@over(
    start=st.floats(1.6e9, 2e9),
    hours=st.floats(0.5, 24 * 60),
    offset=st.integers(-12, 14),
)
def test_without_its_weekends_a_span_is_exactly_as_long_as_stated(
    start: float, hours: float, offset: int
) -> None:
    zone = timezone(timedelta(hours=offset))
    due = due_at(start, hours * HOUR, zone, weekdays=True)
    weekend, step = 0.0, start
    while step < due:
        local = datetime.fromtimestamp(step, zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone).timestamp()
        weekend += (min(midnight, due) - step) * (local.weekday() >= 5)
        step = midnight
    assert due - start - weekend == pytest.approx(hours * HOUR, abs=1e-3)


@pytest.mark.parametrize(
    ("touch", "touched"),
    [
        (instant(ROUTED + HOUR), ROUTED + HOUR),
        (instant(ROUTED - 1), None),  # before it was given
        (day("2026-11-20"), ROUTED),  # a date has no time: the day of routing counts
        (day("2026-11-19"), None),
        (day("2026-11-21"), at("2026-11-21T00:00")),
        (instant(ROUTED + 30 * DAY), ROUTED + DAY),  # a planned meeting was planned by now
        (None, None),
    ],
)
def test_a_touch_is_an_activity_since_it_was_given(touch: Interval | None, touched: float | None) -> None:
    after = look(GIVEN, ROUTED + DAY, touch)
    assert after.touched_at == touched
    assert (after.ended_at, after.how) == ((ROUTED + DAY, How.ACTIVITY) if touched else (None, ""))


def test_the_day_of_routing_is_the_one_of_the_crms_zone() -> None:
    late = replace(
        GIVEN, routed_at=at("2026-11-21T05:00"), due=at("2026-11-23T05:00")
    )  # 21:00 the day before
    now = at("2026-11-21T06:00")
    assert look(late, now, day("2026-11-20"), zone="America/Los_Angeles").touched_at == late.routed_at
    assert look(late, now, day("2026-11-20")).touched_at is None


def test_what_was_known_when_it_was_given_is_no_touch() -> None:
    planned = replace(GIVEN, known=at("2026-11-25T00:00") + DAY - 1)
    assert look(planned, ROUTED + DAY, day("2026-11-25")).ended_at is None
    assert look(planned, ROUTED + DAY, day("2026-11-26")).touched_at == ROUTED + DAY


def test_an_opened_deal_is_a_touch_and_an_owner_or_scope_that_changed_ends_it_without() -> None:
    now = ROUTED + HOUR
    assert look(GIVEN, now, deals=1).touched_at == now
    assert look(GIVEN, now, deals=0).ended_at is None
    for how, ended in (
        ({"owner": BOB}, How.HANDED_ON),
        ({"owner": ""}, How.HANDED_ON),
        ({"owner": "", "undone": True}, How.UNDONE),
        ({"in_scope": False}, How.LEFT),
    ):
        after = look(GIVEN, now, **how)  # type: ignore[arg-type]
        assert (after.touched_at, after.ended_at, after.how) == (None, now, ended)


def test_untouched_at_its_time_it_is_a_breach_and_later_looks_change_nothing() -> None:
    assert GIVEN.due is not None
    assert look(GIVEN, GIVEN.due - 1) == GIVEN
    let_lie = look(GIVEN, GIVEN.due + 500)
    assert (let_lie.lapsed, let_lie.breached_at, let_lie.wakes) == (True, GIVEN.due, None)
    assert look(let_lie, GIVEN.due + DAY) == let_lie
    assert let_lie.passed_over == {ADA: GIVEN.due}


def test_a_late_touch_is_one_and_the_breach_stays_on_record() -> None:
    assert GIVEN.due is not None
    for before in (GIVEN, look(GIVEN, GIVEN.due)):
        after = look(before, GIVEN.due + DAY, instant(GIVEN.due + HOUR))
        assert (after.touched_at, after.breached_at) == (GIVEN.due + HOUR, GIVEN.due)
        assert not after.lapsed


def test_without_a_stated_time_there_is_no_breach() -> None:
    free = replace(GIVEN, due=None)
    assert look(free, ROUTED + 400 * DAY) == free


def test_an_owner_that_we_were_about_to_write_is_no_hand_of_anybodys() -> None:
    assert GIVEN.due is not None
    after = look(GIVEN, GIVEN.due + 1, owner=BOB, ours=True)
    assert (after.how, after.action, after.breached_at) == (How.REROUTED, "re-routed", GIVEN.due)
    early = look(GIVEN, ROUTED + 1, owner=BOB, ours=True)
    assert (early.how, early.action) == (How.REROUTED, "")


@over(
    steps=st.lists(
        st.tuples(
            st.floats(0, 3 * DAY),
            st.one_of(st.none(), st.floats(-2 * DAY, 6 * DAY)),
            st.sampled_from([ADA, ADA, ADA, BOB]),
        ),
        max_size=6,
    )
)
def test_looking_again_at_the_same_changes_nothing_and_an_end_is_final(
    steps: list[tuple[float, float | None, str]],
) -> None:
    now, given = ROUTED, GIVEN
    for wait, touch, owner in steps:
        now += wait
        seen = instant(ROUTED + touch) if touch is not None else None
        after = look(given, now, seen, owner=owner)
        assert look(after, now, seen, owner=owner) == after
        if given.ended_at is not None:
            assert after == given
        if after.touched_at is not None:
            assert ROUTED <= after.touched_at <= now
        given = after
