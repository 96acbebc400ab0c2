"""Several workers come to the same end as one process."""

from __future__ import annotations

from tests.cluster.same import compare


def test_two_workers_leave_the_same_on_every_record_as_one_process_within_the_limits() -> None:
    found = compare(2, 110, 2, apart=False)
    assert found.different == ()
    assert found.owned > 10
    assert found.shares <= 0.02
    assert found.refused == 0
