"""Operators are told once when an alert begins and once when it has ended, however it flaps in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.journal import Journal
from icp_sync.sync.telling.stream import TRIES, patience
from tests.sync.telling_world import Listener, TellingWorld, listening

QUIET = 900.0


@pytest.fixture
def webhook() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def world(tmp_path: Path, webhook: Listener) -> TellingWorld:
    return TellingWorld(folder=tmp_path, operator_url=webhook.url, alert_quiet=QUIET)


def begin(world: TellingWorld, name: str = "robots", text: str = "two write here") -> None:
    world.journal.raise_alert(name, text, now=world.clock())


def end(world: TellingWorld, name: str = "robots") -> None:
    world.journal.end_alert(name, now=world.clock())


def titles(webhook: Listener) -> list[str]:
    return [text.splitlines()[0].strip("*") for text in webhook.texts]


def test_an_alert_is_told_when_it_begins_and_when_it_has_ended(
    world: TellingWorld, webhook: Listener
) -> None:
    begin(world)
    world.tell()
    for n in range(3):
        begin(world, text=f"two write here, {n}")
        world.clock.step(60)
        world.tell()
    end(world)
    end(world)
    world.tell()
    assert titles(webhook) == ["main: robots", "main: robots is over"]
    assert "two write here" in webhook.texts[0]


def test_an_alert_that_flaps_is_told_once_more_with_how_often_it_changed(
    world: TellingWorld, webhook: Listener
) -> None:
    for _ in range(6):
        begin(world)
        world.tell()
        world.clock.step(30)
        end(world)
        world.tell()
        world.clock.step(30)
    assert titles(webhook) == ["main: robots", "main: robots is over"]
    world.clock.step(QUIET)
    world.tell()
    assert titles(webhook)[2:] == ["main: robots is over; it changed 10 times meanwhile"]
    world.clock.step(QUIET)
    begin(world)
    world.tell()
    assert titles(webhook)[3:] == ["main: robots"]


def test_one_that_came_and_went_before_anybody_could_be_told_is_no_message(
    world: TellingWorld, webhook: Listener
) -> None:
    begin(world)
    end(world)
    world.tell()
    assert titles(webhook) == []
    begin(world)
    world.tell()
    assert titles(webhook) == ["main: robots"]


def test_one_that_blinks_is_told_of_all_the_same(world: TellingWorld, webhook: Listener) -> None:
    for _ in range(20):
        begin(world)
        end(world)
        world.tell()
        world.clock.step(10)
    world.clock.step(QUIET)
    world.tell()
    assert titles(webhook) == ["main: robots is over; it changed 36 times meanwhile"]


def test_nobody_hears_that_it_is_over_before_they_hear_of_it(world: TellingWorld, webhook: Listener) -> None:
    webhook.answers = [(500, {})]
    begin(world)
    world.tell()
    world.clock.step(20)
    end(world)
    world.tell()
    assert titles(webhook) == ["main: robots"]
    for _ in range(3):
        world.clock.step(60)
        world.tell()
    assert titles(webhook) == ["main: robots", "main: robots", "main: robots is over"]


def test_the_end_of_what_nobody_was_told_of_is_told_to_nobody(world: TellingWorld, webhook: Listener) -> None:
    webhook.answers = [(500, {})] * TRIES
    begin(world)
    for tries in range(TRIES):
        world.tell()
        world.clock.step(patience(tries + 1))
    heard = len(webhook.received)
    end(world)
    world.tell()
    over = world.journal.notices(audience="operator")
    assert [one.state for one in over if one.subject == "robots"] == ["dropped", "failed"]
    assert all(title != "main: robots is over" for title in titles(webhook)[heard:])


def test_what_was_to_be_told_outlives_a_restart(world: TellingWorld, webhook: Listener) -> None:
    webhook.answers = [(503, {})]
    begin(world)
    world.tell()
    assert [one.state for one in world.journal.notices()] == ["waiting"]
    world.reopen()
    world.clock.step(600)
    world.tell()
    assert titles(webhook) == ["main: robots"] * 2
    assert [one.state for one in world.journal.notices()] == ["sent"]


def test_where_nobody_listens_nothing_is_kept(tmp_path: Path) -> None:
    journal = TellingWorld(folder=tmp_path).journal
    assert isinstance(journal, Journal)
    deaf = journal.listening({})
    deaf.raise_alert("robots", "two write here", now=1.0)
    deaf.end_alert("robots", now=2.0)
    assert deaf.notices() == []


def test_alerts_of_different_names_do_not_damp_each_other(world: TellingWorld, webhook: Listener) -> None:
    for name in ("a", "b", "c", "d"):
        begin(world, name)
    world.tell()
    assert sorted(titles(webhook)) == [f"main: {name}" for name in "abcd"]
