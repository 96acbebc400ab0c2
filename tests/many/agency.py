"""An agency: simulated portals, one settings file with a connection each, one journal, and a real worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import requests

from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.wiring import parse_profiles, wire

PROFILE = Path(__file__).parent / "profile.yaml"
DOES_NOT = "9000"
"""Employees of a company that does not fit: every company's, to begin with."""
GUARD = 'downgrades = "100%"\nfloor = 100000\nwrites_an_hour = 1000'
"""People here edit far more than anywhere: none of it shall wait for a person."""
ENDS = 40.0


def free_port() -> int:
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        return int(trying.getsockname()[1])


@dataclass(kw_only=True)
class Agency:
    """portals: connection → its CRM. poll: seconds between two polls. more: further settings."""

    folder: Path
    portals: dict[str, Simulator]
    poll: float = 10.0
    more: str = ""
    health: int = field(default_factory=free_port)

    @property
    def config(self) -> Path:
        return self.folder / "icp-sync.toml"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/journal.sqlite"

    def write(self, *names: str, extra: str = "") -> None:
        """The settings of these connections, or of all."""
        sections = [self.section(name) for name in names or self.portals]
        text = (
            f'journal = "{self.url}"\nseal_file = "{self.folder}/seal.key"\n'
            f"[health]\nport = {self.health}\n{self.more}\n" + "\n".join(sections) + extra
        )
        fresh = self.folder / "fresh"  # replaced at once: nobody reads half of it
        fresh.write_text(text)
        fresh.replace(self.config)

    def section(self, name: str, token: str = "", more: str = "") -> str:
        crm = self.portals[name]
        return (
            f'[connections.{name}]\ntoken = "{token or crm.token}"\nbase_url = "{crm.url}"\n'
            f'profiles = ["{PROFILE}"]\n{more}\n[connections.{name}.schedule]\n'
            f'poll = "{self.poll}s"\ndue = "{self.poll}s"\ntrailing = "60s"\n'
            f"[connections.{name}.backfill]\ncanary = 0\nwave = 0\n"
            f"[connections.{name}.guard]\n{GUARD}\n"
        )

    def prepare(self, *names: str) -> None:
        """Fields in the CRM, an active profile, and the right to write it."""
        settings = load(self.config)
        for name in names or settings.connections:
            wired = wire(settings, name, create_seal=True)
            try:
                documents = ((PROFILE.name, PROFILE.read_text(encoding="utf-8")),)
                profiles = parse_profiles(documents, wired.types)
                wired.crm.provision(wired.blueprint(profiles), apply=True)
                wired.journal.activate(documents, now=time.time())
                wired.journal.set_mode(Mode.WRITE, now=time.time())
            finally:
                wired.crm.close()  # type: ignore[attr-defined]
                wired.journal.close()

    @contextmanager
    def working(self, ends: float = ENDS) -> Iterator[subprocess.Popen[bytes]]:
        """`icp-sync run` in a process of its own; what it says is in `worker.log`. ends: seconds it is given
        to end by itself; one whose CRM hangs would wait for it."""
        said = (self.folder / "worker.log").open("ab")
        worker = subprocess.Popen(
            [sys.executable, "-m", "icp_sync", "run", "--config", str(self.config)],
            stdout=said,
            stderr=said,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
        try:
            yield worker
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(ends)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            said.close()

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text(encoding="utf-8")

    def healthz(self) -> dict[str, Any]:
        """What the worker says of its streams, {} while nobody answers."""
        return self._asked("healthz")

    def metrics(self) -> str:
        with urlopen(f"http://127.0.0.1:{self.health}/metrics", timeout=10) as reply:
            return str(reply.read().decode())

    def _asked(self, what: str) -> dict[str, Any]:
        try:
            with urlopen(f"http://127.0.0.1:{self.health}/{what}", timeout=10) as reply:
                found: dict[str, Any] = json.loads(reply.read())
        except HTTPError as error:
            found = json.loads(error.read())
        except OSError:
            return {}
        return found

    def journal(self, name: str) -> Journal:
        return Journal.open(self.url, name)

    def settled(self, name: str) -> int:
        """Accounts of a connection that are as they should be."""
        journal = self.journal(name)
        try:
            return journal.counts().get("settled", 0)
        finally:
            journal.close()


def companies(crm: Simulator, *properties: str) -> list[dict[str, Any]]:
    """The first hundred, as HubSpot's API tells them."""
    reply = requests.get(
        f"{crm.url}/crm/v3/objects/companies",
        params={"limit": "100", "properties": ",".join(["name", *properties])},
        headers={"Authorization": f"Bearer {crm.token}"},
        timeout=10,
    )
    found: list[dict[str, Any]] = reply.json()["results"]
    return found


@contextmanager
def agency(folder: Path, count: int, *, accounts: int = 12, poll: float = 10.0) -> Iterator[Agency]:
    """That many portals, each with so many companies, ready to be worked on."""
    with ExitStack() as stack:
        portals = {}
        for number in range(count):
            crm = stack.enter_context(Simulator(accounts=accounts, seed=100 + number, index_lag=1.0))
            crm.admin("POST settings", property_lag=0)
            for company in companies(crm):
                crm.admin("POST edit", id=company["id"], properties={"numberofemployees": DOES_NOT})
            portals[f"p{number:03}"] = crm
        made = Agency(folder=folder, portals=portals, poll=poll)
        made.write()
        made.prepare(next(iter(portals)))  # the seal key is made once
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(made.prepare, list(portals)[1:]))
        yield made
