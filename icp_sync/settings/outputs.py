"""Which of our fields a connection carries, and the property each has there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from icp_sync.domain.standing import FIELDS
from icp_sync.settings.parts import Part

NATIVES: Mapping[str, Mapping[str, str]] = {
    "hubspot": {
        "owner": "hubspot_owner_id",
        "native_tier": "hs_ideal_customer_profile",
        "target_account": "hs_is_target_account",
    }
}
"""CRM → logical field → the CRM's own property. HubSpot: default company properties, knowledge base."""

_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,99}")
_RESERVED = ("hs_", "hubspot_")  # the vendor's own properties begin so


class Outputs(Part):
    """Names and number of the fields written. The CRM's own properties are written only when named here."""

    prefix: str = Field("icp_", description="Before the logical name: icp_tier.")
    footprint: Literal["full", "minimal"] = Field(
        "full", description="minimal: tier, score, certainty, flags, reasons, lane and the seal."
    )
    names: dict[str, str] = Field({}, description="Logical name → property, where the prefix does not do.")
    owner: bool = Field(False, description="Write the CRM's own owner, in mode route.")
    native_tier: bool = Field(False, description="Write the CRM's own ICP tier.")
    target_account: bool = Field(False, description="Write the CRM's own target-account mark.")
    group: str = Field("icp_fit", description="The property group that holds our properties.")

    @field_validator("group")
    @classmethod
    def _group(cls, group: str) -> str:
        if not _PROPERTY.fullmatch(group):
            raise ValueError(
                "a group is lower-case letters, digits and underscores, and begins with a letter"
            )
        return group

    @field_validator("names")
    @classmethod
    def _names(cls, names: dict[str, str]) -> dict[str, str]:
        ours = [field.name for field in FIELDS.values() if not field.native]
        unknown = [name for name in names if name not in ours]
        if unknown:
            raise ValueError(f"no field of ours is called {', '.join(unknown)}; there are {', '.join(ours)}")
        return names

    @model_validator(mode="after")
    def _properties(self) -> Outputs:
        holders: dict[str, list[str]] = {}
        for name, target in self.field_properties().items():
            holders.setdefault(target, []).append(name)
            if FIELDS[name].native:
                continue
            if not _PROPERTY.fullmatch(target):
                raise ValueError(
                    f"{name} cannot be the property '{target[:100]}': lower-case letters, digits and "
                    "underscores, beginning with a letter, at most 100"
                )
            if target.startswith(_RESERVED):
                raise ValueError(f"{name} cannot be '{target}': the CRM's own properties begin so")
        clashes = [f"{' and '.join(names)} as '{p}'" for p, names in holders.items() if len(names) > 1]
        if clashes:
            raise ValueError(f"two fields would share one property: {'; '.join(clashes)}")
        return self

    def field_properties(self, crm: str = "hubspot") -> dict[str, str]:
        """Logical field → property, in the order of `FIELDS`; the CRM's own ones only where switched on."""
        natives = NATIVES[crm]
        switched_on = {"owner": self.owner, "native_tier": self.native_tier}
        switched_on["target_account"] = self.target_account
        chosen = {}
        for field in FIELDS.values():
            if field.native:
                if switched_on[field.name]:
                    chosen[field.name] = natives[field.name]
            elif field.minimal or self.footprint == "full":
                chosen[field.name] = self.names.get(field.name, self.prefix + field.name)
        return chosen
