"""The pages of vendors and of the audit."""

from __future__ import annotations

from sqlalchemy import text

from icp_sync.console.pages.audit import LIMIT
from icp_sync.journal.bought import VendorState
from tests.console.conftest import Console, until
from tests.console.crafting import NOW

VENDOR = "public_companies"


def counted(console: Console, page: str, waits: str) -> str:
    until(lambda: waits not in console.get(page).text, page)
    return console.get(page).text


def test_a_source_is_shown_with_health_figures_and_what_leaves_to_it(console: Console) -> None:
    shown = counted(console, "vendors", "are being looked at")
    assert VENDOR in shown
    assert "leaves to it" in shown
    assert "nothing" in shown
    assert "% <span" in shown


def test_what_a_source_cost_is_a_chart_by_day(console: Console) -> None:
    journal, now = console.journal, console.wired.parts.clock()
    for day in range(3):
        at = now - day * 86_400
        with journal.engine.begin() as conn:
            row = {"c": journal.connection, "e": VENDOR, "d": int(at // 86_400), "a": 2.5 + day}
            conn.execute(
                text("INSERT INTO spending (connection, enricher, day, amount) VALUES (:c, :e, :d, :a)"), row
            )
    assert journal.spent_by_day(now - 90 * 86_400)[VENDOR][int(now // 86_400)] == 2.5
    assert "Credits by day" in counted(console, "vendors", "are being looked at")
    assert "4.5" in console.get("vendors").text


def test_a_source_that_refuses_us_says_why_in_words(console: Console) -> None:
    now = console.wired.parts.clock()
    state = VendorState(failures=1, open_until=now + 9_000, kind="no_credit", message="<b>402</b>", at=now)
    console.journal.save_vendor(VENDOR, state, now=now)
    shown = counted(console, "vendors", "are being looked at")
    assert "it has no credits left (&lt;b&gt;402&lt;/b&gt;)" in shown
    assert "left alone until" in shown


def test_the_audit_is_told_newest_first_and_page_by_page(console: Console) -> None:
    for n in range(LIMIT + 2):
        console.journal.audit(f"act {n}", who="<i>eve</i>", now=NOW + n, note=f"note {n}")
    shown = counted(console, "audit", "is being walked along")
    assert "The chain holds" in shown
    assert "&lt;i&gt;eve&lt;/i&gt;" in shown
    assert shown.index(f"act {LIMIT + 1}<") < shown.index("act 2<")
    assert "act 1<" not in shown
    oldest = console.journal.audit_page(limit=LIMIT)[-1].seq
    assert f"?before={oldest}" in shown
    assert "act 1<" in console.get(f"audit?before={oldest}").text
    assert console.get("audit?before=x").status_code == 200


def test_a_chain_that_does_not_hold_is_said_aloud(console: Console) -> None:
    first = console.journal.audit("mode", who="ada", now=NOW, mode="write")
    console.journal.audit("mode", who="ada", now=NOW, mode="route")
    with console.journal.engine.begin() as conn:
        conn.execute(text("UPDATE audit SET who = 'eve' WHERE seq = :seq"), {"seq": first})
    shown = counted(console, "audit", "is being walked along")
    assert f"The chain is broken at entry {first}" in shown
    assert 'role="alert"' in shown


def test_what_is_done_in_the_console_is_in_its_audit(console: Console) -> None:
    console.journal.request_backfill("a new profile", NOW)
    console.post("backfill/pause", "backfill")
    shown = console.get("audit").text
    assert "run --pause" in shown
    assert "via console" in shown
