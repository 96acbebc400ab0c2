"""What is PostgreSQL's own: who may open it, restarts, waiting, the order of text, many processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from journal_builders import NOW, Worker, settled
from sqlalchemy import Connection, String, text
from sqlalchemy.engine import make_url

from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.journal import Journal, schema
from icp_sync.journal.postgres import HOLDER as LOCK
from tests import postgres

SECRET = "s3cret-word"


@pytest.fixture(scope="module")
def server() -> postgres.Server:
    return postgres.server()


@pytest.fixture
def url(server: postgres.Server) -> str:
    return server.scratch()


@pytest.fixture
def empty(server: postgres.Server) -> Iterator[str]:
    made = server.database(empty=True)
    yield made
    server.drop(made)


@pytest.fixture(scope="module")
def guest(server: postgres.Server) -> str:
    """A user with a password and no rights."""
    server.execute(f"CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
    return "guest"


def refusal(url: str) -> str:
    with pytest.raises(ConfigError) as refused:
        Journal.open(url, "main")
    return f"{refused.value} {refused.value!r} {refused.value.__cause__} {refused.value.__context__}"


def test_a_wrong_password_names_host_and_database_and_no_password(
    server: postgres.Server, guest: str, empty: str
) -> None:
    database = make_url(empty).database
    wrong = f"{SECRET}-wrong"
    for bad in (
        server.url(str(database), f"{guest}:{wrong}"),
        f"{server.url(str(database), guest)}&password={wrong}",
    ):
        said = refusal(bad)
        assert f"journal {database} on {server.folder}: cannot be used" in said
        assert "password authentication failed" in said
        assert SECRET not in said


def test_a_database_a_host_or_an_option_that_is_not_there_is_named(server: postgres.Server) -> None:
    assert 'database "nowhere" does not exist' in refusal(server.url("nowhere"))
    said = refusal(f"postgresql+psycopg://u:{SECRET}@no-such-host.invalid:5433/icp")
    assert "journal icp on no-such-host.invalid:5433: cannot be used" in said
    assert SECRET not in said
    said = refusal(f"postgresql+psycopg://u:{SECRET}@/icp?host={server.folder}&no_such_option=1")
    assert "no_such_option" in said
    assert SECRET not in said


def test_a_server_that_is_down_is_a_reason_to_come_back() -> None:
    with pytest.raises(
        UnavailableError, match=r"journal icp on 127\.0\.0\.1:1 cannot be reached now"
    ) as down:
        Journal.open(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/icp", "main")
    assert SECRET not in str(down.value)


def test_a_user_that_may_not_make_or_read_tables_is_told_so(
    server: postgres.Server, guest: str, empty: str
) -> None:
    theirs = server.url(str(make_url(empty).database), f"{guest}:{SECRET}")
    assert "permission denied for schema public" in refusal(theirs)
    Journal.open(empty, "main").close()
    assert "permission denied" in refusal(theirs)


def test_the_rights_that_are_documented_are_enough(server: postgres.Server, guest: str, empty: str) -> None:
    database = str(make_url(empty).database)
    server.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {guest}", database)
    journal = Journal.open(server.url(database, f"{guest}:{SECRET}"), "main")
    with journal.hold("run"):
        Worker(journal).commit(settled("1"))
    assert journal.counts() == {"settled": 1}
    journal.close()


def test_rights_taken_away_later_are_a_matter_of_configuration(server: postgres.Server, url: str) -> None:
    journal = Journal.open(url, "main")
    with journal.engine.connect() as conn:
        conn.execute(text("SET LOCAL ROLE pg_monitor"))
        with pytest.raises(ConfigError, match="permission denied"):
            conn.execute(text("DELETE FROM account"))
    journal.close()


def test_a_database_that_cannot_hold_every_name_is_refused(server: postgres.Server) -> None:
    latin = server.database(empty=True, options="TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    assert "stores text as LATIN1" in refusal(latin)
    server.drop(latin)


def test_processes_that_open_an_empty_database_at_once_migrate_it_once(empty: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        journals = list(pool.map(lambda _: Journal.open(empty, "main"), range(3)))
    for journal in journals:
        journal.count_event("opened")
    assert journals[0].events() == {"opened": 3}
    for journal in journals:
        journal.close()


def test_text_is_compared_by_its_bytes_whatever_the_locale(url: str) -> None:
    """The tests' server has no locale that orders otherwise, so the catalogue must tell."""
    journal = Journal.open(url, "main")
    with journal.engine.connect() as conn:
        other = conn.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE collation_name"
                " IS DISTINCT FROM 'C' AND data_type IN ('text', 'character varying')"
                " AND table_schema = current_schema()"
            )
        ).all()
        known = conn.execute(
            text(
                "SELECT count(*) FROM information_schema.columns"
                " WHERE collation_name = 'C' AND table_schema = current_schema()"
            )
        ).scalar_one()
    assert other == []
    text_columns = [c for table in schema.metadata.tables.values() for c in table.c if is_text(c.type)]
    assert known == len(text_columns) + 2, "with the two of the version"
    ids = ["001b", "001B", "10", "9", "_", "Z", "a", "ä", "z"]
    Worker(journal).commit(*(settled(i) for i in ids))
    found: list[str] = []
    while page := journal.live_ids_page(found[-1] if found else "", 2):
        found += page
    assert found == sorted(ids)
    journal.close()


def is_text(kind: object) -> bool:
    return isinstance(kind, String)


def test_a_commit_that_returned_survives_a_crash_of_the_server_whatever_its_default(
    server: postgres.Server, url: str
) -> None:
    journal = Journal.open(url, "main")
    journal.activate([("a.yaml", "profile: a")], now=NOW)
    server.restart()
    with suppress(UnavailableError):
        journal.mode()
    assert journal.active() == (1, (("a.yaml", "profile: a"),))
    journal.close()


def test_a_restarted_server_is_found_again(server: postgres.Server, url: str) -> None:
    journal = Journal.open(url, "main")
    journal.set_mode(Mode.WRITE, now=NOW)
    server.restart()
    with suppress(UnavailableError):
        journal.count_event("first")
    journal.count_event("second")
    assert journal.events()["second"] == 1
    server.stop()
    for _ in range(2):
        with pytest.raises(UnavailableError, match="the journal cannot be used now"):
            journal.mode()
    server.start()
    assert journal.mode() is Mode.WRITE
    journal.close()


def _number_of(conn: Connection) -> int:
    return int(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_session_that_is_cut_leaves_nothing_behind(server: postgres.Server, url: str) -> None:
    journal = Journal.open(url, "main")
    with journal.engine.connect() as conn:
        conn.execute(text("INSERT INTO event (connection, name, count) VALUES ('main', 'half', 1)"))
        server.execute(f"SELECT pg_terminate_backend({_number_of(conn)})")
        with pytest.raises(UnavailableError):
            conn.execute(text("SELECT 1"))
    assert journal.events() == {}
    journal.close()


def test_a_process_that_holds_a_transaction_for_too_long_keeps_the_others_waiting_not_for_ever(
    url: str,
) -> None:
    hung, journal = Journal.open(url, "main"), Journal.open(url, "main")
    with journal.engine.connect() as conn:
        conn.execute(text("SET lock_timeout = '30ms'"))
        conn.commit()
    with hung.writing("event"):
        with pytest.raises(UnavailableError, match="lock timeout"):
            journal.count_event("x")
        journal.for_connection("another").count_event("y")
        assert journal.events() == {}, "reading waits for nobody"
    journal.count_event("x")
    hung.close()
    journal.close()


def test_a_deadlock_with_somebody_elses_work_is_a_reason_to_come_back(url: str) -> None:
    journals = [Journal.open(url, name) for name in ("one", "two")]
    for journal in journals:
        journal.count_event("row")
    both_hold = threading.Barrier(2)

    def cross(n: int) -> str:
        mine, theirs = journals[n].connection, journals[1 - n].connection
        try:
            with journals[n].writing("event") as conn:
                conn.execute(text(f"UPDATE event SET count = 2 WHERE connection = '{mine}'"))
                both_hold.wait(10)
                conn.execute(text(f"UPDATE event SET count = 3 WHERE connection = '{theirs}'"))
        except UnavailableError as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ended = sorted(pool.map(cross, range(2)))
    assert ended[0] == "done"
    assert "deadlock detected" in ended[1]
    for journal in journals:
        journal.close()


HOLDER = """
import sys, time
from icp_sync.journal import Journal, schema
journal = Journal.open(sys.argv[1], "main")
with journal.hold("worker"):
    print(journal.lease("poll", holder="worker", now=float(sys.argv[2])).fence, flush=True)
    time.sleep(60)
"""


def test_leases_are_broken_only_by_who_holds_the_journal_alone(url: str) -> None:
    journal = Journal.open(url, "main")
    first = subprocess.Popen([sys.executable, "-c", HOLDER, url, str(NOW)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    with first, first.stdout:
        assert first.stdout.readline() == "1\n"
        with journal.hold("second"):
            assert journal.break_leases() == 0
            assert journal.lease("poll", holder="second", now=NOW) is None
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with journal.hold("third"):
        while not journal.break_leases():  # the server notices the death a moment later
            pass
        lease = journal.lease("poll", holder="third", now=NOW)
    assert lease is not None
    assert lease.fence == 2
    journal.close()


@pytest.mark.parametrize("cut", ["session", "server"])
def test_a_holder_that_was_cut_off_is_known_again_with_its_next_sign_of_life(
    cut: str, server: postgres.Server, url: str
) -> None:
    first, second = Journal.open(url, "main"), Journal.open(url, "main")
    with first.hold("worker"):
        lease = first.lease("poll", holder="worker", now=NOW)
        assert lease is not None
        if cut == "server":
            server.restart()
        else:
            held = "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database"
            server.execute(f"{held} WHERE classid = {LOCK} AND datname = '{make_url(url).database}'")
        lease = first.renew(lease, now=NOW)
        with second.hold("another"):
            assert second.break_leases() == 0
        first.check_fence(lease)
    with second.hold("another"):
        assert second.break_leases() == 1
    first.close()
    second.close()


def test_a_holder_whose_session_was_cut_still_ends_well(server: postgres.Server, url: str) -> None:
    journal = Journal.open(url, "main")
    with journal.hold("run"):
        server.restart()
    assert journal.mode() is Mode.OBSERVE
    journal.close()
