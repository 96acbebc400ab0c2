"""From when on somebody should look."""

from __future__ import annotations

from pydantic import Field

from icp_sync.settings.guard import Share
from icp_sync.settings.parts import Part, Seconds, duration


class Alerts(Part):
    """What the CRM refuses, and what waits, before it is an alert."""

    refused: Share = Field(0.01, description="Of the accounts, refused by the CRM.")
    refused_floor: int = Field(20, ge=1, description="Fewer refused accounts are none, whatever their share.")
    waiting: Seconds = Field(
        duration("24h"), description="How long a held change may wait for a person without one."
    )
