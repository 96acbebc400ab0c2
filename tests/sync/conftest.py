"""A fresh world for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import postgres
from tests.sync.world import World

ON_BOTH = ("test_settle",)
"""Files whose every world is tried with its journal on either database."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("world", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    return World(folder=tmp_path, server=postgres.server() if on_postgres else None)
