"""What a plan says it would take counts the waits of a backfill's waves."""

from __future__ import annotations

import pytest

from icp_sync.cli.plan.cost import pauses
from icp_sync.sync.pacing import Pacing

PACING = Pacing(canary=100, watch=300.0, wave=1_000, pause=60.0)


@pytest.mark.parametrize(
    ("changed", "waited"),
    [(0, 0), (100, 0), (101, 300), (1_100, 300), (1_101, 360), (3_200, 480)],
)
def test_each_full_wave_with_something_after_it_is_waited_for(changed: int, waited: float) -> None:
    assert pauses(PACING, changed) == waited


def test_without_waves_nothing_is_waited_for() -> None:
    assert pauses(Pacing(canary=0, wave=0), 1_000_000) == 0
