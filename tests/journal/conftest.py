"""A real journal for every test, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_builders import Worker

from icp_sync.journal import Journal
from tests import postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQLite file to be, or an empty journal on a real PostgreSQL server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    return postgres.server().scratch()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = Journal.open(url, "main")
    yield opened
    opened.close()


@pytest.fixture
def worker(journal: Journal) -> Worker:
    return Worker(journal)
