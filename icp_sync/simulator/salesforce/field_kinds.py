"""Short ways to write down a field: of which type it is, and what may be done with it."""

from __future__ import annotations

from functools import partial
from typing import TypedDict

from icp_sync.simulator.salesforce.schema import FieldDef


class Access(TypedDict):
    """What the API may do with a field."""

    createable: bool
    updateable: bool


text = partial(FieldDef, type="string")
pick = partial(FieldDef, type="picklist", length=40)
yes = partial(FieldDef, type="boolean", nillable=False)
number = partial(FieldDef, type="double")
LOCKED: Access = {"createable": False, "updateable": False}
SET_ONCE: Access = {"createable": True, "updateable": False}


def to(name: str, label: str, target: str, **more: bool) -> FieldDef:
    """A reference; `OwnerId` is followed as `Owner`."""
    relationship = name.removesuffix("Id") if name.endswith("Id") else ""
    return FieldDef(
        name=name,
        label=label,
        type="reference",
        length=18,
        reference_to=target,
        relationship=relationship,
        nillable=more.get("nillable", True),
        createable=more.get("createable", True),
        updateable=more.get("updateable", True),
    )
