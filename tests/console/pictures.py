"""`python -m tests.console.pictures FOLDER`: every page of the console as a picture, light and dark.

Of a simulated portal that lived for three weeks: each day people edit companies and the engine follows. What
the pictures show was all made by the engine; only the calendar is turned by hand.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.cli.demo.world import World, simulated
from icp_sync.console.place import Place
from icp_sync.console.rendering import PAGES
from icp_sync.console.serving import serving
from icp_sync.domain.standing import Mode, instant_text
from icp_sync.journal import Journal
from icp_sync.observe import configure_logs
from icp_sync.ports import Stream
from icp_sync.profile_file import load_all
from icp_sync.settings import load
from icp_sync.sync.cycle import cycle
from icp_sync.sync.daily import keep_today
from icp_sync.wiring import Wired, wire
from tests.console.conftest import CHROMIUM, QUIET

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAYS, EDITS, DAY = 21, 40, 86_400
SIZE = {"width": 1280, "height": 860}


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@contextmanager
def lived(folder: Path, accounts: int) -> Iterator[Wired]:
    """A connection whose journal holds three weeks that end now."""
    configure_logs(level="critical")
    clock = Clock(time.time() - DAYS * DAY)
    with simulated(folder, crm="hubspot", accounts=accounts, seed=1) as world:
        world.control("clock", freeze=True, at=instant_text(clock.now))
        profile = _own_profile(world)
        wired = wire(load(world.config), clock=clock, create_seal=True)
        loaded = load_all(wired.settings.profiles, types=wired.types)
        wired.crm.provision(wired.blueprint(tuple(one.profile for one in loaded)), apply=True)
        wired.journal.bind(wired.crm.identity().id, crm=wired.crm.kind, now=clock.now)
        documents = [(one.path.name, one.text) for one in loaded]
        wired.journal.activate(documents, now=clock.now, note="the first one")
        wired.journal.set_mode(Mode.ROUTE, now=clock.now)
        cycle(Stream.BACKFILL, wired.parts)
        for day in range(DAYS + 1):
            _worked(world, wired, day)
            keep_today(wired.journal, wired.journal.stood(), now=clock.now)
            if day < DAYS:
                clock.now += DAY - 45
                world.control("clock", advance=DAY - 45)
        profile.write_text(profile.read_text().replace("A: 85", "A: 78"))  # somebody is about to change it
        try:
            yield wired
        finally:
            wired.journal.close()


def _own_profile(world: World) -> Path:
    """A copy of the profile, where it may be edited."""
    text = world.config.read_text()
    shipped = Path(text.partition('profiles = ["')[2].partition('"')[0])
    own = world.folder / shipped.name
    own.write_text(shipped.read_text())
    world.config.write_text(text.replace(shipped.as_posix(), own.as_posix()))
    return own


def _worked(world: World, wired: Wired, seed: int) -> None:
    """A day on which people edit companies, now and then a tier, and the streams run."""
    chance = random.Random(seed)
    ids = wired.journal.live_ids_page("", 2_000)
    for record in chance.sample(ids, EDITS):
        values = {"numberofemployees": str(chance.randint(5, 3_000))}
        world.control("edit", id=record, properties=values)
    if seed % 4 == 1:
        world.control("edit", id=chance.choice(ids), properties={"icp_tier": "A"})
    clock = wired.parts.clock
    assert isinstance(clock, Clock)
    clock.now += 45
    world.control("clock", advance=45)
    for stream in (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP):
        cycle(stream, wired.parts)


def taken(page: Page, url: str, journal: Journal, folder: Path, *, whole: bool) -> None:
    """Pictures of every page, each light and dark. whole: also what is below the screen's edge."""
    account = next(row for row in journal.evaluable_page("", 2_000) if '"B"' in row.previous).id
    run = next(run.id for run in journal.runs(50) if run.report.get("written"))
    pages = {address: "" if address == "overview" else address for address, _ in PAGES}
    pages |= {"account": f"accounts/{account}", "run": f"runs/{run}"}
    for path in pages.values():  # what is counted beside the requests is counted then
        page.goto(url + path, wait_until="load")
    page.wait_for_timeout(8_000)
    for look in ("light", "dark"):
        page.emulate_media(color_scheme=look)  # type: ignore[arg-type]
        for name, path in pages.items():
            page.goto(url + path, wait_until="load")
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"{name}-{look}.png", full_page=whole)


def main() -> None:
    from playwright.sync_api import sync_playwright

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--accounts", type=int, default=600)
    options.add_argument("--screen", action="store_true", help="only what a screen shows, as README does")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    chromium = next(one for one in CHROMIUM if Path(one).exists())
    with (
        tempfile.TemporaryDirectory() as folder,
        lived(Path(folder), chosen.accounts) as wired,
        sync_playwright() as playwright,
    ):
        settings = load(Path(folder) / "icp-sync.toml")
        place = Place(name=wired.name, settings=settings, wired=lambda: wired)
        with serving([place], settings.console, "127.0.0.1:0", somebody="ada", clock=time.time) as url:
            time.sleep(3)
            browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
            context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
            pages = f"{url}c/{wired.name}/"
            taken(context.new_page(), pages, wired.journal, chosen.folder, whole=not chosen.screen)
            browser.close()


if __name__ == "__main__":
    main()
