"""The real worker and HubSpot's simulator: a visit is posted, and the record follows by itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from icp_sync.simulator import Simulator
from tests.cli.conftest import Place
from tests.daemon.station import until

SECRET = "a-secret-of-this-test"
PROFILE = """
profile: visitors
currency: USD
review: {minor: 2099-01-01, full: 2099-01-01}
scope:
  score: {fact: name, any_of: [acme rope]}
  route: {fact: name, any_of: [acme rope]}
criteria:
  - {name: Ten people or more, layer: firmographic, fact: employees, at_least: 10, weight: 60}
  - {name: Reads about rope, layer: behavioral, fact: intent_topics, any_of: [rope], weight: 40}
timing:
  - {name: Came to our site, fact: last_visit, within: 30d, weight: 60}
  - {name: Came more than once, fact: web_visits, at_least: 2, weight: 40}
tiers: {A: 90, B: 60, C: 40, D: 0, hysteresis: 0, dwell: 1d, min_coverage: 0%}
routes:
  - {else: {lane: nurture}}
"""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def place(tmp_path: Path, port: int) -> Iterator[Place]:
    profile = tmp_path / "visitors.yaml"
    profile.write_text(PROFILE)
    with Simulator(accounts=3, seed=4, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        more = f"""
            [connections.main.schedule]
            poll = "1s"
            due = "1s"
            [connections.main.inbound.site]
            kind = "leadpipe"
            id = "id"
            time = "at"
            secret = "{SECRET}"
            facts = {{intent_topics = "topics"}}
            [inbound]
            port = {port}
            [health]
            port = 0
        """
        made = Place(tmp_path, crm).write(more, profile=profile)
        made.run("provision", "--apply")
        made.run("profile", "activate")
        made.run("mode", "write")
        company = made.companies()[0]["id"]
        crm.admin(
            "POST edit",
            id=company,
            properties={"name": "Acme Rope", "domain": "acme.com", "numberofemployees": "50"},
        )
        yield made


@contextmanager
def worker(place: Place, port: int, *, ended: signal.Signals) -> Iterator[None]:
    """The worker from when it listens until it is sent this signal."""
    told = place.folder / "worker.log"
    with told.open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "icp_sync", "run", "--config", str(place.config)], stderr=log, stdout=log
        )
        try:
            until(lambda: process.poll() is not None or listens(port), "it listens")
            assert process.poll() is None, told.read_text()
            yield
        finally:
            process.send_signal(ended)
            code = process.wait(60)
        assert code == (0 if ended is signal.SIGTERM else -ended), told.read_text()


def listens(port: int) -> bool:
    with socket.socket() as call:
        return call.connect_ex(("127.0.0.1", port)) == 0


def post(port: int, event: dict[str, object]) -> requests.Response:
    url, headers = f"http://127.0.0.1:{port}/inbound/main/site", {"X-Icp-Sync-Secret": SECRET}
    return requests.post(url, json=event, headers=headers, timeout=30)


def record(place: Place) -> dict[str, str]:
    """What stands on the record of the only company with a name we know."""
    shown = ("name", "icp_tier", "icp_timing", "icp_timing_grade", "icp_priority", "icp_fit_score")
    reply = requests.get(
        f"{place.crm.url}/crm/v3/objects/companies",
        params={"limit": "100", "properties": ",".join(shown)},
        headers={"Authorization": f"Bearer {place.crm.token}"},
        timeout=10,
    )
    found = [{"id": one["id"], **one["properties"]} for one in reply.json()["results"]]
    return next(one for one in found if one["name"] == "Acme Rope")


def test_a_visit_reaches_the_record_though_the_worker_is_killed_once_it_has_accepted_it(
    place: Place, port: int
) -> None:
    now = time.time()
    first = {"id": 1, "company_domain": "www.acme.com", "at": now - 60, "email": "jane@acme.com"}
    second = {"id": 2, "company_domain": "acme.com", "at": now - 30, "topics": ["Rope", "jane@acme.com"]}
    with worker(place, port, ended=signal.SIGKILL):
        until(lambda: record(place).get("icp_tier"), "the first reading")
        before = record(place)
        assert post(port, first).json() == {"accepted": 1, "repeated": 0, "refused": 0, "reasons": {}}
    with worker(place, port, ended=signal.SIGTERM):
        until(lambda: record(place) != before, "the visit shows on the record")
        assert record(place)["icp_tier"] != "A"
        assert post(port, first).json()["repeated"] == 1
        assert post(port, second).json()["accepted"] == 1
        until(lambda: record(place)["icp_tier"] == "A", "what it reads about decides the tier")
    assert "site" in place.run("explain", record(place)["id"]).stdout
    kept = b"".join(path.read_bytes() for path in place.folder.iterdir() if path.is_file())
    assert b"jane" not in kept
