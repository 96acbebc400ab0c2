"""The figures of a connection: counted again and again, whatever happens to one count."""

from __future__ import annotations

import time

from sqlalchemy import text

from icp_sync.console.figures import Figures
from icp_sync.console.place import Place
from icp_sync.settings import load
from tests.console.conftest import Console, until
from tests.console.portal import Portal


def test_a_count_that_fails_is_said_and_the_next_one_is_made(console: Console, portal: Portal) -> None:
    broken = [True]

    def wired() -> object:
        if broken:
            raise RuntimeError("nobody foresaw this")
        return console.wired

    place = Place(name=console.connection, settings=load(portal.world.config), wired=wired)  # type: ignore[arg-type]
    figures = Figures(place, time.time)
    figures.start()
    try:
        until(lambda: figures.failing is not None, "the failure")
        assert figures.latest is None
        broken.clear()
        figures.again()
        until(lambda: figures.latest is not None, "the count")
        assert figures.failing is None
    finally:
        figures.stop()


def test_pages_are_there_and_say_that_nothing_could_be_counted(console: Console) -> None:
    console.counted()
    with console.journal.writing("state") as conn:
        conn.execute(text("ALTER TABLE left_alone RENAME TO away"))
    console.post("backfill/start", "backfill")  # something has changed: count again
    until(lambda: "could not be counted" in console.get("now").text, "the failure is said")
    assert "those counted last" in console.get("").text
    assert "Tiers now" in console.get("").text
