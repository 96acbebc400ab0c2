"""The lookout: gauges out of the journal, the row of the day, and alerts only a worker can raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.lookout import COUNTED_EVERY, OVERRIDES_EVERY, Lookout
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.streams import State
from icp_sync.domain.buying import Budgets, Buying
from icp_sync.domain.facts import choice
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.journal import Journal
from icp_sync.observe import registry
from icp_sync.ports import Stream
from tests.daemon.station import portal
from tests.sync.station import Station
from tests.sync.world import GOOD, POOR, Vendor, World, facts


def value(name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"icp_sync_{name}", {"connection": "main", **labels})


@pytest.fixture
def world(tmp_path: Path) -> World:
    vendor = Vendor(book={"x.com": {"industry": choice("SOFTWARE")}})
    buying = Buying(change_worth=1000.0, budgets=Budgets(day=100.0))
    return World(folder=tmp_path, enrichers=[vendor], buying=buying)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path, accounts=2)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def daemon(world: World) -> Daemon:
    stopping = Stopping()
    return Daemon([portal(world, stopping)], stopping, clock=world.clock)


@pytest.fixture
def look(daemon: Daemon) -> Iterator[Callable[[], list[str]]]:
    """Look once; returns the names of the alerts that stand."""
    lookout: Lookout = daemon.fleet.members["main"].lookout

    def looked() -> list[str]:
        lookout.look()
        return [alert.name for alert in lookout._portal.wired.journal.alerts()]

    return looked


def test_it_shows_how_the_accounts_stand(world: World, daemon: Daemon, look: Callable[[], list[str]]) -> None:
    world.journal.activate((("p.yaml", "profile: p"),), now=world.clock())
    for known in (GOOD, GOOD, POOR, {"lifecycle": "customer"}):
        world.company(**known)
    world.company(employees=100, domain="x.com")
    daemon.loops["main/backfill"].tick()
    assert look() == []
    assert [value("tier_accounts", tier=t) for t in ("A", "B", "C", "Not ICP")] == [3, 1, 0, 0]
    assert value("status_accounts", status="settled") == 5
    assert value("held_accounts", rule="downgrades") == 0
    assert value("overridden_accounts") == 0
    assert value("profile_version") == 1
    assert (value("profile_accounts", part="active"), value("profile_accounts", part="in_scope")) == (4, 4)
    assert value("spend_credits", enricher="vendor", span="30d") == 1
    assert value("spend_credits", enricher="vendor", span="total") == 1
    assert value("budget_left_credits", budget="day") == 99
    assert value("missed_changes") == 0
    assert value("connection_halted") == 0
    assert (registry.get_sample_value("icp_sync_journal_bytes") or 0) > 10_000
    row = world.journal.days()[-1].data
    assert (row["tiers"], row["overrides"]) == ({"A": 3, "B": 1}, 0)


def test_accounts_are_not_counted_again_at_every_look(
    world: World, look: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    for name in ("stood", "overridden"):
        method = getattr(Journal, name)
        monkeypatch.setattr(Journal, name, lambda j, m=method, n=name: (counted.append(n), m(j))[1])
    look()
    look()
    assert sorted(counted) == ["overridden", "stood"]
    world.clock.step(COUNTED_EVERY)
    look()
    assert sorted(counted) == ["overridden", "stood", "stood"]
    world.clock.step(OVERRIDES_EVERY)
    look()
    assert counted.count("overridden") == 2


def test_a_scrape_counts_nothing(world: World, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    from prometheus_client import generate_latest

    def asked(*_: object) -> None:
        raise AssertionError("the journal was asked")

    monkeypatch.setattr(Journal, "reading", asked)
    assert b"icp_sync_build_info{" in generate_latest(registry)


def test_lag_grows_while_a_stream_ends_no_cycle(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    daemon.loops["main/poll"].tick()
    world.clock.step(1000)
    look()
    assert value("stream_lag_seconds", stream="poll") == 1000


def test_a_backfill_says_how_far_it_is_and_what_it_is_at(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    look()
    assert value("backfill_state", state="idle") == 1
    world.journal.request_backfill("a new profile", world.clock())
    look()
    assert (value("backfill_state", state="requested"), value("backfill_state", state="idle")) == (1, 0)
    daemon.loops["main/backfill"].tick()
    world.clock.step(COUNTED_EVERY)
    look()
    assert value("backfill_state", state="idle") == 1
    assert value("backfill_accounts", part="read") == value("backfill_accounts", part="known") == len(ids)


def test_an_alert_from_before_a_restart_ends_when_its_stream_has_worked(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    for name in ("stream down: due", "stream down: deals"):
        world.journal.raise_alert(name, "was down", now=world.clock())
    assert look() == ["stream down: due"], "deals are not followed any more"
    daemon.loops["main/due"].tick()
    assert look() == []


def test_a_stream_that_settles_nothing_for_far_too_long_is_an_alert_too(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    daemon.loops["main/due"].tick()
    world.clock.step(1000)
    assert "stream down: due" in look()
    assert value("alert_standing", alert="stream down: due") == 1
    daemon.loops["main/due"].tick()
    assert "stream down: due" not in look()
    assert value("alert_standing", alert="stream down: due") is None


def test_nothing_is_left_of_a_day_the_crm_has_ended(station: Station) -> None:
    """HubSpot refuses by its daily limit though its last header told of calls."""
    stopping = Stopping()
    made = Portal(lambda: station.wired, lambda: True, stopping)
    daemon = Daemon([made], stopping)
    quota = station.wired.crm.quota  # type: ignore[attr-defined]
    station.wired.crm.identity()
    look = daemon.fleet.members["main"].lookout.look
    look()
    left = value("quota_left", bucket="daily")
    assert left is not None
    assert left > 0
    quota.pause_all(3600.0)
    poll = daemon.loops["main/poll"]
    assert poll.tick() > 3000
    assert poll.state is State.WAITING
    look()
    assert value("quota_left", bucket="daily") == 0
    assert "quota" in [alert.name for alert in station.wired.journal.alerts()]
    assert value("stream_down", stream="poll") == 0


def test_the_schedule_is_said_so_that_rules_can_measure_by_it(daemon: Daemon) -> None:
    every = daemon.fleet.portals[0].wired.settings.schedule
    assert value("stream_interval_seconds", stream="poll") == every.poll
    assert value("stream_stays_behind_seconds", stream="trailing") == every.lag


def test_a_stream_that_was_told_to_wait_for_hours_is_an_alert_all_the_same(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    poll = daemon.loops["main/poll"]
    poll.tick()

    def away(_: str) -> None:
        raise UnavailableError("HTTP 503", retry_after=7200.0)

    world.crm.before = away
    assert poll.tick() == 7200.0
    assert look() == []
    world.clock.step(700)
    assert look() == ["stream down: poll"]
    world.crm.before = lambda _: None
    poll.tick()
    assert "stream down: poll" not in look()


def test_a_halted_connection_is_an_alert_until_a_restart_finds_it_well(
    world: World, daemon: Daemon, look: Callable[[], list[str]]
) -> None:
    def refused(_: str) -> None:
        raise AuthError("expired", next_step="icp-sync check")

    world.crm.before = refused
    daemon.loops["main/poll"].tick()
    assert look() == ["connection stopped"]
    assert value("connection_halted") == 1
    world.crm.before = lambda _: None
    stopping = Stopping()
    again = Daemon([portal(world, stopping)], stopping, clock=world.clock)
    again.loops[f"main/{Stream.POLL}"].tick()
    again.fleet.members["main"].lookout.look()
    assert world.journal.alerts() == []
    assert value("connection_halted") == 0


def test_a_journal_that_is_away_stops_nothing(
    world: World, look: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise UnavailableError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "waiting_holds", away)
        look()
        look()
    world.company(**GOOD)
    world.crm.edit(world.company(**GOOD), signals=facts(employees=5000))
    world.clock.step(COUNTED_EVERY)
    look()
    assert world.journal.days() != []
