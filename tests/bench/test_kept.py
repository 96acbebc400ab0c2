"""What README says was measured is what is kept."""

from __future__ import annotations

from tests.bench import kept
from tests.bench.goals import GOALS


def test_readme_shows_the_figures_that_are_kept():
    assert kept.readme(kept.sections()) in kept.README.read_text(encoding="utf-8")
    assert kept.page(kept.sections()) == kept.PAGE.read_text(encoding="utf-8")


def test_every_goal_has_rows_that_were_measured():
    measured = {row.key for section in kept.sections().values() for row in section.rows}
    missing = {key for goal in GOALS for key in goal.keys} - measured
    assert not missing
