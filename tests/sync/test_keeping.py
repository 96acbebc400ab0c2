"""A lease outlasts the work under it, however long that waits, and not the process."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal
from icp_sync.sync.keeping import kept

LIFE = 0.4


def test_nobody_else_gets_a_stream_while_its_worker_waits_longer_than_a_lease_lasts(tmp_path: Path) -> None:
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.sqlite", "main")
    mine = journal.lease("backfill", holder="me", now=time.time(), ttl=LIFE)
    assert mine is not None
    with kept(mine, journal, time.time, LIFE):
        for _ in range(8):
            time.sleep(LIFE / 4)
            assert journal.lease("backfill", holder="you", now=time.time(), ttl=LIFE) is None
    time.sleep(2 * LIFE)
    assert journal.lease("backfill", holder="you", now=time.time(), ttl=LIFE) is not None
    journal.close()


def test_a_lease_that_was_taken_over_is_not_taken_back(tmp_path: Path) -> None:
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.sqlite", "main")
    mine = journal.lease("backfill", holder="me", now=time.time(), ttl=LIFE)
    assert mine is not None
    with kept(mine, journal, time.time, LIFE):
        theirs = journal.lease("backfill", holder="you", now=time.time() + 10.0, ttl=60.0)
        assert theirs is not None
        time.sleep(LIFE)
        with pytest.raises(LostLeaseError):
            journal.renew(mine, now=time.time())
        journal.check_fence(theirs)
    journal.close()
