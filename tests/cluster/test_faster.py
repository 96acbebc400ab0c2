"""Workers share one backfill by ranges: nothing is made twice."""

from __future__ import annotations

from tests.cluster.faster import took


def test_two_workers_with_a_request_each_make_every_account_of_a_portal_once() -> None:
    found = took(500, 2, latency=0.01, settle=0.0)
    assert sum(found.by) == 500
