"""What systemd hears of a worker: ready, how it goes, alive only while it gets on, and that it stops."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.notifying import LATE_TRIGGER, SILENT, Supervision, notify
from icp_sync.daemon.streams import Loop
from icp_sync.errors import UnavailableError
from icp_sync.ports import Stream
from tests.daemon.station import portal, until
from tests.daemon.test_daemon import running
from tests.sync.world import GOOD, World

WATCHED = str(int(0.001 * 3_000_000))


class Listener:
    """systemd's side of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.heard: list[dict[str, str]] = []

    def listen(self) -> list[dict[str, str]]:
        """Every notice so far."""
        while True:
            try:
                said = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in said.splitlines()))


@contextmanager
def listening(address: str) -> Iterator[Listener]:
    listener = Listener(address)
    try:
        yield listener
    finally:
        listener.socket.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


def abstract(tmp_path: Path) -> str:
    return f"@icp-sync/{os.getpid()}/{tmp_path.name}"


def test_a_notice_reaches_a_socket_in_a_folder_and_one_without_a_file(tmp_path: Path) -> None:
    for address in (str(tmp_path / "notify"), abstract(tmp_path)):
        with listening(address) as systemd:
            assert notify(address, {"READY": 1, "STATUS": "two\nlines"})
            assert systemd.listen() == [{"READY": "1", "STATUS": "two lines"}]


@pytest.mark.parametrize(
    "address", ["", "vsock:2:1", "relative/path", "/nowhere/notify", "@", "/" + "a" * 300]
)
def test_where_nobody_listens_nothing_is_lost(address: str) -> None:
    assert not notify(address, {"READY": 1})


def test_a_worker_says_that_it_is_ready_alive_and_stopping(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = Stopping()
    acme = world.company(**GOOD)
    address = abstract(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", WATCHED)
    with listening(address) as systemd:
        daemon = Daemon([portal(world, stopping)], stopping)
        assert "NOTIFY_SOCKET" not in os.environ, "no child may speak in our name"
        assert systemd.listen() == [], "nothing is ready yet"
        with running(daemon, stopping) as ended:
            until(lambda: world.live(acme)["tier"] == "A", "the first reading")
            until(lambda: any("WATCHDOG" in said for said in systemd.listen()), "a sign of life")
        assert systemd.heard[0] == {"READY": "1", "STATUS": "working: main"}
        assert systemd.listen()[-1]["STOPPING"] == "1"
    assert ended == []


def supervised(
    world: World, address: str, *, behind: float = 0.0, pid: str = ""
) -> tuple[Supervision, Loop, Stopping]:
    stopping = Stopping()
    loop = Loop(portal(world, stopping), Stream.POLL, 60, stopping, world.clock)
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": WATCHED, "WATCHDOG_PID": pid}
    return Supervision([loop], lambda: behind, world.clock, environ), loop, stopping


def looked(supervision: Supervision) -> None:
    supervision._next = 0.0
    supervision.look()


def test_a_cycle_that_hangs_is_given_up_on_and_named(world: World, tmp_path: Path) -> None:
    address = abstract(tmp_path)
    with listening(address) as systemd:
        supervision, loop, _ = supervised(world, address)
        supervision.ready()

        def hangs(_: str) -> None:
            assert loop.busy
            world.clock.step(SILENT - 1)
            looked(supervision)
            world.clock.step(2)
            looked(supervision)
            raise UnavailableError("gone at last")

        world.crm.before = hangs
        loop.tick()
        late = {"STATUS": "late: main/poll", "WATCHDOG": "1"}
        assert systemd.listen()[1:] == [late, {"STATUS": "stuck: main/poll"}]
        looked(supervision)
        assert systemd.listen()[-1] == {"STATUS": "down: main/poll", "WATCHDOG": "1"}


def test_a_wait_that_was_announced_is_no_silence(world: World, tmp_path: Path) -> None:
    address = abstract(tmp_path)
    with listening(address) as systemd:
        supervision, loop, stopping = supervised(world, address)
        stopping.draining.set()  # so that the wait ends at once
        loop.busy = True
        loop._wait(10 * SILENT)
        world.clock.step(5 * SILENT)
        looked(supervision)
        assert systemd.listen()[-1]["WATCHDOG"] == "1"


def test_a_timetable_that_stands_still_is_no_life(world: World, tmp_path: Path) -> None:
    address = abstract(tmp_path)
    with listening(address) as systemd:
        looked(supervised(world, address, behind=LATE_TRIGGER + 1)[0])
        assert systemd.listen() == [{"STATUS": "stuck: the timetable triggers nothing"}]


def test_another_process_is_not_stroked_for(world: World, tmp_path: Path) -> None:
    address = abstract(tmp_path)
    with listening(address) as systemd:
        supervision, loop, _ = supervised(world, address, pid="1")
        looked(supervision)
        assert (supervision.every, systemd.listen()) == (0.0, [{"STATUS": "working: main"}])
        loop.portal.halt(UnavailableError("no"))
        looked(supervision)
        assert systemd.listen()[-1] == {"STATUS": "halted: main"}
