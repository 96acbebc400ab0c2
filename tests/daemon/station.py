"""Connections for the daemon to work on: CRMs in memory, real journal files, a settings section each."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from icp_sync.daemon import Stopping
from icp_sync.daemon.portal import Portal
from icp_sync.domain.facts import CATALOGUE
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap
from icp_sync.settings import Connection, Schedule
from icp_sync.wiring import Wired
from tests.sync.world import KEY, World

QUICK = {"poll": "0.05s", "trailing": "0.05s", "due": "0.05s", "sweep": "24h"}


def portal(
    world: World,
    stopping: Stopping,
    *,
    name: str = "main",
    sealed: Callable[[], bool] = lambda: True,
    schedule: dict[str, str] | None = None,
) -> Portal:
    """One connection of the daemon on this world; its journal is a journal of its own name."""
    world.journal = world.journal.for_connection(name)
    world.journal.set_mode(world.mode, now=world.clock())

    def make() -> Wired:
        return Wired(
            name=name,
            settings=Connection(
                token=SecretStr("pat-na1-1234"),
                profiles=[Path("profile.yaml")],
                schedule=Schedule.model_validate(schedule or QUICK),
            ),
            journal=world.journal,
            crm=world.crm,
            parts=world.parts(),
            facts_map=FactsMap.from_config([], HUBSPOT_DEFAULTS),
            types=CATALOGUE,
            key=KEY,
        )

    return Portal(make, sealed, stopping)


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something the daemon's threads do; a minute is a failure, not a measure."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
