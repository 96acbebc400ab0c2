"""Real connections to hold the simulation against: a simulated CRM in another process, the real engine here.

Knows nothing of simulated time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal
from icp_sync.ports import Stream
from icp_sync.settings import Settings, load
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.report import Report
from icp_sync.wiring import Wired, parse_profiles, wire

PROFILE = Path(__file__).parents[2] / "config" / "profiles" / "listed-companies.yaml"


class Served:
    """A simulated CRM in a process of its own, so that what it works is not counted as ours.

    seed: its companies, and which portal it is.
    """

    def __init__(self, crm: str, accounts: int, seed: int = 1) -> None:
        options = {"--crm": crm, "--accounts": accounts, "--seed": seed, "--index-lag": 0.0}
        command = [sys.executable, "-m", "icp_sync", "simulator"]
        command += [str(word) for pair in options.items() for word in pair]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.kind = crm
        self.said: dict[str, Any] = json.loads(self._process.stdout.readline())

    def admin(self, control: str, **given: object) -> dict[str, Any]:
        """One of the simulator's controls."""
        method, name = control.split(" ", 1)
        url = f"{self.said['url']}/__simulator/{name}"
        reply = requests.request(method, url, json=given, timeout=120)
        reply.raise_for_status()
        found: dict[str, Any] = reply.json()
        return found

    def calls(self) -> Mapping[str, int]:
        """Requests by endpoint since `forget`."""
        found: Mapping[str, int] = self.admin("GET stats")["requests"]
        return found

    def forget(self) -> None:
        self.admin("DELETE stats")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def configured(folder: Path, journal: str, portals: Mapping[str, Served], *, bulk: bool = False) -> Settings:
    """Settings of a connection for each of these, without waves: they are arithmetic, not work."""
    lines = [f'journal = "{journal}"', f'seal_file = "{folder}/seal.key"']
    for name, served in portals.items():
        lines += [f"[connections.{name}]", f'crm = "{served.kind}"', f'profiles = ["{PROFILE}"]']
        lines += [f'base_url = "{served.said["url"]}"']
        if served.kind == "hubspot":
            lines += [f'token = "{served.said["token"]}"']
            lines += ["quota = {burst = 10000, search = 1000}"]
        else:
            lines += [f"[connections.{name}.salesforce]", 'my_domain = "simulator.my"']
            lines += [f'{key} = "{served.said[key]}"' for key in ("consumer_key", "consumer_secret")]
            lines += [f"bulk_writes = {str(bulk).lower()}"]
        lines += [f"[connections.{name}.guard]", 'downgrades = "100%"', "floor = 100000000"]
    config = folder / "icp-sync.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    return load(config, {})


def opened(settings: Settings, name: str, within: Journal | None = None, mode: Mode = Mode.WRITE) -> Wired:
    """The connection, provisioned, with an active profile, and allowed to write."""
    wired = wire(settings, name, create_seal=True, within=within)
    documents = ((PROFILE.name, PROFILE.read_text(encoding="utf-8")),)
    profiles = parse_profiles(documents, wired.types)
    wired.crm.provision(wired.blueprint(profiles), apply=True)
    now = time.time()
    wired.journal.bind(wired.crm.identity().id, crm=wired.crm.kind, now=now)
    wired.journal.activate(documents, now=now)
    wired.journal.set_mode(mode, now=now)
    return wired


def ran(wired: Wired, *streams: Stream) -> Sequence[Report]:
    """A cycle of each of these streams."""
    reports = [cycle(stream, wired.parts, Scope(wait=lambda _: None)) for stream in streams]
    assert all(report is not None for report in reports)
    return [report for report in reports if report is not None]
