"""What a migration may do to a journal that workers of the version before go on with: little, and quickly.

Held by a machine for every revision since two versions may work side by side: squawk, a linter of PostgreSQL
migrations, reads what it emits, and the database tells whether anything large was written anew.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from icp_sync.errors import UnavailableError
from icp_sync.journal import Journal, migrating
from icp_sync.journal import postgres as session
from icp_sync.journal.database import behind
from icp_sync.journal.exclusive import exclusive
from icp_sync.journal.schema import REVISIONS, VERSION_TABLE, metadata
from tests import postgres

RULED = [revision for revision in REVISIONS if revision >= "0008"]
MATTERS_OF_TASTE = ("prefer-text-field", "prefer-bigint-over-int", "prefer-identity", "prefer-robust-stmts")
TOLD = re.compile(
    rf"SELECT\b|SHOW\b|(UPDATE|INSERT INTO) {VERSION_TABLE}\b"
    r'|ALTER TABLE \S+ (ALTER COLUMN \S+ TYPE [a-z ]+ COLLATE "C"(, )?)+$'
)
"""Changes no table, or is the word of the version, or orders text by bytes, of which the files tell."""
SQUAWK = Path(sys.executable).with_name("squawk")


def complaints(statements: list[str], old: set[str]) -> list[str]:
    """What is wrong with a migration. old: the tables that were there before, which may be large."""
    said = [f"writes rows of {name}" for name in old for one in statements if writes(one, name)]
    sql = ";\n".join(one for one in statements if not TOLD.match(one.strip())) + ";\n"
    done = subprocess.run(
        [
            SQUAWK,
            "--pg-version=17",
            "--assume-in-transaction",
            "--reporter=gcc",
            "-e",
            ",".join(MATTERS_OF_TASTE),
        ],
        input=sql,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return said + done.stdout.splitlines() + done.stderr.splitlines() * (done.returncode > 1)


def writes(statement: str, table: str) -> bool:
    name = rf'"?{table}"?(?!\w)'
    return bool(re.search(rf"\b(UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+(ONLY\s+)?{name}", statement, re.I))


def module(revision: str) -> Any:
    return ScriptDirectory.from_config(migrating._config()).get_revision(revision).module


def at(url: str, revision: str) -> sa.Engine:
    """A journal at a revision, with a row in every table."""
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        migrating.upgrade(conn, revision)
        known = sa.MetaData()
        known.reflect(conn)
        for table in known.sorted_tables:
            if table.name != VERSION_TABLE:
                conn.execute(table.insert().values({column.name: value_of(column) for column in table.c}))
    return engine


def value_of(column: sa.Column[Any]) -> object:
    kind = column.type.python_type
    return "x" if kind is str else kind(1)


def before(revision: str) -> str:
    return REVISIONS[REVISIONS.index(revision) - 1]


def kept(conn: sa.Connection) -> dict[str, Any]:
    """Each table and index with where it is stored: whatever is written anew is stored elsewhere."""
    if conn.dialect.name == "sqlite":
        rows = conn.execute(
            sa.text("SELECT name, rootpage FROM sqlite_master WHERE type IN ('table', 'index')")
        )
    else:
        found = "SELECT relname, relfilenode FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = "
        rows = conn.execute(sa.text(found + "'public'::regnamespace"))
    return dict(rows.all())


@contextmanager
def listening(engine: sa.Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(*args: Any) -> None:
        said.append(args[2])

    sa.event.listen(engine, "before_cursor_execute", hear)
    yield said
    sa.event.remove(engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("revision", RULED)
def test_every_migration_says_which_programs_may_go_on_beside_it(revision: str) -> None:
    said = module(revision).beside
    assert said in REVISIONS
    assert said <= revision
    assert said >= migrating.beside(before(revision)) or revision == RULED[0], "who was left behind stays so"


@pytest.mark.parametrize("revision", RULED)
def test_a_migration_writes_nothing_anew_and_shuts_nobody_out(revision: str) -> None:
    engine = at(postgres.server().database(empty=True), before(revision))
    with engine.begin() as conn, listening(engine) as said:
        was, old = kept(conn), set(sa.inspect(conn).get_table_names()) - {VERSION_TABLE}
        heard = len(said)
        session.prepare_migration(conn, "here")
        migrating.upgrade(conn, revision)
        now = kept(conn)
        indexes = {index["name"] for name in old for index in sa.inspect(conn).get_indexes(name)}
    engine.dispose()
    assert {name: now.get(name) for name in was} == was, "large tables and their indexes are as they were"
    assert indexes <= set(was), "an index on a table that was there: only CONCURRENTLY, which none yet needs"
    assert any(one.startswith("SET LOCAL lock_timeout") for one in said)
    if not SQUAWK.exists():
        pytest.skip("squawk is not installed here (Linux only)")
    assert complaints(said[heard:], old) == []


@pytest.mark.parametrize("revision", RULED)
def test_on_sqlite_it_copies_no_table_either(tmp_path: Path, revision: str) -> None:
    engine = at(f"sqlite:///{tmp_path}/journal.db", before(revision))
    with engine.begin() as conn, listening(engine) as said:
        was, old = kept(conn), set(sa.inspect(conn).get_table_names()) - {VERSION_TABLE}
        migrating.upgrade(conn, revision)
        now = kept(conn)
    engine.dispose()
    assert {name: now.get(name) for name in was} == was
    assert not [one for one in said for name in old if writes(one, name)]
    made = [re.match(r"CREATE (?:UNIQUE )?INDEX \S+ ON (\S+)", one) for one in said]
    assert not {one[1] for one in made if one} & old, "a large table is not gone through for an index"


@pytest.mark.skipif(not SQUAWK.exists(), reason="squawk is not installed here (Linux only)")
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE INDEX a ON run (kind)", "require-concurrent-index-creation"),
        ("ALTER TABLE run RENAME COLUMN kind TO sort", "renaming-column"),
        ("ALTER TABLE run DROP COLUMN kind", "ban-drop-column"),
        ("DROP TABLE run", "ban-drop-table"),
        ("ALTER TABLE run ADD COLUMN n INTEGER NOT NULL", "adding-required-field"),
        ("ALTER TABLE run ALTER COLUMN n SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE run ALTER COLUMN n TYPE BIGINT", "changing-column-type"),
        ("ALTER TABLE run ADD CONSTRAINT a CHECK (n > 0)", "constraint-missing-not-valid"),
        ("ALTER TABLE run ADD CONSTRAINT a UNIQUE (n)", "disallowed-unique-constraint"),
        ("ALTER TABLE run ADD COLUMN n DOUBLE PRECISION DEFAULT random()", "adding-field-with-default"),
        ("UPDATE run SET n = 1", "writes rows of run"),
        ('DELETE FROM "run"', "writes rows of run"),
    ],
)
def test_a_migration_that_would_hold_others_up_is_seen(statement: str, what: str) -> None:
    timeouts = ["SET LOCAL lock_timeout = '3s'", "SET LOCAL statement_timeout = 0"]
    fine = "ALTER TABLE run ADD COLUMN m TEXT DEFAULT '' NOT NULL"
    assert complaints([*timeouts, fine], {"run"}) == []
    found = complaints([*timeouts, statement], {"run"})
    assert what in " ".join(found)
    assert (
        complaints([*timeouts, "CREATE TABLE fresh (n INTEGER)", "CREATE INDEX b ON fresh (n)"], {"run"})
        == []
    )


def test_a_migration_that_must_wait_steps_back_and_lets_others_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgres.server().database(empty=True)
    engine = at(url, "0007")
    monkeypatch.setattr(session, "MIGRATION_WAITS", "100ms")
    monkeypatch.setattr(migrating, "PAUSE", 0.01)
    stepped, went_on = threading.Event(), session.stepped_back
    monkeypatch.setattr(migrating.postgres, "stepped_back", lambda e: (stepped.set(), went_on(e))[1])
    opened: list[Journal] = []
    with engine.begin() as reader:  # of an export, say: it takes as long as it takes
        reader.execute(sa.text("SELECT count(*) FROM run"))
        opening = threading.Thread(target=lambda: opened.append(Journal.open(url, "main")))
        opening.start()
        assert stepped.wait(60)
        with engine.begin() as other:
            other.execute(sa.text("UPDATE run SET kind = 'poll'"))
        assert not opened
    opening.join(60)
    assert opened[0].schema_state() == (REVISIONS[-1], migrating.beside(REVISIONS[-1]))
    opened[0].close()
    engine.dispose()


def test_a_migration_that_waits_for_too_long_gives_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres.server().database(empty=True)
    engine = at(url, "0007")
    monkeypatch.setattr(session, "MIGRATION_WAITS", "10ms")
    monkeypatch.setattr(migrating, "PAUSE", 0.0)
    monkeypatch.setattr(migrating, "TRIES_FOR", -1.0)
    with engine.begin() as reader:
        reader.execute(sa.text("SELECT count(*) FROM run"))
        with pytest.raises(UnavailableError, match="cannot be migrated: others hold locks"):
            Journal.open(url, "main")
    with engine.begin() as conn:
        assert migrating.schema_state(conn).revision == "0007"
    engine.dispose()


@pytest.mark.parametrize("made_for", [0, 7])
def test_nobody_who_could_not_go_on_is_left_behind(monkeypatch: pytest.MonkeyPatch, made_for: int) -> None:
    """Whatever the schema is now: it may have been migrated beside them before."""
    url = postgres.server().database(empty=True)
    old = at(url, "0007")
    with monkeypatch.context() as of_old:
        of_old.setattr(session, "_OURS", {"kind": session.HOLDER, "of": made_for})
        with session.present(old):
            with pytest.raises(UnavailableError, match="and 1 of them work on it") as refused:
                Journal.open(url, "main")
            assert "stop them all" in str(refused.value.next_step)
    with session.present(old):  # one of ours
        Journal.open(url, "main").close()
    old.dispose()


def test_a_file_is_not_migrated_under_whoever_works_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "WAITS", 0.0)
    path = tmp_path / "journal.db"
    at(f"sqlite:///{path}", "0007").dispose()
    with exclusive(path, "run"):
        with pytest.raises(UnavailableError, match=r"in use by run .*, and is not migrated") as refused:
            Journal.open(f"sqlite:///{path}", "main")
        assert "stop it" in refused.value.next_step
        assert behind(f"sqlite:///{path}") == "0007"
        monkeypatch.setattr(migrating, "beside", lambda revision: "0007")  # who may go on is not asked for
        Journal.open(f"sqlite:///{path}", "main").close()
    assert behind(f"sqlite:///{path}") == ""


def test_of_two_that_open_an_old_file_both_go_on_once_one_has_migrated_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "WAITS", 60.0)
    url = f"sqlite:///{tmp_path}/journal.db"
    at(url, "0007").dispose()
    with exclusive(tmp_path / "journal.db", "migration"):
        opening = threading.Thread(target=lambda: Journal.open(url, "main").close())
        opening.start()
        engine = sa.create_engine(url)
        with engine.begin() as conn:
            migrating.upgrade(conn, "head")
        engine.dispose()
        opening.join(60)
        assert not opening.is_alive(), "also while the other goes on to work with it"


def test_the_word_of_the_version_is_no_table_of_ours() -> None:
    assert VERSION_TABLE not in metadata.tables
