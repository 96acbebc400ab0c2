"""The page of the backfill: how far, forecast and actual; begun, paused, let go on and cancelled there."""

from __future__ import annotations

import time

import pytest

from icp_sync.ports import Position
from icp_sync.reporting.backfilling import backfilling
from icp_sync.reporting.opened import Opened
from icp_sync.settings import load
from icp_sync.sync.backfill import halted
from icp_sync.sync.cycle import PURPOSE
from tests.console.conftest import Console, Serve
from tests.console.crafting import NOW
from tests.console.portal import Portal
from tests.console.test_access import USERS, log_in

BEGIN, GO_ON, AGAIN = "Begin a backfill", "Let it go on", "Begin again"


def under_way(console: Console, read: int = 50) -> str:
    """A pass that has read so many accounts, in a run that goes on. A run's id tells the second it began, so
    it begins in the next one."""
    journal, now = console.journal, time.time() + 1.0
    lease = journal.lease("backfill", holder="test", now=now)
    assert lease is not None
    run = journal.start_run("backfill", now=now, detail={"apply": True})
    for name, position in (("backfill", Position(last_id="1")), (PURPOSE, Position(last_id="test"))):
        journal.commit([], gone={}, position=position, stream=name, lease=lease, run=run, now=now)
    journal.report_run(run, {"apply": True, "read": read, "spared": 0, "written": read, "unchanged": 0})
    return run


def test_one_that_ended_says_so_and_can_be_begun_again(console: Console) -> None:
    console.counted()
    shown = console.get("backfill").text
    assert "finished" in shown
    assert "100.0 %" in shown
    assert BEGIN in shown
    assert "Forecast and actual" in shown


def test_one_under_way_shows_how_far_and_how_long_still(console: Console) -> None:
    console.counted()
    run = under_way(console)
    shown = console.get("backfill/now").text
    assert "under way" in shown
    assert "<b>50</b> of 150 accounts, 33.3 %" in shown
    assert f"runs/{run}" in shown
    assert BEGIN not in shown
    assert "Going on" in console.get(f"runs/{run}").text


def test_what_is_left_is_reckoned_at_the_rate_so_far(console: Console, portal: Portal) -> None:
    under_way(console)
    settings = load(portal.world.config)
    at = Opened(
        name=console.connection,
        settings=settings,
        connection=console.wired.settings,
        journal=console.journal,
    )
    now = time.time() + 31.0
    told = backfilling(at, console.wired.parts.pacing, now, 150)
    assert told["total"] == 150
    assert told["forecast"]["basis"] == "read"
    assert told["forecast"]["changed"] == 150
    assert told["forecast"]["so_far"]["calls"]["reads"] == 2
    assert told["eta"] == pytest.approx(60.0, rel=0.05)


def test_begun_from_the_page_it_is_a_request_of_the_worker_and_there_is_only_one(console: Console) -> None:
    assert "begins with it in a moment" in console.post("backfill/start", "backfill").text
    asked = console.journal.requests("waiting")[0]
    assert (asked.kind, asked.by, asked.args["restart"], asked.args["limit"]) == (
        "backfill",
        "test",
        False,
        None,
    )
    assert "waits for the worker" in console.get("backfill/now").text
    assert "is asked for already" in console.post("backfill/start", "backfill").text
    assert "is asked for already" in console.post("backfill/restart", "backfill").text
    assert len(console.journal.requests()) == 1


def test_a_request_is_cancelled_once(console: Console) -> None:
    console.post("backfill/start", "backfill")
    request = console.journal.requests("waiting")[0].id
    assert "ends after the page it is at" in console.post("backfill/cancel", "backfill", request=request).text
    assert console.journal.requests("waiting") == []
    assert "is cancelled already" in console.post("backfill/cancel", "backfill", request=request).text
    assert "no such request" in console.post("backfill/cancel", "backfill", request="x").text


def test_another_kind_of_request_is_not_cancelled_here(console: Console) -> None:
    undo = console.journal.ask("undo", {"run": "x"}, by="ada", now=NOW)
    assert "no such request" in console.post("backfill/cancel", "backfill", request=undo).text
    assert [one.id for one in console.journal.requests("waiting")] == [undo]


def test_a_pause_holds_until_somebody_lets_it_go_on(console: Console) -> None:
    console.journal.request_backfill("a new profile", NOW)
    assert "Paused" in console.post("backfill/pause", "backfill").text
    assert halted(console.journal) == "paused by test"
    shown = console.get("backfill/now").text
    assert "paused by test" in shown
    assert GO_ON in shown
    assert AGAIN in shown
    assert "paused by test already" in console.post("backfill/pause", "backfill").text
    assert "goes on in a moment" in console.post("backfill/resume", "backfill").text
    assert halted(console.journal) == ""
    assert console.journal.requests() == [], "the change itself asks for it"
    whats = [one.what for one in console.journal.audit_page(limit=2)]
    assert whats == ["run --backfill --resume", "run --pause"]


def test_one_somebody_had_asked_for_goes_on_as_a_request(console: Console) -> None:
    under_way(console)
    console.post("backfill/pause", "backfill")
    console.post("backfill/resume", "backfill")
    assert console.journal.requests("waiting")[0].args["resume"] is True


def test_with_nothing_to_pause_or_let_go_on_it_says_so(console: Console) -> None:
    console.post("backfill/pause", "backfill")
    assert "No backfill is asked for or under way" in console.post("backfill/pause", "backfill").text
    assert "No backfill is paused" in console.post("backfill/resume", "backfill").text
    assert console.journal.backfill_paused() is None


def test_while_it_is_halted_it_is_not_simply_begun(console: Console) -> None:
    console.journal.request_backfill("a new profile", NOW)
    console.journal.pause_backfills(by="ada", now=NOW)
    assert "waits for a person" in console.post("backfill/start", "backfill").text
    assert console.journal.requests() == []


@pytest.mark.parametrize(
    ("name", "offered"), [("ben", (False, False)), ("cy", (True, False)), ("ada", (True, True))]
)
def test_operators_let_it_go_on_and_approvers_begin_again(
    serve: Serve, name: str, offered: tuple[bool, bool]
) -> None:
    console = serve(users=USERS)
    console.journal.request_backfill("a new profile", NOW)
    console.journal.pause_backfills(by="ada", now=NOW)
    log_in(console, name)
    shown = console.get("backfill").text
    assert (GO_ON in shown, AGAIN in shown) == offered
