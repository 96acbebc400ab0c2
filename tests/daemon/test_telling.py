"""The worker tells people: reps of their accounts, operators of what stopped while nothing else works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.alarms import of_streams
from icp_sync.daemon.streams import Loop
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.sync.telling.stream import TELLING
from tests.daemon.station import portal
from tests.sync.telling_world import Listener, TellingWorld, listening
from tests.sync.world import ANNA


@pytest.fixture
def webhook() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def world(tmp_path: Path, webhook: Listener) -> TellingWorld:
    return TellingWorld(folder=tmp_path, operator_url=webhook.url)


def titles(webhook: Listener) -> list[str]:
    return [text.splitlines()[0].strip("*") for text in webhook.texts]


def refused(_: str) -> None:
    raise AuthError("the key has expired", next_step="icp-sync check")


def down(_: str) -> None:
    raise UnavailableError("the CRM does not answer")


def well(_: str) -> None:
    """As ever."""


def test_what_stopped_the_last_connection_is_told_before_the_worker_ends(
    world: TellingWorld, webhook: Listener
) -> None:
    stopping = Stopping()
    world.crm.before = refused
    with pytest.raises(AuthError):
        Daemon([portal(world, stopping)], stopping).run()
    assert titles(webhook) == ["main: connection stopped"]
    assert "the key has expired. next: icp-sync check" in webhook.texts[0]


def test_a_connection_that_works_again_after_a_restart_is_told_as_well(
    world: TellingWorld, webhook: Listener
) -> None:
    stopping = Stopping()
    world.crm.before = refused
    with pytest.raises(AuthError):
        Daemon([portal(world, stopping)], stopping).run()
    world.crm.before = well
    world.reopen()
    again = Stopping()
    made = portal(world, again)
    poll = Loop(made, Stream.POLL, 60.0, again, world.clock)
    poll.tick()
    of_streams(world.journal, [poll], world.clock())
    Loop(made, TELLING, 60.0, again, world.clock).tick()
    assert titles(webhook) == ["main: connection stopped", "main: connection stopped is over"]


def test_a_stream_that_fails_for_long_is_an_alert_and_a_short_one_is_none(
    world: TellingWorld, webhook: Listener
) -> None:
    stopping = Stopping()
    made = portal(world, stopping)
    poll = Loop(made, Stream.POLL, 60.0, stopping, world.clock)
    told = Loop(made, TELLING, 60.0, stopping, world.clock)
    poll.tick()
    for seconds, expected in ((300.0, []), (700.0, ["main: stream down: poll"])):
        world.crm.before = down
        poll.tick()
        world.clock.step(seconds)
        poll.tick()
        of_streams(world.journal, [poll], world.clock())
        told.tick()
        assert titles(webhook) == expected
        world.crm.before = well
        world.clock.step(60)
        poll.tick()
        of_streams(world.journal, [poll], world.clock())
    told.tick()
    assert titles(webhook) == ["main: stream down: poll", "main: stream down: poll is over"]


def test_operators_are_told_while_the_crm_is_away_and_reps_once_it_is_known(
    world: TellingWorld, webhook: Listener
) -> None:
    stopping = Stopping()
    world.rep_url = webhook.url
    world.good(owner=ANNA)
    world.poll()
    made = portal(world, stopping)
    told = Loop(made, TELLING, 60.0, stopping, world.clock)
    world.crm.before = down
    world.journal.raise_alert("robots", "two write here", now=world.clock())
    told.tick()
    assert titles(webhook) == ["main: robots"]
    assert world.states == [("tier", "waiting")]
    world.crm.before = well
    Loop(made, Stream.DUE, 60.0, stopping, world.clock).tick()
    told.tick()
    assert world.states == [("tier", "sent")]
