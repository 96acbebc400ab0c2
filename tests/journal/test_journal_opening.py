"""Opening a journal: made from nothing, found again, and refused with a way out when it cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from journal_builders import NOW
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import icp_sync.journal
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.journal import Journal, schema
from icp_sync.journal.bound import Bound

MIGRATIONS = Path(icp_sync.journal.__file__).parent / "migrations"


def test_a_new_journal_makes_its_folder_and_its_tables(tmp_path: Path) -> None:
    journal = Journal.open(f"sqlite:///{tmp_path}/deep/er/journal.db", "main")
    assert (tmp_path / "deep/er/journal.db").exists()
    assert journal.mode() is Mode.OBSERVE
    journal.close()


def test_the_migrations_lead_exactly_to_the_tables_the_code_uses(journal: Journal) -> None:
    with journal.engine.connect() as conn:
        context = MigrationContext.configure(
            conn, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, schema.metadata) == []


def test_the_revisions_the_code_understands_are_those_that_ship() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    shipped = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(shipped)) == schema.REVISIONS


def test_every_table_carries_the_connection_but_those_of_processes_and_places() -> None:
    without = [table.name for table in schema.metadata.sorted_tables if "connection" not in table.c]
    assert sorted(without) == ["moved", "worker"]


def test_no_part_of_the_journal_hides_a_name_of_another() -> None:
    names = Counter(name for part in Journal.__bases__ for name in vars(part) if not name.startswith("__"))
    assert [name for name, n in names.items() if n > 1] == []
    assert not [name for name in names if hasattr(Bound, name)]


def test_what_was_stored_is_there_after_reopening(url: str) -> None:
    first = Journal.open(url, "main")
    first.set_mode(Mode.WRITE, now=NOW)
    first.close()
    again = Journal.open(url, "main")
    assert again.mode() is Mode.WRITE
    again.close()


def test_connections_share_a_file_and_see_nothing_of_each_other(journal: Journal) -> None:
    other = journal.for_connection("other")
    journal.set_mode(Mode.ROUTE, now=NOW)
    journal.activate([("a.yaml", "profile: a")], now=NOW)
    journal.count_event("x", 3)
    assert (other.mode(), other.active(), other.events()) == (Mode.OBSERVE, None, {})
    assert other.lease("poll", holder="b", now=NOW) is not None
    assert journal.lease("poll", holder="a", now=NOW) is not None


def test_sqlite_keeps_what_a_commit_returned_even_through_a_power_cut(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    with journal.engine.connect() as conn:
        pragmas = [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 10_000]
    journal.close()


@pytest.mark.parametrize(("oldest", "said"), [("9998", "9998 and newer"), (None, "newer than")])
def test_the_journal_of_a_newer_version_is_refused(
    url: str, journal: Journal, oldest: str | None, said: str
) -> None:
    made_by_a_newer_version(journal, oldest)
    with pytest.raises(ConfigError, match="schema 9999 is newer") as refused:
        Journal.open(url, "main")
    assert said in str(refused.value)


def test_unless_that_version_lets_ours_go_on_beside_it(url: str, journal: Journal) -> None:
    journal.set_mode(Mode.WRITE, now=NOW)
    made_by_a_newer_version(journal, schema.REVISIONS[-1])
    again = Journal.open(url, "main")
    state = again.schema_state()
    assert (state.revision, state.newer, state.fits) == ("9999", True, True), "and left as it is"
    assert again.mode() is Mode.WRITE
    assert again.verify(now=NOW) == []
    again.close()


def made_by_a_newer_version(journal: Journal, oldest: str | None) -> None:
    with journal.engine.connect() as conn, conn.begin():
        conn.execute(
            text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999', oldest = :o"), {"o": oldest}
        )
    journal.close()


@pytest.mark.parametrize("content", [b"this is a text file, not a database" * 200, b"\x00\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"journal {path}: cannot be used") as refused:
        Journal.open(f"sqlite:///{path}", "main")
    assert "restore" in str(refused.value)
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE bookmarks (id INTEGER)")
    with pytest.raises(ConfigError, match="database of something else: it holds bookmarks"):
        Journal.open(f"sqlite:///{path}", "main")
    with sqlite3.connect(path) as conn:
        assert [name for (name,) in conn.execute("SELECT name FROM sqlite_master")] == ["bookmarks"]


def test_a_path_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "journal.db", tmp_path / "folder"):
        with pytest.raises(ConfigError, match="cannot be used"):
            Journal.open(f"sqlite:///{path}", "main")


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "journal.db",
        "mysql://h/d",
        "sqlite://",
        "sqlite:///:memory:",
        "x://y",
        "postgresql+psycopg_async://h/d",
        "postgresql+asyncpg://h/d",
        "postgresql+psycopg://h:port/d",
        "sqlite+aiosqlite:////tmp/x",
    ],
)
def test_a_url_that_names_no_journal_is_refused_with_an_example(bad: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///"):
        Journal.open(bad, "main")


def test_damage_found_later_is_said_in_words_and_our_own_mistakes_stay_visible(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    with journal.engine.connect() as conn, pytest.raises(OperationalError, match="no such table"):
        conn.exec_driver_sql("SELECT * FROM nowhere")
    path = Path(str(journal.engine.url.database))
    journal.activate([("a.yaml", "x" * 100_000)], now=NOW)
    journal.close()
    pages = path.read_bytes()
    path.write_bytes(pages[:4096] + b"\xaa" * (len(pages) - 4096))
    with pytest.raises(ConfigError, match=f"journal {path}: cannot be used"):
        journal.active()


def test_a_locked_database_is_a_reason_to_come_back(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    blocker = sqlite3.connect(str(journal.engine.url.database), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with journal.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA busy_timeout=1")
        with pytest.raises(UnavailableError, match="locked"):
            conn.exec_driver_sql("UPDATE event SET count = 1")
    blocker.close()
    journal.close()


HOLDER = """
import sys, time
from icp_sync.journal import Journal
journal = Journal.open(sys.argv[1], "main")
with journal.hold("daemon"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_killed(sqlite_url: str) -> None:
    journal = Journal.open(sqlite_url, "main")
    first = subprocess.Popen([sys.executable, "-c", HOLDER, sqlite_url], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    with first, first.stdout:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(UnavailableError, match=rf"in use by daemon \(process {first.pid}, since 20"):
            journal.hold("cli").__enter__()
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with journal.hold("cli"), pytest.raises(UnavailableError, match="in use by cli"):
        journal.hold("another").__enter__()
    with journal.hold("again"):
        pass
    journal.close()


FULL = """
import resource, sys
from icp_sync.errors import UnavailableError
from icp_sync.journal import Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # no file may grow beyond: as on a full disk
try:
    Journal.open(sys.argv[1], "main")
except UnavailableError as error:
    print(error, error.next_step)
"""


def test_a_disk_that_is_full_is_a_reason_to_come_back_and_no_advice_to_move_the_journal(
    sqlite_url: str,
) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, sqlite_url], capture_output=True, text=True)
    assert "cannot be written now" in done.stdout, done.stderr
    assert "make room on its disk" in done.stdout
    assert "move it away" not in done.stdout
