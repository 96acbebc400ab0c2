"""Simulated portals for a fleet: in this process, or each in one of its own, where its work takes nothing
from whoever measures. Their companies are the simulator's seeds, or such as `soak.oracle` can judge.

`python -m tests.cluster.portals JSON` serves one until its input ends.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.people import owners
from tests.soak.oracle import FAR, NEAR

COUNTRIES = sorted(NEAR | FAR)
SIZES = ("", "20", "80", "700", "4999", "6000", "90000", "150000")
OWNED = 0.2
"""Share of made companies that somebody owns from the beginning."""

DAY = 86_400.0
"""Seconds by which everything is older than the fleet: nothing of it is news to a stream."""

Records = dict[str, dict[str, str]]
"""Company → property → value, of those that live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """made: companies that the oracle can judge, instead of the simulator's seeds. latency: seconds.

    at: when the simulator's clock begins, epoch seconds; two with the same seed and beginning hold the same.
    """

    accounts: int
    seed: int = 1
    made: bool = False
    latency: float = 0.0
    index_lag: float = 0.0
    limits: str = "off"
    at: float | None = None


class Portal(Protocol):
    url: str
    token: str

    def admin(self, control: str, **arguments: object) -> Any: ...
    def records(self) -> Records: ...
    def close(self) -> None: ...


class Here:
    """In this process."""

    def __init__(self, wanted: Wanted) -> None:
        self.simulator = begun(wanted)
        self.url, self.token = self.simulator.url, self.simulator.token

    def admin(self, control: str, **arguments: object) -> Any:
        return self.simulator.admin(control, **arguments)

    def records(self) -> Records:
        return records(self.simulator)

    def close(self) -> None:
        self.simulator.stop()


class Apart:
    """In a process of its own."""

    def __init__(self, wanted: Wanted) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.portals", json.dumps(asdict(wanted))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = self._said()
        self.url, self.token = said["url"], said["token"]
        self._client = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)

    def admin(self, control: str, **arguments: object) -> Any:
        method, _, path = control.partition(" ")
        try:
            self._client.request(method, f"/__simulator/{path}", json.dumps(arguments))
            reply = self._client.getresponse()
            said = reply.read()
        except (http.client.HTTPException, OSError):
            self._client.close()  # an idle connection was closed over there
            self._client.request(method, f"/__simulator/{path}", json.dumps(arguments))
            reply = self._client.getresponse()
            said = reply.read()
        assert reply.status == 200, said
        return json.loads(said)

    def records(self) -> Records:
        assert self._process.stdin is not None
        self._process.stdin.write("records\n")
        self._process.stdin.flush()
        found: Records = self._said()
        return found

    def _said(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the portal's process has ended"
        return json.loads(line)

    def close(self) -> None:
        self._client.close()
        self._process.kill()
        self._process.communicate()


def begun(wanted: Wanted) -> Simulator:
    """A simulator that listens."""
    simulator = Simulator(
        accounts=0 if wanted.made else wanted.accounts,
        seed=wanted.seed,
        index_lag=wanted.index_lag,
        limits=wanted.limits,
        start_clock=(wanted.at or time.time()) - DAY,
    )
    if wanted.made:
        dice = random.Random(wanted.seed)
        simulator.admin("POST settings", follow_up=False)  # ids would depend on how fast we are
        for number in range(wanted.accounts):
            simulator.admin("POST create", properties=company(number, dice))
    simulator.admin("POST settings", follow_up=True)
    simulator.admin("POST clock", advance=DAY)
    simulator.start()
    simulator.admin("POST settings", latency=wanted.latency, property_lag=0)
    return simulator


def company(number: int, dice: random.Random) -> dict[str, str]:
    """The values of a company that `soak.oracle` can judge."""
    values = {
        "name": f"Company {number}",
        "domain": f"company-{number}.com",
        "country": dice.choice(COUNTRIES),
    }
    if size := dice.choice(SIZES):
        values["numberofemployees"] = size
    if dice.random() < OWNED:
        people = [one.id for one in owners(0) if one.type == "PERSON" and not one.archived]
        values["hubspot_owner_id"] = dice.choice(people)
    return values


def records(simulator: Simulator) -> Records:
    store = simulator.portal.store
    return {
        str(id): dict(record.props)
        for id, record in store.records.items()
        if record.archived_at is None and record.merged_into is None
    }


def main(wanted: Wanted) -> None:
    simulator = begun(wanted)
    print(simulator.ready_line(), flush=True)
    for _ in sys.stdin:
        print(json.dumps(records(simulator)), flush=True)
    simulator.stop()


if __name__ == "__main__":
    main(Wanted(**json.loads(sys.argv[1])))
