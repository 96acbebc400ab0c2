"""Our properties as HubSpot defines them, and whether one it has can be ours. Asks and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.standing import FIELDS, Field, FieldType
from icp_sync.ports import Blueprint

TYPES: Mapping[FieldType, tuple[str, str]] = {
    FieldType.ENUM: ("enumeration", "select"),
    FieldType.NUMBER: ("number", "number"),
    FieldType.TEXT: ("string", "text"),
    FieldType.LONG_TEXT: ("string", "textarea"),
    FieldType.DATETIME: ("datetime", "date"),
    FieldType.MULTI: ("enumeration", "checkbox"),
    FieldType.OWNER: ("enumeration", "select"),
    FieldType.YES_NO: ("bool", "booleancheckbox"),
}
"""Field type → HubSpot's type and fieldType ("Properties" guide of the CRM API)."""


def definition(field: Field, name: str, blueprint: Blueprint) -> Json:
    """What to post for a property of ours."""
    kind, widget = TYPES[field.type]
    body: Json = {
        "name": name,
        "label": field.label,
        "type": kind,
        "fieldType": widget,
        "groupName": blueprint.group,
        "description": field.description,
        "hidden": field.hidden,
        "formField": False,
    }
    if field.type is FieldType.OWNER:
        body |= {"externalOptions": True, "referencedObjectType": "OWNER"}
    elif kind in ("enumeration", "bool"):
        body["options"] = [
            {"label": label, "value": value, "displayOrder": at, "hidden": False}
            for at, (value, label) in enumerate(wanted_options(field, blueprint))
        ]
    return body


def wanted_options(field: Field, blueprint: Blueprint) -> tuple[tuple[str, str], ...]:
    """(value, label) pairs a property must offer."""
    if field.type is FieldType.YES_NO:
        return (("true", "Yes"), ("false", "No"))
    given = blueprint.options.get(field.name)
    return tuple(given) if given is not None else tuple((value, value) for value in field.options)


def conflict(field: Field, existing: Json) -> str:
    """Why an existing property cannot be ours, "" when it can."""
    kind, widget = TYPES[field.type]
    if existing.get("type") != kind:
        return f"it exists with type {existing.get('type')}, we need {kind}"
    if (existing.get("fieldType") == "checkbox") != (widget == "checkbox") and kind == "enumeration":
        return f"it exists as {existing.get('fieldType')}, we need {widget}"
    if field.type is FieldType.OWNER and not existing.get("externalOptions"):
        return "it exists and does not refer to owners"
    return "it exists and is read-only" if read_only(existing) else ""


def missing_options(field: Field, existing: Json, blueprint: Blueprint) -> tuple[tuple[str, str], ...]:
    have = closed_options(existing)
    if have is None:
        return ()
    return tuple(pair for pair in wanted_options(field, blueprint) if pair[0] not in have)


def unfit(field: str, name: str, found: Json | None, values: Iterable[str]) -> str:
    """Why a property cannot be this output, or cannot take these wire values; "" when it can."""
    return unfit_for(FIELDS.get(field), name, found, values)


def unfit_for(known: Field | None, name: str, found: Json | None, values: Iterable[str]) -> str:
    """The same, by what is known of the field."""
    if found is None:
        return f"the portal has no property {name}"
    if read_only(found):
        return f"{name} is read-only"
    if known is not None and (reason := conflict(known, found)):
        return f"{name}: {reason}"
    options = closed_options(found)
    if options is None:
        return ""
    missing = sorted({part for value in values for part in value.split(";") if part} - options)
    return f"{name} has no option {', '.join(missing)}" if missing else ""


def read_only(found: Json) -> bool:
    """Whether HubSpot refuses values for it: calculated, or marked so."""
    marks = found.get("modificationMetadata")
    return bool(found.get("calculated")) or (isinstance(marks, dict) and bool(marks.get("readOnlyValue")))


def closed_options(found: Json) -> frozenset[str] | None:
    """The only values a property takes, None where any is fine (owners are options kept elsewhere)."""
    if found.get("type") != "enumeration" or found.get("externalOptions"):
        return None
    options = found.get("options")
    listed = options if isinstance(options, list) else []
    return frozenset(str(option.get("value")) for option in listed if isinstance(option, dict))
