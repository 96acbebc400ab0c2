"""One connection as the console knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from icp_sync.journal import Journal
from icp_sync.reporting.opened import Opened
from icp_sync.settings import Settings
from icp_sync.wiring import Wired


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """wired: the connection's objects as the worker has them now. halted: why the worker does nothing for it
    any more, "" while it does."""

    name: str
    settings: Settings
    wired: Callable[[], Wired]
    halted: Callable[[], str] = lambda: ""

    @property
    def journal(self) -> Journal:
        return self.wired().journal

    @property
    def opened(self) -> Opened:
        now = self.wired()
        return Opened(name=self.name, settings=self.settings, connection=now.settings, journal=now.journal)
