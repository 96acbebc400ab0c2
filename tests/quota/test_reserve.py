"""P5: no call starts that, by the last observed remainder less what is in flight, would enter the reserve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.cli.limits import show_limits
from icp_sync.cli.rendering import Screen
from icp_sync.errors import NoCallsLeftError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.reporting.limits import limits
from icp_sync.settings import load
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import wire
from icp_sync.wiring.crms import limits_of
from tests.sync.station import OrgStation, Station


@pytest.fixture(params=[Station, OrgStation], ids=["hubspot", "salesforce"])
def station(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Station]:
    made = request.param(tmp_path, accounts=40)
    try:
        yield made
    finally:
        made.close()


def allow(station: Station, above: int) -> int:
    """From now on the day has so many calls above the reserve left; returns the reserve."""
    used = int(str(station.stats()["used_today"]))
    limit = -(-(used + above) * 10 // 8)
    reserve = -(-limit // 5)
    station.crm.admin("DELETE stats")
    station.crm.admin("POST settings", daily_limit=limit, reserve=reserve)
    station.wired.crm.identity()
    return reserve


def ours(station: Station) -> dict[str, int]:
    """What the CRM saw of us: calls, and those that left less than the reserve."""
    (noted,) = station.stats()["apps"].values()  # type: ignore[attr-defined]
    return dict(noted)


def work(station: Station, most: int = 400) -> UnavailableError | None:
    """Cycles of every stream, over and over, until the reserve lets none begin."""
    for n in range(most):
        stream = (Stream.BACKFILL, Stream.POLL, Stream.DUE, Stream.TRAILING)[n % 4]
        try:
            cycle(stream, station.wired.parts, Scope(restart=stream is Stream.BACKFILL))
        except NoCallsLeftError as error:
            if "share" not in str(error):  # a backfill's, which is only the first half
                return error
        if n % 4 == 0:
            station.people_work(n)
    return None


def backfills(station: Station) -> None:
    for _ in range(200):
        cycle(Stream.BACKFILL, station.wired.parts, Scope(restart=True))


def test_work_stops_at_the_reserve_and_says_for_how_long(station: Station) -> None:
    reserve = allow(station, above=40)
    stopped = work(station)
    assert stopped is not None
    assert "reserve" in str(stopped)
    assert stopped.retry_after is not None
    assert stopped.retry_after > 120
    noted = ours(station)
    assert noted["calls"] > 20
    assert (noted["below_reserve"], noted["knowing"]) == (0, 0)
    assert int(str(station.stats()["lowest_remaining"])) >= reserve
    day = station.wired.crm.quota.standing()[0].day  # type: ignore[attr-defined]
    assert day.stopped_for is not None
    assert "quota" in [alert.name for alert in station.wired.journal.alerts()]
    assert_a_process_begun_anew_knows(station)


def assert_a_process_begun_anew_knows(station: Station) -> None:
    calls = ours(station)["calls"]
    told = limits_of(station.wired.settings, station.wired.journal)[0]
    assert told.day is not None
    assert told.day.remaining is not None
    assert told.limit - told.day.remaining >= calls
    fresh = wire(load(station.config, {}))
    with pytest.raises(UnavailableError, match="reserve"):
        fresh.crm.owners()
    fresh.crm.close()  # type: ignore[attr-defined]
    fresh.journal.close()
    assert ours(station)["calls"] == calls


def test_a_competing_client_never_sees_us_enter_the_reserve(station: Station) -> None:
    reserve = allow(station, above=120)
    station.crm.admin("POST others", a_second=4)  # some twenty between a few cycles of ours
    stopped = work(station)
    assert stopped is not None
    first = ours(station)
    assert first["knowing"] == 0
    assert first["calls"] > 5
    station.crm.admin("POST others", used=reserve // 2)
    assert work(station) is not None, "whoever stopped stays stopped"
    assert ours(station)["calls"] == first["calls"]


def test_a_backfill_uses_half_of_what_is_above_the_reserve_and_polling_the_rest(station: Station) -> None:
    allow(station, above=24)
    with pytest.raises(UnavailableError, match="share"):
        backfills(station)
    used = ours(station)["calls"]
    assert 8 <= used <= 13
    cycle(Stream.POLL, station.wired.parts)
    assert ours(station)["calls"] > used
    told = [alert.name for alert in station.wired.journal.alerts()]
    assert "quota" not in told, "a backfill that waits for its share is nothing to be told of"


def test_status_tells_what_is_used_by_whom_and_what_is_left_to_others(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    allow(station, above=100)
    station.crm.admin("POST others", used=50)
    cycle(Stream.POLL, station.wired.parts)
    station.wired.crm.quota.flush()  # type: ignore[attr-defined]
    counted = station.stats()
    found = limits(station.wired.settings, station.wired.journal)[0]
    day = found["day"]
    assert found["limit"] - day["remaining"] + day["in_flight"] == counted["used_today"]
    assert day["others"] == pytest.approx(50, abs=5), "of some calls nobody says whether they count"
    show_limits(Screen.here(), [found])
    said = " ".join(capsys.readouterr().out.split())
    assert f"{day['remaining']:,} of {found['limit']:,} left" in said
    assert f"{day['others']} by others" in said


def test_a_portal_whose_answers_do_not_say_is_asked_how_much_of_the_day_is_used(tmp_path: Path) -> None:
    station = Station(tmp_path, accounts=5)
    try:
        station.wired.crm.quota.flush()  # type: ignore[attr-defined]
        station.wired.journal.change_quota(lambda *_: ("", None))  # as if nobody had called yet
        station.crm.admin("POST settings", daily_headers=False, daily_limit=1000)
        station.crm.admin("POST others", used=300)
        cycle(Stream.POLL, station.wired.parts)
        cycle(Stream.POLL, station.wired.parts)
        day = limits(station.wired.settings, station.wired.journal)[0]["day"]
        used = int(str(station.stats()["used_today"]))
        assert 1000 - used <= day["remaining"] <= 700
        assert day["resets_in"] is not None
        asked = station.stats()["requests"]
        assert isinstance(asked, dict)
        assert [n for name, n in asked.items() if "usage" in name] == [1], "once in a while, not each time"
    finally:
        station.close()
