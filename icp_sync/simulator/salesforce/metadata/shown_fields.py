"""A custom field as the Tooling API shows its metadata: what was deployed, and null for what was not.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm
"""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.salesforce.metadata.shapes import SHAPES
from icp_sync.simulator.salesforce.schema import TEXTS, Choice, FieldDef

Json = dict[str, object]
_SHORT = 255
_TYPES: Mapping[str, str] = {
    "string": "Text",
    "double": "Number",
    "int": "Number",
    "currency": "Currency",
    "percent": "Percent",
    "boolean": "Checkbox",
    "date": "Date",
    "datetime": "DateTime",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
    "picklist": "Picklist",
    "multipicklist": "MultiselectPicklist",
    "reference": "Lookup",
}


def metadata_of(field: FieldDef) -> Json:
    """Every element a CustomField can have, by name."""
    shown: Json = dict.fromkeys(name for name in SHAPES["CustomField"] if name != "fullName")
    long_text = field.type == "textarea" and field.length > _SHORT
    return shown | {
        "defaultValue": "false" if field.type == "boolean" else None,
        "deleteConstraint": "SetNull" if field.reference_to else None,
        "description": field.description or None,
        "externalId": False,
        "formula": field.formula or ("NULL" if field.calculated else None),
        "inlineHelpText": field.help_text or None,
        "label": field.label,
        "formulaTreatBlanksAs": "BlankAsBlank" if field.formula else None,
        "length": field.length if (long_text or field.type == "string") and not field.formula else None,
        "precision": field.precision or None,
        "referenceTo": field.reference_to or None,
        "relationshipName": field.child_relationship or None,
        "required": not field.nillable and field.type != "boolean",
        "scale": field.scale if field.precision else None,
        "trackHistory": field.tracked,
        "type": _type(field),
        "unique": field.unique if field.type in TEXTS else None,
        "valueSet": _value_set(field) if field.choices else None,
        "visibleLines": field.visible_lines or None,
    }


def _type(field: FieldDef) -> str:
    if field.type == "textarea":
        return "LongTextArea" if field.length > _SHORT else "TextArea"
    return _TYPES[field.type]


def _value_set(field: FieldDef) -> Json:
    return {
        "controllingField": None,
        "restricted": field.restricted,
        "valueSetDefinition": {"sorted": field.alphabetical, "value": [_value(one) for one in field.choices]},
        "valueSetName": None,
        "valueSettings": [],
    }


def _value(choice: Choice) -> Json:
    """isActive is told of values that are no longer."""
    return {
        "color": None,
        "default": choice.default,
        "description": None,
        "isActive": None if choice.active else False,
        "label": choice.label,
        "urls": None,
        "valueName": choice.value,
    }
