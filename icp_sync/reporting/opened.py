"""One connection as far as the journal and the settings know it; no CRM is talked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import Journal
    from icp_sync.settings import Connection, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One connection's settings and journal, for commands that need no CRM."""

    name: str
    settings: Settings
    connection: Connection
    journal: Journal
