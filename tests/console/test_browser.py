"""The console in a real Chromium: each page light and dark, wide and narrow, with and without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import Console
from tests.console.test_access import PASSWORD, USERS
from tests.console.visiting import paths

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.console.conftest import Serve

NARROW, WIDE = {"width": 375, "height": 760}, {"width": 1280, "height": 900}
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
