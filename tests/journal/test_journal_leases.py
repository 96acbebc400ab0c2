"""Leases and fences: one worker a stream, and one that was paused past its lease can change nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from journal_builders import NOW, Worker, settled, write

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal
from icp_sync.ports import Position


def test_a_live_lease_is_not_given_twice_and_an_expired_one_is_with_a_higher_fence(journal: Journal) -> None:
    first = journal.lease("poll", holder="a", now=NOW, ttl=60)
    assert first is not None
    assert journal.lease("poll", holder="b", now=NOW + 59) is None
    second = journal.lease("poll", holder="b", now=NOW + 60)
    assert second is not None
    assert (first.fence, second.fence) == (1, 2)


def test_streams_and_partitions_have_leases_of_their_own(journal: Journal) -> None:
    taken = [
        journal.lease(stream, part, holder="a", now=NOW)
        for stream, part in (("poll", ""), ("backfill", "0"), ("backfill", "1"))
    ]
    assert [one.fence for one in taken if one] == [1, 1, 1]


def test_a_renewed_lease_lasts_longer(journal: Journal) -> None:
    lease = journal.lease("poll", holder="a", now=NOW, ttl=60)
    assert lease is not None
    renewed = journal.renew(lease, now=NOW + 50, ttl=60)
    assert renewed.until == NOW + 110
    assert journal.lease("poll", holder="b", now=NOW + 100) is None
    journal.check_fence(lease)


def test_fences_never_repeat_through_release_and_break(journal: Journal) -> None:
    fences = []
    for give_back in (journal.release_lease, lambda _: journal.break_leases(), journal.release_lease):
        lease = journal.lease("poll", holder="a", now=NOW)
        assert lease is not None
        fences.append(lease.fence)
        give_back(lease)
        with pytest.raises(LostLeaseError):
            journal.check_fence(lease)
    assert fences == [1, 2, 3]


def test_breaking_leases_counts_those_that_were_held(journal: Journal) -> None:
    kept = [journal.lease(stream, holder="dead", now=NOW) for stream in ("poll", "sweep", "due")]
    assert kept[0] is not None
    journal.release_lease(kept[0])
    assert journal.break_leases() == 2
    assert journal.break_leases() == 0


def test_releasing_a_lost_lease_leaves_the_new_holder_alone(journal: Journal) -> None:
    old = journal.lease("poll", holder="a", now=NOW)
    new = journal.lease("poll", holder="b", now=NOW + 100)
    assert old is not None
    assert new is not None
    journal.release_lease(old)
    journal.check_fence(new)


def test_a_worker_that_slept_past_its_lease_can_neither_intend_nor_commit_nor_renew(journal: Journal) -> None:
    sleeper = Worker(journal, "sleeper")
    successor = journal.lease("poll", holder="successor", now=NOW + 3600)
    assert successor is not None
    with pytest.raises(LostLeaseError, match=r"sleeper on poll \(fence 1\)"):
        sleeper.intend(write("1", tier="A"))
    with pytest.raises(LostLeaseError):
        sleeper.commit(settled("1"), gone={"2": ""}, position=Position(done_to=9))
    with pytest.raises(LostLeaseError):
        journal.renew(sleeper.lease, now=NOW)
    assert journal.account("1") is None
    assert journal.position("poll") == Position()
    assert journal.counts() == {}


def test_of_many_threads_asking_at_once_one_gets_the_lease(url: str, journal: Journal) -> None:
    rivals = [Journal.open(url, "main") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        got = list(
            pool.map(lambda pair: pair[1].lease("poll", holder=str(pair[0]), now=NOW), enumerate(rivals))
        )
    assert sum(lease is not None for lease in got) == 1
    for rival in rivals:
        rival.close()
