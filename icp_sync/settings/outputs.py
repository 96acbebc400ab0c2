"""Which of our fields a connection carries, and the property each has there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

from pydantic import Field, field_validator

from icp_sync.domain.standing import FIELDS
from icp_sync.settings.parts import Part

NATIVES: Mapping[str, Mapping[str, str]] = {
    "hubspot": {
        "owner": "hubspot_owner_id",
        "native_tier": "hs_ideal_customer_profile",
        "target_account": "hs_is_target_account",
    },
    "salesforce": {"owner": "OwnerId"},
}
"""CRM → logical field → the CRM's own property. HubSpot: default company properties, knowledge base.
Salesforce: Account in the Object Reference; it has no tier or mark of its own."""

_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,99}")
_RESERVED = ("hs_", "hubspot_")  # HubSpot's own properties begin so
_MARK = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}")
_API_NAME = re.compile(r"(?=.{1,43}$)[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*__c")
_FORMS = {
    "hubspot": (
        _PROPERTY,
        "lower-case letters, digits and underscores, beginning with a letter, at most 100",
    ),
    "salesforce": (
        _API_NAME,
        "the API name of a custom field: letters, digits and single underscores, at most 40, and __c",
    ),
}


class Outputs(Part):
    """Names and number of the fields written. The CRM's own properties are written only when named here."""

    prefix: str = Field("icp_", description="Before the logical name: icp_tier; on Salesforce ICP_Tier__c.")
    footprint: Literal["full", "minimal"] = Field(
        "full", description="minimal: tier, score, certainty, flags, reasons, lane and the seal."
    )
    names: dict[str, str] = Field({}, description="Logical name → property, where the prefix does not do.")
    owner: bool = Field(False, description="Write the CRM's own owner, in mode route.")
    native_tier: bool = Field(False, description="Write the CRM's own ICP tier.")
    target_account: bool = Field(False, description="Write the CRM's own target-account mark.")
    group: str = Field("icp_fit", description="The property group that holds our properties on HubSpot.")

    views_prefix: str = Field("ICP", description="What the names of reps' views begin with.")

    @field_validator("views_prefix")
    @classmethod
    def _views_prefix(cls, prefix: str) -> str:
        if not _MARK.fullmatch(prefix):
            raise ValueError("views_prefix is a letter and at most 11 letters and digits behind it")
        return prefix

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

    def check(self, crm: str) -> None:
        """Raises ValueError for what this CRM cannot carry."""
        switched_on = {name for name in NATIVES["hubspot"] if getattr(self, name)}
        if absent := sorted(switched_on - NATIVES[crm].keys()):
            raise ValueError(f"{crm} has no {' and no '.join(absent)} of its own; leave it false")
        chosen = self.field_properties(crm)
        refuse_unfit(chosen, crm, natives={name for name in chosen if FIELDS[name].native})

    def field_properties(self, crm: str) -> dict[str, str]:
        """Logical field → property, in the order of `FIELDS`; the CRM's own ones only where switched on."""
        chosen = {}
        for field in FIELDS.values():
            if field.native:
                if getattr(self, field.name):
                    chosen[field.name] = NATIVES[crm][field.name]
            elif field.minimal or self.footprint == "full":
                chosen[field.name] = self.names.get(field.name) or self.named(field.name, crm)
        return chosen

    def named(self, name: str, crm: str) -> str:
        """The property that a field of ours has by its prefix."""
        return _named(self.prefix + name, crm)


def refuse_unfit(chosen: Mapping[str, str], crm: str, *, natives: Collection[str] = ()) -> None:
    """Raises ValueError for a property this CRM cannot have, or that two fields would share.

    natives: the fields that are the CRM's own, whose properties have names of theirs.
    """
    form, said = _FORMS[crm]
    holders: dict[str, list[str]] = {}
    for name, target in chosen.items():
        holders.setdefault(target.lower(), []).append(name)
        if name in natives:
            continue
        if not form.fullmatch(target):
            raise ValueError(f"{name} cannot be '{target[:100]}': {said}")
        if target.startswith(_RESERVED):
            raise ValueError(f"{name} cannot be '{target}': the CRM's own properties begin so")
    clashes = [f"{' and '.join(names)} as '{p}'" for p, names in holders.items() if len(names) > 1]
    if clashes:
        raise ValueError(f"two fields would share one property: {'; '.join(clashes)}")


def _named(name: str, crm: str) -> str:
    """A field's name as the CRM's people would write it: icp_fit_score, ICP_Fit_Score__c."""
    if crm != "salesforce":
        return name
    words = ("ICP" if word == "icp" else word[:1].upper() + word[1:] for word in name.split("_"))
    return "_".join(words) + "__c"
