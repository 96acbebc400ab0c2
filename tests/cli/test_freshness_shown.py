"""A real change, polled by the real command: `status` says how fresh, and the day and the alerts are kept."""

from __future__ import annotations

import pytest

from icp_sync.journal import Journal
from tests.cli.conftest import Place


@pytest.fixture
def followed(fresh: Place) -> Place:
    """A connection in mode write whose changes are followed."""
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    fresh.run("mode", "write")
    fresh.settle()
    fresh.run("run", "--once")
    return fresh


def test_a_change_is_measured_told_by_status_and_kept_of_the_day(followed: Place) -> None:
    assert followed.json("status")["freshness"]["hour"]["accounts"] == 0
    assert "changed accounts" not in followed.run("status").stdout
    followed.crm.admin(
        "POST create",
        properties={"name": "New", "domain": "new.example", "country": "France", "numberofemployees": "5000"},
    )
    followed.crm.admin("POST clock", advance=30)
    followed.run("run", "--once")
    for span in ("hour", "day"):
        found = followed.json("status")["freshness"][span]
        assert found["accounts"] == 1
        assert 25 < found["p50"] <= found["p95"]
        assert found["bought"] == {"p50": None, "p95": None, "accounts": 0}
    assert "last hour: half of 1 changed accounts written within" in followed.run("status").stdout
    journal = Journal.open(f"sqlite:///{followed.folder}/journal.sqlite", "main")
    [today] = journal.days()
    journal.close()
    assert today.data["freshness"]["accounts"] == 1
    assert today.data["tiers"] == followed.json("status")["tiers"]
    assert today.data["calls"] > 0


def test_what_the_settings_call_too_much_is_an_alert_of_status(followed: Place) -> None:
    config = followed.config.read_text()
    followed.config.write_text(f'{config}\n[connections.main.alerts]\nrefused_floor = 1\nrefused = "0%"\n')
    followed.run("run", "--once")
    assert followed.json("status")["alerts"] == []
    followed.config.write_text(f'{config}\n[connections.main.alerts]\nrefused = "1"\n')
    assert "a share is wanted" in followed.run("status", code=2).output
