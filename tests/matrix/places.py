"""A simulated portal or org of companies that people made, the parts of a worker on it, and what people do.

The parts are those a process has: each day begins with new ones, so nothing is known but what the journal
keeps. No wait lasts: limits go by a clock that jumps ahead instead.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.hubspot.portal import RATES
from icp_sync.crm.salesforce import Salesforce
from icp_sync.domain.standing import Mode
from icp_sync.enrichers.contacts import Contacts
from icp_sync.errors import IcpSyncError
from icp_sync.ports import Stream
from icp_sync.quota import Daily, Quota, Rate
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.report import Report
from icp_sync.wiring import Wired, parse_profiles, wire
from tests.matrix.oracle import FAR, NEAR
from tests.matrix.waits import Hurried, Ticks

PROFILE = Path(__file__).with_name("profile.yaml")
SIZES = ("", "20", "80", "700", "4999", "6000", "90000", "150000")
SOON = 0.3
"""Seconds after which a worker that is to meet silence stops listening."""

DAY = (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP, Stream.BACKFILL)


@dataclass(slots=True)
class Typed:
    """What people set on one company: the tier they chose, and values they put into fields of ours."""

    override: str = ""
    values: dict[str, str] = field(default_factory=dict)


class Portal:
    """A HubSpot portal. accounts: how many companies it begins with. journal: its URL, else a file."""

    kind = "hubspot"
    names = ("name", "domain", "country", "numberofemployees")
    source = "INTEGRATION"
    bulk = False
    """Whether accounts are read and written by bulk jobs."""

    def __init__(self, folder: Path, *, accounts: int = 16, journal: str = "") -> None:
        self.crm = Simulator(crm=self.kind, accounts=0, index_lag=0.0).start()
        self.ahead = 0.0
        config = folder / "icp-sync.toml"
        config.write_text(
            f"""
journal = "{journal or f"sqlite:///{folder}/journal.sqlite"}"
seal_file = "{folder}/seal.key"
[connections.main]
crm = "{self.kind}"
base_url = "{self.crm.url}"
profiles = ["{PROFILE}"]
{self._access()}
[connections.main.outputs]
owner = true
[connections.main.guard]
downgrades = "100%"
floor = 1000000
writes_an_hour = 1000
"""
        )
        self.wired: Wired = wire(load(config, {}), clock=self.clock, stop=Hurried(), create_seal=True)
        documents = ((PROFILE.name, PROFILE.read_text()),)
        profiles = parse_profiles(documents, self.wired.types)
        with closing(self.client()) as crm:
            crm.provision(self.wired.blueprint(profiles), apply=True)
        self.wired.journal.activate(documents, now=self.clock())
        self.wired.journal.set_mode(Mode.ROUTE, now=self.clock())
        self.properties = dict(self.wired.settings.field_properties)
        self.live: list[str] = []
        self.titled: set[str] = set()
        """Companies where a head of sales works."""
        self.typed: dict[str, Typed] = {}
        self.touched: dict[str, int] = {}
        """Companies people changed today → the stamp that left, ms."""
        self._made = 0
        self.found(accounts, random.Random(1))
        self.work(Stream.BACKFILL)

    def _access(self) -> str:
        self.crm.admin("POST settings", property_lag=0)
        return f'token = "{self.crm.token}"'

    def clock(self) -> float:
        return time.time() + self.ahead

    def pass_time(self, seconds: float) -> None:
        self.ahead += seconds
        self.crm.admin("POST clock", advance=seconds)

    def close(self) -> None:
        self.wired.crm.close()  # type: ignore[attr-defined]
        self.wired.journal.close()
        self.crm.stop()

    # -- a worker

    def client(self, *, impatient: bool = False) -> HubSpot | Salesforce:
        """A new one, that knows nothing. impatient: it waits `SOON` for a reply."""
        crm = self._client(patience=3.0 if impatient else 60.0)
        if impatient:
            for transport in self._transports(crm):
                transport._timeout = (5.0, SOON)
        return crm

    def _quota(self, rates: Mapping[str, Rate], daily: Daily) -> Quota:
        ticks = Ticks()
        return Quota(rates, daily=daily, connection="main", clock=ticks, sleep=ticks.sleep)

    def _client(self, patience: float) -> HubSpot | Salesforce:
        settings = self.wired.settings
        assert settings.token is not None
        return HubSpot(
            token=settings.token,
            base_url=self.crm.url,
            facts_map=self.wired.facts_map,
            properties=settings.field_properties,
            quota=self._quota(RATES, Daily()),
            name="main",
            parallel=3,
            stop=Hurried(),
            patience=patience,
        )

    def _transports(self, crm: Any) -> Sequence[Any]:
        return [crm._client.transport]

    def parts(self, crm: HubSpot | Salesforce) -> Parts:
        people = Contacts(crm, complete=True)
        people.clock = self.clock
        return replace(self.wired.parts, crm=crm, enrichers=(people,))

    def work(self, *streams: Stream, impatient: bool = False) -> dict[Stream, IcpSyncError]:
        """These streams by a new worker, whatever becomes of each: what stopped which of them."""
        met: dict[Stream, IcpSyncError] = {}
        with closing(self.client(impatient=impatient)) as crm:
            parts = self.parts(crm)
            for stream in streams:
                try:
                    self._cycle(stream, parts)
                except IcpSyncError as error:  # anything else is a bug and ends the case
                    met[stream] = error
        return met

    def _cycle(self, stream: Stream, parts: Parts) -> Report:
        report = cycle(stream, parts, Scope(restart=stream is Stream.BACKFILL, wait=lambda _: None))
        assert report is not None, f"{stream} is busy"
        return report

    # -- people

    def people_work(self, dice: random.Random) -> None:
        """A day's worth of changes, each of them something a worker must see or respect."""
        self.touched = {}
        for id in dice.sample(self.live, 3):
            self._edit(id, {self.names[3]: dice.choice(SIZES[1:]), self.names[2]: dice.choice(_COUNTRIES)})
        typed, overridden, *leaving = dice.sample(self.live, 5)
        name, value = dice.choice((("lane", "success"), ("fit_score", "7")))
        self._edit(typed, {self.properties[name]: value})
        self.typed.setdefault(typed, Typed()).values[name] = value
        tier = dice.choice(("A", "B", "D"))
        self._edit(overridden, {self.properties["tier_override"]: tier})
        self.typed.setdefault(overridden, Typed()).override = tier
        for id in leaving:
            self.crm.admin("POST delete", id=id)
            self.live.remove(id)
            self.touched.pop(id, None)
        made = [self.found(1, dice, country="France", employees=size)[0] for size in ("20", "700", "4999")]
        self.touched |= {id: self._stamp(id) for id in made}
        self.pass_time(5)

    def found(self, count: int, dice: random.Random, *, country: str = "", employees: str = "") -> list[str]:
        """New companies, a head of sales at every second."""
        made = []
        for _ in range(count):
            self._made += 1
            name = f"company-{self._made}"
            values = (
                name,
                f"{name}.com",
                country or dice.choice(_COUNTRIES),
                employees or dice.choice(SIZES),
            )
            given = {key: value for key, value in zip(self.names, values, strict=True) if value}
            id = str(self.crm.admin("POST create", properties=given)["id"])
            if self._made % 2:
                self._employ(id)
                self.titled.add(id)
            made.append(id)
        self.live += made
        return made

    def _employ(self, id: str) -> None:
        self.crm.admin("POST create", type="contacts", company=id, properties={"jobtitle": "VP Sales"})

    def _edit(self, id: str, values: Mapping[str, str]) -> None:
        if self.crm.admin("POST edit", id=id, properties=dict(values))["changed"]:
            self.touched[id] = self._stamp(id)

    def _stamp(self, id: str) -> int:
        """The stamp a company has, ms."""
        updated = str(self.crm.admin(f"GET record/{id}")["updatedAt"])
        return round(datetime.fromisoformat(updated).timestamp() * 1000)

    # -- what can be seen from outside

    def record(self, id: str) -> Mapping[str, str]:
        """Property → value, blank ones left out."""
        shown: Any = self.crm.admin(f"GET record/{id}")["properties"]
        return {name: str(value) for name, value in shown.items() if value not in (None, "")}

    def writes(self, after: int = 0) -> list[dict[str, Any]]:
        """The write log from a number on."""
        found: list[dict[str, Any]] = []
        while True:
            page: Any = self.crm.admin("GET writes", after=found[-1]["seq"] if found else after, limit=1000)
            found += page["results"]
            if not page["more"]:
                return found

    def calls(self) -> dict[str, int]:
        """Endpoint → requests since the statistics began."""
        made: Any = self.crm.admin("GET requests", limit=1000)["results"]
        return dict(Counter(request["endpoint"] for request in made))


_COUNTRIES = sorted(NEAR | FAR)
