"""What the journal keeps of deals: how they stand, how their companies stood, and whose stamp is on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_builders import NOW, Worker, settled

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal, Keep, Recorded, Stamp, Stamped, StoredDeal
from icp_sync.ports import Deal

BLANK = {"tier": "", "score": "", "profile": ""}
OURS = {"tier": "B", "score": "72", "profile": "mid v3"}
STOOD = Recorded(at=NOW, tier="B", score=72, profile="mid", version=3)
OTHERS: dict[str, Any] = {"at": NOW, "tier": "D", "score": 1, "profile": "x", "version": 9}
HOUR = 3600.0
_accounts = count()


def deal(id: str, account: str = "1", *, at: float = NOW, stamp: dict[str, str] | None = None) -> Deal:
    ms = round(at * 1000)
    return Deal(
        id=id, account_id=account, created_at=ms, changed_at=ms, stamp=BLANK if stamp is None else stamp
    )


def stored(journal: Journal, id: str) -> StoredDeal:
    (found,) = journal.deals_named([id])
    return found


def evaluated(worker: Worker, account: str, *tiers: str, since: float = NOW) -> None:
    """One evaluation after the other, an hour apart."""
    for hour, tier in enumerate(tiers):
        one = settled(
            account,
            tier=tier,
            score=10 * hour if tier else None,
            log_evaluation=True,
            evaluation={"evidence": {"version": hour + 1}, "profile": "mid"},
        )
        worker.commit(one, now=since + hour * HOUR)


def intended(worker: Worker, id: str) -> None:
    """A deal whose stamp is about to be sent."""
    journal = worker.journal
    journal.keep_deals([deal(id)], worker.lease, now=NOW)
    journal.judge_deals({id: STOOD}, worker.lease)
    journal.settle_stamps([Stamped(id=id, stamp=Stamp.INTENDED, attempts=1)], worker.lease, now=NOW)


def read_again(worker: Worker, id: str, stamp: dict[str, str]) -> StoredDeal:
    worker.journal.keep_deals([deal(id, stamp=stamp)], worker.lease, now=NOW + 60)
    return stored(worker.journal, id)


def test_a_deal_is_kept_as_it_was_read_last(worker: Worker, journal: Journal) -> None:
    first = Deal(id="7", account_id="1", stage="Pilot", amount=12.5, currency="EUR", created_at=1500)
    assert journal.keep_deals([first], worker.lease, now=NOW).new == ["7"]
    won = Deal(
        id="7", account_id="2", stage="Won", open=False, won=True, closed_on="2026-11-20", created_at=1500
    )
    assert journal.keep_deals([won], worker.lease, now=NOW).new == []
    assert stored(journal, "7") == StoredDeal(
        id="7",
        account_id="2",
        created_at=1.5,
        closed_on="2026-11-20",
        changed_at=0.0,
        open=False,
        won=True,
        amount=None,
        currency="",
        stage="Won",
        owner="",
        tier_of="2",
        seen_at=NOW,
    )


def test_how_its_company_stood_is_decided_once(worker: Worker, journal: Journal) -> None:
    journal.keep_deals([deal("7")], worker.lease, now=NOW)
    journal.judge_deals({"7": STOOD}, worker.lease)
    journal.judge_deals({"7": Recorded(at=NOW, tier="D", score=1, profile="x", version=9)}, worker.lease)
    journal.keep_deals([deal("7")], worker.lease, now=NOW)
    found = stored(journal, "7")
    assert (found.tier, found.score, found.profile, found.version) == ("B", 72, "mid", 3)
    assert found.values == OURS


@pytest.mark.parametrize(
    ("shows", "state"),
    [
        (OURS, Stamp.STAMPED),
        ({"tier": "B", "profile": "mid v3"}, Stamp.STAMPED),  # the score's field is hidden from us
        ({**OURS, "tier": "A"}, Stamp.FOREIGN),
        ({**BLANK, "profile": "theirs"}, Stamp.FOREIGN),
        (BLANK, Stamp.INTENDED),
        ({}, Stamp.INTENDED),
    ],
)
def test_what_a_read_shows_tells_what_became_of_a_stamp(
    worker: Worker, shows: dict[str, str], state: Stamp
) -> None:
    intended(worker, "7")
    assert read_again(worker, "7", shows).stamp is state


def test_only_what_a_read_showed_to_be_blank_may_be_sent_again(worker: Worker, journal: Journal) -> None:
    intended(worker, "7")
    assert journal.deals_to_stamp(created_since=0, now=NOW + 900) == []
    assert journal.unsure_since() == NOW
    read_again(worker, "7", {})
    assert journal.deals_to_stamp(created_since=0, now=NOW + 900) == []
    read_again(worker, "7", BLANK)
    assert [one.id for one in journal.deals_to_stamp(created_since=0, now=NOW + 900)] == ["7"]
    assert journal.deals_to_stamp(created_since=NOW + 1, now=NOW + 900) == []
    assert journal.unsure_since() is None


@pytest.mark.parametrize("end", [Stamp.STAMPED, Stamp.FOREIGN, Stamp.LATE, Stamp.OUTSIDE])
def test_what_is_decided_stays_decided(worker: Worker, journal: Journal, end: Stamp) -> None:
    intended(worker, "7")
    journal.settle_stamps([Stamped(id="7", stamp=end)], worker.lease, now=NOW)
    journal.settle_stamps([Stamped(id="7", stamp=Stamp.INTENDED)], worker.lease, now=NOW)
    assert read_again(worker, "7", BLANK).stamp is end
    assert read_again(worker, "7", OURS).stamp is end
    assert journal.deals_to_stamp(created_since=0, now=NOW + 900) == []
    assert journal.stamp_counts() == {end: 1}


def test_values_somebody_had_filled_before_we_meant_to_are_theirs(worker: Worker, journal: Journal) -> None:
    told = journal.keep_deals([deal("7", stamp={**OURS, "profile": "ours"})], worker.lease, now=NOW)
    assert told.settled == {Stamp.FOREIGN: 1}


def test_a_stamp_this_journal_does_not_know_of_is_taken_from_the_deal(
    worker: Worker, journal: Journal
) -> None:
    read = [deal("7", stamp=OURS), deal("8", stamp={**OURS, "tier": "Not ICP", "score": ""})]
    told = journal.keep_deals(read, worker.lease, now=NOW, stood={"7": Recorded(**OTHERS)})
    assert told.settled == {Stamp.STAMPED: 2}
    assert [stored(journal, id).values for id in "78"] == [one.stamp for one in read]


@pytest.mark.parametrize(
    "shows",
    [
        {"tier": "B", "score": "72"},  # the profile's field is hidden from us
        {**OURS, "profile": "mid"},
        {**OURS, "score": ""},
        {**OURS, "score": "101"},
        {**OURS, "tier": "E"},
    ],
)
def test_what_is_no_stamp_of_ours_is_somebody_else_s(
    worker: Worker, journal: Journal, shows: dict[str, str]
) -> None:
    journal.keep_deals([deal("7", stamp=shows)], worker.lease, now=NOW, stood={"7": Recorded(**OTHERS)})
    found = stored(journal, "7")
    assert (found.stamp, found.tier) == (Stamp.FOREIGN, "D"), "how its company stood is known all the same"


def test_a_worker_that_lost_its_lease_changes_no_deal(worker: Worker, journal: Journal) -> None:
    intended(worker, "7")
    journal.break_leases()
    for act in (
        lambda: journal.keep_deals([deal("8")], worker.lease, now=NOW),
        lambda: journal.judge_deals({"7": STOOD}, worker.lease),
        lambda: journal.settle_stamps([Stamped(id="7", stamp=Stamp.LATE)], worker.lease, now=NOW),
        lambda: journal.deals_gone(worker.lease, unseen_since=NOW + 1, now=NOW),
    ):
        with pytest.raises(LostLeaseError):
            act()
    assert stored(journal, "7").stamp is Stamp.INTENDED
    assert journal.deals_named(["8"]) == []


def test_deals_that_are_not_met_any_more_are_out_of_the_way_until_they_are(
    worker: Worker, journal: Journal
) -> None:
    intended(worker, "7")
    journal.settle_stamps([Stamped(id="7", stamp=Stamp.REFUSED, due=NOW)], worker.lease, now=NOW)
    journal.keep_deals([deal("8"), deal("9")], worker.lease, now=NOW)
    journal.keep_deals([deal("8")], worker.lease, now=NOW + 10)
    assert journal.unseen_deals(NOW + 5) == (2, 3)
    assert journal.deals_gone(worker.lease, unseen_since=NOW + 5, now=NOW + 20) == 2
    assert journal.unseen_deals(NOW + 5) == (0, 1)
    assert [one.id for one in journal.deals()] == ["8"]
    assert journal.deals_to_stamp(created_since=0, now=NOW + 90) == []
    assert [one.id for one in journal.deals_without_tier(created_since=0)] == ["8"]
    assert journal.stamp_counts() == {Stamp.NONE: 1}
    assert journal.deals_told(0) == {}
    assert journal.keep_deals([deal("7"), deal("9")], worker.lease, now=NOW + 30).new == []
    assert [one.id for one in journal.deals()] == ["7", "8", "9"]
    assert [one.id for one in journal.deals_to_stamp(created_since=0, now=NOW + 90)] == ["7"]
    assert stored(journal, "9").open_since == NOW + 30, "nobody knows whether it was open meanwhile"


def test_what_is_known_of_deals_that_are_gone_goes_after_its_time(worker: Worker, journal: Journal) -> None:
    journal.keep_deals([deal("7"), deal("8")], worker.lease, now=NOW)
    journal.keep_deals([deal("8")], worker.lease, now=NOW + 10)
    journal.deals_gone(worker.lease, unseen_since=NOW + 5, now=NOW + 20)
    keep = Keep(gone=1000)
    assert journal.prune(keep, now=NOW + 1019).deals == 0
    assert journal.prune(keep, now=NOW + 1021).deals == 1
    assert journal.deals_named(["7"]) == []
    assert journal.deals_known(["7", "8"]) == {"8"}


def test_when_a_deal_began_is_what_was_told_first(worker: Worker, journal: Journal) -> None:
    journal.keep_deals([deal("7"), Deal(id="8", created_at=0)], worker.lease, now=NOW)
    journal.keep_deals([deal("7", at=NOW + 60), deal("8", at=NOW + 60)], worker.lease, now=NOW + 60)
    assert stored(journal, "7").created_at == NOW
    assert stored(journal, "8").created_at == NOW + 60, "nobody knew before"


def test_since_when_a_deal_was_always_seen_open_begins_anew_when_it_was_not(
    worker: Worker, journal: Journal
) -> None:
    since = []
    for n, is_open in enumerate([True, True, False, True, True]):
        journal.keep_deals([replace(deal("7"), open=is_open)], worker.lease, now=NOW + n)
        since.append(stored(journal, "7").open_since)
    assert since == [NOW, NOW, None, NOW + 3, NOW + 3]


def test_a_deal_is_told_until_nothing_about_it_is_open(worker: Worker, journal: Journal) -> None:
    journal.keep_deals([deal("7"), deal("8", ""), deal("9", at=NOW - 1)], worker.lease, now=NOW)
    journal.judge_deals(dict.fromkeys("789", STOOD), worker.lease)
    assert journal.deals_told(NOW) == {"7": NOW * 1000}
    journal.settle_stamps([Stamped(id="7", stamp=Stamp.INTENDED)], worker.lease, now=NOW)
    assert journal.deals_told(NOW - 1) == {"9": (NOW - 1) * 1000}
    journal.settle_stamps([Stamped(id="7", stamp=Stamp.STAMPED)], worker.lease, now=NOW)
    assert journal.deals_told(NOW) == {"7": NOW * 1000}


def test_deals_are_given_in_pages_by_id(worker: Worker, journal: Journal) -> None:
    journal.keep_deals([deal(str(n), at=NOW + n) for n in range(10, 15)], worker.lease, now=NOW)
    assert [one.id for one in journal.deals(limit=2)] == ["10", "11"]
    assert [one.id for one in journal.deals(after="11", limit=2)] == ["12", "13"]
    assert [one.id for one in journal.deals(created_since=NOW + 13)] == ["13", "14"]


def test_no_connection_sees_the_deals_of_another(worker: Worker, journal: Journal) -> None:
    intended(worker, "7")
    other = journal.for_connection("other")
    assert (other.deals(), other.stamp_counts(), other.unsure_since()) == ([], {}, None)


def test_forgetting_an_account_forgets_its_deals(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), settled("2"))
    journal.keep_deals([deal("7", "1"), deal("8", "2")], worker.lease, now=NOW)
    known = journal.known_of("1")
    assert known is not None
    assert known.rows["deal"] == 1
    journal.forget("1", now=NOW)
    assert [one.id for one in journal.deals()] == ["8"]


def test_forgetting_an_account_forgets_the_deals_it_had_too(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), settled("2"))
    journal.keep_deals(
        [deal("6", "1"), deal("7", "1"), deal("8", "2")], worker.lease, now=NOW, stood={"7": STOOD}
    )
    journal.keep_deals([deal("6", ""), deal("7", "2")], worker.lease, now=NOW + 1)
    known = journal.known_of("1")
    assert known is not None
    assert known.rows["deal"] == 2
    journal.forget("1", now=NOW)
    assert [one.id for one in journal.deals()] == ["8"]


def test_a_deal_goes_on_when_the_account_it_had_is_gone_for_good(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), settled("2"))
    journal.keep_deals([deal("7", "1")], worker.lease, now=NOW, stood={"7": STOOD})
    worker.commit(gone={"1": "2"}, now=NOW)
    journal.keep_deals([deal("7", "2")], worker.lease, now=NOW + 1)
    assert journal.prune(Keep(gone=10), now=NOW + 20).erased == 1
    found = stored(journal, "7")
    assert (found.tier, found.tier_of) == ("B", "")


def test_of_an_account_that_took_in_another_nobody_knows_whose_deal_it_was(
    worker: Worker, journal: Journal
) -> None:
    evaluated(worker, "1", "A")
    evaluated(worker, "2", "B")
    worker.commit(gone={"1": "2"}, now=NOW + HOUR)
    asked = {"before": ("2", NOW + 60, NOW + 60), "after": ("2", NOW + HOUR + 1, NOW + HOUR + 1)}
    assert set(journal.recorded(asked)) == {"after"}


def test_an_export_carries_deals_into_another_journal(worker: Worker, journal: Journal) -> None:
    intended(worker, "7")
    rows = list(journal.export(now=NOW))
    other = journal.for_connection("other")
    other.take_in(rows)
    assert other.deals() == journal.deals()


def test_the_evaluation_in_force_at_an_instant_is_told_with_its_profile(
    worker: Worker, journal: Journal
) -> None:
    evaluated(worker, "1", "A", "", "C")
    asked = {
        "before": ("1", NOW - 1, NOW - 1),
        "soon after": ("1", NOW - 60, NOW),
        "first": ("1", NOW, NOW),
        "second": ("1", NOW + HOUR + 1, NOW + 9 * HOUR),
        "last": ("1", NOW + 9 * HOUR, NOW + 9 * HOUR),
        "stranger": ("2", NOW, NOW + HOUR),
        "nobody": ("", NOW, NOW + HOUR),
    }
    told = journal.recorded(asked)
    assert {key: (one.tier, one.score, one.profile, one.version) for key, one in told.items()} == {
        "soon after": ("A", 0, "mid", 1),
        "first": ("A", 0, "mid", 1),
        "second": ("", None, "mid", 2),
        "last": ("C", 20, "mid", 3),
    }


def test_an_evaluation_of_an_earlier_version_has_no_name_of_its_profile(
    worker: Worker, journal: Journal
) -> None:
    worker.commit(settled("1", tier="A", score=80, log_evaluation=True, evaluation={"evidence": {}}))
    (found,) = journal.recorded({"7": ("1", NOW, NOW)}).values()
    assert (found.tier, found.profile, found.version) == ("A", "", 0)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tiers=st.lists(st.sampled_from("ABCD"), max_size=6),
    asked=st.lists(st.tuples(st.floats(-2, 8), st.floats(0, 3)), max_size=5),
)
def test_what_is_told_is_the_last_up_to_then_or_the_first_within_the_grace(
    worker: Worker, tiers: Sequence[str], asked: Sequence[tuple[float, float]]
) -> None:
    account = f"a{next(_accounts)}"
    evaluated(worker, account, *tiers)
    wanted = {
        str(n): (account, NOW + at * HOUR, NOW + (at + grace) * HOUR) for n, (at, grace) in enumerate(asked)
    }
    told = worker.journal.recorded(wanted)
    mine = worker.journal.evaluations(account)
    for key, (_, at, until) in wanted.items():
        before = [one for one in mine if one.at <= at]
        after = [one for one in mine if at < one.at <= until]
        expected = before[-1] if before else after[0] if after else None
        assert (told[key].at if key in told else None) == (expected.at if expected else None)
