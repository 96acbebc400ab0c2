"""The demo's surroundings: a simulator in a process of its own, a folder with settings, people who edit.

Everything goes over real HTTP. Prints nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from icp_sync.errors import UnavailableError
from icp_sync.profile_file.starters import shipped

PROFILE = "listed-companies.yaml"
TIMEOUT = 30.0


class World(ABC):
    """A running simulated CRM and the folder this demo lives in.

    kind: as the simulator is told. about: what it is and does. prepared: what provisioning made.
    views: what it calls lists that filter for themselves.
    names: what the story calls a field → its name here. banking: how this CRM writes that industry.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    prepared: ClassVar[str]
    views: ClassVar[str]
    names: ClassVar[Mapping[str, str]]
    banking: ClassVar[str]

    def __init__(self, ready: Mapping[str, Any], folder: Path) -> None:
        self.url: str = ready["url"]
        self.token: str = ready["token"]
        self.accounts: int = ready["accounts"]
        self.ready = ready
        self.folder = folder

    @property
    def config(self) -> Path:
        return self.folder / "icp-sync.toml"

    def control(self, name: str, **arguments: object) -> dict[str, Any]:
        """One of the simulator's own controls: `control("edit", id=…, properties=…)`."""
        return self._ask("POST", f"/__simulator/{name}", json=arguments)

    def edit(self, record_id: str, **values: str) -> None:
        """A person changes fields, by the names of the story."""
        named = {self.names[name]: value for name, value in values.items()}
        self.control("edit", id=record_id, properties=named)

    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "/__simulator/stats")

    @abstractmethod
    def value(self, record_id: str, name: str) -> str:
        """What a company holds, as anybody reads it over the API."""

    @abstractmethod
    def count(self, name: str) -> Counter[str]:
        """How many companies hold each value of a field, read back over the API."""

    @abstractmethod
    def vacant(self) -> int:
        """How many companies nobody owns."""

    @abstractmethod
    def settings(self) -> str:
        """The connection's own lines of the settings."""

    def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        import requests

        reply = requests.request(
            method,
            self.url + path,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=TIMEOUT,
            **arguments,
        )
        if not reply.ok:
            raise UnavailableError(
                f"the simulator answered {reply.status_code} to {method} {path}: {reply.text[:200]}"
            )
        answer: dict[str, Any] = reply.json()
        return answer


class Portal(World):
    """HubSpot."""

    kind = "hubspot"
    title = "HubSpot portal"
    about = "the rate limits of the Professional plan, a search index 3 s behind"
    prepared = "a property group and our properties, nothing else"
    views = "active lists"
    names: ClassVar[Mapping[str, str]] = {
        "headcount": "numberofemployees",
        "industry": "industry",
        "owner": "hubspot_owner_id",
        "tier": "icp_tier",
        "lane": "icp_lane",
    }
    banking = "BANKING"
    _COMPANIES = "/crm/objects/2026-09/companies"

    def value(self, record_id: str, name: str) -> str:
        name = self.names[name]
        found = self._ask("GET", f"{self._COMPANIES}/{record_id}", params={"properties": name})
        return found["properties"].get(name) or ""

    def count(self, name: str) -> Counter[str]:
        counted: Counter[str] = Counter()
        after: str | None = ""
        while after is not None:
            query = {"limit": "100", "properties": self.names[name]} | ({"after": after} if after else {})
            page = self._ask("GET", self._COMPANIES, params=query)
            counted.update(record["properties"].get(self.names[name]) or "" for record in page["results"])
            after = page.get("paging", {}).get("next", {}).get("after")
        return counted

    def vacant(self) -> int:
        return self.count("owner")[""]

    def settings(self) -> str:
        return f'''crm = "hubspot"
base_url = "{self.url}"
token = "{self.token}"
quota = {{burst = 190, search = 4}}'''


class Org(World):
    """Salesforce."""

    kind = "salesforce"
    title = "Salesforce org"
    about = "the daily limit of Enterprise Edition, sessions that end, stamps of whole seconds"
    prepared = "our fields, two permission sets and a list view for each tier, nothing else"
    views = "list views"
    names: ClassVar[Mapping[str, str]] = {
        "headcount": "NumberOfEmployees",
        "industry": "Industry",
        "owner": "Owner.Email",
        "tier": "ICP_Tier__c",
        "lane": "ICP_Lane__c",
    }
    banking = "Banking"
    _DATA = "/services/data/v66.0"
    _NOBODY = "unassigned@sales.example"

    def value(self, record_id: str, name: str) -> str:
        name = self.names[name]
        found = self._ask("GET", f"{self._DATA}/sobjects/Account/{record_id}", params={"fields": name})
        return str(found.get(name) or "")

    def count(self, name: str) -> Counter[str]:
        name = self.names[name]
        query = f"SELECT {name} held, COUNT(Id) companies FROM Account GROUP BY {name}"  # noqa: S608 (SOQL, our own names)
        rows = self._ask("GET", f"{self._DATA}/query", params={"q": query})["records"]
        counted: Counter[str] = Counter()
        for row in rows:
            counted["" if row["held"] is None else str(row["held"])] += row["companies"]
        return counted

    def vacant(self) -> int:
        return self.count("owner")[self._NOBODY]

    def settings(self) -> str:
        return f'''crm = "salesforce"
base_url = "{self.url}"

[connections.demo.salesforce]
my_domain = "simulator.my"
consumer_key = "{self.ready["consumer_key"]}"
consumer_secret = "{self.ready["consumer_secret"]}"
vacant_owners = ["{self._NOBODY}"]'''


WORLDS: Mapping[str, type[World]] = {one.kind: one for one in (Portal, Org)}


@contextmanager
def simulated(folder: Path, *, crm: str, accounts: int, seed: int) -> Iterator[World]:
    """Start a simulator and write the settings of a connection to it into `folder`."""
    options = {"crm": crm, "accounts": accounts, "seed": seed, "limits": "pro"}
    command = [sys.executable, "-m", "icp_sync", "simulator"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own program)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("{"):
                raise UnavailableError("the simulator did not start", next_step="icp-sync simulator")
            world = WORLDS[crm](json.loads(line), folder)
            _write_settings(world)
            yield world
        finally:
            process.terminate()


def _write_settings(world: World) -> None:
    profile = shipped(PROFILE)
    world.config.write_text(
        f"""# Written by `icp-sync demo`.
journal = "sqlite:///{world.folder.as_posix()}/journal.sqlite"
seal_file = "{world.folder.as_posix()}/seal.key"

[health]
port = 0

[console]
local = "approver"

[connections.demo]
profiles = ["{profile.as_posix()}"]
enrichers = [{{use = "public_companies"}}]
{world.settings()}

[connections.demo.outputs]
owner = true
""",
        encoding="utf-8",
    )
