"""A simulated portal or org of companies that people made, and the real command on it.

All facts are in the CRM and every value is one that `oracle.py` can read, so nothing has to be believed.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from icp_sync.domain.standing import Mode
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import APP_ID
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.report import Report
from icp_sync.wiring import Wired, parse_profiles, wire
from tests.soak.ledger import Ledger, plain
from tests.soak.oracle import FAR, NEAR, standing
from tests.sync.processes import Ended, Nursery

PROFILE = Path(__file__).with_name("profile.yaml")
COUNTRIES = sorted(NEAR | FAR)
SIZES = ("", "20", "80", "700", "4999", "6000", "90000", "150000")
TYPED = {
    "fit_score": ("7", "13", "77"),
    "lane": ("success",),
    "profile": ("by hand", "somebody else's"),
    "tier": ("A", "B", "C", "D"),
}
"""What people type over values of ours, by field: nothing that we could have written there."""


class Ground:
    """nursery: where its processes are started, None where nothing is run in one. journal: its URL."""

    kind = "hubspot"
    names = ("name", "domain", "country", "numberofemployees")
    ours = ("INTEGRATION", APP_ID)
    reading: tuple[str, ...] = ("POST batch/read", "GET companies")

    def __init__(
        self,
        folder: Path,
        nursery: Nursery | None,
        *,
        accounts: int,
        journal: str = "",
        backfill: str = 'canary = 0\nwave = 0\nwatch = "0"\npause = "0"',
        schedule: str = 'poll = "0.3s"\ntrailing = "0.5s"\ndue = "0.5s"\nsweep = "24h"',
    ) -> None:
        self._nursery = nursery
        self.folder = folder
        self.crm = Simulator(crm=self.kind, accounts=0, index_lag=0.0).start()
        self.file = folder / "journal.sqlite" if not journal else None
        self.config = folder / "icp-sync.toml"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.health_port = free.getsockname()[1]
        self.config.write_text(
            f"""
journal = "{journal or f"sqlite:///{self.file}"}"
seal_file = "{folder}/seal.key"
[health]
port = {self.health_port}
[connections.main]
crm = "{self.kind}"
base_url = "{self.crm.url}"
profiles = ["{PROFILE}"]
{self._access()}
[connections.main.outputs]
owner = true
[connections.main.schedule]
{schedule}
[connections.main.guard]
downgrades = "100%"
floor = 1000000
writes_an_hour = 1000
[connections.main.backfill]
{backfill}
changed = "100%"
"""
        )
        self.wired: Wired = wire(load(self.config, {}), create_seal=True)
        documents = ((PROFILE.name, PROFILE.read_text()),)
        profiles = parse_profiles(documents, self.wired.types)
        self.wired.crm.provision(self.wired.blueprint(profiles), apply=True)
        self.wired.journal.activate(documents, now=time.time())
        self.wired.journal.set_mode(Mode.ROUTE, now=time.time())
        self.properties = dict(self.wired.settings.field_properties)
        """Logical field → property."""
        self.properties |= dict(zip(("name", "domain", "country", "employees"), self.names, strict=True))
        self.ledger = Ledger(self.crm, self.properties, self.ours)
        self.companies: list[str] = []
        self.gone: set[str] = set()
        self.models: dict[str, set[str]] = {}  # company → every tier its inputs ever meant
        self.typed: set[str] = set()
        self._made = 0
        self.found(accounts, random.Random(1))

    def _access(self) -> str:
        self.crm.admin("POST settings", property_lag=0)
        return f'token = "{self.crm.token}"'

    @property
    def nursery(self) -> Nursery:
        assert self._nursery is not None
        return self._nursery

    def args(self, *args: str) -> tuple[str, ...]:
        return (*args, "--config", str(self.config))

    def run(self, *args: str, fault: str = "") -> Ended:
        return self.nursery.run(*self.args(*args), env={"ICP_SYNC_FAULT": fault})

    def start(self, *args: str) -> int:
        return self.nursery.start(*self.args(*args), env={"ICP_SYNC_FAULT": ""})

    def cycle(self, *streams: Stream, restart: bool = False) -> list[Report]:
        """These streams in this process, which must be alone."""
        reports = []
        for stream in streams:
            report = cycle(stream, self.wired.parts, Scope(restart=restart))
            assert report is not None, f"{stream} is busy"
            reports.append(report)
        return reports

    def now(self) -> int:
        """ms on the CRM's clock."""
        clock: Any = self.crm.admin("GET clock")
        return round(float(clock["epoch"]) * 1000)

    def reads(self) -> int:
        """Requests for records so far, beyond finding out which have changed."""
        stats: Any = self.crm.admin("GET stats")
        return sum(stats["requests"].get(name, 0) for name in self.reading)

    def close(self) -> None:
        self.wired.crm.close()  # type: ignore[attr-defined]
        self.wired.journal.close()
        self.crm.stop()

    # -- what people do

    def found(self, count: int, dice: random.Random) -> list[str]:
        """New companies."""
        name, domain, country, employees = self.names
        made = []
        for _ in range(count):
            self._made += 1
            values = {name: f"Company {self._made}", domain: f"company-{self._made}.com"}
            values[country] = dice.choice(COUNTRIES)
            if size := dice.choice(SIZES):
                values[employees] = size
            made.append(str(self.crm.admin("POST create", properties=values)["id"]))
        for id in made:
            self._decided(id)
        self.companies += made
        return made

    def resize(self, ids: Iterable[str], dice: random.Random) -> None:
        """Companies grow, shrink and move."""
        for id in ids:
            country, employees = self.names[2:]
            values = {employees: dice.choice(SIZES[1:])}
            if dice.random() < 0.3:
                values[country] = dice.choice(COUNTRIES)
            self.crm.admin("POST edit", id=id, properties=values)
            self._decided(id)

    def type_over(self, ids: Iterable[str], dice: random.Random) -> int:
        """People, imports and other programs type another value over one of ours; the number of values."""
        typed = 0
        for id in ids:
            field, value = dice.choice(self._nobodys(id))
            hand = dice.choice(("person", "person", "import", "app"))
            self.crm.admin("POST edit", id=id, properties={self.properties[field]: value}, source=hand)
            self.typed.add(id)
            typed += 1
        return typed

    def _nobodys(self, id: str) -> list[tuple[str, str]]:
        """(field, value) that neither stand on the company nor were ever ours to write."""
        record: Any = self.crm.admin(f"GET record/{id}")
        held = {field: plain(record["properties"].get(self.properties[field])) for field in TYPED}
        ours = {("tier", tier) for tier in self.models[id]}
        every = [(field, value) for field, values in TYPED.items() for value in values]
        return [
            (field, value) for field, value in every if held[field] != value and (field, value) not in ours
        ]

    def _decided(self, id: str) -> None:
        """Note what the company's tier is from now on, by its inputs."""
        record: Any = self.crm.admin(f"GET record/{id}")
        country, employees = (plain(record["properties"].get(name)) for name in self.names[2:])
        self.models.setdefault(id, set()).add(standing(employees, country)["model_tier"])

    def merge(self, into: str, other: str) -> None:
        self.crm.admin("POST merge", **{"into": into, "from": other})
        self.gone.add(other)
        self._decided(into)

    def delete(self, id: str) -> None:
        self.crm.admin("POST delete", id=id)
        self.gone.add(id)

    def pass_time(self, seconds: float = 5) -> None:
        self.crm.admin("POST clock", advance=seconds)


class OrgGround(Ground):
    """The same in a Salesforce org."""

    kind = "salesforce"
    names = ("Name", "Website", "BillingCountry", "NumberOfEmployees")
    ours = ("API", "icp_sync")
    reading = ("POST composite/sobjects/{id}",)

    def _access(self) -> str:
        from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET

        return f"""[connections.main.salesforce]
my_domain = "simulator.my"
consumer_key = "{CONSUMER_KEY}"
consumer_secret = "{CONSUMER_SECRET}"
vacant_owners = ["unassigned@sales.example"]
"""
