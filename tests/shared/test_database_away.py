"""While the database is away nobody sends, everybody comes back, and nothing that was kept is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy.engine import make_url

from icp_sync.errors import LostLeaseError, UnavailableError
from icp_sync.http import Endpoint, Transport
from icp_sync.journal import Journal, Lease
from icp_sync.quota import Daily, InJournal, Quota, Rate
from icp_sync.sync.keeping import kept
from tests import postgres
from tests.shared.hammering import Counted, counting

RATES = {"burst": Rate(50, 10.0)}
CALL = Endpoint(name="call", idempotent=True)  # of no limit: the fence alone stands before it
LIMITED = Endpoint(name="call", buckets=("burst",), idempotent=True)


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    found = postgres.server()
    yield found
    if found._process is None:
        found.start()


@pytest.fixture
def url(server: postgres.Server) -> Iterator[str]:
    made = server.database()
    yield made
    server.drop(made)


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = Journal.open(url, "main")
    yield opened
    opened.close()


@pytest.fixture
def crm() -> Iterator[tuple[str, Counted]]:
    with counting() as (address, counted):
        requests.get(address, timeout=5)
        counted.arrived.clear()
        yield address, counted


def own_server() -> postgres.Server:
    """One that keeps what a standby needs."""
    postgres.server()  # skips where there can be none
    server = postgres.Server()
    server.stop()
    server.start(wal_level="replica")
    return server


def sender(address: str, journal: Journal) -> Transport:
    quota = Quota(RATES, daily=Daily(), kept=InJournal(journal, RATES))
    return Transport(address, quota=quota, name="main", patience=0.0)


def held(journal: Journal, ttl: float = 60.0) -> Lease:
    lease = journal.lease("poll", holder="me", now=time.time(), ttl=ttl)
    assert lease is not None
    return lease


@pytest.mark.parametrize("endpoint", [CALL, LIMITED], ids=["no limit", "a limit"])
def test_a_process_that_cannot_reach_its_database_sends_nothing_and_goes_on_when_it_can(
    server: postgres.Server, journal: Journal, crm: tuple[str, Counted], endpoint: Endpoint
) -> None:
    address, counted = crm
    transport = sender(address, journal)
    with kept(held(journal), journal, time.time, 60.0):
        transport.send("GET", "/before", endpoint=endpoint)
        server.stop()
        for _ in range(3):
            with pytest.raises(UnavailableError, match="journal"):
                transport.send("GET", "/away", endpoint=endpoint)
        server.start()
        transport.send("GET", "/after", endpoint=endpoint)
    assert [who for _, who in counted.arrived] == ["before", "after"]


def test_sessions_that_are_cut_in_the_midst_cost_a_try_and_no_slot_too_many(
    server: postgres.Server, journal: Journal, url: str, crm: tuple[str, Counted]
) -> None:
    address, counted = crm
    transport = sender(address, journal)
    done, failed = threading.Event(), list[BaseException]()

    def call() -> None:
        while not done.is_set():
            try:
                transport.send("GET", "/call", endpoint=LIMITED)
            except UnavailableError:
                time.sleep(0.01)
            except BaseException as error:
                failed.append(error)
                return

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    database = make_url(url).database
    for _ in range(5):
        time.sleep(0.1)
        server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    done.set()
    transport.quota._stop.set()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert 5 <= len(counted.arrived) <= 50


def test_a_database_that_became_a_standby_is_one_that_is_away() -> None:
    """After a failover the old address may answer, and takes no writes."""
    server = own_server()
    journal = Journal.open(server.database(), "main")
    try:
        lease = held(journal)
        journal.check_fence(lease)
        journal.position("poll")
        quota = Quota(RATES, kept=InJournal(journal, RATES))
        quota.acquire("burst")
        server.stand_by()
        for act in (
            lambda: journal.renew(lease, now=time.time()),
            lambda: quota.acquire("burst"),
            lambda: journal.reserve("seller", {"a.example": 1.0}, now=time.time(), run="run"),
        ):
            for _ in range(3):
                with pytest.raises(UnavailableError):
                    act()
    finally:
        journal.close()
        server.close()


def test_a_lease_that_nobody_could_renew_in_time_is_anothers_and_its_work_sends_no_more(
    url: str, journal: Journal, crm: tuple[str, Counted]
) -> None:
    address, counted = crm
    transport = sender(address, journal)
    other = Journal.open(url, "main")
    with kept(held(journal), journal, time.time, 60.0):
        transport.send("GET", "/mine", endpoint=CALL)
        assert other.lease("poll", holder="other", now=time.time() + 61.0) is not None
        with pytest.raises(LostLeaseError):
            transport.send("GET", "/late", endpoint=CALL)
    assert [who for _, who in counted.arrived] == ["mine"]
    other.close()


def test_a_restarted_database_still_knows_every_slot_that_was_given(
    server: postgres.Server, journal: Journal
) -> None:
    first = Quota(RATES, kept=InJournal(journal, RATES))
    for _ in range(50):
        first.acquire("burst")
    server.restart()
    again = Quota(RATES, kept=InJournal(journal, RATES), patience=1.0)
    with pytest.raises(UnavailableError, match="rate limit"):
        again.acquire("burst")
