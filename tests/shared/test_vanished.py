"""What a process leaves behind that is killed: each thing is there again within the time that is stated."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from icp_sync.domain.buying import Budgets
from icp_sync.journal import Journal
from icp_sync.journal import postgres as server_side
from icp_sync.quota import Daily, InJournal, Quota, Rate
from icp_sync.quota.hands import SILENT_FOR
from icp_sync.sync.cycle import LEASE_SECONDS
from tests import postgres

RATES = {"burst": Rate(4, 1.0)}
TTL = 1.0
BUDGETS = Budgets(day=3.0)

VICTIM = """
import sys, time
from icp_sync.domain.buying import Budgets
from icp_sync.journal import Journal, postgres
from icp_sync.quota import DAILY, Daily, InJournal, Quota, Rate
journal = Journal.open(sys.argv[1], "main")
ttl = float(sys.argv[2])
rates = {"burst": Rate(4, 1.0)}
quota = Quota(rates, daily=Daily(share=0.0), kept=InJournal(journal, rates))
with postgres.present(journal.engine):
    journal.lease("poll", holder="victim", now=time.time(), ttl=ttl)
    journal.reserve("seller", {"a.example": 2.0}, now=time.time(), run="victim", budgets=Budgets(day=3.0),
                    retry_unknown_after=ttl)
    journal.begin_job("job-1", ["7"], now=time.time())
    with quota.call("burst"):
        quota.observe(DAILY, limit=100, remaining=50)
        quota.flush()
        for _ in range(3):
            quota.acquire("burst")
        print("ready", flush=True)
        time.sleep(600)
"""


@pytest.fixture(scope="module")
def left_behind() -> Journal:
    """The journal of a connection whose only worker was killed a moment ago."""
    url = postgres.server().database()
    Journal.open(url, "main").close()
    process = subprocess.Popen(
        [sys.executable, "-c", VICTIM, url, str(TTL)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    return Journal.open(url, "main")


def within(seconds: float, act: object) -> object:
    """What `act` comes to, once it comes to something."""
    deadline = time.monotonic() + seconds
    while not (found := act()):  # type: ignore[operator]
        assert time.monotonic() < deadline, "it was not given back"
        time.sleep(0.05)
    return found


def test_its_presence_ends_with_its_session(left_behind: Journal) -> None:
    def nobody() -> bool:
        with left_behind.reading() as conn:
            return not server_side.present_now(conn)

    assert within(10, nobody)


def test_its_slots_with_their_window(left_behind: Journal) -> None:
    quota = Quota(RATES, kept=InJournal(left_behind, RATES), patience=5.0)
    assert quota.acquire("burst") < 5.0


def test_its_lease_when_that_has_run_out(left_behind: Journal) -> None:
    def taken() -> object:
        return left_behind.lease("poll", holder="heir", now=time.time(), ttl=60.0)

    assert within(30, taken)
    assert LEASE_SECONDS == 60.0


def test_its_question_when_its_fate_is_taken_to_be_unknown_and_its_price_stays_counted(
    left_behind: Journal,
) -> None:
    def asked() -> object:
        got = left_behind.reserve("seller", {"a.example": 1.0}, now=time.time(), run="heir", budgets=BUDGETS)
        return got.free

    assert within(30, asked) == ("a.example",)
    assert left_behind.budget_left(BUDGETS, now=time.time()) == {"day": 0.0}, "two of the dead, and ours"


def test_its_bulk_jobs_are_still_known_to_whoever_comes_next(left_behind: Journal) -> None:
    assert left_behind.open_jobs() == {"job-1": ("7",)}


def test_its_calls_in_flight_count_until_it_has_been_silent_for_two_minutes(left_behind: Journal) -> None:
    quota = Quota(RATES, daily=Daily(share=0.0), kept=InJournal(left_behind, RATES))
    day = quota.standing()[0].day
    assert day is not None
    assert day.in_flight > 0
    assert SILENT_FOR == 120.0
