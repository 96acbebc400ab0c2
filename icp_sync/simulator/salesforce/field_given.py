"""A field as `POST fields` defines it. What is not said is what the setup pages would propose."""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.desk import Unusable
from icp_sync.simulator.salesforce.picklists import choices
from icp_sync.simulator.salesforce.schema import FieldDef

_LENGTHS = {"string": 255, "textarea": 255, "picklist": 255, "multipicklist": 4_099, "reference": 18}
_TYPES = frozenset(
    {"string", "boolean", "int", "double", "currency", "percent", "date", "datetime", "picklist"}
    | {"multipicklist", "reference", "textarea", "phone", "url", "email"}
)
_NUMBERS = ("length", "precision", "scale")
_YES_OR_NO = frozenset(
    {"nillable", "createable", "updateable", "calculated", "restricted", "custom", "filterable", "unique"}
)


def field_given(given: object) -> FieldDef:
    """A definition: `name` and `type`, further any key of a field; `values` of a picklist.

    Raises Unusable naming what is wrong.
    """
    if not isinstance(given, Mapping):
        raise Unusable(f"define: a JSON object, was {given!r}")
    name, kind = str(given.get("name", "")), str(given.get("type", "string"))
    if not name or kind not in _TYPES:
        raise Unusable(f"define: a field has a name and a type of {', '.join(sorted(_TYPES))}")
    values = given.get("values", [])
    if not isinstance(values, list):
        raise Unusable("values: a list of a picklist's values")
    known = {"name", "type", "label", "values", "reference_to", "relationship", *_NUMBERS, *_YES_OR_NO}
    unknown = sorted(set(map(str, given)) - known)
    if unknown:
        raise Unusable(f"define: {', '.join(unknown)} is no part of a field")
    number = {key: int(str(given[key])) for key in _NUMBERS if key in given}
    yes = {key: bool(given[key]) for key in _YES_OR_NO if key in given}
    calculated = yes.get("calculated", False)
    return FieldDef(
        name=name,
        label=str(given.get("label", name.removesuffix("__c").replace("_", " "))),
        type=kind,
        length=number.get("length", _LENGTHS.get(kind, 0)),
        precision=number.get("precision", 18 if kind in ("double", "currency", "percent") else 0),
        scale=number.get("scale", 0),
        nillable=yes.get("nillable", kind != "boolean"),
        createable=yes.get("createable", not calculated),
        updateable=yes.get("updateable", not calculated),
        calculated=calculated,
        restricted=yes.get("restricted", False),
        choices=choices(map(str, values)),
        reference_to=str(given.get("reference_to", "")),
        relationship=str(given.get("relationship", "")),
        custom=yes.get("custom", name.endswith("__c")),
        filterable=yes.get("filterable", True),
        unique=yes.get("unique", False),
    )
