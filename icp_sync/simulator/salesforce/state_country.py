"""State and country picklists: in an org that has them on, names must be known, and names and codes agree.

Without the feature there are no code fields and any text is taken.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/compound_fields_address.htm
"""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject

KINDS = ("Billing", "Shipping", "Mailing", "Other")


class Unknown(Exception):
    """A place the org's picklists do not have."""

    def __init__(self, what: str, field: str) -> None:
        super().__init__(field)
        self.field = field
        self.message = (
            f"There's a problem with this {what}, even though it may appear correct. Please choose one from "
            f"the list of valid {'countries' if what == 'country' else 'states'}."
        )


def consistent(sobject: SObject, kept: Mapping[str, str], held: Mapping[str, str]) -> dict[str, str]:
    """The values of a write with each place's name and code in agreement. Raises Unknown."""
    result = dict(kept)
    for kind in KINDS:
        for part in ("Country", "State"):
            name = f"{kind}{part}"
            codes = sobject.field(f"{name}Code")
            if codes is None or not ({name, codes.name} & kept.keys()):
                continue
            result |= _pair(codes, name, part.lower(), kept)
        state, country = f"{kind}State", f"{kind}Country"
        coded = sobject.field(f"{state}Code") is not None and {state, f"{state}Code"} & kept.keys()
        if coded and result.get(state) and not {**held, **result}.get(country):
            raise Unknown("state", state)
    return result


def _pair(codes: FieldDef, name: str, what: str, kept: Mapping[str, str]) -> dict[str, str]:
    """Name and code of a place from whichever of them was written; the code wins."""
    code, label = kept.get(codes.name), kept.get(name)
    if code:
        return {name: next((c.label for c in codes.choices if c.value == code), ""), codes.name: code}
    if not label:
        return {name: "", codes.name: ""}
    for choice in codes.choices:
        if choice.label.lower() == label.lower():
            return {name: choice.label, codes.name: choice.value}
    raise Unknown(what, name)
