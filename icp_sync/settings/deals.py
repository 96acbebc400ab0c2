"""Whether deals are read into the journal, and whether they are stamped with how their company stood."""

from __future__ import annotations

from pydantic import Field, field_validator

from icp_sync.domain.stamp import STAMP
from icp_sync.settings.backfill import Wait
from icp_sync.settings.outputs import Outputs, refuse_unfit
from icp_sync.settings.parts import Part, Seconds, duration


class Deals(Part):
    """Deals are read so that outcomes can be told by tier; a stamp shows it in the CRM's own reports."""

    follow: bool = Field(False, description="Read deals into the journal; `stamp` does so by itself.")
    stamp: bool = Field(
        False, description="In mode write: put tier, score and profile on a deal once, when it is created."
    )
    every: Seconds = Field(duration("10m"), description="How often new and changed deals are read.")
    grace: Wait = Field(
        duration("1d"),
        description="How long after a deal was created a first verdict on its company still counts, while it "
        "is open; 0: only what was known at that moment.",
    )
    names: dict[str, str] = Field(
        {}, description="tier, score, profile → property of the deal, where the prefix does not do."
    )

    @field_validator("names")
    @classmethod
    def _names(cls, names: dict[str, str]) -> dict[str, str]:
        if unknown := [name for name in names if name not in STAMP]:
            raise ValueError(f"a deal has no {', '.join(unknown)} of ours; there are {', '.join(STAMP)}")
        return names

    @property
    def followed(self) -> bool:
        return self.follow or self.stamp

    def properties(self, outputs: Outputs, crm: str) -> dict[str, str]:
        """Field of the stamp → property of the deal: icp_tier_at_creation; ICP_Tier_at_Creation__c."""
        usual = {name: outputs.named(name + "_at_creation", crm) for name in STAMP}
        shown = {name: made.replace("_At_Creation__c", "_at_Creation__c") for name, made in usual.items()}
        return {**shown, **self.names}

    def check(self, outputs: Outputs, crm: str) -> None:
        """Raises ValueError for a property this CRM cannot have."""
        refuse_unfit(self.properties(outputs, crm), crm)
