"""The table of `make soak`: what it counts as wrong, and how a programme is fitted into its time."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import PARTS, show_table, wrong
from tests.soak.checker import COLUMNS, Table
from tests.soak.endurance import Samples, slope
from tests.soak.programmes import _share, of_package
from tests.vendors import reckoning

OTHERS = ("broken", "unbounded", "failed", "not restored", "written again")


@pytest.mark.parametrize("name", [*COLUMNS, *reckoning.COLUMNS, *OTHERS])
def test_any_figure_that_is_to_be_zero_breaks_the_soak(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    sound = Table().figures()
    show_table({"kills": sound})
    assert "Every promise held." in capsys.readouterr().out
    assert wrong({**sound, name: 1}) == [name]
    show_table({"kills": sound, "show": {name: 1}})
    assert f"BROKEN: {{'show': ['{name}']}}" in capsys.readouterr().out


def test_the_parts_share_all_of_the_time() -> None:
    assert sum(share for share, _ in PARTS.values()) == pytest.approx(1.0)


def test_a_programme_that_is_not_there_is_said_to_be_left_out() -> None:
    told = of_package("tests.nothing_of_the_kind", 1.0, lambda _: None)
    assert told == {"left out": "no tests.nothing_of_the_kind"}


def test_cases_are_spread_over_the_time_there_is() -> None:
    assert _share(600, 10, 0, 900) == 1.0, "their pace is not known yet"
    assert _share(100, 50, 10, 100) == pytest.approx(0.1), "50 seconds for 500 seconds of cases"
    assert _share(100, 100, 10, 100) == 0.0


def test_growth_is_measured_from_the_middle_of_a_life() -> None:
    samples = Samples(at=[0, 1, 2, 3, 4, 5], resident=[10, 60, 80, 100, 110, 120], open_files=[9] * 6)
    assert samples.growth() == 20
    assert samples.slope() == pytest.approx(10)
    assert slope([1.0], [5.0]) == 0.0
