"""Scoring: the compiled profile beside other rule engines, CSV exports, and what a candidate would change."""

from __future__ import annotations

from pathlib import Path

from tests.bench.sections.scoring.engines import engine_rows
from tests.bench.sections.scoring.scored_csv import csv_rows
from tests.bench.sections.scoring.walk import walk_row
from tests.bench.sections.scoring.whatif import whatif_rows
from tests.bench.sections.size import Size
from tests.bench.table import Section


def scoring(folder: Path, size: Size) -> Section:
    """Engines in environments of their own: the fastest, with PEERS=1 all of them."""
    rows = [*engine_rows(folder, size), walk_row(size), *csv_rows(folder, size), *whatif_rows(folder, size)]
    return Section(title="Scoring", rows=rows)
