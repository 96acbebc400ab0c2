"""A simulated portal that was read, written and polled once; names of its companies are those of `corpus`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from icp_sync.cli.demo.world import World, simulated
from icp_sync.domain.standing import Mode
from icp_sync.observe import configure_logs
from icp_sync.ports import Stream
from icp_sync.profile_file import load_all
from icp_sync.settings import Settings, load
from icp_sync.sync.cycle import cycle
from icp_sync.wiring import wire
from tests.console.corpus import XSS

COMPANIES = "/crm/objects/2026-09/companies"


@dataclass(frozen=True, kw_only=True)
class Portal:
    """folder: where its journal is kept; each test takes a copy."""

    world: World
    folder: Path

    def settings(self, folder: Path) -> Settings:
        """The same settings with a copy of the journal."""
        for file in self.folder.glob("icp-sync.sqlite*"):
            shutil.copy(file, folder / file.name)
        found = load(self.world.config)
        return found.model_copy(update={"journal": f"sqlite:///{folder / 'icp-sync.sqlite'}"})


@contextmanager
def settled(folder: Path, *, accounts: int) -> Iterator[Portal]:
    """As `icp-sync demo` does it, the first accounts under names of the corpus."""
    folder.mkdir(exist_ok=True)
    configure_logs(level="critical")
    with simulated(folder, crm="hubspot", accounts=accounts, seed=3) as world:
        for record, name in zip(_some(world), XSS, strict=False):
            world._ask("PATCH", f"{COMPANIES}/{record}", json={"properties": {"name": name}})
        wired = wire(load(world.config), create_seal=True)
        loaded = load_all(wired.settings.profiles, types=wired.types)
        wired.crm.provision(wired.blueprint(tuple(one.profile for one in loaded)), apply=True)
        wired.journal.bind(wired.crm.identity().id, crm=wired.crm.kind, now=time.time())
        wired.journal.activate([(one.path.name, one.text) for one in loaded], now=time.time(), note="test")
        wired.journal.set_mode(Mode.ROUTE, now=time.time())
        for stream in (Stream.BACKFILL, Stream.POLL):
            assert cycle(stream, wired.parts) is not None
        journal = Path(load(world.config).journal.removeprefix("sqlite:///"))
        wired.journal.close()
        for file in journal.parent.glob(f"{journal.name}*"):
            shutil.copy(file, folder / file.name.replace(journal.name, "icp-sync.sqlite"))
        yield Portal(world=world, folder=folder)


def _some(world: World) -> Iterator[str]:
    found = world._ask("GET", COMPANIES, params={"limit": "100"})
    for record in found["results"]:
        yield record["id"]
