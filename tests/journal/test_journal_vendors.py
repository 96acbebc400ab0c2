"""What is learned about sources, how they are, and what their answers come to; who is woken by news."""

from __future__ import annotations

from math import inf

import pytest
from journal_builders import NOW, Worker, employees, settled
from sqlalchemy import insert, update

from icp_sync.journal import Answered, Journal, Learned, Tally, VendorReport, VendorState, schema

HOUR, DAY = 3_600.0, 86_400.0


def tally(fact: str, segment: str = "51-200", *, asked: int = 1, told: int = 1, charge: float = 0.5) -> Tally:
    return Tally(fact=fact, segment=segment, asked=asked, told=told, charge=charge)


def test_experience_adds_up_over_restarts(url: str, journal: Journal) -> None:
    for told in (1, 0):
        journal.record_all("vendor", (), now=NOW, tallies=[tally("", told=told), tally("revenue", told=told)])
    journal.record_all("vendor", (), now=NOW, tallies=[tally("", "1-10", charge=2.0), tally("", "1-10")])
    journal.close()
    again = Journal.open(url, "main")
    again.record_all("other", (), now=NOW, tallies=[tally("", asked=3, told=2)])
    assert again.learned() == {
        ("vendor", "", "51-200"): Learned(asked=2, told=1, charge=1.0),
        ("vendor", "revenue", "51-200"): Learned(asked=2, told=1, charge=1.0),
        ("vendor", "", "1-10"): Learned(asked=2, told=2, charge=2.5),
        ("other", "", "51-200"): Learned(asked=3, told=2, charge=0.5),
    }
    assert again.for_connection("second").learned() == {}
    again.close()


def test_an_answer_and_its_tally_are_kept_together_or_not_at_all(journal: Journal) -> None:
    bad = Answered(key="a.example", kind="maybe")
    with pytest.raises(ValueError, match="no kind"):
        journal.record_all("vendor", [bad], now=NOW, tallies=[tally("")])
    assert journal.learned() == {}


def test_a_truth_counts_as_one(journal: Journal) -> None:
    journal.record_all("vendor", (), now=NOW, tallies=[tally("", told=True)])
    assert journal.learned()["vendor", "", "51-200"].told == 1


def test_how_a_source_was_survives_a_restart(url: str, journal: Journal) -> None:
    assert journal.vendor("vendor") == VendorState()
    state = VendorState(
        failures=3,
        open_until=NOW + HOUR,
        kind="no_credit",
        message="402: none left",
        credits_left=0.0,
        at=NOW,
    )
    journal.save_vendor("vendor", state, now=NOW)
    journal.close()
    again = Journal.open(url, "main")
    assert again.vendor("vendor") == state
    assert again.vendor("other") == again.for_connection("second").vendor("vendor") == VendorState()
    again.save_vendor("vendor", VendorState(open_until=inf), now=NOW)
    assert again.vendor("vendor") == VendorState(open_until=inf)
    again.close()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", VendorState()),
        ("not JSON", VendorState()),
        ("[1]", VendorState()),
        ('{"failures": "2", "kind": 7, "open_until": NaN, "at": true}', VendorState()),
        ('{"failures": 2, "news": 1, "credits_left": 5}', VendorState(failures=2, credits_left=5)),
    ],
)
def test_a_state_that_cannot_be_read_is_none(journal: Journal, text: str, read: VendorState) -> None:
    with journal.writing("state") as conn:
        row = {"connection": "main", "enricher": "vendor", "data": text, "at": NOW}
        conn.execute(insert(schema.vendor), [row])
    assert journal.vendor("vendor") == read


def test_the_report_counts_answers_as_they_are_and_credits_by_day_and_month(journal: Journal) -> None:
    def bought(key: str, kind: str, days: float, charge: float = 0.0) -> None:
        at = NOW - days * DAY
        journal.reserve("vendor", {key: 2.0}, now=at, run="r")
        if kind:
            one = Answered(key=key, kind=kind, charge=charge, expires_at=NOW + DAY, job="job-1")
            signals = (employees(5),) if kind == "hit" else ()
            journal.record_all("vendor", [Answered(**{**_fields(one), "signals": signals})], now=at)

    bought("a", "hit", 60, 1.0)
    bought("b", "hit", 3, 1.0)
    bought("c", "hit", 0, 0.5)
    bought("d", "miss", 0)
    bought("e", "pending", 0)
    bought("f", "", 0)
    journal.record_all("vendor", (), now=NOW, tallies=[tally("", asked=9), tally("revenue", asked=4)])
    journal.record_all("quiet", (), now=NOW, tallies=[tally("", asked=1)])
    assert journal.vendor_report(now=NOW) == {
        "quiet": VendorReport(asked=1),
        "vendor": VendorReport(
            hits=3,
            misses=1,
            pending=1,
            unknown=1,
            spent_day=4.5,
            spent_month=5.5,
            spent=6.5,
            asked=9,
            median_age=3 * DAY,
        ),
    }


def _fields(one: Answered) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_the_age_of_facts_is_not_made_younger_by_asking_in_vain(journal: Journal) -> None:
    journal.record("vendor", "a", "hit", (employees(5),), now=NOW, expires_at=NOW + DAY, until=NOW + 99 * DAY)
    journal.reserve("vendor", {"a": 1.0}, now=NOW + 2 * DAY, run="r")
    journal.record("vendor", "a", "none", now=NOW + 2 * DAY)
    assert journal.vendor_report(now=NOW + 3 * DAY)["vendor"].median_age == 3 * DAY


def test_a_broken_vendor_row_is_found(journal: Journal) -> None:
    journal.save_vendor("vendor", VendorState(failures=1), now=NOW)
    assert journal.verify(now=NOW) == []
    with journal.writing("state") as conn:
        conn.execute(update(schema.vendor).values(data="{"))
    assert [finding.what for finding in journal.verify(now=NOW)] == ["vendor"]


def test_news_wake_the_accounts_they_are_about_that_live(journal: Journal, worker: Worker) -> None:
    worker.commit(
        settled("2", wake_at=NOW - 5),
        settled("3", wake_at=NOW + DAY),
        settled("4"),
    )
    worker.commit(gone={"4": ""})
    assert journal.due(NOW, limit=9) == ("2",)
    assert journal.wake_accounts(["3", "4", "never met", ""], now=NOW + 1) == 1
    assert journal.due(NOW + 1, limit=9) == ("2", "3")
