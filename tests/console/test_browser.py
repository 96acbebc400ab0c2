"""The console in a real Chromium: each page light and dark, wide and narrow, with and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import Console
from tests.console.crafting import held, settle
from tests.console.test_access import PASSWORD, USERS
from tests.console.visiting import paths

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from tests.console.conftest import Serve

NARROW, WIDE = {"width": 375, "height": 760}, {"width": 1280, "height": 900}
LINES = """cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set([...range.getClientRects()].map(one => Math.round(one.top))).size;
}"""
"""On how many lines the text of an element stands."""
LOOKS = [(look, size) for look in ("light", "dark") for size in ("wide", "narrow")]


@pytest.mark.parametrize(("look", "size"), LOOKS)
def test_every_page_is_readable_and_runs_nothing_of_a_crm(
    console: Console, page: Page, look: str, size: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    console.counted()
    page.emulate_media(color_scheme=look)  # type: ignore[arg-type]
    page.set_viewport_size(WIDE if size == "wide" else NARROW)  # type: ignore[arg-type]
    found = []
    for path in paths(console.journal):
        reply = page.goto(console.at(path), wait_until="load")
        assert reply is not None
        assert reply.status == 200, path
        assert page.evaluate("window.pwned") is None, path
        assert page.evaluate("document.querySelectorAll('main script:not([type]), main iframe').length") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], path  # type: ignore[index]
        assert page.locator("h1").count() == 1, path
        said = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        found += [f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in said]
    assert found == []


def test_every_page_is_there_without_javascript(console: Console, browser: Browser) -> None:
    console.counted()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in paths(console.journal):
        reply = page.goto(console.at(path))
        assert reply is not None
        assert reply.status == 200
        assert len(page.locator("main").inner_text()) > 40, path
    context.close()


def test_the_overview_counts_again_by_itself(console: Console, page: Page) -> None:
    page.goto(console.at(""))
    page.wait_for_selector("#c-tiers", timeout=30_000)
    with page.expect_response(lambda reply: reply.url.endswith("/now"), timeout=30_000):
        pass
    assert page.locator("#c-tiers").count() == 1


def test_a_keyboard_reaches_the_pages_and_skips_to_the_content(console: Console, page: Page) -> None:
    page.goto(console.at(""))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto(console.at(""))
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Runs":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs")


def test_logging_in_and_out(serve: Serve, page: Page) -> None:
    console = serve(users=USERS)
    page.goto(console.at("runs"))
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")


def test_a_chart_is_drawn_from_its_data_and_stands_beside_as_a_table(console: Console, page: Page) -> None:
    now = 1_790_000_000.0
    for day in range(3):
        tiers = {"A": 10 + day, "B": 20, "Needs data": 5}
        console.journal.keep_day(
            {"tiers": tiers, "freshness": {"p50": 30, "p95": 60}}, now=now + day * 86_400
        )
    console.counted()
    page.goto(console.at(""))
    page.wait_for_selector("#tiers-over-time canvas")
    page.locator("#tiers-over-time summary").click()
    assert "12" in page.locator("#tiers-over-time details table").inner_text()


def test_a_poll_that_fails_leaves_the_page_as_it_is_and_the_next_one_mends_it(
    console: Console, browser: Browser
) -> None:
    console.counted()
    console.post("backfill/start", "backfill")  # one that waits is looked at every five seconds
    context = browser.new_context()
    page = context.new_page()
    statuses = [503, 404]

    def answer(route: Route) -> None:
        if statuses:
            route.fulfill(
                status=statuses.pop(0), content_type="text/html", body="<h1>Something is wrong</h1>"
            )
        else:
            route.continue_()

    page.route("**/backfill/now", answer)
    page.clock.install()
    page.goto(console.at("backfill"))
    for status in (503, 404, 200):
        with page.expect_response(lambda reply: reply.url.endswith("/now"), timeout=30_000) as reply:
            page.clock.fast_forward(6_000)
        assert reply.value.status == status
        page.clock.run_for(500)
        assert page.locator("#backfill").count() == 1
        assert "waits for the worker" in page.locator("main").inner_text()
        assert "Something is wrong" not in page.locator("body").inner_text()
    context.close()


def test_names_break_only_where_they_must_and_no_page_is_wider_than_a_phone(
    console: Console, page: Page
) -> None:
    settle(console.journal, held("90", key=f"{'W' * 60} → {'north-east-' * 12}"))
    console.counted()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(console.at("held"))
    page.wait_for_selector("text=north-east")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.goto(console.at(""))
    page.wait_for_selector("#c-streams")
    names = page.locator("[aria-labelledby=c-streams] tbody th")
    assert names.count() > 3
    for name in names.all():
        lines = name.evaluate(LINES)
        assert lines <= len(name.inner_text().split()), name.inner_text()


def test_a_page_whose_session_has_ended_leads_to_the_login(serve: Serve, browser: Browser) -> None:
    console = serve(users=USERS)
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(console.at(""))
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#now")
    context.clear_cookies()
    page.clock.fast_forward(11_000)
    page.wait_for_url("**/login")
    context.close()
