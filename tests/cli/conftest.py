"""A simulated CRM, and a connection to it that was settled once, per test process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from icp_sync.cli.app import build
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import wire

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"


@dataclass(frozen=True)
class Place:
    """One folder with a settings file, a journal and a seal key of its own."""

    folder: Path
    crm: Simulator

    @property
    def config(self) -> Path:
        return self.folder / "icp-sync.toml"

    def write(self, more: str = "", token: str = "", profile: Path = PROFILE) -> Place:
        self.config.write_text(
            f"""
            journal = "sqlite:///{self.folder}/journal.sqlite"
            seal_file = "{self.folder}/seal.key"
            [connections.main]
            token = "{token or self.crm.token}"
            base_url = "{self.crm.url}"
            profiles = ["{profile}"]
            [[connections.main.enrichers]]
            use = "public_companies"
            [connections.main.outputs]
            owner = true
            {more}
            """
        )
        return self

    def run(self, *arguments: str, code: int = 0) -> Result:
        """The command with this folder's settings; its exit code must be `code`."""
        result = command(*arguments, "--config", str(self.config))
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What the command prints with --json; stdout must be one JSON document."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def settle(self, stream: Stream = Stream.BACKFILL) -> None:
        """One cycle of the engine, as `run` would do it."""
        wired = wire(load(self.config))
        cycle(stream, wired.parts, Scope(restart=True))
        wired.journal.close()

    def companies(self, **held: str) -> list[dict[str, Any]]:
        """The companies whose properties, read over HTTP, hold these values: id and properties of each."""
        reply = requests.get(
            f"{self.crm.url}/crm/v3/objects/companies",
            params={"limit": "100", "properties": ",".join(["name", "domain", *held])},
            headers={"Authorization": f"Bearer {self.crm.token}"},
            timeout=10,
        )
        found = [{"id": record["id"], **record["properties"]} for record in reply.json()["results"]]
        return [c for c in found if all(c.get(name) == value for name, value in held.items())]


def command(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(_program(), list(arguments), prog_name="icp-sync")


_program = cache(build)
testing._get_command = cache(get_command)  # made once: reading every command's signature takes a while


@pytest.fixture(scope="session")
def crm() -> Iterator[Simulator]:
    with Simulator(accounts=90, seed=3, index_lag=0.0) as running:
        running.admin("POST settings", property_lag=0)
        yield running


@pytest.fixture
def place(crm: Simulator, tmp_path: Path) -> Place:
    """A connection nobody has used yet."""
    return Place(tmp_path, crm).write()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Place]:
    """A connection to a CRM nobody ever provisioned."""
    with Simulator(accounts=5, seed=9) as crm:
        crm.admin("POST settings", property_lag=0)
        yield Place(tmp_path, crm).write()


@pytest.fixture(scope="session")
def settled(crm: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A connection in mode route whose accounts were all settled once."""
    settled = Place(tmp_path_factory.mktemp("settled"), crm).write()
    settled.run("provision", "--apply")
    settled.run("profile", "activate")
    settled.run("mode", "route")
    settled.settle()
    return settled
