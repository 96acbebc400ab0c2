"""The sales team in files: territory tables, lists of named accounts, absences → the domain's `Tables`.

`load_tables` raises ConfigError with one Problem per mistake, each at file:row. `LiveTables` reads again
when a file changes and keeps the last good ones when what it then finds is wrong. Reads no CRM, no journal.
"""

from __future__ import annotations

from icp_sync.roster_file.live import LiveTables
from icp_sync.roster_file.loading import ABSENCES, load_tables, table_names
from icp_sync.roster_file.overlaps import never_reached

__all__ = ["ABSENCES", "LiveTables", "load_tables", "never_reached", "table_names"]
