"""The daemon whole: streams side by side, connections that fail alone, a clean end."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.health import Health
from icp_sync.daemon.loops import first_at
from icp_sync.daemon.streams import State
from icp_sync.errors import AuthError, ConfigError, UnavailableError
from icp_sync.observe import registry
from icp_sync.ports import Stream
from tests.daemon.station import QUICK, portal, until
from tests.sync.world import GOOD, World, facts


@pytest.fixture
def worlds(tmp_path: Path) -> list[World]:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(World(folder=tmp_path / name))
    return made


@contextmanager
def running(daemon: Daemon, stopping: Stopping) -> Iterator[list[BaseException]]:
    """The daemon in a thread; what ended it is in the list afterwards."""
    ended: list[BaseException] = []

    def work() -> None:
        try:
            daemon.run()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield ended
    finally:
        stopping.drain()
        thread.join(60)
        assert not thread.is_alive()


def test_it_reads_everything_once_and_then_follows_what_changes(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    acme = world.company(**GOOD)
    daemon = Daemon([portal(world, stopping)], stopping)
    with running(daemon, stopping) as ended:
        until(lambda: world.live(acme)["tier"] == "A", "the first reading")
        world.clock.step(30)
        world.crm.edit(acme, signals=facts(employees=5000))
        world.clock.step(30)
        until(lambda: world.live(acme)["tier"] == "C", "the poll")
    assert ended == []
    assert {daemon.loops[f"main/{s}"].state for s in (Stream.POLL, Stream.TRAILING)} == {State.OK}


def test_a_connection_that_is_down_or_halted_disturbs_no_other(worlds: list[World]) -> None:
    well, ill = worlds
    stopping = Stopping()
    acme = well.company(**GOOD)

    def unavailable(_: str) -> None:
        raise UnavailableError("down")

    ill.crm.before = unavailable
    portals = [portal(well, stopping, name="well"), portal(ill, stopping, name="ill")]
    daemon = Daemon(portals, stopping)
    with running(daemon, stopping) as ended:
        until(lambda: well.live(acme)["tier"] == "A", "the well one works")
        until(lambda: daemon.loops["ill/poll"].state is State.DOWN, "the ill one is down")

        def refused(_: str) -> None:
            raise AuthError("expired")

        ill.crm.before = refused
        daemon.loops["ill/due"].tick()
        until(lambda: daemon.loops["ill/poll"].state is State.HALTED, "the ill one is halted")
        well.clock.step(60)
        second = well.company("Second", **GOOD)
        well.clock.step(60)
        until(lambda: well.live(second)["tier"] == "A", "the well one still works")
    assert ended == []


def test_it_ends_with_the_error_when_no_connection_is_left(worlds: list[World]) -> None:
    stopping = Stopping()

    def refused(_: str) -> None:
        raise AuthError("the key has expired")

    portals = []
    for n, world in enumerate(worlds):
        world.crm.before = refused
        portals.append(portal(world, stopping, name=f"c{n}"))
    with pytest.raises(AuthError, match="expired"):
        Daemon(portals, stopping).run()


def test_the_page_in_flight_is_committed_before_it_ends(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    world.crm._page_size = 2
    for n in range(8):
        world.company(f"C{n}", **GOOD)

    def told_to_stop(call: str) -> None:
        if call == "write":
            stopping.drain()

    world.crm.before = told_to_stop
    daemon = Daemon([portal(world, stopping)], stopping)
    with running(daemon, stopping) as ended:
        pass
    assert ended == []
    settled = world.journal.counts().get("settled", 0)
    assert settled == len({w[1] for w in world.writes()})
    assert world.journal.break_leases() == 0, "every lease was given back"


def test_a_sweep_is_due_an_interval_after_the_last_one_whenever_we_started(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    made = portal(world, stopping, schedule={**QUICK, "sweep": "1h"})
    daemon = Daemon([made], stopping, clock=world.clock)
    sweep = daemon.loops["main/sweep"]
    assert first_at(sweep, world.clock()) == world.clock() + 3600
    world.cycle(Stream.SWEEP)
    world.clock.step(1800)
    assert first_at(sweep, world.clock()) == world.clock() + 1800
    world.clock.step(7200)
    assert first_at(sweep, world.clock()) == world.clock()


def test_triggers_that_meet_a_long_cycle_are_skipped_and_counted(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    world.company(**GOOD)
    release = threading.Event()
    world.crm.before = lambda call: call != "write" or not release.wait(30) or None  # type: ignore[func-returns-value]
    daemon = Daemon([portal(world, stopping, name="busy")], stopping)

    def skipped() -> float:
        labels = {"connection": "busy", "stream": "backfill", "outcome": "skipped"}
        return registry.get_sample_value("icp_sync_triggers_total", labels) or 0.0

    with running(daemon, stopping):
        until(lambda: skipped() >= 2, "triggers are skipped")
        release.set()


def test_a_clock_that_is_set_back_stops_nobody(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    daemon = Daemon([portal(world, stopping)], stopping)
    poll = daemon.loops["main/poll"]
    with running(daemon, stopping):
        until(lambda: poll.last_success, "a first cycle")
        for job in daemon._timetable._scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(hours=1))
        before = poll.last_success or 0.0
        until(lambda: (poll.last_success or 0.0) > before + 1, "it goes on")


def test_a_first_error_of_a_trigger_is_a_rise_from_0(worlds: list[World]) -> None:
    Daemon([portal(worlds[0], Stopping(), name="counted")], Stopping())
    labels = {"connection": "counted", "stream": "poll", "outcome": "error"}
    assert registry.get_sample_value("icp_sync_triggers_total", labels) == 0.0


def test_it_does_not_go_on_with_a_halted_backfill_by_itself_and_polls_on(worlds: list[World]) -> None:
    world, stopping = worlds[0], Stopping()
    ids = [world.company(f"C{n}", **GOOD) for n in range(150)]
    world.clock.step(4000)  # past, for every window
    daemon = Daemon([portal(world, stopping)], stopping)

    def written() -> int:
        return len({w[1] for w in world.writes()})

    with running(daemon, stopping) as ended:
        until(lambda: world.journal.counts().get("settled") == 100, "the canary is committed")
        world.clock.step(20)
        for account_id in ids[:40]:
            world.crm.edit(account_id, name="Touched by a workflow")

        def time_passes() -> object:
            world.clock.step(5)
            return world.journal.alerts()

        until(time_passes, "the watch ends, and it halts")
        assert "40 of 100" in world.journal.alerts()[0].text
        new = world.company("New", **GOOD)
        world.clock.step(60)
        until(lambda: world.live(new).get("tier") == "A", "polling goes on")
        assert written() == 101
        until(lambda: daemon.loops["main/backfill"].state is State.OK, "a halt is no failure")
        request = world.journal.ask("backfill", {"resume": True}, by="ada@laptop", now=world.clock())
        until(lambda: written() == 151, "told to, it goes on")
        until(lambda: not world.journal.requests("waiting", "running"), "the request ends")
        asked = world.journal.request(request)
        assert asked is not None
        assert asked.state == "done"
    assert ended == []


# Health


def ask(url: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    try:
        with urlopen(Request(url, method=method), timeout=10) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


@pytest.fixture
def health(worlds: list[World]) -> Iterator[tuple[str, Daemon, World]]:
    stopping = Stopping()
    daemon = Daemon([portal(worlds[0], stopping)], stopping, clock=worlds[0].clock)
    server = Health(daemon.loops.values(), "127.0.0.1", 0, clock=worlds[0].clock)
    server.start()
    yield f"http://127.0.0.1:{server.port}", daemon, worlds[0]
    server.stop()


def test_healthz_tells_each_stream_of_each_connection(health: tuple[str, Daemon, World]) -> None:
    url, daemon, world = health
    daemon.loops["main/poll"].tick()
    world.clock.step(5)
    status, headers, body = ask(f"{url}/healthz")
    said = json.loads(body)
    assert (status, said["status"]) == (200, "ok")
    assert headers["Server"].strip() == "icp-sync"
    poll = said["connections"]["main"]["poll"]
    assert poll == {"state": "ok", "last_success_age_seconds": 5.0, "failures": 0}
    assert said["connections"]["main"]["sweep"]["state"] == "starting"


def test_healthz_is_503_while_a_stream_fails_and_holds_no_text_from_outside(
    health: tuple[str, Daemon, World],
) -> None:
    url, daemon, world = health

    def down(_: str) -> None:
        raise UnavailableError("pat-na1-0000 was said by somebody")

    world.crm.before = down
    daemon.loops["main/poll"].tick()
    status, _, body = ask(f"{url}/healthz")
    assert status == 503
    assert json.loads(body)["connections"]["main"]["poll"]["state"] == "down"
    assert b"pat-" not in body


def test_healthz_names_the_outputs_a_crm_cannot_carry_and_stays_well(
    health: tuple[str, Daemon, World],
) -> None:
    url, daemon, world = health
    daemon.loops["main/poll"].tick()
    assert "disabled_outputs" not in json.loads(ask(f"{url}/healthz")[2])
    world.crm.made.take_away("lane")
    status, _, body = ask(f"{url}/healthz")
    assert (status, json.loads(body)["disabled_outputs"]) == (200, {"main": ["lane"]})


def test_metrics_are_prometheus_text_of_our_own_registry(health: tuple[str, Daemon, World]) -> None:
    url, daemon, _ = health
    daemon.loops["main/poll"].tick()
    status, headers, body = ask(f"{url}/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert b'icp_sync_stream_last_success_timestamp_seconds{connection="main",stream="poll"}' in body
    assert b"python_info" not in body


def test_what_only_the_sweep_finds_is_counted_from_0_for_every_connection(worlds: list[World]) -> None:
    portal(worlds[0], Stopping(), name="never_swept")
    labels = {"connection": "never_swept"}
    assert registry.get_sample_value("icp_sync_sweep_found_missing_total", labels) == 0.0


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/metrics/../healthz/x", "GET", 404),
        ("/healthz", "POST", 501),
        ("/healthz", "HEAD", 200),
        ("/healthz?full=1", "GET", 200),
    ],
)
def test_nothing_else_is_served(
    health: tuple[str, Daemon, World], path: str, method: str, status: int
) -> None:
    url, _, _ = health
    assert ask(url + path, method)[0] == status


def test_an_address_that_cannot_be_had_is_a_clear_error(health: tuple[str, Daemon, World]) -> None:
    url, daemon, world = health
    port = int(url.rpartition(":")[2])
    for kind, host, number, hint in (
        (UnavailableError, "127.0.0.1", port, "a free port"),  # passes: a service tries again
        (ConfigError, "192.0.2.1", 0, "an address of this machine"),
        (ConfigError, "no.such.host.invalid", 0, "an address of this machine"),
    ):
        with pytest.raises(kind, match=f"cannot listen.*{hint}"):
            Health(daemon.loops.values(), host, number, clock=world.clock)


@pytest.mark.parametrize(("host", "at"), [("::", ("[::1]", "127.0.0.1")), ("::1", ("[::1]",))])
def test_it_listens_on_ipv6(health: tuple[str, Daemon, World], host: str, at: tuple[str, ...]) -> None:
    if not socket.has_ipv6 or not _has(host):
        pytest.skip("this machine has no IPv6")
    _, daemon, world = health
    server = Health(daemon.loops.values(), host, 0, clock=world.clock)
    server.start()
    try:
        assert [ask(f"http://{one}:{server.port}/healthz")[0] for one in at] == [200] * len(at)
    finally:
        server.stop()


def _has(host: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trying:
            trying.bind((host, 0))
    except OSError:
        return False
    return True
