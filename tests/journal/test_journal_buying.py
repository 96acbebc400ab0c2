"""Buying over time: what is known stays while it is asked again, jobs are fetched, late answers harm none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_builders import NOW, employees
from sqlalchemy import select

from icp_sync.domain.account import Remembered
from icp_sync.domain.buying import Budgets
from icp_sync.domain.facts import Members, Signal
from icp_sync.journal import Answered, Journal, Keep, Reserved, schema

HOUR, DAY = 3_600.0, 86_400.0
ACME = "acme.example"


def reserve(journal: Journal, price: float = 2.0, *, now: float = NOW, run: str = "run-1") -> Reserved:
    return journal.reserve("vendor", {ACME: price}, now=now, run=run)


def known(journal: Journal, now: float) -> Remembered:
    return journal.recall({"1": ACME}, now=now).of("1")


def roles(until: float | None) -> Signal:
    value = Members(frozenset({"cto"}), False)
    return Signal(fact="open_roles", value=value, source="vendor", observed_at=NOW, until=until)


@pytest.fixture
def bought(journal: Journal) -> Journal:
    """A hit that may be asked again after a day, and is recalled for ten."""
    reserve(journal)
    journal.record(
        "vendor", ACME, "hit", (employees(70),), 1.5, now=NOW, expires_at=NOW + DAY, until=NOW + 10 * DAY
    )
    return journal


def test_what_is_known_is_recalled_while_it_may_be_asked_again(bought: Journal) -> None:
    fresh, stale = known(bought, NOW + DAY - 1), known(bought, NOW + DAY)
    assert fresh.signals == stale.signals == (employees(70),)
    assert (fresh.asked, fresh.answers_until) == ({"vendor"}, NOW + DAY)
    assert (stale.asked, stale.answers_until) == (frozenset(), NOW + 10 * DAY)
    assert known(bought, NOW + 10 * DAY).signals == ()


@pytest.mark.parametrize("kind", ["none", "unknown", "pending"])
def test_no_news_takes_nothing_away_from_what_is_known(bought: Journal, kind: str) -> None:
    again = NOW + DAY
    assert reserve(bought, now=again).free == (ACME,)
    assert known(bought, again).signals == (employees(70),), "while it is being asked"
    bought.record("vendor", ACME, kind, now=again, expires_at=again + HOUR, job="job-1")
    assert known(bought, again).signals == (employees(70),)
    assert ("vendor" in known(bought, again).asked) == (kind != "none")
    assert known(bought, NOW + 10 * DAY).signals == ()


def test_a_clean_miss_takes_the_place_of_what_was_known(bought: Journal) -> None:
    reserve(bought, now=NOW + DAY)
    bought.record("vendor", ACME, "miss", now=NOW + DAY, expires_at=NOW + 9 * DAY)
    assert known(bought, NOW + DAY).signals == ()


def test_no_answer_leaves_the_question_open_at_once_and_costs_nothing(bought: Journal) -> None:
    reserve(bought, now=NOW + DAY)
    assert bought.spent("vendor", 0) == 3.5
    bought.record("vendor", ACME, "none", now=NOW + DAY)
    assert bought.spent("vendor", 0) == 1.5
    assert reserve(bought, now=NOW + DAY).free == (ACME,)


def test_an_answer_that_is_none_is_paid_all_the_same_where_it_was_charged(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "none", charge=0.5, now=NOW)
    assert journal.spent("vendor", 0) == 0.5
    assert reserve(journal).free == (ACME,)


def test_a_signal_ends_by_itself_before_its_answer_does(journal: Journal) -> None:
    signals = (roles(NOW + HOUR), employees(70))
    journal.record("vendor", ACME, "hit", signals, now=NOW, expires_at=NOW + 2 * DAY, until=NOW + 9 * DAY)
    assert known(journal, NOW).signals == signals
    assert known(journal, NOW).answers_until == NOW + HOUR
    assert known(journal, NOW + HOUR).signals == (employees(70),)
    assert known(journal, NOW + HOUR).answers_until == NOW + 2 * DAY


def test_no_signal_outlives_its_answer(journal: Journal) -> None:
    journal.record("vendor", ACME, "hit", (roles(NOW + 99 * DAY),), now=NOW, expires_at=NOW + DAY)
    assert known(journal, NOW).answers_until == NOW + DAY
    assert known(journal, NOW + DAY).signals == ()


def test_an_unknown_fate_stays_counted_and_is_not_asked_again_before_its_time(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "unknown", now=NOW, expires_at=NOW + 5 * HOUR)
    assert known(journal, NOW).asked == {"vendor"}
    assert reserve(journal, now=NOW + 5 * HOUR - 1).busy == {ACME}
    assert reserve(journal, now=NOW + 5 * HOUR).free == (ACME,)
    assert journal.spent("vendor", 0) == 4.0


def test_a_job_is_remembered_and_its_result_fetched_at_no_price(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", charge=0.5, now=NOW, expires_at=NOW + 60, job="job-7")
    assert known(journal, NOW).pending == {"vendor": ("job-7", NOW + 60)}
    assert known(journal, NOW).asked == {"vendor"}
    assert reserve(journal, 0.0, now=NOW + 59).busy == {ACME}, "it is too early to look"
    got = reserve(journal, 0.0, now=NOW + 60)
    assert (got.free, dict(got.jobs)) == ((ACME,), {ACME: "job-7"})
    assert journal.spent("vendor", 0) == 2.0, "the most it can cost stays reserved"
    journal.record("vendor", ACME, "hit", (employees(7),), 1.0, now=NOW + 61, expires_at=NOW + DAY)
    assert journal.spent("vendor", 0) == 1.5, "what ordering cost, and what fetching cost"
    assert known(journal, NOW + 62).pending == {}
    assert known(journal, NOW + 62).signals == (employees(7),)


def test_what_is_ordered_is_never_ordered_again(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", now=NOW, expires_at=NOW, job="job-7")
    got = reserve(journal, 2.0, now=NOW + DAY, run="run-2")
    assert (got.free, dict(got.jobs)) == ((ACME,), {ACME: "job-7"})
    assert journal.spent("vendor", 0) == 2.0


@pytest.mark.parametrize("kind", ["none", "unknown", "pending"])
def test_a_look_that_brings_nothing_keeps_the_job_and_its_reservation(journal: Journal, kind: str) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", now=NOW, expires_at=NOW + 60, job="job-7")
    reserve(journal, 0.0, now=NOW + 60, run="run-2")
    journal.record("vendor", ACME, kind, now=NOW + 60, expires_at=NOW + 120)
    job, look = known(journal, NOW + 60).pending["vendor"]
    assert (job, look) == ("job-7", NOW + 60 if kind == "none" else NOW + 120)
    assert journal.spent("vendor", 0) == 2.0


def test_a_job_survives_a_crash_while_somebody_looked(url: str, journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", now=NOW, expires_at=NOW + 60, job="job-7")
    reserve(journal, 0.0, now=NOW + 60)
    journal.close()
    again = Journal.open(url, "main")
    assert known(again, NOW + 61).pending == {"vendor": ("job-7", NOW + 60 + HOUR)}
    assert reserve(again, 0.0, now=NOW + 60 + HOUR).jobs == {ACME: "job-7"}
    again.close()


def test_a_job_that_nobody_could_fetch_is_an_unknown_fate(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", now=NOW, expires_at=NOW + 60)
    assert known(journal, NOW).pending == {}
    assert journal.spent("vendor", 0) == 2.0
    assert reserve(journal, now=NOW + 60).free == (ACME,)


def late(journal: Journal, kind: str, charge: float = 0.0) -> None:
    """The first run is heard after the second has asked the same."""
    reserve(journal, run="run-1")
    assert reserve(journal, now=NOW + HOUR, run="run-2").free == (ACME,)
    one = Answered(key=ACME, kind=kind, signals=(employees(3),), charge=charge, expires_at=NOW + 9 * HOUR)
    journal.record_all("vendor", [replace(one, job="job-1")], now=NOW + HOUR, run="run-1")


@pytest.mark.parametrize("kind", ["none", "unknown", "pending"])
def test_a_late_word_without_an_answer_gives_nobody_elses_reservation_back(
    journal: Journal, kind: str
) -> None:
    late(journal, kind)
    assert journal.spent("vendor", 0) == 4.0
    assert reserve(journal, now=NOW + HOUR).busy == {ACME}
    assert known(journal, NOW + HOUR).pending == {}


def test_a_late_hit_is_kept_and_charged_beside_the_reservation_of_the_next(journal: Journal) -> None:
    late(journal, "hit", charge=1.0)
    assert known(journal, NOW + HOUR).signals == (employees(3),)
    assert journal.spent("vendor", 0) == 5.0
    none = Answered(key=ACME, kind="none")
    journal.record_all("vendor", [none], now=NOW + HOUR, run="run-2")
    assert journal.spent("vendor", 0) == 3.0
    assert known(journal, NOW + HOUR).signals == (employees(3),)


def test_answers_stay_while_they_are_recalled_and_jobs_while_somebody_may_look(bought: Journal) -> None:
    bought.reserve("slow", {ACME: 1.0}, now=NOW, run="r")
    bought.record("slow", ACME, "pending", now=NOW, expires_at=NOW + HOUR, job="job-1")
    keep = Keep()
    assert bought.prune(keep, now=NOW + 10 * DAY - 1).answers == 0
    assert bought.prune(keep, now=NOW + 10 * DAY).answers == 1
    assert known(bought, NOW + 30 * DAY).pending != {}
    assert bought.prune(keep, now=NOW + HOUR + 30 * DAY).answers == 1
    assert known(bought, NOW + 31 * DAY).pending == {}


def test_an_answer_of_no_kind_and_a_price_that_is_none_are_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="'maybe' is no kind"):
        journal.record("vendor", ACME, "maybe", now=NOW)
    for price in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="is no price"):
            reserve(journal, price)
    with journal.reading() as conn:
        assert conn.execute(select(schema.answer)).all() == []


def test_two_spellings_that_are_stored_alike_are_one_question(journal: Journal) -> None:
    got = journal.reserve("vendor", {"a.example": 1.0, "a\x00.example": 1.0}, now=NOW, run="r")
    assert (got.free, got.busy) == (("a.example",), {"a\x00.example"})


def test_a_refused_question_waits_and_costs_what_was_charged(bought: Journal) -> None:
    again = NOW + DAY
    reserve(bought, now=again)
    bought.record("vendor", ACME, "refused", charge=0.5, now=again, expires_at=again + HOUR)
    assert known(bought, again).signals == (employees(70),)
    assert bought.spent("vendor", 0) == 2.0
    assert reserve(bought, now=again + HOUR - 1).busy == {ACME}
    assert reserve(bought, now=again + HOUR).free == (ACME,)


def test_a_refused_question_of_which_nothing_is_known_is_neither_hit_nor_miss(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "refused", now=NOW, expires_at=NOW + HOUR)
    assert journal.spent("vendor", 0) == 0.0
    assert known(journal, NOW).asked == {"vendor"}
    assert journal.examples("vendor", limit=9) == []
    assert journal.verify(now=NOW) == []


def test_a_refused_look_for_a_job_keeps_it_until_the_next(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", now=NOW, expires_at=NOW + 60, job="job-7")
    reserve(journal, 0.0, now=NOW + 60)
    journal.record("vendor", ACME, "refused", charge=0.5, now=NOW + 60, expires_at=NOW + DAY)
    assert known(journal, NOW + 60).pending == {"vendor": ("job-7", NOW + DAY)}
    assert journal.spent("vendor", 0) == 2.0


def test_a_job_remembers_since_when_it_is_waited_for_also_beside_an_earlier_hit(bought: Journal) -> None:
    ordered = NOW + DAY
    reserve(bought, now=ordered)
    for at in (ordered, ordered + HOUR):
        bought.record("vendor", ACME, "pending", now=at, expires_at=at + 60, job="job-7")
        assert reserve(bought, 0.0, now=at + 60).ordered == {ACME: ordered}
    assert known(bought, ordered + HOUR).answered == {"vendor": NOW}


def test_a_lost_job_may_be_ordered_anew_and_what_it_may_have_cost_stays_counted(journal: Journal) -> None:
    reserve(journal)
    journal.record("vendor", ACME, "pending", charge=0.5, now=NOW, expires_at=NOW + 60, job="job-7")
    reserve(journal, 0.0, now=NOW + 60)
    journal.record("vendor", ACME, "lost", now=NOW + 60, expires_at=NOW + HOUR)
    assert known(journal, NOW + 60).pending == {}
    assert known(journal, NOW + 60).asked == {"vendor"}
    got = reserve(journal, now=NOW + HOUR)
    assert (got.free, dict(got.jobs)) == ((ACME,), {})
    assert journal.spent("vendor", 0) == 4.0
    assert journal.verify(now=NOW) == []


def look(journal: Journal, budgets: Budgets, now: float, run: str) -> Reserved:
    """For the job, of a source that has been seen to charge one credit for a look."""
    return journal.reserve("vendor", {ACME: 0.0}, now=now, run=run, budgets=budgets, fetch=1.0)


@pytest.mark.parametrize("later", [HOUR, 3 * DAY])
def test_a_look_that_may_cost_more_than_is_left_of_its_order_is_reserved_anew(
    journal: Journal, later: float
) -> None:
    reserve(journal, 2.0)
    journal.record("vendor", ACME, "pending", charge=1.5, now=NOW, expires_at=NOW + 60, job="job-7")
    at = NOW + later
    for budgets, over in ((Budgets(account=2.4), "account"), (Budgets(day=0.4), "day")):
        assert look(journal, budgets, at, "run-2").over == {ACME: over}
    assert look(journal, Budgets(account=3.0), at, "run-2").jobs == {ACME: "job-7"}
    assert journal.spent("vendor", 0) == 2.5
    assert journal.budget_left(Budgets(day=9.0), now=at) == {"day": 6.5 if later == HOUR else 8.0}
    journal.record("vendor", ACME, "hit", (employees(7),), 0.25, now=at, expires_at=at + DAY)
    assert journal.spent("vendor", 0) == 1.75
    assert journal.verify(now=at) == []


def test_a_look_for_which_enough_is_reserved_needs_nothing_of_any_budget(journal: Journal) -> None:
    reserve(journal, 2.0)
    journal.record("vendor", ACME, "pending", charge=1.0, now=NOW, expires_at=NOW + 60, job="job-7")
    got = look(journal, Budgets(account=2.0, day=0.0, run=0.0), NOW + 3 * DAY, "run-2")
    assert got.jobs == {ACME: "job-7"}
    assert journal.spent("vendor", 0) == 2.0
