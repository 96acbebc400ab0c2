"""What is wrong with a journal is found, and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_builders import NOW, Worker, ours, settled
from sqlalchemy import text

from icp_sync.journal import Journal
from icp_sync.ports import Position


def fill(journal: Journal) -> Journal:
    journal.activate((("p.yaml", "x"),), now=NOW)
    one = settled(
        "1",
        owner="anna@x",
        confirmed={"tier": ours("B")},
        evaluation={"at": NOW},
        left_alone={"lane": ("a", "b")},
    )
    Worker(journal).commit(one, position=Position(done_to=round(NOW * 1000)))
    journal.audit("mode", who="ada", now=NOW)
    journal.record("vendor", "1.example", "miss", charge=2.0, now=NOW, expires_at=NOW)
    return journal


@pytest.fixture
def sound(sqlite_url: str) -> Iterator[Journal]:
    opened = fill(Journal.open(sqlite_url, "main"))
    yield opened
    opened.close()


def test_a_sound_journal_has_no_findings(journal: Journal) -> None:
    assert fill(journal).verify(now=NOW) == []


@pytest.mark.parametrize(
    ("damage", "what", "said"),
    [
        ("UPDATE load SET load = 5", "loads", "anna@x counts 5 accounts, and has 1"),
        ("DELETE FROM load", "loads", "anna@x counts 0 accounts, and has 1"),
        ("UPDATE spending SET amount = 5", "spending", "vendor counts 5 credits, and cost 2"),
        ("DELETE FROM purchase", "spending", "vendor counts 2 credits, and cost 0"),
        ("UPDATE account SET confirmed = '{\"tier\":[1'", "account", "confirmed of 1 cannot be read"),
        ('UPDATE account SET confirmed = \'{"tier":["B","eve",1]}\'', "account", "confirmed of 1"),
        ("UPDATE account SET previous = '[]'", "account", "previous of 1 cannot be read"),
        ("UPDATE evaluation SET data = 'x'", "evaluation", "data of 1 cannot be read"),
        ("DELETE FROM account", "evaluation", "belongs to account 1, which is not known"),
        ("DELETE FROM profile_version", "profile", "version 1 is active"),
        ("UPDATE audit SET who = 'eve'", "audit", "does not follow"),
        ("UPDATE position SET data = '{\"done_to\": 9999999999999}'", "position", "hours in the future"),
        ("UPDATE position SET data = '7'", "position", "data of poll"),
    ],
)
def test_each_damage_is_found(sound: Journal, damage: str, what: str, said: str) -> None:
    with sound.engine.begin() as conn:
        conn.exec_driver_sql(damage)
    found = sound.verify(now=NOW)
    assert any(finding.what == what and said in finding.said for finding in found), found


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ALTER TABLE hold DROP COLUMN reason", "hold.reason is missing"),
        ("DROP TABLE alert", "alert is missing"),
    ],
)
def test_a_table_that_is_not_as_it_must_be_is_found(sqlite_url: str, damage: str, said: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    with journal.engine.begin() as conn:
        conn.exec_driver_sql(damage)
    [found] = journal.verify(now=NOW)
    journal.close()
    assert (found.what, said in found.said) == ("schema", True)


def test_a_damaged_file_is_found(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    Worker(journal).commit(*(settled(str(n), name="n" * 400) for n in range(300)))
    with journal.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 6_000] = b"\xff" * 6_000
    path.write_bytes(raw)
    journal = Journal.open(sqlite_url, "main")
    found = journal.verify(now=NOW)
    journal.close()
    assert {finding.what for finding in found} == {"database"}


def test_room_is_given_back(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    Worker(journal).commit(*(settled(str(n), name="n" * 400) for n in range(2_000)))
    with journal.engine.begin() as conn:
        conn.execute(text("DELETE FROM account"))
    before, after = journal.compact()
    assert after < before / 2
    journal.close()


def test_a_journal_on_postgresql_is_compacted_by_its_server(journal: Journal, worker: Worker) -> None:
    worker.commit(settled("1"))
    before, after = journal.compact()
    assert before > 0
    assert after > 0
    assert journal.account("1") is not None
