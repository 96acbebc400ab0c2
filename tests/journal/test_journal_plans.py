"""How SQLite carries out what every page asks: by an index down to the account, whatever else is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest
from journal_builders import NOW, Worker, ours, settled, write
from sqlalchemy import event

from icp_sync.journal import Journal, Relative

PAGE = ("1", "2", "3")


@pytest.fixture
def asked(sqlite_url: str) -> list[tuple[str, Sequence[object]]]:
    """Every statement that names the accounts of a page, with its values, as three streams ask them."""
    found: list[tuple[str, Sequence[object]]] = []
    journal = Journal.open(sqlite_url, "main")

    @event.listens_for(journal.engine, "before_cursor_execute")
    def note(_: object, __: object, text: str, values: Sequence[object], *more: object) -> None:
        if "json_each" in text:
            found.append((text, values))

    worker = Worker(journal)
    for _ in range(2):
        journal.stamps(list(PAGE))
        journal.kin([Relative(i, "9", f"{i}.example") for i in PAGE], owners=True)
        memory = worker.recall(*PAGE)
        journal.guarded(PAGE, PAGE, population=3, now=NOW)
        worker.intend(*(write(i) for i in PAGE), memory=memory)
        worker.commit(*(settled(i, confirmed={"tier": ours("B")}) for i in PAGE))
    journal.close()
    return found


def test_no_statement_of_a_page_walks_through_what_belongs_to_other_accounts(
    sqlite_url: str, asked: list[tuple[str, Sequence[object]]]
) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as conn:
        plans = {
            text: [step[3] for step in conn.execute(f"EXPLAIN QUERY PLAN {text}", values)]
            for text, values in asked
        }
    assert len(plans) >= 10
    for text, (first, *_) in plans.items():
        assert first.startswith("SEARCH"), (text, first)
        assert "(connection=? AND" in first, (text, first)
