"""Events from outside: each counts once, whatever is repeated, and their accounts come due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_builders import NOW, Worker, settled
from sqlalchemy import delete, func, select, update

from icp_sync.domain.facts import Interval, Signal
from icp_sync.journal import Journal, Keep, schema
from icp_sync.journal.inbound import Event, Fold, Taken

DAY = 86_400.0
_NUMBERS = count()


def event(id: str, domain: str = "acme.com", days: float = 1, *, keep: float = 90) -> Event:
    at = NOW - days * DAY
    return Event(id=id, domain=domain, at=at, until=at + keep * DAY, facts={"web_visits": Interval(1, 1)})


def fold(events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
    """How many there are."""
    count = len(events) + sum(s.value.low for s in before if isinstance(s.value, Interval))
    if not count:
        return ()
    value = Interval(count, count)
    until = max([event.until for event in events] + [s.until or 0.0 for s in before])
    return (Signal(fact="web_visits", value=value, source="site", observed_at=NOW, until=until),)


def counted(journal: Journal, domain: str = "acme.com", now: float = NOW) -> float:
    """What the events of a company amount to, as the next page would recall it."""
    signals = journal.recall({"1": domain}, now=now).of("1").signals
    return sum(s.value.low for s in signals if isinstance(s.value, Interval))


def take(journal: Journal, *events: Event, source: str = "site", how: Fold = fold, now: float = NOW) -> Taken:
    return journal.take_events(source, events, how, now=now)


def test_an_event_told_twice_counts_once_in_one_call_or_in_several(journal: Journal, url: str) -> None:
    assert take(journal, event("a"), event("a"), event("b")).fresh == 2
    assert take(journal, event("a"), event("c")) == Taken(fresh=1, repeated=1)
    assert counted(journal) == 3
    again = Journal.open(url, "main")  # after a restart, too
    assert take(again, event("a"), event("b")) == Taken(repeated=2)
    assert counted(again) == 3
    again.close()
    assert take(journal) == Taken()


def test_sources_companies_and_connections_are_kept_apart(journal: Journal) -> None:
    take(journal, event("a"), event("b", "other.com"))
    take(journal, event("a"), source="second")
    take(journal.for_connection("else"), event("a"))
    assert counted(journal) == 2
    assert counted(journal, "other.com") == 1
    assert counted(journal.for_connection("else")) == 1


def test_accounts_of_the_company_come_due_and_no_others(worker: Worker, journal: Journal) -> None:
    worker.commit(
        settled("1", domain="acme.com"), settled("2", domain="acme.com"), settled("3", domain="b.com")
    )
    assert journal.due(NOW + 1, 10) == ()
    assert take(journal, event("a")).woken == 2
    assert journal.due(NOW + 1, 10) == ("1", "2")
    worker.commit(settled("1", domain="acme.com"), settled("2", domain="acme.com"))
    assert take(journal, event("a")).woken == 0, "nothing new was told"
    assert journal.due(NOW + 1, 10) == ()


def test_an_account_that_was_read_before_the_news_is_settled_once_more(
    worker: Worker, journal: Journal
) -> None:
    worker.commit(settled("1", domain="acme.com"))
    version = journal.recall({"1": "acme.com"}, now=NOW).of("1").version
    take(journal, event("a"))
    worker.commit(
        settled("1", domain="acme.com", version=version)
    )  # evaluated without it: its waking is gone
    assert journal.due(NOW + 1, 10) == ()
    assert journal.wake_settled(["site"], after=NOW - 1, upto=NOW, now=NOW) == 1
    assert journal.due(NOW + 1, 10) == ("1",)
    worker.commit(settled("1", domain="acme.com", version=version))  # had it in hand all the time
    assert journal.due(NOW + 1, 10) == ("1",), "it lost the comparison, and is due still"
    assert journal.wake_settled(["site"], after=NOW, upto=NOW + 60, now=NOW) == 0
    assert journal.wake_settled(["other"], after=NOW - 1, upto=NOW, now=NOW) == 0


def test_of_one_company_only_so_many_events_are_kept_the_newest(journal: Journal) -> None:
    many = [event(str(n), days=n) for n in range(1, 8)]
    taken = journal.take_events("site", many, fold, now=NOW, a_domain=5)
    assert taken.fresh == 7
    assert counted(journal) == 5
    assert journal.take_events("site", many[:5], fold, now=NOW, a_domain=5).repeated == 5


def test_of_all_companies_only_so_many_are_kept_the_newest(journal: Journal) -> None:
    many = [event(str(n), f"c{n}.com", days=n) for n in range(1, 8)]
    journal.take_events("site", many, fold, now=NOW, in_all=4)
    assert journal.take_events("site", many, fold, now=NOW).repeated == 4


def answers(journal: Journal) -> int:
    with journal.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(schema.answer)).scalar() or 0)


def test_what_is_dropped_leaves_no_answer(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", domain="old0.com"))
    take(journal, *(event(f"o{n}", f"old{n}.com", days=9) for n in range(3)))
    worker.commit(settled("1", domain="old0.com"))
    journal.take_events(
        "site", [event(f"n{n}", f"new{n % 2}.com") for n in range(4)], fold, now=NOW, in_all=5
    )
    assert answers(journal) == 3
    assert [counted(journal, f"old{n}.com") for n in range(3)] == [0, 0, 1]
    assert counted(journal, "new0.com") == 2, "of a company everything is kept, or nothing"
    assert journal.due(NOW + 1, 10) == ("1",)


def test_events_known_before_are_not_read_again(journal: Journal) -> None:
    take(journal, *(event(str(n), days=2) for n in range(50)))
    added: list[int] = []

    def noting(events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
        added.append(len(events))
        return fold(events, before)

    take(journal, event("x"), event("y", "other.com"), event("1"), how=noting)
    assert sorted(added) == [1, 1]
    assert counted(journal) == 51


@pytest.mark.parametrize("broken", ["", "no json", None])
def test_what_was_lost_of_an_answer_is_added_up_anew(journal: Journal, broken: str | None) -> None:
    take(journal, event("a"), event("b"))
    with journal.writing("record") as conn:
        conn.execute(
            delete(schema.answer) if broken is None else update(schema.answer).values(signals=broken)
        )
    take(journal, event("c"))
    assert counted(journal) == 3


def test_a_large_call_is_taken_in_by_short_transactions_and_what_ended_half_way_is_told_again(
    journal: Journal,
) -> None:
    many = [event(str(n), f"c{n:03}.com") for n in range(250)]
    seen: list[int] = []

    def stopping(events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
        seen.append(len(events))
        if len(seen) == 220:
            raise RuntimeError
        return fold(events, before)

    with pytest.raises(RuntimeError):
        take(journal, *many, how=stopping)
    assert answers(journal) == 200
    assert take(journal, *many) == Taken(fresh=50, repeated=200)
    assert answers(journal) == 250
    assert counted(journal, "c249.com") == counted(journal, "c000.com") == 1


def test_what_has_become_too_old_is_counted_no_more(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", domain="acme.com"))
    take(journal, event("old", days=40, keep=41), event("new", days=1))
    assert counted(journal) == 2
    later = NOW + 2 * DAY
    assert journal.refold("site", fold, now=later, recent=30 * DAY) == 1
    assert counted(journal, now=later) == 1
    assert journal.due(later, 10) == ("1",)
    assert journal.refold("site", fold, now=later, recent=30 * DAY) == 0, "nothing has aged since"
    ended = NOW + 100 * DAY
    assert journal.refold("site", fold, now=ended, recent=30 * DAY) == 1
    assert counted(journal, now=ended) == 0
    assert not journal.recall({"9": "acme.com"}, now=NOW).accounts, "not even that it was ever told of"


def test_an_event_that_leaves_the_month_is_looked_at_once(journal: Journal) -> None:
    take(journal, event("a", days=29), event("b", days=1))
    assert journal.refold("site", fold, now=NOW, recent=30 * DAY) == 0
    assert journal.refold("site", fold, now=NOW + 2 * DAY, recent=30 * DAY) == 1
    assert journal.refold("site", fold, now=NOW + 2 * DAY, recent=30 * DAY) == 0


def test_events_are_forgotten_with_their_account_and_with_time(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", domain="acme.com"))
    take(journal, event("a"))
    journal.forget("1", now=NOW)
    assert counted(journal) == 0
    assert take(journal, event("a")).fresh == 1, "nothing of it was known any more"
    assert journal.prune(Keep(), now=NOW + 100 * DAY).answers == 2


def test_events_move_with_an_export(journal: Journal) -> None:
    take(journal, event("a"))
    moved = journal.for_connection("moved")
    assert moved.take_in(list(journal.export(now=NOW)))["inbound_event"] == 1
    assert take(moved, event("a")) == Taken(repeated=1)
    assert counted(moved) == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=5), min_size=1, max_size=5))
def test_however_calls_are_cut_and_repeated_the_events_are_the_same(
    sqlite_journal: Journal, calls: list[list[str]]
) -> None:
    domain = f"c{next(_NUMBERS)}.com"
    fresh = sum(take(sqlite_journal, *(event(f"{domain}{n}", domain) for n in ids)).fresh for ids in calls)
    assert fresh == counted(sqlite_journal, domain) == len({n for ids in calls for n in ids})


@pytest.fixture
def sqlite_journal(sqlite_url: str) -> Iterator[Journal]:
    opened = Journal.open(sqlite_url, "main")
    yield opened
    opened.close()
