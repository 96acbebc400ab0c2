"""A short slice of the bench, so that it cannot rot. Nothing here asserts a time."""

from __future__ import annotations

import pytest

from tests.bench.enrichment.comparing import compared
from tests.bench.rows import scoring_row
from tests.bench.score_rows import scored_rows
from tests.bench.sections.bulk import bulk
from tests.bench.sections.buying import PROFILES
from tests.bench.sections.cpu import cpu
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
