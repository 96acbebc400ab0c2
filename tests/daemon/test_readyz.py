"""`/readyz`: ready once all has begun, not while halted or stopping, and nothing from outside in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.health import Health
from icp_sync.daemon.readiness import Readiness
from icp_sync.errors import AuthError, ConfigError, UnavailableError
from icp_sync.journal.schema import REVISIONS
from icp_sync.ports import Stream
from tests.daemon.station import portal, until
from tests.daemon.test_daemon import ask, running
from tests.sync.world import GOOD, World


@dataclass
class Place:
    url: str
    daemon: Daemon
    world: World
    server: Health

    def ready(self) -> tuple[int, list[str]]:
        """The status, and why the connection is not ready."""
        status, headers, body = ask(f"{self.url}/readyz")
        assert headers["Content-Type"].startswith("application/json")
        said = json.loads(body)
        assert (said["status"] == "ready") is (status == 200)
        reasons: list[str] = said["connections"]["main"]["reasons"]
        assert said["connections"]["main"]["ready"] is (not reasons)
        return status, reasons

    def begin(self) -> None:
        for loop in self.daemon.loops.values():
            loop.tick()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    world, stopping = World(folder=tmp_path), Stopping()
    daemon = Daemon([portal(world, stopping)], stopping, clock=world.clock)
    server = Health(daemon.loops.values(), "127.0.0.1", 0, clock=world.clock)
    server.start()
    yield Place(f"http://127.0.0.1:{server.port}", daemon, world, server)
    server.stop()


def test_it_is_ready_once_the_crm_has_accepted_us_and_each_stream_has_begun(place: Place) -> None:
    status, reasons = place.ready()
    assert status == 503
    assert reasons[0] == "the CRM has not accepted the credentials yet"
    assert reasons[1].startswith("not begun: poll, trailing, due, backfill, sweep")
    place.daemon.loops["main/poll"].tick()
    status, reasons = place.ready()
    assert (status, len(reasons)) == (503, 1)
    assert "poll" not in reasons[0]
    place.begin()
    assert place.ready() == (200, [])
    assert ask(f"{place.url}/readyz", "HEAD")[0] == 200
    assert ask(f"{place.url}/readyz", "HEAD")[2] == b""


def test_a_stream_that_is_not_due_yet_keeps_nobody_waiting(place: Place) -> None:
    place.daemon.loops["main/sweep"].expected = place.world.clock() + 60
    for name, loop in place.daemon.loops.items():
        if name != "main/sweep":
            loop.tick()
    assert place.ready() == (200, [])
    place.world.clock.step(61)
    assert place.ready() == (503, ["not begun: sweep"])


def test_a_stream_that_fails_after_it_has_begun_is_a_matter_of_health(place: Place) -> None:
    place.begin()

    def down(_: str) -> None:
        raise UnavailableError("down")

    place.world.crm.before = down
    place.daemon.loops["main/poll"].tick()
    assert ask(f"{place.url}/healthz")[0] == 503
    assert place.ready() == (200, [])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (AuthError("pat-na1-0000 is revoked"), "the CRM does not accept the credentials"),
        (ConfigError("another portal <script>"), "the configuration does not fit"),
    ],
)
def test_a_halted_connection_is_not_ready_and_nothing_from_outside_is_said(
    place: Place, error: Exception, why: str
) -> None:
    place.begin()

    def refused(_: str) -> None:
        raise error

    place.world.crm.before = refused
    place.daemon.loops["main/poll"].tick()
    assert place.ready() == (503, [f"halted: {why}; next: icp-sync status"])
    body = ask(f"{place.url}/readyz")[2]
    assert b"pat-" not in body
    assert b"script" not in body


def test_a_journal_at_another_revision_is_not_ready(place: Place) -> None:
    place.begin()
    with place.world.journal.engine.begin() as conn:
        conn.execute(text("UPDATE icp_sync_schema SET version_num = '0099', oldest = '0099'"))
    status, reasons = place.ready()
    assert status == 503
    assert reasons[0].startswith("the journal is at schema 0099, this version's is ")


def test_a_journal_that_a_newer_version_migrated_for_both_is_ready_and_said(place: Place) -> None:
    place.begin()
    assert "newer_schema" not in json.loads(ask(f"{place.url}/readyz")[2])
    with place.world.journal.engine.begin() as conn:
        conn.execute(text(f"UPDATE icp_sync_schema SET version_num = '0099', oldest = '{REVISIONS[-1]}'"))
    assert place.ready() == (200, [])
    assert json.loads(ask(f"{place.url}/readyz")[2])["newer_schema"] == "0099"


def test_a_journal_that_does_not_answer_is_not_ready(place: Place) -> None:
    place.begin()
    file = Path(str(place.world.journal.engine.url.database))
    place.world.journal.close()
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    sqlite3.connect(file).execute("CREATE TABLE somebody (else_ INTEGER)")
    assert place.ready() == (503, ["the journal does not answer"])


def test_a_worker_that_is_stopping_is_alive_and_not_ready(place: Place) -> None:
    place.begin()
    place.server.drain()
    assert place.ready() == (503, ["the worker is stopping"])
    assert ask(f"{place.url}/healthz")[0] == 200


def test_a_worker_becomes_ready_by_itself_although_its_sweep_is_a_day_away(tmp_path: Path) -> None:
    world, stopping = World(folder=tmp_path), Stopping()
    acme = world.company(**GOOD)
    daemon = Daemon([portal(world, stopping)], stopping)
    server = Health(daemon.loops.values(), "127.0.0.1", 0, clock=world.clock)
    server.start()
    with running(daemon, stopping) as ended:
        until(lambda: ask(f"http://127.0.0.1:{server.port}/readyz")[0] == 200, "it is ready")
        assert not daemon.loops[f"main/{Stream.SWEEP}"].begun
        until(lambda: world.live(acme)["tier"] == "A", "the first reading")
    server.stop()
    assert ended == []


def test_one_connection_that_is_halted_takes_no_other_out_of_service(tmp_path: Path) -> None:
    stopping = Stopping()
    worlds = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        worlds.append(World(folder=tmp_path / name))
    made = [portal(world, stopping, name=f"p{n}") for n, world in enumerate(worlds)]
    daemon = Daemon(made, stopping, clock=worlds[0].clock)
    for loop in daemon.loops.values():
        loop.tick()
    made[0].halt(AuthError("revoked"))
    readiness = Readiness(daemon.loops.values(), worlds[0].clock)
    ready, said = readiness.report()
    connections = said["connections"]
    assert isinstance(connections, dict)
    assert (ready, connections["p0"]["ready"], connections["p1"]["ready"]) == (True, False, True)
    made[1].halt(AuthError("revoked"))
    assert not readiness.report()[0]
