"""The audit: whoever alters or takes out an entry is found out."""

from __future__ import annotations

import pytest
from journal_builders import NOW
from sqlalchemy import text

from icp_sync.domain.seal import SealKey
from icp_sync.journal import Journal
from icp_sync.journal.audit import SIGNED

KEY = SealKey(installation="5ea15ea15ea1", key=b"secret")


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


def test_newest_entries_taken_off_are_missed_and_stay_missed(audited: Journal) -> None:
    third = audited.audited()[2].seq
    change(audited, f"DELETE FROM audit WHERE seq >= {third}")
    assert audited.audit_broken() == third
    assert [one.what for one in audited.verify(now=NOW)] == ["audit"]
    after = audited.audit("mode", who="ada", now=NOW)
    assert audited.audit_broken() == after


def test_an_audit_taken_away_whole_is_missed(audited: Journal) -> None:
    change(audited, "DELETE FROM audit")
    assert audited.audit_broken() == 1


def test_an_instant_may_be_a_whole_number(audited: Journal) -> None:
    audited.audit("mode", who="ada", now=int(NOW))
    assert audited.audit_broken() is None


def forged(journal: Journal, key: SealKey | None = None) -> None:
    """The whole audit made anew under another name, as somebody does who has the database only."""
    entries = journal.audited()
    change(journal, "DELETE FROM audit")
    change(journal, "UPDATE connection_state SET audit_end = ''")
    other = journal.for_connection(journal.connection).signing_with(key)
    for entry in entries:
        other.audit(entry.what, who="eve@laptop", now=entry.at, **entry.detail)


def test_with_a_key_nobody_without_it_makes_the_chain_anew(audited: Journal) -> None:
    audited.signing_with(KEY).audit("undo", who="ada", now=NOW)
    assert [e.what for e in audited.audited(limit=2)] == [SIGNED, "undo"]
    assert (audited.audit_broken(), audited.verify(now=NOW)) == (None, [])
    audited.audit("undo", who="ada", now=NOW)
    assert audited.audited()[-2].what == "undo"  # signing begins once
    forged(audited)
    newest = audited.audited()[-1].seq
    assert audited.audit_broken() == newest
    forged(audited, SealKey(installation=KEY.installation, key=b"another"))
    assert audited.audit_broken() == audited.audited()[0].seq


def test_an_entry_put_behind_signed_ones_without_the_key_is_found_out(audited: Journal) -> None:
    audited.signing_with(KEY).audit("undo", who="ada", now=NOW)
    false = audited.for_connection("main").signing_with(None).audit("mode", who="eve", now=NOW)
    assert audited.audit_broken() == false


def test_with_a_new_key_signing_begins_anew_and_protects_what_the_lost_one_signed(audited: Journal) -> None:
    audited.signing_with(KEY).audit("undo", who="ada", now=NOW)
    audited.signing_with(SealKey(installation="0" * 12, key=b"new")).audit("undo", who="ada", now=NOW)
    assert audited.audit_broken() is None
    seq = audited.audited()[4].seq
    change(audited, f"DELETE FROM audit WHERE seq = {seq}")
    assert audited.audit_broken() is not None


def test_each_connection_has_a_chain_of_its_own(audited: Journal) -> None:
    other = audited.for_connection("other")
    other.audit("mode", who="bob", now=NOW)
    audited.audit("mode", who="ada", now=NOW)
    assert [e.who for e in other.audited()] == ["bob"]
    assert (other.audit_broken(), audited.audit_broken()) == (None, None)
