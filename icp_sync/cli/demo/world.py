"""The demo's surroundings: a simulator in a process of its own, a folder with settings, people who edit.

Everything goes over real HTTP. Prints nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icp_sync.errors import UnavailableError
from icp_sync.profile_file.starters import shipped

PROFILE = "listed-companies.yaml"
COMPANIES = "/crm/objects/2026-09/companies"
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running simulated CRM and the folder this demo lives in."""

    url: str
    token: str
    accounts: int
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "icp-sync.toml"

    def control(self, name: str, **arguments: object) -> dict[str, Any]:
        """One of the simulator's own controls: `control("edit", id=…, properties=…)`."""
        return self._ask("POST", f"/__simulator/{name}", json=arguments)

    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "/__simulator/stats")

    def company(self, record_id: str, *properties: str) -> Mapping[str, str | None]:
        """Properties of one company as anybody reads them over the API."""
        found = self._ask("GET", f"{COMPANIES}/{record_id}", params={"properties": ",".join(properties)})
        properties_found: dict[str, str | None] = found["properties"]
        return properties_found

    def count(self, name: str) -> Counter[str]:
        """How many companies hold each value of a property, read back page by page."""
        counted: Counter[str] = Counter()
        after: str | None = ""
        while after is not None:
            query = {"limit": "100", "properties": name} | ({"after": after} if after else {})
            page = self._ask("GET", COMPANIES, params=query)
            counted.update(record["properties"].get(name) or "" for record in page["results"])
            after = page.get("paging", {}).get("next", {}).get("after")
        return counted

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


@contextmanager
def simulated(folder: Path, *, accounts: int, seed: int) -> Iterator[World]:
    """Start a simulator and write the settings of a connection to it into `folder`."""
    options = {"accounts": accounts, "seed": seed, "limits": "pro", "index-lag": 3}
    command = [sys.executable, "-m", "icp_sync", "simulator"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own program)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("{"):
                raise UnavailableError("the simulator did not start", next_step="icp-sync simulator")
            ready = json.loads(line)
            world = World(url=ready["url"], token=ready["token"], accounts=ready["accounts"], folder=folder)
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

[connections.demo]
crm = "hubspot"
base_url = "{world.url}"
token = "{world.token}"
profiles = ["{profile.as_posix()}"]
quota = {{burst = 190, search = 4}}
enrichers = [{{use = "public_companies"}}]

[connections.demo.outputs]
owner = true
""",
        encoding="utf-8",
    )
