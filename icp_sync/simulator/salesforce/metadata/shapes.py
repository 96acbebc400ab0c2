"""What may stand in which metadata type: element names, their kinds, which repeat, which must be there.

Tables, after the Metadata API's WSDL and the Developer Guide's chapters of each type:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_types_list.htm
Elements are taken in any order, but those of one name must stand together; one it does not know is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icp_sync.simulator.salesforce.metadata.trees import NAMESPACE, Node, Problem

Body = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One element of a type. kind: string, boolean, int, or the name of an enum or of another type."""

    kind: str = "string"
    many: bool = False
    required: bool = False


def _parts(kind: str, names: str, **more: bool) -> dict[str, Part]:
    return {name: Part(kind=kind, **more) for name in names.split()}


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENUMS: Mapping[str, frozenset[str]] = {
    "FieldType": words(
        "AutoNumber Lookup MasterDetail Checkbox Currency Date DateTime Email Number Percent Phone Picklist "
        "MultiselectPicklist Text TextArea LongTextArea Html Url EncryptedText Summary Hierarchy File "
        "MetadataRelationship Location ExternalLookup IndirectLookup CustomDataType Time Address Array"
    ),
    "DeleteConstraint": frozenset(("Cascade", "Restrict", "SetNull")),
    "TreatBlanksAs": frozenset(("BlankAsBlank", "BlankAsZero")),
    "FilterScope": words(
        "Everything Mine Queue Delegated MyTerritory MyTeamTerritory Team SalesTeam AssignedToMe "
        "MineAndMyGroups ScopingRule"
    ),
    "FilterOperation": words(
        "equals notEqual lessThan greaterThan lessOrEqual greaterOrEqual contains notContain startsWith "
        "includes excludes within"
    ),
}

SHAPES: Mapping[str, Mapping[str, Part]] = {
    "Package": {
        **_parts(
            "string", "apiAccessLevel description fullName namespacePrefix packageType postInstallClass"
        ),
        **_parts("string", "setupWeblink uninstallClass version"),
        "types": Part(kind="PackageTypeMembers", many=True),
    },
    "PackageTypeMembers": {"members": Part(many=True), "name": Part(required=True)},
    "CustomObject": {
        "fullName": Part(),
        "fields": Part(kind="CustomField", many=True),
        "listViews": Part(kind="ListView", many=True),
        "recordTypes": Part(kind="RecordType", many=True),
    },
    "CustomField": {
        "fullName": Part(required=True),
        **_parts(
            "string", "businessOwnerGroup businessOwnerUser businessStatus complianceGroup defaultValue"
        ),
        **_parts("string", "description displayFormat encryptionScheme formula inlineHelpText label"),
        **_parts("string", "maskChar maskType referenceTo referenceTargetField relationshipLabel"),
        **_parts("string", "relationshipName securityClassification summarizedField summaryForeignKey"),
        **_parts("boolean", "caseSensitive deprecated escapeMarkup externalId isConvertLeadDisabled"),
        **_parts(
            "boolean", "isFilteringDisabled isNameField isSortingDisabled populateExistingRows required"
        ),
        **_parts("boolean", "reparentableMasterDetail restrictedAdminField stripMarkup trackFeedHistory"),
        **_parts("boolean", "trackHistory trackTrending translateData unique writeRequiresMasterRead"),
        **_parts("int", "length precision relationshipOrder scale startingNumber visibleLines"),
        "deleteConstraint": Part(kind="DeleteConstraint"),
        "formulaTreatBlanksAs": Part(kind="TreatBlanksAs"),
        "type": Part(kind="FieldType"),
        "valueSet": Part(kind="ValueSet"),
    },
    "ValueSet": {
        "controllingField": Part(),
        "restricted": Part(kind="boolean"),
        "valueSetDefinition": Part(kind="ValueSetValuesDefinition"),
        "valueSetName": Part(),
        "valueSettings": Part(kind="ValueSettings", many=True),
    },
    "ValueSetValuesDefinition": {
        "sorted": Part(kind="boolean", required=True),
        "value": Part(kind="CustomValue", many=True),
    },
    "CustomValue": {
        "fullName": Part(required=True),
        "default": Part(kind="boolean", required=True),
        "isActive": Part(kind="boolean"),
        **_parts("string", "color description label"),
    },
    "ValueSettings": {"controllingFieldValue": Part(many=True), "valueName": Part(required=True)},
    "ListView": {
        "fullName": Part(required=True),
        "label": Part(required=True),
        "filterScope": Part(kind="FilterScope", required=True),
        "columns": Part(many=True),
        "filters": Part(kind="ListViewFilter", many=True),
        "sharedTo": Part(kind="SharedTo"),
        **_parts("string", "booleanFilter division language queue"),
    },
    "ListViewFilter": {
        "field": Part(required=True),
        "operation": Part(kind="FilterOperation", required=True),
        "value": Part(),
    },
    "SharedTo": {
        **_parts("string", "allCustomerPortalUsers allInternalUsers allPartnerUsers"),
        **_parts("string", "channelProgramGroup channelProgramGroups group groups guestUser", many=True),
        **_parts("string", "managerSubordinates managers portalRole portalRoleAndSubordinates", many=True),
        **_parts("string", "queue role roleAndSubordinates roleAndSubordinatesInternal roles", many=True),
        **_parts("string", "rolesAndSubordinates territories territoriesAndSubordinates", many=True),
        **_parts("string", "territory territoryAndSubordinates", many=True),
    },
    "RecordType": {
        "fullName": Part(required=True),
        "active": Part(kind="boolean", required=True),
        "label": Part(required=True),
        "picklistValues": Part(kind="RecordTypePicklistValue", many=True),
        **_parts("string", "businessProcess compactLayoutAssignment description"),
    },
    "RecordTypePicklistValue": {
        "picklist": Part(required=True),
        "values": Part(kind="PicklistValue", many=True),
    },
    "PicklistValue": {
        "fullName": Part(required=True),
        "default": Part(kind="boolean", required=True),
        **_parts("string", "color description"),
        **_parts("boolean", "allowEmail closed converted cssExposed highPriority isActive reviewed won"),
    },
    "PermissionSet": {
        "fullName": Part(),
        "label": Part(required=True),
        "hasActivationRequired": Part(kind="boolean"),
        "fieldPermissions": Part(kind="PermissionSetFieldPermissions", many=True),
        "objectPermissions": Part(kind="PermissionSetObjectPermissions", many=True),
        "recordTypeVisibilities": Part(kind="PermissionSetRecordTypeVisibility", many=True),
        "userPermissions": Part(kind="PermissionSetUserPermission", many=True),
        **_parts("string", "description license"),
    },
    "PermissionSetFieldPermissions": {
        "editable": Part(kind="boolean", required=True),
        "field": Part(required=True),
        "readable": Part(kind="boolean"),
    },
    "PermissionSetObjectPermissions": {
        "object": Part(required=True),
        "viewAllFields": Part(kind="boolean"),
        **_parts("boolean", "allowCreate allowDelete allowEdit allowRead modifyAllRecords", required=True),
        "viewAllRecords": Part(kind="boolean", required=True),
    },
    "PermissionSetRecordTypeVisibility": {
        "recordType": Part(required=True),
        "visible": Part(kind="boolean", required=True),
    },
    "PermissionSetUserPermission": {
        "enabled": Part(kind="boolean", required=True),
        "name": Part(required=True),
    },
}

# Parts of an object that exist, and that this simulator refuses rather than ignores.
NOT_MODELLED = words(
    "actionOverrides businessProcesses compactLayouts fieldSets indexes nameField searchLayouts "
    "sharingReasons validationRules webLinks deploymentStatus enableHistory enableReports label "
    "externalSharingModel pluralLabel sharingModel lookupFilter summaryFilterItems applicationVisibilities "
    "classAccesses customPermissions flowAccesses pageAccesses tabSettings customMetadataTypeAccesses "
    "customSettingAccesses"
)


def body_of(node: Node, kind: str) -> Body:
    """An element as a dictionary: str, bool, int, a nested dictionary, or a list of those where it repeats.

    Absent elements are absent keys, repeating ones empty lists. Raises Problem.
    """
    shape = SHAPES[kind]
    body: Body = {name: [] for name, part in shape.items() if part.many}
    before = ""
    for child in node.children:
        part = shape.get(child.name)
        if part is None:
            raise _unknown(child, kind)
        value = _value(child, part.kind)
        held = body.get(child.name)
        again = bool(held) if isinstance(held, list) else held is not None
        if again and not (part.many and before == child.name):
            raise _located(child, f"Element {_full(child)} is duplicated at this location in type {kind}")
        if isinstance(held, list):
            held.append(value)
        else:
            body[child.name] = value
        before = child.name
    for name, part in shape.items():
        if part.required and name not in body:
            raise Problem(f"Required field is missing: {name}", node.line, node.column)
    return body


def _value(node: Node, kind: str) -> object:
    if kind in SHAPES:
        return body_of(node, kind)
    if node.children:
        raise _located(node, f"Element {_full(node.children[0])} invalid at this location in simple type")
    text = node.text.strip()
    if kind == "boolean":
        if text not in ("true", "false", "1", "0"):
            raise _located(node, f"'{text[:40]}' is not a valid value for the type xsd:boolean")
        return text in ("true", "1")
    if kind == "int":
        digits = text.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
            raise _located(node, f"'{text[:40]}' is not a valid value for the type xsd:int")
        return int(text)
    if kind in ENUMS and text not in ENUMS[kind]:
        raise _located(node, f"'{text[:40]}' is not a valid value for the enum '{kind}'")
    return text


def _unknown(node: Node, kind: str) -> Problem:
    if node.name in NOT_MODELLED and kind in ("CustomObject", "CustomField", "PermissionSet"):
        return Problem(f"{node.name} of {kind} is not part of this simulator", node.line, node.column)
    return _located(node, f"Element {_full(node)} invalid at this location in type {kind}")


def _located(node: Node, message: str) -> Problem:
    return Problem(f"Error parsing file: {message}", node.line, node.column)


def _full(node: Node) -> str:
    return f"{{{NAMESPACE}}}{node.name}"


def body_from_json(given: object, kind: str, where: str = "Metadata") -> Body:
    """The same from the JSON of the Tooling API, which names things alike. Raises Problem.

    A value of a value set has `valueName` there where files have `fullName`; null is absent.
    """
    shape = SHAPES[kind]
    if not isinstance(given, Mapping):
        raise Problem(f"{where}: an object was expected")
    body: Body = {name: [] for name, part in shape.items() if part.many}
    for name, value in given.items():
        if value is None:
            continue
        known = "fullName" if name == "valueName" and name not in shape else str(name)
        part = shape.get(known)
        if part is None:
            raise Problem(f"No such column '{name}' on sobject of type {kind}")
        if part.many:
            listed = value if isinstance(value, list) else [value]
            body[known] = [_json_value(one, part.kind, f"{where}.{name}") for one in listed]
        else:
            body[known] = _json_value(value, part.kind, f"{where}.{name}")
    for name, part in shape.items():
        if part.required and name not in body:
            raise Problem(f"Required fields are missing: [{name}]")
    return body


def _json_value(value: object, kind: str, where: str) -> object:
    if kind in SHAPES:
        return body_from_json(value, kind, where)
    wanted = {"boolean": bool, "int": int}.get(kind, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise Problem(f"{where}: Cannot deserialize instance of {kind} from {str(value)[:40]!r}")
    if kind in ENUMS and value not in ENUMS[kind]:
        raise Problem(f"{where}: '{str(value)[:40]}' is not a valid value for the enum '{kind}'")
    return value
