"""What a backfill is said to take, against what the simulator counted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.ports import Stream
from icp_sync.quota import DayStanding
from icp_sync.sync.cycle import cycle
from icp_sync.sync.forecast import Speed, Workload, forecast
from icp_sync.sync.report import Report
from tests.sync.station import OrgStation, Station

NOW = 1_795_000_000.0
TODAY = DayStanding(
    remaining=100_000,
    others=0,
    reserve=20_000,
    backfill=0,
    in_flight=0,
    observed_ago=1.0,
    resets_in=3_600.0,
    runs_out_in=None,
    stopped_for=None,
)


def backfilled(station: Station, stream: Stream = Stream.BACKFILL) -> tuple[Report, Mapping[str, int]]:
    station.crm.admin("DELETE stats")
    report = cycle(stream, station.wired.parts)
    assert report is not None
    return report, station.stats()["requests"]  # type: ignore[return-value]


def workload(report: Report, polls: float = 1.0) -> Workload:
    owners = sum(report.gained.values())
    return Workload(accounts=report.read, changed=report.written, owners=owners, polls=polls)


def near(said: int, counted: int) -> bool:
    return abs(said - counted) <= max(1, 0.1 * counted)


def test_a_backfill_of_a_portal_and_its_echoes_take_what_was_said(tmp_path: Path) -> None:
    station = Station(tmp_path, accounts=450)
    try:
        cycle(Stream.POLL, station.wired.parts)
        report, counted = backfilled(station)
        said = forecast("hubspot", workload(report), now=NOW).calls
        assert near(said["writes"], counted["POST batch/update"])
        assert near(said["reads"] + said["writes"], sum(counted.values()))
        station.crm.admin("POST clock", advance=30)
        _, counted = backfilled(station, Stream.POLL)
        assert near(said["echo_reads"], counted["POST batch/read"])
        assert near(said["echo_searches"], counted["POST search"] - 1), "the last finds no more"
    finally:
        station.close()


def test_a_backfill_of_an_org_takes_what_was_said(tmp_path: Path) -> None:
    station = OrgStation(tmp_path, accounts=450)
    try:
        report, counted = backfilled(station)
        said = forecast("salesforce", workload(report, polls=0), now=NOW).calls
        assert said["owners"] == counted["PATCH sobjects/{id}/{id}"]
        counted = {name: n for name, n in counted.items() if "userinfo" not in name and "oauth" not in name}
        assert near(sum(said.values()), sum(counted.values())), counted
    finally:
        station.close()


def test_an_org_of_ten_thousand_is_read_by_bulk_jobs_and_takes_what_was_once_counted() -> None:
    """10,500 accounts on the simulator, 9,372 of them written, 62 owners given out: 132 calls."""
    work = Workload(accounts=10_500, changed=9_372, owners=62, polls=0)
    assert near(forecast("salesforce", work, now=NOW).total, 132)


@pytest.mark.parametrize(
    ("speed", "seconds"),
    [
        (Speed(burst=0, search=0, latency=1.0, parallel=10), 0.1 * (501 + 50 + 50 + 100)),
        (Speed(burst=100, search=0, latency=0.0), (501 + 50 + 50 + 100 - 100) * 10.1 / 100),
        (Speed(burst=0, search=0, latency=0.0, written_a_second=50.0), 100.0),
        (Speed(burst=0, search=0, latency=0.0, pauses=360.0), 360.0),
    ],
)
def test_the_slowest_limit_decides_how_long_it_takes(speed: Speed, seconds: float) -> None:
    work = Workload(accounts=50_000, changed=5_000)
    assert forecast("hubspot", work, speed, now=NOW).seconds == pytest.approx(seconds)


def test_what_the_day_has_no_room_for_goes_on_after_its_end() -> None:
    work = Workload(accounts=6_000_000, changed=0)
    said = forecast("hubspot", work, Speed(latency=0.0, burst=0), now=NOW, limit=100_000, day=TODAY)
    assert said.share == pytest.approx(60_001 / 100_000)
    assert said.days == 1
    assert said.ends_at == pytest.approx(NOW + 3_600)
    full = replace(TODAY, remaining=20_000)
    assert math.isinf(forecast("hubspot", work, now=NOW, limit=100_000, day=full).seconds)


@given(
    st.sampled_from(["hubspot", "salesforce"]),
    st.integers(0, 60_000),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_more_work_never_takes_fewer_calls(crm: str, accounts: int, part: float, owned: float) -> None:
    changed = int(accounts * part)
    work = Workload(accounts=accounts, changed=changed, owners=int(changed * owned))
    said = forecast(crm, work, now=NOW)
    assert all(n >= 0 for n in said.calls.values())
    assert said.calls["reads"] >= min(accounts, 10_000) / 2_000
    nothing = forecast(crm, replace(work, changed=0, owners=0), now=NOW)
    assert said.total >= nothing.total
    assert said.seconds >= nothing.seconds
