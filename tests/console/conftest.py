"""A console that really runs: on a port, over the journal of a portal that was read and written once.

Each test has a copy of the journal.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from icp_sync.console.place import Place
from icp_sync.console.serving import serving
from icp_sync.journal import Journal
from icp_sync.settings.console import ConsoleServer
from icp_sync.wiring import Wired, wire
from tests.console.portal import Portal, settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
REQUIRED = "ICP_SYNC_REQUIRE_BROWSER"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(kw_only=True)
class Console:
    """A client of the console, with cookies. connection: the name of its only connection."""

    url: str
    journal: Journal
    wired: Wired
    connection: str
    session: requests.Session = field(default_factory=requests.Session)

    def at(self, path: str) -> str:
        """An address below the connection ("runs"), or from the root ("/login")."""
        return self.url + (path if path.startswith("/") else f"/c/{self.connection}/{path}")

    def get(self, path: str = "", **arguments: Any) -> requests.Response:
        return self.session.get(self.at(path), timeout=30, **arguments)

    def csrf(self, page: str) -> str:
        """What the forms of a page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        assert found, f"no form on {page}"
        return found[1]

    def post(self, path: str, page: str, **form: str) -> requests.Response:
        """Send a form of a page; what is answered after following where it leads."""
        sent = {"csrf": self.csrf(page), **form}
        return self.session.post(self.at(path), data=sent, timeout=30)

    def counted(self) -> None:
        """Wait until the figures were counted once."""
        until(lambda: "being counted" not in self.get("now").text, "the figures")


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with settled(tmp_path_factory.mktemp("console"), accounts=150) as made:
        yield made


Serve = Callable[..., Console]


@pytest.fixture
def serve(portal: Portal, tmp_path: Path) -> Iterator[Serve]:
    """Starts a console with these keys of its settings; `listen` is where, `halted` why its worker does
    nothing any more."""
    with ExitStack() as stack:

        def started(listen: str = "127.0.0.1:0", halted: str = "", **said: Any) -> Console:
            settings = portal.settings(tmp_path)
            wired = wire(settings)
            stack.callback(wired.journal.close)
            place = Place(name=wired.name, settings=settings, wired=lambda: wired, halted=lambda: halted)
            url = stack.enter_context(
                serving([place], ConsoleServer.model_validate(said), listen, somebody="test", clock=time.time)
            )
            return Console(url=url.rstrip("/"), journal=wired.journal, wired=wired, connection=wired.name)

        yield started


@pytest.fixture
def console(serve: Serve) -> Console:
    """One on loopback where everybody is an approver."""
    return serve(local="approver")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium. Without one its tests are left out, or fail where ICP_SYNC_REQUIRE_BROWSER is set."""
    path = next((one for one in CHROMIUM if Path(one).exists()), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        if os.environ.get(REQUIRED):
            pytest.fail("Chromium is required here and is not installed")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield made
        made.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in which whatever the console of the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    complaints: list[str] = []
    made.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert complaints == []
