"""What the events of one company amount to, in whatever order and by whatever steps they come."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import Interval, Members, Signal
from icp_sync.enrichers.inbound.folding import MONTH, MOST_KEPT, folding
from icp_sync.journal.inbound import A_DOMAIN, Event

NOW = 1_795_000_000.0
DAY = 86_400.0


def test_visits_add_up_to_the_last_one_and_how_many_in_a_month() -> None:
    days = (1, 3, 29, 31)
    fold = folding("site", NOW)
    signals = fold([_visit(day) for day in days])
    by_fact = {signal.fact: signal for signal in signals}
    assert by_fact["last_visit"].value == Interval(NOW - DAY, NOW - DAY)
    assert by_fact["web_visits"].value == Interval(3, 3)
    assert by_fact["last_visit"].until == NOW + 89 * DAY
    assert by_fact["web_visits"].until == NOW - 29 * DAY + MONTH + DAY
    assert {signal.source for signal in signals} == {"site"}
    many = fold([_visit(n / 100) for n in range(A_DOMAIN)])
    assert {s.value for s in many if s.fact == "web_visits"} == {Interval(A_DOMAIN, inf)}
    assert fold([_visit(91)]) == ()


def test_sets_unite_and_of_other_facts_the_newest_counts() -> None:
    told = [
        _event(2, intent_topics=Members(frozenset({"crm"}), False), intent_score=Interval(20, 20)),
        _event(1, intent_topics=Members(frozenset({"abm"}), False)),
        _event(3, intent_score=Interval(90, 90)),
    ]
    said = {signal.fact: signal.value for signal in folding("site", NOW)(told)}
    assert said == {
        "intent_topics": Members(frozenset({"crm", "abm"}), False),
        "intent_score": Interval(20, 20),
    }


@given(st.permutations(range(8)), st.sets(st.integers(1, 7)))
def test_the_order_and_the_steps_in_which_events_come_do_not_matter(order: list[int], cuts: set[int]) -> None:
    facts = [
        {
            "intent_score": Interval(day, day),
            "last_visit": Interval(1, 2),
            "keywords": Members(frozenset({f"word {day}"}), False),
        }
        for day in range(8)
    ]
    events = [_event(day % 3 + 15 * (day % 2), **facts[day]) for day in order]
    fold = folding("s", NOW)
    said: tuple[Signal, ...] = ()
    for start, end in pairwise([0, *sorted(cuts), len(events)]):
        said = fold(events[start:end], said)
    assert said == fold(sorted(events, key=lambda e: e.id))
    assert next(s.value for s in said if s.fact == "web_visits") == Interval(8, 8)


def test_visits_are_not_counted_where_the_sender_tells_their_number() -> None:
    fold = folding("s", NOW, counts=False)
    told = fold([_event(1, web_visits=Interval(7, 7), last_visit=Interval(1, 2))])
    said = {signal.fact: signal.value for signal in fold([_visit(2)], told)}
    assert said["web_visits"] == Interval(7, 7)


def test_a_set_has_so_many_members_whatever_is_told() -> None:
    many = [_event(1, keywords=Members(frozenset({f"{n} {m}" for m in range(50)}), False)) for n in range(40)]
    (said,) = folding("s", NOW)(many)
    assert isinstance(said.value, Members)
    assert len(said.value.known) == MOST_KEPT


def _event(days: float, **facts: Any) -> Event:
    at = NOW - days * DAY
    return Event(
        id=f"{days}{sorted(facts.items())}", domain="acme.com", at=at, until=at + 90 * DAY, facts=facts
    )


def _visit(days: float) -> Event:
    at = NOW - days * DAY
    return _event(days, last_visit=Interval(at, at))
