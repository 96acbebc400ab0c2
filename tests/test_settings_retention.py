"""How long history is kept is said in days or weeks, or for ever; never shorter than a day."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

from icp_sync.journal import USUALLY, Keep
from icp_sync.settings.connection import Connection
from icp_sync.settings.retention import Retention
from icp_sync.wiring import keep_of

DAY = 86_400.0


def keep(**said: Any) -> Keep:
    return keep_of(Connection.model_validate({"token": "pat-1", "profiles": ["p.yaml"], "retention": said}))


def test_what_is_not_said_is_kept_as_usual() -> None:
    assert keep() == USUALLY == Keep(history=400 * DAY, runs=400 * DAY, gone=30 * DAY)


def test_durations_and_for_ever_are_understood() -> None:
    assert keep(history="forever", runs="24h", gone=" 2W ") == Keep(history=inf, runs=DAY, gone=14 * DAY)


@pytest.mark.parametrize("raw", ["", "never", "23h", "0", 0, 400, -1, True, None, [], "nan", float("nan")])
def test_anything_else_is_refused_with_an_example(raw: object) -> None:
    with pytest.raises(
        ValidationError, match="a duration of a day or more is wanted, such as 400d, or forever"
    ):
        Retention.model_validate({"history": raw})
