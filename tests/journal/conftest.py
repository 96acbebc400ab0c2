"""A real journal file for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_builders import Worker

from icp_sync.journal import Journal


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = Journal.open(url, "main")
    yield opened
    opened.close()


@pytest.fixture
def worker(journal: Journal) -> Worker:
    return Worker(journal)
