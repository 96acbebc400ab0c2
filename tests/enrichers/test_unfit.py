"""What a source says of itself beyond the port is checked when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from icp_sync.enrichers import load
from icp_sync.errors import ConfigError
from icp_sync.ports import Answer, Miss, Request

HERE = f"{__name__}:Source"


@dataclass
class Source:
    name: str = "source"
    facts: frozenset[str] = frozenset({"employees"})
    price: float = 0.0
    ttl: float = 60.0
    miss_ttl: float = 60.0
    ttls: object = field(default_factory=dict)
    batch: object = 50
    parallel: object = 4

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [Miss() for _ in requests]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("ttls", "30d", "no mapping"),
        ("ttls", {"employees": "30d"}, "ttls of employees"),
        ("ttls", {"employees": -1}, "ttls of employees"),
        ("ttls", {"employees": float("inf")}, "ttls of employees"),
        ("batch", "all", "1 or more as batch"),
        ("batch", 0, "1 or more as batch"),
        ("batch", True, "1 or more as batch"),
        ("parallel", 2.5, "1 or more as parallel"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(key: str, value: object, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load([{"use": HERE, key: value}])
    assert [problem.where for problem in refused.value.problems] == ["enrichers[0].use"]
    assert what in refused.value.problems[0].what


def test_what_can_be_used_is_loaded() -> None:
    [source] = load([{"use": HERE, "ttls": {"employees": 60}, "batch": 1, "parallel": 1}])
    assert source.name == "source"
