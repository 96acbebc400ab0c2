"""A slice of the console's bench: every page answers over a journal that was multiplied."""

from __future__ import annotations

from pathlib import Path

from tests.bench.console import measured


def test_every_page_answers_over_a_multiplied_journal(tmp_path: Path) -> None:
    found = measured(2_000, tmp_path)
    assert {"", "accounts", "runs"} <= found.keys()
    assert all(median > 0 for median, _ in found.values())
