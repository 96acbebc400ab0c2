"""How much may land on the CRM before a person looks."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from icp_sync.domain.guard import Limits
from icp_sync.settings.parts import Part

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*%")


def _share(raw: Any) -> Any:
    """ "5%" is 0.05."""
    match = _PERCENT.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError('a share is wanted, for example "5%"')
    return float(match[1]) / 100


Share = Annotated[float, BeforeValidator(_share)]


class Guard(Part):
    """What lands by itself; what goes beyond is held until `icp-sync apply --held`."""

    downgrades: Share = Field(0.05, description="Of the in-scope accounts, in any 24 hours.")
    floor: int = Field(20, ge=0, description="So many downgrades a day land whatever their share.")
    owner_moves: int = Field(50, ge=0, description="In any 24 hours; filling a vacancy is none.")
    exclusions: bool = Field(True, description="Hold what would become Not ICP with an open deal.")
    writes_an_hour: int = Field(6, ge=1, description="To one account; then it is put in quarantine.")
    quarantined: int = Field(
        20, ge=1, description="Accounts an hour in quarantine that stop the whole portal."
    )

    @property
    def limits(self) -> Limits:
        return Limits(
            downgrades=self.downgrades,
            floor=self.floor,
            owner_moves=self.owner_moves,
            exclusions=self.exclusions,
            writes_an_hour=self.writes_an_hour,
            quarantined=self.quarantined,
        )
