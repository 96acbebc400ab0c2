"""The record types of an org's accounts or deals, and which values of our picklists their records may take.

A restricted picklist refuses a value that the record's type does not offer, whoever writes it, so
a value missing there is as bad as one missing on the field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import unquote

from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.provisioning.access import rows
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT, RecordType
from icp_sync.crm.salesforce.soql import literal, select
from icp_sync.errors import AuthError, RequestError

_KEPT = ("businessProcess", "compactLayoutAssignment")


def record_types(
    client: Client, picklists: Collection[str], *, person_accounts: bool = False, sobject: str = ACCOUNT
) -> tuple[RecordType, ...]:
    """All of them, by name, with the values of these picklists where they can be read.

    person_accounts: whether the org has them; their record types belong to another object in metadata.
    Raises what a refused question raises: who may not ask does not know that there are none.
    """
    fields = ["Id", "DeveloperName", "NamespacePrefix", "Name", "Description", "IsActive"]
    if person_accounts:
        fields.append("IsPersonType")
    found = rows(client, select(fields, "RecordType", [f"SobjectType = {literal(sobject)}"]))
    return tuple(
        _record_type(client, row, picklists, sobject)
        for row in sorted(found, key=lambda row: str(row["DeveloperName"]))
    )


def lacking(existing: RecordType, picklist: str, wanted: Collection[str]) -> tuple[str, ...]:
    """Which of these values records of this type may not take, as far as it is known."""
    offered = existing.values.get(picklist)
    return () if offered is None else tuple(value for value in wanted if value not in offered)


def used(client: Client, existing: RecordType, sobject: str = ACCOUNT) -> bool:
    """Whether any record is of this type; those of an inactive one keep it."""
    return client.count(select(["COUNT()"], sobject, [f"RecordTypeId = {literal(existing.id)}"])) > 0


def _record_type(client: Client, row: Json, picklists: Collection[str], sobject: str) -> RecordType:
    id, name = str(row["Id"]), str(row["DeveloperName"])
    set_up = _set_up(client, id) if picklists else {}
    return RecordType(
        name="__".join(str(part) for part in (row.get("NamespacePrefix"), name) if part),
        label=str(row.get("Name") or name),
        active=bool(row.get("IsActive")),
        description=str(row.get("Description") or ""),
        id=id,
        values={**_assigned(set_up, picklists), **_shown(client, id, picklists, sobject)},
        known=bool(set_up),
        person=bool(row.get("IsPersonType")),
        kept={key: str(set_up[key]) for key in _KEPT if set_up.get(key)},
        defaults=_defaults(set_up),
    )


def _shown(client: Client, id: str, picklists: Collection[str], sobject: str) -> Mapping[str, frozenset[str]]:
    """Picklist → the values we may choose for records of one type; empty where the org does not answer.

    "Get Values for All Picklist Fields of a Record Type", User Interface API Developer Guide.
    """
    reply = _asked(client, f"ui-api/object-info/{sobject}/picklist-values/{id}")
    found = reply.get("picklistFieldValues")
    entries = found if isinstance(found, dict) else {}
    offered = {
        str(name).lower(): _names(entry.get("values"))
        for name, entry in entries.items()
        if isinstance(entry, dict)
    }
    return {name: offered[name.lower()] for name in picklists if name.lower() in offered}


def _set_up(client: Client, id: str) -> Json:
    """A record type as it was set up; empty for who may not look at the setup.

    RecordType, Tooling API Reference:
    https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_recordtype.htm
    """
    found = _asked(client, f"tooling/sobjects/RecordType/{id}").get("Metadata")
    return found if isinstance(found, dict) else {}


def _assigned(set_up: Json, picklists: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The same as `_shown`, from the setup, which percent-encodes values."""
    assigned = {name: frozenset(_values(entry)) for name, entry in _listed(set_up).items()}
    return {name: assigned[name.lower()] for name in picklists if name.lower() in assigned}


def _defaults(set_up: Json) -> Mapping[str, frozenset[str]]:
    """Lower-case picklist → the value new records of the type begin with, where there is one."""
    chosen = {
        name: frozenset(value for value, one in _values(entry).items() if one.get("default") is True)
        for name, entry in _listed(set_up).items()
    }
    return {name: values for name, values in chosen.items() if values}


def _listed(set_up: Json) -> Mapping[str, Json]:
    listed = set_up.get("picklistValues")
    return {
        str(entry.get("picklist")).lower(): entry
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    }


def _values(entry: Json) -> Mapping[str, Json]:
    values = entry.get("values")
    return {
        unquote(str(one["valueName"])): one
        for one in (values if isinstance(values, list) else [])
        if isinstance(one, dict) and "valueName" in one
    }


def _asked(client: Client, path: str) -> Json:
    """A reply's object, empty where it is refused."""
    try:
        reply = client.call("GET", path).data
    except (AuthError, RequestError):
        return {}
    return reply if isinstance(reply, dict) else {}


def _names(listed: object) -> frozenset[str]:
    entries = listed if isinstance(listed, list) else []
    return frozenset(str(entry["value"]) for entry in entries if isinstance(entry, dict) and "value" in entry)
