"""A short slice of the bench, so that it cannot rot. Nothing here asserts a time."""

from __future__ import annotations

import pytest

from icp_sync.simulator import Simulator
from tests.bench.enrichment.comparing import compared
from tests.bench.enrichment_rows import PROFILES
from tests.bench.rows import backfill_rows, scoring_row
from tests.bench.salesforce_rows import bulk_rows
from tests.bench.score_rows import scored_rows


def test_the_bench_counts_no_more_requests_than_the_work_needs(tmp_path):
    with Simulator(accounts=120, limits="off", index_lag=0.0).start() as crm:
        first, second, reading = backfill_rows(crm, tmp_path, rounds=1)
    assert second.ours <= second.beside + 2  # reading everything again, and the owners
    assert first.ours <= first.beside + 6
    assert reading.ratio > 0


def test_the_salesforce_rows_measure_rate_and_memory(tmp_path):
    rows = bulk_rows(tmp_path, 1, 60)
    assert [row.unit for row in rows] == ["accounts/CPU s", "MB"] * 2
    assert all(row.ratio > 0 for row in rows)


def test_the_scoring_row_measures_both_sides():
    assert scoring_row(1).ratio > 0


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_buying_by_value_ends_with_the_same_tiers_for_fewer_credits(profile):
    found = compared(profile, seed=1, most=150)
    assert found.equal >= 0.97
    assert found.share <= 0.75  # nothing has been learned of the vendors yet


def test_the_csv_rows_measure_rate_and_memory(tmp_path):
    rate, memory = scored_rows(tmp_path, 1, 2_000)
    assert rate.ratio > 0
    assert 10 < memory.beside <= memory.ours * 2
