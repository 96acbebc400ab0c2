"""CSV exports of a few accounts and deals, and the book they become."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from icp_sync.errors import ConfigError
from icp_sync.learning.cases import Book
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.sources.labelled import book_from_files

NOW = datetime(2026, 11, 18, tzinfo=UTC).timestamp()
ACCOUNTS = "Record ID,Company name,Website,Number of Employees\n1,Acme,acme.com,50\n2,Initech,initech.com,9\n"
DEALS = "Deal ID,Associated Company IDs,Deal Stage,Create Date,Close Date\n"
SOLD = f"{DEALS}a,1,Closed Won,2025-01-05,2025-03-05\nb,2,Closed Lost,2025-02-05,2025-04-05\n"


def file(name: str, text: str | None) -> Path | None:
    if text is not None:
        Path(name).write_text(text, encoding="utf-8")
    return None if text is None else Path(name)


def book(accounts: str, deals: str | None = None, join: str | None = None, **more: Any) -> Book:
    path = file("accounts.csv", accounts)
    assert path is not None
    by = more.pop("by", Definitions())
    return book_from_files(path, file("deals.csv", deals), file("join.csv", join), by, now=NOW, **more)


def refused(accounts: str, deals: str | None = None, join: str | None = None, **more: Any) -> tuple[str, str]:
    """What is said, and what to type next."""
    with pytest.raises(ConfigError) as caught:
        book(accounts, deals, join, **more)
    return str(caught.value), caught.value.next_step


def noted(found: Book, *parts: str) -> bool:
    return any(all(part in note for part in parts) for note in found.notes)


def closed(*cells: str) -> str:
    """Deals of the first accounts, lost and won by turns, with these close dates."""
    ends = ("Closed Won", "Closed Lost")
    rows = (f"d{n},{n + 1},{ends[n % 2]},2025-01-02,{cell}\n" for n, cell in enumerate(cells))
    return DEALS + "".join(rows)


def shops(n: int) -> str:
    return "Record ID,Company name,Employees\n" + "".join(f"{k + 1},Shop {k},{k + 5}\n" for k in range(n))


def decided(found: Book) -> list[str]:
    return [datetime.fromtimestamp(case.decided, UTC).date().isoformat() for case in found.cases]
