"""A journal moves from SQLite to PostgreSQL: nothing is lost, nothing is doubled, wherever it is cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from journal_builders import NOW, Worker, settled
from sqlalchemy import Boolean, Double, String, insert, select, text, update
from sqlalchemy.engine import make_url

from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.journal import Journal, schema
from icp_sync.journal import postgres as session
from icp_sync.journal.differing import TABLES
from icp_sync.journal.moving import Move, between
from tests import postgres
from tests.faults import dying

HARD = (
    "",
    "plain",
    "ÄÖ 漢字 🦊",
    "\\u0000 \\ud800",
    "a\\b\tc\nd\re",
    "\\N",
    "\\.",
    '"; --',
    "\x7f",
    "\x01\x1f",
)
"""Texts a database may stumble over. NUL and lone surrogates are escaped, as in all JSON of the journal."""
IDS = ("10", "9", "a", "B", "é", "z", "~", "Ā", "🦊", "\ufffd")
"""Keys that every locale orders otherwise than bytes do."""


def rows_of(journal: Journal, table: Any) -> list[tuple[Any, ...]]:
    with journal.reading() as conn:
        return [tuple(row) for row in conn.execute(select(*table.c).order_by(*table.primary_key))]


def fill(journal: Journal) -> None:
    """Ten hard rows in every table."""
    floats = (0.0, -0.0, 1e300, -1e-300, NOW, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1.0, -1.5)
    huge = (2**63 - 1, -(2**63), 2**53 + 1, 0, -1, 2**31, 1, 2, 3, 4)
    with journal.writing("state") as conn:
        for table in TABLES:
            keys = {column.name for column in table.primary_key}
            for n in range(10):
                row: dict[str, Any] = {}
                for at, column in enumerate(table.c):
                    if column.name in keys and column.name != "seq":
                        kind = column.type
                        row[column.name] = IDS[n] if isinstance(kind, String) else n
                    elif column.name == "seq":
                        row[column.name] = 7 * n + 1
                    elif isinstance(column.type, Boolean):
                        row[column.name] = n % 2 == 0
                    elif column.nullable and n == 0:
                        row[column.name] = None
                    elif isinstance(column.type, Double):
                        row[column.name] = floats[(n + at) % 10]
                    elif isinstance(column.type, String):
                        row[column.name] = HARD[(n + at) % 10]
                    elif type(column.type).__name__ == "BigInteger":
                        row[column.name] = huge[(n + at) % 10]
                    else:
                        row[column.name] = n - 5
                conn.execute(insert(table).values(row))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db", "main")
    yield journal
    journal.close()


@pytest.fixture
def target() -> Iterator[str]:
    url = postgres.server().database(empty=True)
    yield url
    postgres.server().drop(url)


@pytest.fixture
def ready() -> str:
    """An empty database that has its tables already: quicker to get."""
    return postgres.server().scratch()


def file_of(journal: Journal) -> Path:
    return Path(str(journal.engine.url.database))


def finished(journal: Journal, url: str) -> Move:
    with between(file_of(journal), url, lambda *_: None) as moving:
        moving.for_good(who="ada", key=None)
        return moving.move


def beside(journal: Journal, url: str, folder: Path) -> Move:
    folder.mkdir()
    with between(file_of(journal), url, lambda *_: None) as moving:
        moving.beside(folder)
        return moving.move


def without_audit(rows: dict[str, Any]) -> dict[str, Any]:
    """What a move adds there is the audit's."""
    return {name: held for name, held in rows.items() if name not in ("audit", "connection_state")}


def expected(journal: Journal) -> dict[str, Any]:
    found = {table.name: rows_of(journal, table) for table in TABLES}
    found["lease"] = [(*row[:3], "", row[4], 0.0) for row in found["lease"]]
    worker = [column.name for column in schema.turn.c].index("worker")
    found["turn"] = [(*row[:worker], "", *row[worker + 1 :]) for row in found["turn"]]
    return found


def test_every_row_of_every_table_arrives_as_it_was_in_a_database_that_was_empty(
    source: Journal, target: str
) -> None:
    fill(source)
    before = expected(source)
    move = finished(source, target)
    assert move.moved
    arrived = Journal.open(target, "main")
    try:
        after = {table.name: rows_of(arrived, table) for table in TABLES}
        assert without_audit(after) == without_audit(before)
        assert after["audit"][:10] == before["audit"]
        assert {name: one.rows for name, one in move.tables.items()} == {
            name: len(rows) for name, rows in before.items()
        }
        assert all(len(one.digest) == 64 for one in move.tables.values())
    finally:
        arrived.close()


def test_numbered_rows_go_on_behind_the_highest_and_text_is_in_the_order_of_bytes(
    source: Journal, ready: str
) -> None:
    fill(source)
    finished(source, ready)
    arrived = Journal.open(ready, "main")
    try:
        arrived.audit("later", who="ada", now=NOW)
        assert [row[0] for row in rows_of(arrived, schema.audit)][-1] > 64
        ids = [row[1] for row in rows_of(arrived, schema.account)]
        assert ids == sorted(IDS)
    finally:
        arrived.close()


def test_the_old_journal_sends_whoever_opens_it_to_the_new_place_without_a_secret(
    source: Journal, ready: str
) -> None:
    url = make_url(ready).set(password="hush-hush").render_as_string(hide_password=False)
    finished(source, url)
    with pytest.raises(ConfigError, match=r"has moved on .* to test_\w+ on .*ICP_SYNC_JOURNAL") as told:
        Journal.open(f"sqlite:///{file_of(source)}", "main")
    assert "hush" not in str(told.value) + told.value.next_step
    assert b"hush-hush" not in file_of(source).read_bytes()


def test_whoever_had_the_old_journal_open_can_write_there_no_more_and_is_told_why(
    source: Journal, ready: str
) -> None:
    stale = Journal.open(f"sqlite:///{file_of(source)}", "main")
    finished(source, ready)
    try:
        for act in (
            lambda: stale.ask("undo", {}, by="ada", now=NOW),
            lambda: stale.count_event("seen"),
            lambda: stale.audit("mode", who="ada", now=NOW),
        ):
            with pytest.raises(ConfigError, match="has moved to"):
                act()
        assert stale.requests() == []
    finally:
        stale.close()


def test_beside_a_worker_what_there_is_is_taken_over_and_then_only_what_changed(
    source: Journal, ready: str, tmp_path: Path
) -> None:
    worker = Worker(source)
    worker.commit(*(settled(str(n)) for n in range(30)), gone={}, now=NOW)
    first = beside(source, ready, tmp_path / "a")
    assert not first.moved
    assert first.tables["account"].added == 30
    worker.commit(settled("3", tier="A"), settled("new"), gone={"5": ""}, now=NOW + 1)
    with source.writing("state") as conn:
        conn.execute(schema.account.delete().where(schema.account.c.id == "7"))
    second = beside(source, ready, tmp_path / "b")
    took = second.tables["account"]
    assert (took.added, took.changed, took.removed) == (1, 2, 1)
    last = finished(source, ready)
    assert last.moved
    assert not any(one.added or one.changed or one.removed for one in last.tables.values())
    arrived = Journal.open(ready, "main")
    try:
        assert rows_of(arrived, schema.account) == rows_of(source, schema.account)
    finally:
        arrived.close()


def test_a_copy_that_is_not_finished_opens_for_nobody(source: Journal, ready: str, tmp_path: Path) -> None:
    beside(source, ready, tmp_path / "a")
    with pytest.raises(ConfigError, match=r"is a copy of .*journal\.db that is not finished"):
        Journal.open(ready, "main")
    source.count_event("the old one goes on")


def test_leases_go_on_counting_and_nobody_holds_them_there(source: Journal, ready: str) -> None:
    for _ in range(3):
        lease = source.lease("poll", holder="old", now=NOW)
        assert lease is not None
        source.release_lease(lease)
    held = source.lease("poll", holder="old", now=NOW, ttl=1e9)
    assert held is not None
    finished(source, ready)
    arrived = Journal.open(ready, "main")
    try:
        mine = arrived.lease("poll", holder="new", now=NOW)
        assert mine is not None
        assert mine.fence == held.fence + 1
    finally:
        arrived.close()


def test_moving_again_finds_it_done(source: Journal, ready: str) -> None:
    finished(source, ready)
    again = finished(source, ready)
    assert (again.moved, again.already) == (True, True)


def full(url: str) -> None:
    other = Journal.open(url, "main")
    other.count_event("x")
    other.close()


def test_a_database_that_holds_anything_else_is_refused_by_what_it_holds(source: Journal, ready: str) -> None:
    full(ready)
    with pytest.raises(ConfigError, match=r"it holds something already: 1 in event"):
        finished(source, ready)
    Journal.open(f"sqlite:///{file_of(source)}", "main").close()


def test_a_copy_of_another_journal_is_refused(source: Journal, ready: str, tmp_path: Path) -> None:
    other = Journal.open(f"sqlite:///{tmp_path}/other.db", "main")
    beside(other, ready, tmp_path / "a")
    other.close()
    with pytest.raises(ConfigError, match=r"a copy of another journal, .*other\.db"):
        finished(source, ready)


def test_a_backup_of_what_has_moved_is_not_moved_over_what_was_done_since(
    source: Journal, ready: str, tmp_path: Path
) -> None:
    beside(source, ready, tmp_path / "a")
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(file_of(source))) as db, closing(sqlite3.connect(backup)) as kept:
        db.backup(kept)
    finished(source, ready)
    restored = Journal.open(f"sqlite:///{backup}", "main")
    try:
        with pytest.raises(ConfigError, match="it has been worked on since"):
            finished(restored, ready)
    finally:
        restored.close()


def test_nothing_is_copied_over_a_worker_that_is_at_the_new_place(source: Journal, ready: str) -> None:
    early = Journal.open(ready, "main")
    try:
        with early.hold("run"), pytest.raises(UnavailableError, match=r"1 process\(es\) work on"):
            finished(source, ready)
    finally:
        early.close()


def test_who_works_at_another_journal_of_the_database_is_in_nobodys_way(source: Journal, ready: str) -> None:
    early = Journal.open(ready, "main")
    with early.engine.begin() as conn:
        conn.execute(text("CREATE SCHEMA other"))
    apart = make_url(ready).update_query_dict({"options": "-csearch_path=other"})
    try:
        with early.hold("run"):
            assert finished(source, apart.render_as_string(hide_password=False)).moved
            with early.reading() as conn:
                assert session.alone(conn)
    finally:
        early.close()


@pytest.mark.parametrize("side", ["source", "target"])
def test_what_a_newer_version_keeps_is_not_left_behind(source: Journal, ready: str, side: str) -> None:
    """Beside that version ours may work, but it does not know all its tables."""
    newer = source if side == "source" else Journal.open(ready, "main")
    with newer.writing("state") as conn:
        said = {"ours": schema.REVISIONS[-1]}
        conn.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999', oldest = :ours"), said)
    with pytest.raises(ConfigError, match="schema 9999 is newer than this version's"):
        finished(source, ready)
    Journal.open(str(source.engine.url), "main").close()
    newer.close()


def test_a_server_that_is_away_is_told_with_a_step_that_helps(source: Journal) -> None:
    with pytest.raises(UnavailableError, match="cannot be reached now") as told:
        finished(source, "postgresql+psycopg://me:hush@127.0.0.1:1/x")
    assert "journal copy" in told.value.next_step
    with pytest.raises(ConfigError, match="cannot be used: Received non-integer port") as wrong:
        finished(source, "postgresql+psycopg://me:hush@127.0.0.1/x?port=abc")
    assert "hush" not in f"{told.value}{wrong.value}"


def test_two_copies_at_once_are_one_too_many(source: Journal, ready: str) -> None:
    again = pytest.raises(UnavailableError, match="another process copies")
    with between(file_of(source), ready, lambda *_: None), again:
        finished(source, ready)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///other.db",
        "postgresql+psycopg://me:hush@[x/y",
        "postgresql+psycopg_async://me:hush@db/x",
        "mysql://root:hush@db/x",
        "hush",
        "",
    ],
)
def test_only_a_url_of_postgresql_will_do_and_none_is_repeated(source: Journal, url: str) -> None:
    with pytest.raises(ConfigError) as told:
        finished(source, url)
    assert "hush" not in str(told.value)


def test_an_account_name_loses_its_nul_characters_and_that_is_counted(source: Journal, ready: str) -> None:
    fill(source)
    with source.writing("state") as conn:
        conn.execute(update(schema.account).values(name="a\0b"))
    assert finished(source, ready).dropped == 10
    arrived = Journal.open(ready, "main")
    try:
        name = [column.name for column in schema.account.c].index("name")
        assert {row[name] for row in rows_of(arrived, schema.account)} == {"ab"}
    finally:
        arrived.close()


def test_a_key_with_a_nul_character_is_named_and_the_journal_stays(source: Journal, ready: str) -> None:
    fill(source)
    with source.writing("state") as conn:
        conn.execute(update(schema.account).where(schema.account.c.id == "a").values(id="a\0"))
    with pytest.raises(ConfigError, match=r"account\.id.*NUL"):
        finished(source, ready)
    Journal.open(f"sqlite:///{file_of(source)}", "main").close()


def test_a_number_that_postgresql_cannot_hold_is_told_and_the_journal_stays(
    source: Journal, ready: str
) -> None:
    fill(source)
    with source.writing("state") as conn:
        conn.execute(update(schema.load).where(schema.load.c.owner == "a").values(load=2**31))
    with pytest.raises(ConfigError, match="a value that PostgreSQL cannot"):
        finished(source, ready)
    source.count_event("goes on")


CUTS = ("journal.moved.before", "journal.moved.after", "journal.audit.before", "journal.audit.after")


@pytest.mark.parametrize("way", ["raises", "dies"])
@pytest.mark.parametrize(
    ("point", "passage"),
    [*((point, n) for point in CUTS[:2] for n in (1, 2, 3, 4)), *((point, 2) for point in CUTS[2:])],
)
def test_cut_anywhere_the_same_command_again_makes_it_whole(
    source: Journal, ready: str, point: str, passage: int, way: str
) -> None:
    fill(source)
    wanted = expected(source)

    def move() -> None:
        finished(source, ready)

    if way == "raises":
        assert dying.raises(point, passage, move)
    else:
        source.close()
        assert dying.dies(point, passage, move, lambda: None)[0]
    assert finished(source, ready).moved
    arrived = Journal.open(ready, "main")
    try:
        after = {table.name: rows_of(arrived, table) for table in TABLES}
        assert without_audit(after) == without_audit(wanted)
        noted = [row[4] for row in after["audit"]].count("journal copy")
        assert noted == len(wanted["connection_state"])
    finally:
        arrived.close()


def test_cut_in_the_midst_of_a_table_only_the_rest_is_taken(
    source: Journal, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.journal.differing.CHUNK", 7)
    monkeypatch.setattr("icp_sync.journal.differing.PAGE", 4)
    Worker(source).commit(*(settled(str(n)) for n in range(3_000)), gone={}, now=NOW)

    def stumble(table: str, rows: int) -> None:
        if table == "account" and rows >= 2_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), between(file_of(source), ready, stumble) as moving:
        moving.for_good(who="ada", key=None)
    move = finished(source, ready)
    assert 1_000 <= move.tables["account"].added <= 1_007
    assert move.tables["account"].rows == 3_000
