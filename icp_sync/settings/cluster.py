"""How workers on several machines share the connections of one journal on PostgreSQL."""

from __future__ import annotations

from pydantic import Field

from icp_sync.settings.parts import Part, Seconds, duration


class Cluster(Part):
    """Of `icp-sync worker`. Every worker of a journal should have the same."""

    jobs: int = Field(64, ge=1, le=500, description="Short cycles one worker runs at once.")
    long: int = Field(4, ge=1, le=50, description="Backfills, ranges of them and sweeps it runs at once.")
    share: int = Field(4, ge=1, le=200, description="Of each, the most for one connection.")
    lease: Seconds = Field(duration("60s"), description="After it another takes over from one that vanished.")
    partitions: int = Field(8, ge=1, le=64, description="Ranges of ids a backfill is cut into.")
