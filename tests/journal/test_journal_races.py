"""Transactions at the same time: whatever one has read stays true until its commit, on either database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from journal_builders import NOW, Worker, ids, settled, write

from icp_sync import observe
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal

ANN, BOB = "ann@x.example", "bob@x.example"


@pytest.fixture
def other(url: str, journal: Journal) -> Iterator[Journal]:
    opened = Journal.open(url, "main")
    yield opened
    opened.close()


def meanwhile(point: str, act: Callable[[], None]) -> threading.Thread:
    """Let `act` run in a thread while the first to reach this fault point stands there, for a moment."""
    thread = threading.Thread(target=act)

    def reached(name: str) -> None:
        if name == point and thread.ident is None:
            thread.start()
            thread.join(0.2)  # long enough to finish, were there nothing to wait for

    observe.arm_faults(reached)
    return thread


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    observe.arm_faults(None)


def test_a_new_group_is_not_split_between_owners_decided_at_the_same_time(
    journal: Journal, other: Journal
) -> None:
    group = {"1": ("acme.example", frozenset[str]()), "2": ("acme.example", frozenset[str]())}
    one, two = Worker(journal, "one", "poll"), Worker(other, "two", "backfill")
    memory = one.recall("1", "2")

    def give(worker: Worker, account_id: str, owner: str) -> tuple[object, ...]:
        return worker.journal.intend(
            [write(account_id, owner=owner)],
            versions={account_id: 0},
            assignments={account_id: owner},
            load_versions=memory.roster.load_versions,
            run="run",
            lease=worker.lease,
            now=NOW,
            together={account_id: group[account_id]},
        )

    second: list[tuple[object, ...]] = []
    thread = meanwhile("journal.intend.before", lambda: second.append(give(two, "2", BOB)))
    kept, lost = give(one, "1", ANN)
    thread.join()
    assert (ids(kept), lost) == (["1"], {})  # type: ignore[arg-type]
    assert second == [((), {"2": f"its group was given to {ANN} meanwhile"})]


def test_pages_that_make_each_others_accounts_due_both_land(journal: Journal, other: Journal) -> None:
    """Each page holds a parent of the other page's child: locked row by row they would wait in a circle."""
    one, two = Worker(journal, "one", "poll"), Worker(other, "two", "backfill")
    first = (settled("1", stirs_facts=True), settled("2", parent="3"))
    second = (settled("3", stirs_facts=True), settled("4", parent="1"))
    one.commit(*first, *second)
    pages = [(one, first), (two, second)] * 8
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].commit(*pair[1], now=NOW + 1), pages))
    assert journal.counts() == {"settled": 4}


def test_two_connections_cannot_take_the_same_portal_at_once(journal: Journal, other: Journal) -> None:
    refused: list[str] = []

    def bind() -> None:
        try:
            other.for_connection("second").bind("portal", crm="hubspot", now=NOW)
        except ConfigError as error:
            refused.append(str(error))

    thread = meanwhile("journal.state.before", bind)
    journal.bind("portal", crm="hubspot", now=NOW)
    thread.join()
    assert len(refused) == 1
    assert "belongs to connection main" in refused[0]


def test_a_request_for_a_backfill_made_meanwhile_is_not_lost(journal: Journal, other: Journal) -> None:
    thread = meanwhile("journal.state.before", lambda: other.request_backfill("mode write", NOW + 1))
    journal.request_backfill("profile 2", NOW)
    thread.join()
    request = journal.backfill_request()
    assert request is not None
    assert request.reason == "profile 2; mode write"


def test_a_reader_sees_one_moment_however_long_it_looks(journal: Journal, other: Journal) -> None:
    journal.count_event("seen")
    with journal.reading() as conn:
        before = conn.exec_driver_sql("SELECT sum(count) FROM event").scalar()
        other.count_event("seen")
        assert conn.exec_driver_sql("SELECT sum(count) FROM event").scalar() == before
    assert journal.events() == {"seen": 2}
