"""One field as describe prints it: the keys clients rely on, each with a value of the right kind.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.salesforce.schema import NUMBERS, TEXTS, FieldDef

Json = dict[str, object]
_SOAP: Mapping[str, str] = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}
_LONG_TEXT = 255
_UNGRANTABLE = frozenset(
    {"id", "name", "isdeleted", "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid"}
    | {"systemmodstamp", "ownerid", "masterrecordid", "recordtypeid", "stagename", "closedate"}
)
_PLAIN: Json = {
    "aggregatable": True,
    "aiPredictionField": False,
    "autoNumber": False,
    "cascadeDelete": False,
    "caseSensitive": False,
    "compoundFieldName": None,
    "controllerName": None,
    "defaultValue": None,
    "defaultValueFormula": None,
    "defaultedOnCreate": False,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "externalId": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "mask": None,
    "maskType": None,
    "polymorphicForeignKey": False,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}


def described(field: FieldDef, *, writable: bool) -> Json:
    """A field as somebody sees it. writable: whether field-level security lets them change it."""
    long_text = field.type == "textarea" and field.length > _LONG_TEXT
    number = field.type in NUMBERS
    return _PLAIN | {
        "aggregatable": not long_text and field.type != "boolean",
        "byteLength": field.length * 3 if field.type in TEXTS or field.choices else field.length,
        "calculated": field.calculated,
        "calculatedFormula": field.formula or None,
        "createable": field.createable and writable,
        "custom": field.custom,
        "defaultedOnCreate": field.type == "boolean" or field.key == "ownerid",
        "defaultValue": False if field.type == "boolean" else None,
        "digits": field.precision if field.type == "int" else 0,
        "extraTypeInfo": _text_kind(field),
        "filterable": field.filterable and not long_text,
        "groupable": not long_text and field.type not in ("datetime", "double", "currency", "percent"),
        "idLookup": field.type == "id" or field.unique,
        "inlineHelpText": field.help_text or None,
        "label": field.label,
        "length": field.length,
        "name": field.name,
        "nameField": field.key == "name",
        "namePointing": False,
        "nillable": field.nillable,
        "permissionable": field.custom or (field.nillable and field.key not in _UNGRANTABLE),
        "picklistValues": [
            {
                "active": choice.active,
                "defaultValue": choice.default,
                "label": choice.label,
                "validFor": None,
                "value": choice.value,
            }
            for choice in field.choices
        ],
        "precision": field.precision if number and field.type != "int" else 0,
        "referenceTo": [field.reference_to] if field.reference_to else [],
        "relationshipName": field.relationship or None,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "sortable": not long_text and field.type != "multipicklist",
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and writable,
    }


def _text_kind(field: FieldDef) -> str | None:
    if field.type != "textarea":
        return None
    return "plaintextarea" if not field.custom or field.length > _LONG_TEXT else None
