"""The simulator's README names everything there is to turn, ask and break."""

from pathlib import Path

import pytest

import icp_sync.simulator as package
from icp_sync.simulator.controls import CONTROLS
from icp_sync.simulator.faults import KINDS
from icp_sync.simulator.switches import Switches

README = (Path(package.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*CONTROLS, *KINDS, *Switches().as_json()])
def test_the_readme_names(name):
    assert f"`{name}`" in README or f"`{name}/{{id}}`" in README
