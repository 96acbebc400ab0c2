"""The limits of a connection: what is used, by whom, what is left to others. Asks nobody."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from icp_sync.wiring.crms import limits_of

if TYPE_CHECKING:
    from icp_sync.journal import Journal
    from icp_sync.settings import Connection

Data = dict[str, Any]


def limits(connection: Connection, journal: Journal) -> list[Data]:
    """Every limit of the connection as plain data; spans are seconds, null is unknown."""
    return [asdict(standing) for standing in limits_of(connection, journal)]
