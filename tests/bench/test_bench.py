"""A short slice of the bench, so that it cannot rot. Nothing here asserts a time."""

from __future__ import annotations

import pytest

from tests.bench.enrichment.comparing import compared
from tests.bench.sections.bulk import bulk
from tests.bench.sections.buying import PROFILES
from tests.bench.sections.ceiling.backfilled import backfilled, steady
from tests.bench.sections.cpu import cpu
from tests.bench.sections.defaults import defaults
from tests.bench.sections.economy import economy
from tests.bench.sections.size import Size


def test_both_sides_of_the_processor_time_are_measured(tmp_path):
    rows = {row.key: row for row in cpu(tmp_path, Size.small()).rows}
    assert {"cpu.pipeline", "cpu.read", "cpu.memory"} <= rows.keys()
    assert rows["cpu.pipeline"].ratio > 1  # the bare calls are part of it
    assert rows["cpu.memory"].ours > 10


def test_the_bulk_rows_measure_rate_and_memory(tmp_path):
    rows = bulk(tmp_path, Size.small()).rows
    assert [row.unit for row in rows] == ["accounts a CPU second", "MB"] * 2
    assert all(row.ours > 0 for row in rows)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_buying_by_value_ends_with_the_same_tiers_for_fewer_credits(profile):
    found = compared(profile, seed=1, most=150)
    assert found.equal >= 0.97
    assert found.share <= 0.75  # nothing has been learned of the vendors yet


def test_a_backfill_is_counted_from_the_log_of_requests(tmp_path):
    found = backfilled(tmp_path, "hubspot", 300, latency=0.0, limits="pro")
    assert found.rate > 0
    assert found.calls >= 6
    assert not found.refused + found.others_refused


def test_a_steady_rate_is_that_of_whole_windows_after_the_first():
    burst = [0.0] * 190
    evenly = [10.0 + nth / 10 for nth in range(205)]
    assert steady([*burst, *evenly]) == pytest.approx(10.0)
    assert steady([0.0, 1.0, 2.0]) == pytest.approx(1.5)


def test_a_backfill_with_the_defaults_stands_beside_its_forecast(tmp_path):
    rows = {row.key: row for row in defaults(tmp_path, Size.small()).rows}
    assert rows.keys() == {"defaults.time", "defaults.calls", "defaults.share", "defaults.forecast"}
    assert all(row.ours > 0 for row in rows.values())


def test_a_second_pass_writes_and_asks_nothing_and_no_pass_reads_more_than_it_must(tmp_path):
    rows = {row.key: row for row in economy(tmp_path, Size.small()).rows}
    for key in ("economy.first", "economy.second", "economy.nothing", "economy.salesforce.nothing"):
        assert rows[key].met
    assert rows["economy.changed"].ours == rows["economy.changed"].beside
