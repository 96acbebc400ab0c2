"""Whether the fields an org has already can be ours, and what they lack. Reads definitions, sends nothing.

Definitions are the entries of `fields` in a describe, "sObject Describe" in the REST API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from icp_sync.crm.salesforce.provisioning import metadata
from icp_sync.crm.salesforce.provisioning.metadata import TYPES, Choice
from icp_sync.domain.standing import Field, FieldType

Json = dict[str, Any]

DESCRIBED: Mapping[FieldType, str] = {
    FieldType.ENUM: "picklist",
    FieldType.MULTI: "multipicklist",
    FieldType.NUMBER: "double",
    FieldType.TEXT: "string",
    FieldType.LONG_TEXT: "textarea",
    FieldType.DATETIME: "datetime",
    FieldType.OWNER: "reference",
    FieldType.YES_NO: "boolean",
}
"""Field type → its type in a describe."""

SHORTEST: Mapping[FieldType, int] = {FieldType.TEXT: 255, FieldType.LONG_TEXT: 4_000}
"""The characters a field of ours must hold at least."""

WHOLE_DIGITS = 3
"""Digits in front of the point: scores go up to 100."""


_ODD = (
    ("unique", "it exists and takes every value only once (unique)"),
    ("htmlFormatted", "it exists and is rich text, which changes what is written"),
    ("filteredLookupInfo", "it exists and its filter refuses some users"),
    ("globalValues", "it exists and its values are those of a global value set, which we do not touch"),
)
"""What a describe says of a field, and why that field is not one for us."""


def conflict(field: Field, definition: Mapping[str, Any]) -> str:
    """Why an existing field cannot carry this output, "" when it can. Rights are another question."""
    found, needed = definition.get("type"), DESCRIBED[field.type]
    if found != needed:
        return f"it exists with type {found}, we need {needed} ({TYPES[field.type]})"
    if definition.get("calculated"):
        return "it exists and is calculated"
    if definition.get("dependentPicklist"):
        return "it exists and its values depend on another field"
    if definition.get("nillable") is False and field.type is not FieldType.YES_NO:
        return "it exists and may not be blank"
    if odd := next((told for key, told in _ODD if definition.get(key)), ""):
        return odd
    least = SHORTEST.get(field.type, 0)
    if _number(definition, "length", least) < least:
        return f"it exists and holds {definition.get('length')} characters, we need {least}"
    if field.type is FieldType.NUMBER:
        return _too_small(definition)
    if field.type is FieldType.OWNER and "User" not in (definition.get("referenceTo") or []):
        return "it exists and does not refer to users"
    return ""


def choices(definition: Mapping[str, Any]) -> tuple[Choice, ...]:
    """The values a picklist has, the inactive ones among them; none for other fields."""
    listed = definition.get("picklistValues")
    return tuple(
        Choice(
            value=str(entry["value"]),
            label=str(entry.get("label") or entry["value"]),
            active=entry.get("active") is not False,
            default=bool(entry.get("defaultValue")),
        )
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and entry.get("value") not in (None, "")
    )


def doubles(definition: Mapping[str, Any], wanted: Sequence[Choice]) -> str:
    """Why a picklist cannot take these values beside its own, "" when it can."""
    held = choices(definition)
    lacking = missing(definition, wanted)
    return metadata.doubles(lacking, held) if lacking else ""


def missing(definition: Mapping[str, Any], wanted: Sequence[Choice]) -> tuple[Choice, ...]:
    """The values a picklist of ours must offer and does not, or not any more."""
    offered = {choice.value for choice in choices(definition) if choice.active}
    return tuple(one for one in wanted if one.value not in offered)


def united(definition: Mapping[str, Any], wanted: Sequence[Choice]) -> tuple[Choice, ...]:
    """The values a picklist has, as they are, and the missing ones behind: a deployment replaces them all."""
    lacking = {choice.value: choice for choice in missing(definition, wanted)}
    held = [replace(one, active=True) if one.value in lacking else one for one in choices(definition)]
    known = {choice.value for choice in held}
    taken = {choice.label for choice in held}
    return (
        *held,
        *(
            Choice(value=one.value, label=one.label if one.label not in taken else one.value)
            for one in lacking.values()
            if one.value not in known
        ),
    )


def by_name(definitions: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Definitions by lower-case name: Salesforce compares names without regard to case."""
    return {name.lower(): definition for name, definition in definitions.items()}


def _too_small(definition: Mapping[str, Any]) -> str:
    digits = _number(definition, "precision", 18) - _number(definition, "scale", 0)
    if digits >= WHOLE_DIGITS:
        return ""
    return f"it exists and holds {digits} digits before the point, we need {WHOLE_DIGITS}"


def _number(definition: Mapping[str, Any], key: str, otherwise: int) -> int:
    found = definition.get(key)
    return found if isinstance(found, int) else otherwise
