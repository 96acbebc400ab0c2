"""The admin console beside the worker, where somebody wants it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from icp_sync.cli.acting import who
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.console.place import Place
    from icp_sync.daemon.portal import Portal
    from icp_sync.settings import Settings


def answering(
    listen: str, settings: Settings, portals: Callable[[], Sequence[Portal]]
) -> AbstractContextManager[str]:
    """Serves the console until the block ends, for the connections there are whenever somebody looks. Raises
    ConfigError where it cannot."""
    try:
        from icp_sync.console.serving import serving
    except ImportError as error:
        what = f"the console needs more than is installed: {error}"
        raise ConfigError(
            [Problem(where="console", what=what)], next_step="pip install 'icp-sync[console]'"
        ) from error

    known: dict[str, Place] = {}

    def places() -> list[Place]:
        """One for each connection, the same one for as long as it is there."""
        latest = {portal.name: portal for portal in portals()}
        for name, portal in latest.items():
            if name not in known:
                known[name] = _place(name, portal, settings, portals)
        return [known[name] for name in latest]

    return serving(places, settings.console, listen, somebody=who(), clock=time.time)


def _place(name: str, first: Portal, settings: Settings, portals: Callable[[], Sequence[Portal]]) -> Place:
    """A connection may be replaced by one of the same name, and for a moment there is none: then the last."""
    from icp_sync.console.place import Place

    last = [first]

    def portal() -> Portal:
        last[0] = next((one for one in portals() if one.name == name), last[0])
        return last[0]

    return Place(
        name=name,
        settings=settings,
        wired=lambda: portal().wired,
        halted=lambda: str(portal().halted or ""),
    )
