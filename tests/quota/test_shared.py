"""Several processes on one portal keep its limits together, by the CRM's own count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from icp_sync.errors import UnavailableError
from icp_sync.journal import Journal
from icp_sync.quota import DAILY, Daily, InJournal, Quota, Rate
from icp_sync.simulator import Simulator
from tests import postgres

RATES = {"burst": Rate(500, 10.0), "search": Rate(4, 1.0)}

CALLER = """
import sys
from pydantic import SecretStr
from icp_sync.errors import UnavailableError
from icp_sync.http import Endpoint, Transport
from icp_sync.crm.hubspot.replies import HubSpotDialect
from icp_sync.journal import Journal
from icp_sync.quota import Daily, InJournal, Quota, Rate
from threading import Thread

journal_url, url, token, searches = sys.argv[1:]
rates = {"burst": Rate(500, 10.0), "search": Rate(4, 1.0)}
quota = Quota(rates, daily=Daily(), kept=InJournal(Journal.open(journal_url, "main"), rates),
              quiet=frozenset({"search"}))
dialect = HubSpotDialect()
dialect.time_zone = "America/New_York"
transport = Transport(url, token=SecretStr(token), quota=quota, dialect=dialect, patience=0.0)
search = Endpoint(name="search", buckets=("search",))
read = Endpoint(name="read", buckets=("burst",))

def work():
    while searches == "until the reserve":
        try:
            transport.send("GET", "/crm/v3/objects/companies", endpoint=read)
        except UnavailableError as error:
            if "reserve" in str(error):
                return
    for n in range(int(searches)):
        transport.send("GET", "/crm/v3/objects/companies", endpoint=read)
        transport.send("POST", "/crm/v3/objects/companies/search", endpoint=search, json={})

threads = [Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
transport.close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/journal.db"
    if request.param == "postgresql":
        found = postgres.server().scratch()
    Journal.open(found, "main").close()
    return found


def quota(url: str, **how: object) -> Quota:
    return Quota(RATES, kept=InJournal(Journal.open(url, "main"), RATES), **how)  # type: ignore[arg-type]


def test_processes_together_never_exceed_a_window_nor_are_refused(url: str) -> None:
    with Simulator(accounts=5, limits="pro") as crm:
        crm.admin("POST settings", search_limit=4)
        args = [sys.executable, "-c", CALLER, url, crm.url, crm.token, "2"]
        processes = [subprocess.Popen(args, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]
        stats = crm.admin("GET stats")
    assert stats["requests"] == {"GET companies": 12, "POST search": 12}
    assert stats["limited"] == 0
    assert int(str(stats["peak_search_1s"])) <= 4
    day = quota(url, daily=Daily()).standing()[0]
    assert (day.used, day.limit) == (24, 625_000)
    assert day.day is not None
    assert day.day.remaining is not None
    assert 625_000 - 24 <= day.day.remaining <= 625_000 - 12


def test_processes_together_leave_the_reserve_alone_and_little_above_it(url: str) -> None:
    with Simulator(accounts=5, limits="pro") as crm:
        crm.admin("POST settings", daily_limit=100, reserve=20)
        args = [sys.executable, "-c", CALLER, url, crm.url, crm.token, "until the reserve"]
        processes = [subprocess.Popen(args, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]
        stats = crm.admin("GET stats")
    assert stats["apps"] == {crm.token: {"calls": stats["total"], "below_reserve": 0, "knowing": 0}}
    assert 20 <= int(str(stats["lowest_remaining"])) <= 24
    assert stats["limited"] == 0


def test_a_refusal_holds_every_process_back(url: str) -> None:
    one, two = quota(url), quota(url, patience=5.0)
    one.acquire("search")
    one.refused("search", 30.0)
    with pytest.raises(UnavailableError) as raised:
        two.acquire("search")
    assert raised.value.retry_after is not None
    assert 25 < raised.value.retry_after <= 30
    two.acquire("burst")
    assert two.limit("search") == 3, "others use it too: we stay below"


def test_what_one_process_has_in_flight_another_leaves_out(url: str) -> None:
    daily = Daily(share=0.0, calls=90)
    one, two = (quota(url, daily=daily, patience=0.0) for _ in range(2))
    with one.call("burst"):
        one.observe(DAILY, limit=100, remaining=92)
    # One of the two above the reserve is kept for looking, and the other is on its way.
    with one.call("burst"), pytest.raises(UnavailableError), two.call("burst"):
        raise AssertionError("it would enter the reserve should the other count")
