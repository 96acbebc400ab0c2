"""Custom fields as the setup has them, those that nobody sees among them. Decides nothing.

A describe shows a field only to who may read it. The Tooling API lists all there are to who may look at the
setup, and tells of each what a describe does not: CustomField in the Tooling API Reference.
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT, yes_no
from icp_sync.crm.salesforce.soql import among, literal, select
from icp_sync.errors import AuthError, RequestError, UnavailableError

Json = dict[str, Any]
Definition = Mapping[str, Any]

_DESCRIBED: Mapping[str, str] = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Number": "double",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Lookup": "reference",
    "Checkbox": "boolean",
}
"""The metadata's FieldType → its type in a describe; others differ by their capitals only."""

_KEPT = (
    "businessOwnerGroup",
    "businessOwnerUser",
    "businessStatus",
    "complianceGroup",
    "defaultValue",
    "description",
    "inlineHelpText",
    "label",
    "securityClassification",
    "trackFeedHistory",
    "trackHistory",
    "trackTrending",
    "visibleLines",
)


def custom(client: Client, names: Iterable[str], sobject: str = ACCOUNT) -> Mapping[str, str]:
    """Lower-case API name → id, of those of these custom fields of an object that exist, seen or not.

    Raises what a refused question raises.
    """
    stems = [name.removesuffix("__c") for name in names]
    where = [f"TableEnumOrId = {literal(sobject)}", "NamespacePrefix = null", among("DeveloperName", stems)]
    soql = select(["Id", "DeveloperName"], "CustomField", where)
    reply = client.call("GET", "tooling/query", params={"q": soql}).data
    rows = reply.get("records") if isinstance(reply, dict) else None
    if not isinstance(rows, list):
        raise UnavailableError("Salesforce answered a query without rows")
    return {
        f"{row['DeveloperName']}__c".lower(): str(row["Id"])
        for row in rows
        if isinstance(row, dict) and row.get("DeveloperName") and row.get("Id")
    }


def metadata(client: Client, id: str) -> Json | None:
    """A custom field as it was set up, None where that is refused or not told."""
    try:
        reply = client.call("GET", f"tooling/sobjects/CustomField/{id}").data
    except (AuthError, RequestError):
        return None
    found = reply.get("Metadata") if isinstance(reply, dict) else None
    return found if isinstance(found, dict) and found.get("type") else None


def described(found: Mapping[str, Any]) -> Definition:
    """The same as a describe has it, as far as it decides whether a field can be ours."""
    type = str(found.get("type"))
    values = _object(found.get("valueSet"))
    return {
        "type": _DESCRIBED.get(type, type.lower()),
        "label": found.get("label"),
        "calculated": bool(found.get("formula")),
        "nillable": not found.get("required"),
        "unique": bool(found.get("unique")),
        "htmlFormatted": type == "Html",
        "filteredLookupInfo": found.get("lookupFilter"),
        "dependentPicklist": bool(values.get("controllingField")),
        "globalValues": values.get("valueSetName"),
        "length": 255 if type == "TextArea" else found.get("length"),
        "precision": found.get("precision"),
        "scale": found.get("scale"),
        "referenceTo": [found.get("referenceTo")],
        "picklistValues": list(_values(values)),
    }


def kept(found: Mapping[str, Any] | None, definition: Definition) -> Mapping[str, str]:
    """What people have given a field, as elements, "" for what they have left blank.

    Without the setup it is what a describe tells.
    """
    if found is None:
        return {key: str(definition[key]) for key in ("label", "inlineHelpText") if definition.get(key)}
    said = {"description": "", **{key: _text(found[key]) for key in _KEPT if found.get(key)}}
    return said if said.get("label") else {**said, "label": str(definition.get("label") or "")}


def ordered(found: Mapping[str, Any] | None) -> bool:
    """Whether a picklist shows its values by the alphabet."""
    values = _object(_object((found or {}).get("valueSet")).get("valueSetDefinition"))
    return bool(values.get("sorted"))


def _values(value_set: Mapping[str, Any]) -> Iterator[Json]:
    listed = _object(value_set.get("valueSetDefinition")).get("value")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("valueName"):
            yield {
                "value": one["valueName"],
                "label": one.get("label"),
                "active": one.get("isActive") is not False,
                "defaultValue": bool(one.get("default")),
            }


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return yes_no(value) if isinstance(value, bool) else str(value)
