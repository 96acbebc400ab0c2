"""How long people's edits are held is said per class of editor."""

from __future__ import annotations

from math import inf

import pytest
from pydantic import ValidationError

from icp_sync.settings.overrides import Editors

DAY = 86_400.0


def test_every_class_is_held_for_ninety_days_unless_said_otherwise() -> None:
    classes = ("person", "workflow", "import", "app", "")
    assert Editors().seconds == dict.fromkeys(classes, 90 * DAY)


def test_durations_never_and_at_once_are_understood() -> None:
    said = {"person": "forever", "workflow": "36h", "import": 0, "app": " 0 ", "unknown": "2w"}
    assert Editors.model_validate(said).seconds == {
        "person": inf,
        "workflow": 1.5 * DAY,
        "import": 0.0,
        "app": 0.0,
        "": 14 * DAY,
    }


@pytest.mark.parametrize("raw", ["", "never", "-1d", 90, True, False, None, "0d", [], "nan", float("nan")])
def test_anything_else_is_refused_with_an_example(raw: object) -> None:
    with pytest.raises(ValidationError, match="a duration such as 90d, 0 to take such edits back at once"):
        Editors.model_validate({"person": raw})


def test_a_class_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="robot"):
        Editors.model_validate({"robot": "90d"})
