"""A simulated CRM, provisioned and activated in mode route, and processes of the real command line on it."""

from __future__ import annotations

import random
import socket
import time
from pathlib import Path

from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import Wired, parse_profiles, wire
from tests.sync.processes import Ended, Nursery

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"
ACCOUNTS = 40
TOUCHED = 4  # records a round gives something to write on


class Station:
    """A HubSpot portal. nursery: where its processes are started, None where nothing is run in one.

    journal: its URL, by default a file in the folder.
    """

    crm_name = "hubspot"
    fields = ("name", "domain", "country", "numberofemployees")

    def __init__(
        self, folder: Path, nursery: Nursery | None = None, *, accounts: int = ACCOUNTS, journal: str = ""
    ) -> None:
        self._nursery = nursery
        self.crm = Simulator(crm=self.crm_name, accounts=accounts, index_lag=0.0).start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.health_port = free.getsockname()[1]
        self.config = folder / "icp-sync.toml"
        self.config.write_text(
            f"""
journal = "{journal or f"sqlite:///{folder}/journal.sqlite"}"
seal_file = "{folder}/seal.key"
[health]
port = {self.health_port}
[connections.main]
crm = "{self.crm_name}"
base_url = "{self.crm.url}"
profiles = ["{PROFILE}"]
enrichers = [{{use = "public_companies"}}]
{self.access()}
[connections.main.outputs]
owner = true
[connections.main.schedule]
poll = "0.3s"
trailing = "0.5s"
due = "0.5s"
"""
        )
        self.wired: Wired = wire(load(self.config, {}), create_seal=True)
        documents = ((PROFILE.name, PROFILE.read_text()),)
        self.profiles = parse_profiles(documents, self.wired.types)
        self.wired.crm.provision(self.wired.blueprint(self.profiles), apply=True)
        self.wired.journal.activate(documents, now=time.time())
        self.wired.journal.set_mode(Mode.ROUTE, now=time.time())

    @property
    def nursery(self) -> Nursery:
        assert self._nursery is not None
        return self._nursery

    def access(self) -> str:
        """The settings that open the CRM."""
        self.crm.admin("POST settings", property_lag=0)
        return f'token = "{self.crm.token}"'

    def live_ids(self) -> list[str]:
        return self.wired.journal.live_ids_page("", 10_000)

    def run(self, *args: str, fault: str = "") -> Ended:
        return self.nursery.run(*self.args(*args), env={"ICP_SYNC_FAULT": fault})

    def args(self, *args: str) -> tuple[str, ...]:
        return (*args, "--config", str(self.config))

    def close(self) -> None:
        self.wired.crm.close()  # type: ignore[attr-defined]
        self.wired.journal.close()
        self.crm.stop()

    def people_work(self, seed: int) -> None:
        """Two companies change size, two are new; then a few seconds pass on the CRM's clock."""
        name, domain, country, employees = self.fields
        for id in random.Random(seed).sample(sorted(self.live_ids()), 2):
            size = str(random.Random(f"{seed}{id}").choice((200, 3000, 20_000, 400_000)))
            self.crm.admin("POST edit", id=id, properties={employees: size})
        for n in range(2):
            new = {name: f"New {seed}-{n}", domain: f"new-{seed}-{n}.com", country: "France"}
            self.crm.admin("POST create", properties={**new, employees: "5000"})
        self.crm.admin("POST clock", advance=5)

    def stats(self) -> dict[str, object]:
        return self.crm.admin("GET stats")

    def written(self) -> int:
        return int(str(self.stats()["records_written"]))

    def assert_converged(self) -> None:
        """Nothing material is left to write, and nothing of ours is taken for a person's."""
        report = cycle(Stream.BACKFILL, self.wired.parts, Scope(apply=False))
        assert report is not None
        assert report.left_alone == []
        assert self.wired.journal.left_alone() == []
        material = {name for name in report.by_field if not FIELDS[name].cosmetic}
        assert material == set(), report.changes
        assert self.wired.journal.counts().keys() <= {"settled", "gone"}


class OrgStation(Station):
    """A Salesforce org. bulk: whether large pages are written by bulk jobs."""

    crm_name = "salesforce"
    fields = ("Name", "Website", "BillingCountry", "NumberOfEmployees")
    bulk = False

    def access(self) -> str:
        from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET

        return f"""[connections.main.salesforce]
my_domain = "simulator.my"
consumer_key = "{CONSUMER_KEY}"
consumer_secret = "{CONSUMER_SECRET}"
vacant_owners = ["unassigned@sales.example"]
bulk_writes = {str(self.bulk).lower()}
"""
