"""A cluster whose workers are killed, paused and cut off, and whose database is restarted, loses nothing."""

from __future__ import annotations

from tests.cluster import recovery
from tests.cluster.bad_days import ILLS, run
from tests.soak.checker import COLUMNS


def test_whatever_happens_to_workers_and_database_every_record_ends_as_the_oracle_says() -> None:
    said: list[str] = []
    found = run(2, 60, 2, rounds=1, told=said.append)
    assert [found[ill] for ill in ILLS] == [1] * len(ILLS)
    assert {name: found[name] for name in (*COLUMNS, "broken")} == dict.fromkeys((*COLUMNS, "broken"), 0), (
        said
    )


def test_what_a_killed_worker_was_at_is_taken_up_by_another() -> None:
    """Procrastinate alone would leave its tasks, and all behind their locks, as they are for ever."""
    assert recovery.run(portals=2, workers=2, lease="2s", slowly=5.0).held >= 1
