"""The admin console beside the worker, where somebody wants it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from icp_sync.cli.acting import who
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.daemon.portal import Portal
    from icp_sync.settings import Settings


def answering(listen: str, settings: Settings, portals: Sequence[Portal]) -> AbstractContextManager[str]:
    """Serves the console for these connections until the block ends. Raises ConfigError where it cannot."""
    try:
        from icp_sync.console.place import Place
        from icp_sync.console.serving import serving
    except ImportError as error:
        what = f"the console needs more than is installed: {error}"
        raise ConfigError(
            [Problem(where="console", what=what)], next_step="pip install 'icp-sync[console]'"
        ) from error

    def place(portal: Portal) -> Place:
        return Place(
            name=portal.name,
            settings=settings,
            wired=lambda: portal.wired,
            halted=lambda: str(portal.halted or ""),
        )

    return serving(
        [place(portal) for portal in portals], settings.console, listen, somebody=who(), clock=time.time
    )
