"""Ranges of a backfill: kept, forgotten and closed under fences, all or nothing."""

from __future__ import annotations

import pytest
from journal_builders import NOW

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal, Lease
from icp_sync.journal.backfills import BackfillState
from icp_sync.journal.partitions import Range
from icp_sync.ports import Position

TWO = (Range(name="01", after="10", up_to="20", state=BackfillState(waves=1)), Range(name="02", after="20"))


def leased(journal: Journal, part: str = "", holder: str = "a", now: float = NOW) -> Lease:
    lease = journal.lease("backfill", part, holder=holder, now=now, ttl=60)
    assert lease is not None
    return lease


def cut(journal: Journal) -> None:
    lease = leased(journal)
    assert journal.cut(lease, TWO)
    journal.release_lease(lease)


def move(journal: Journal, lease: Lease, last: str, *, finished: bool = False) -> None:
    journal.commit(
        [],
        gone={},
        position=Position(last_id=last, finished=finished),
        stream="backfill",
        partition=lease.partition,
        lease=lease,
        run="run",
        now=NOW,
    )


def test_ranges_tell_their_bounds_how_far_they_are_and_whether_somebody_is_at_them(journal: Journal) -> None:
    assert (journal.ranges(now=NOW), journal.is_cut(), journal.held_ranges(now=NOW)) == ([], False, 0)
    cut(journal)
    assert journal.is_cut()
    lease = leased(journal, "01")
    move(journal, lease, "15")
    journal.keep_range(lease, BackfillState(waves=2, log_from=7))
    first, second = journal.ranges(now=NOW + 1)
    assert (first.after, first.up_to, first.position.last_id, first.held) == ("10", "20", "15", True)
    assert first.state == BackfillState(waves=2, log_from=7)
    assert (second.after, second.up_to, second.position, second.held) == ("20", "", Position(), False)
    assert journal.held_ranges(now=NOW + 1) == 1
    assert journal.held_ranges(now=NOW + 100) == 0
    assert not journal.ranges(now=NOW + 100)[0].held


def test_it_is_cut_once(journal: Journal) -> None:
    cut(journal)
    assert not journal.cut(leased(journal), [Range(name="01")])
    assert [one.name for one in journal.ranges(now=NOW)] == ["01", "02"]


def test_who_is_at_a_forgotten_range_commits_nothing_more_though_one_of_its_name_is_there_again(
    journal: Journal,
) -> None:
    cut(journal)
    late, whole = leased(journal, "01"), leased(journal)
    journal.forget_ranges(whole)
    assert journal.ranges(now=NOW) == []
    assert journal.cut(whole, TWO)
    for act in (lambda: move(journal, late, "19"), lambda: journal.keep_range(late, BackfillState())):
        with pytest.raises(LostLeaseError):
            act()
    again = leased(journal, "01")
    assert again.fence > late.fence
    assert journal.ranges(now=NOW)[0].position == Position()


def test_only_who_holds_the_whole_cuts_forgets_and_closes(journal: Journal) -> None:
    old = leased(journal, holder="slept")
    new = leased(journal, holder="awake", now=NOW + 61)
    for act in (
        lambda: journal.cut(old, TWO),
        lambda: journal.forget_ranges(old),
        lambda: journal.close_ranges(old, now=NOW),
    ):
        with pytest.raises(LostLeaseError):
            act()
    assert journal.cut(new, TWO)


def test_it_is_closed_once_when_every_range_is_at_its_end(journal: Journal) -> None:
    cut(journal)
    first, second = leased(journal, "01"), leased(journal, "02")
    move(journal, first, "20", finished=True)
    move(journal, second, "25")
    whole = leased(journal)
    assert not journal.close_ranges(whole, now=NOW)
    move(journal, second, "31", finished=True)
    assert journal.close_ranges(whole, now=NOW)
    assert not journal.close_ranges(whole, now=NOW)
    assert journal.position("backfill") == Position(last_id="31", finished=True)
    assert not journal.is_cut()
    assert [key for key in journal.positions() if key[1]] == []


def test_begun_anew_each_is_where_it_was_and_nobody_is_at_one(journal: Journal) -> None:
    cut(journal)
    lease = leased(journal, "01")
    move(journal, lease, "15")
    journal.begin_ranges_anew()
    first = journal.ranges(now=NOW)[0]
    assert (first.position.last_id, first.state, first.held) == ("15", BackfillState(), False)
    with pytest.raises(LostLeaseError):
        move(journal, lease, "16")


def test_ranges_of_one_connection_are_none_of_another_s(journal: Journal) -> None:
    cut(journal)
    other = journal.for_connection("other")
    assert not other.is_cut()
    other.forget_ranges(leased(other))
    assert journal.is_cut()


def test_a_run_of_a_range_goes_on_while_its_own_range_is_leased(journal: Journal) -> None:
    one = journal.start_run("backfill", now=NOW, partition="01")
    two = journal.start_run("backfill", now=NOW + 1, partition="02")
    leased(journal, "01", now=NOW + 1)
    runs = {run.id: run for run in journal.runs()}
    assert journal.is_going(runs[one], now=NOW + 2), "a later run of another range is none of its successors"
    assert not journal.is_going(runs[two], now=NOW + 2)
    journal.end_run(one, {}, now=NOW + 3)
