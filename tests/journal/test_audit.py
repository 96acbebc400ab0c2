"""The audit: whoever alters or takes out an entry is found out."""

from __future__ import annotations

import pytest
from journal_builders import NOW
from sqlalchemy import text

from icp_sync.journal import Journal


@pytest.fixture
def audited(journal: Journal) -> Journal:
    for number, what in enumerate(("mode", "bind", "undo", "retry")):
        journal.audit(what, who="ada@laptop", now=NOW + number, number=number, note="é\x00\ud800")
    return journal


def change(journal: Journal, statement: str) -> None:
    with journal.engine.begin() as conn:
        conn.execute(text(statement))


def test_entries_come_back_as_they_went_in(audited: Journal) -> None:
    entries = audited.audited()
    assert [e.what for e in entries] == ["mode", "bind", "undo", "retry"]
    assert entries[1].detail == {"number": 1, "note": "é\x00\ud800"}
    assert len({e.digest for e in entries}) == 4
    assert audited.audit_broken() is None


def test_the_newest_or_those_since_an_instant_are_listed(audited: Journal) -> None:
    assert [e.what for e in audited.audited(limit=2)] == ["undo", "retry"]
    assert [e.what for e in audited.audited(since=NOW + 1, limit=3)] == ["bind", "undo", "retry"]
    assert audited.audited(since=NOW + 9) == []


@pytest.mark.parametrize(
    "altered",
    [
        "SET who = 'eve@laptop'",
        "SET what = 'nothing'",
        "SET at = at + 1",
        "SET detail = '{}'",
        "SET digest = 'abc'",
    ],
)
def test_an_altered_entry_breaks_the_chain(audited: Journal, altered: str) -> None:
    seq = audited.audited()[1].seq
    change(audited, f"UPDATE audit {altered} WHERE seq = {seq}")
    assert audited.audit_broken() == seq


def test_an_entry_taken_out_breaks_the_chain_at_the_next(audited: Journal) -> None:
    first, second, *_ = audited.audited()
    change(audited, f"DELETE FROM audit WHERE seq = {first.seq}")
    assert audited.audit_broken() == second.seq


def test_each_connection_has_a_chain_of_its_own(audited: Journal) -> None:
    other = audited.for_connection("other")
    other.audit("mode", who="bob", now=NOW)
    audited.audit("mode", who="ada", now=NOW)
    assert [e.who for e in other.audited()] == ["bob"]
    assert (other.audit_broken(), audited.audit_broken()) == (None, None)
