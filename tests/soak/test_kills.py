"""Real processes killed at random instants beside people at work, and what the checker says of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.soak.kills import ACTS, PLACES, Killing, ground
from tests.sync.processes import Nursery

KILLS = 4
"""At each place, one of every command; with those of `sync/test_kill.py` 25 random instants in all."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


@pytest.mark.parametrize(("crm", "database"), PLACES)
def test_a_process_killed_at_a_random_instant_loses_doubles_and_overwrites_nothing(
    crm: str, database: str, nursery: Nursery
) -> None:
    with ground(crm, database, nursery) as at:
        killing = Killing(at, seed=PLACES.index((crm, database)))
        for act in ACTS[:KILLS]:
            table = killing.one(act)
            assert table.clean(), f"{act}: {table.said()}"
        assert len(killing.kills) == KILLS
        assert table.writes >= len(at.companies)
