"""Fields an org works out rather than stores: ids, stamps, names, whether a deal is closed and won.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/system_fields.htm
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from icp_sync.simulator.clock import iso
from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.founding import INTEGRATION_PROFILE
from icp_sync.simulator.salesforce.picklists import STAGE_OF, Stage
from icp_sync.simulator.salesforce.schema import Value, instant_text
from icp_sync.simulator.store import Record

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org
    from icp_sync.simulator.salesforce.sobject import SObject

Derivation = Callable[["Org", "SObject", Record], Value]
_UNKNOWN = Stage(label="", probability=0)


def derivation(entity: str, field: str) -> Derivation | None:
    """How a field of an object is worked out; None for one that is stored."""
    return _OF_ONE.get((entity, field)) or _OF_ALL.get(field)


def _merged_into(org: Org, sobject: SObject, record: Record) -> Value:
    return None if record.merged_into is None else ids.shown(sobject.prefix, record.merged_into)


def _last_modified(org: Org, sobject: SObject, record: Record) -> Value:
    return (record.props.get("LastModifiedDate") or iso(record.created))[:19] + ".000+0000"


def _maker(org: Org, sobject: SObject, record: Record) -> Value:
    return record.props.get("CreatedById") or org.integration.id


def _editor(org: Org, sobject: SObject, record: Record) -> Value:
    return record.props.get("LastModifiedById") or _maker(org, sobject, record)


def _full_name(org: Org, sobject: SObject, record: Record) -> Value:
    held = record.props
    return " ".join(part for part in (held.get("FirstName"), held.get("LastName")) if part)


def _account_name(org: Org, sobject: SObject, record: Record) -> Value:
    if record.props.get("IsPersonAccount") == "true":
        return _full_name(org, sobject, record)
    return record.props.get("Name") or None


def _stage(record: Record) -> Stage:
    return STAGE_OF.get(record.props.get("StageName", ""), _UNKNOWN)


def _probability(org: Org, sobject: SObject, record: Record) -> Value:
    return float(record.props.get("Probability") or _stage(record).probability)


def _currency(org: Org, sobject: SObject, record: Record) -> Value:
    return record.props.get("CurrencyIsoCode") or org.currency


def _assigned(org: Org, sobject: SObject, record: Record) -> Value:
    return True


def _api_only(org: Org, sobject: SObject, record: Record) -> Value:
    return record.props.get("Name") == INTEGRATION_PROFILE


def _was(name: str) -> Derivation:
    """A value of history, which is kept as it is printed."""

    def value(org: Org, sobject: SObject, record: Record) -> Value:
        found: Value = json.loads(record.props.get(name, "null"))
        return found

    return value


_OF_ALL: Mapping[str, Derivation] = {
    "Id": lambda org, sobject, record: sobject.id_of(record),
    "IsDeleted": lambda org, sobject, record: record.archived_at is not None,
    "MasterRecordId": _merged_into,
    "CreatedDate": lambda org, sobject, record: instant_text(record.created),
    "SystemModstamp": lambda org, sobject, record: instant_text(record.modified),
    "LastModifiedDate": _last_modified,
    "CreatedById": _maker,
    "LastModifiedById": _editor,
    "CurrencyIsoCode": _currency,
}
_OF_ONE: Mapping[tuple[str, str], Derivation] = {
    ("Account", "Name"): _account_name,
    ("Contact", "Name"): _full_name,
    ("User", "Name"): _full_name,
    ("Opportunity", "IsClosed"): lambda org, sobject, record: _stage(record).closed,
    ("Opportunity", "IsWon"): lambda org, sobject, record: _stage(record).won,
    ("Opportunity", "ForecastCategory"): lambda org, sobject, record: _stage(record).forecast,
    ("Opportunity", "Probability"): _probability,
    ("Task", "IsClosed"): lambda org, sobject, record: record.props.get("Status") == "Completed",
    ("Task", "Status"): lambda org, sobject, record: record.props.get("Status") or "Not Started",
    ("Task", "Priority"): lambda org, sobject, record: record.props.get("Priority") or "Normal",
    ("PermissionSetAssignment", "IsActive"): _assigned,
    ("Profile", "PermissionsApiUserOnly"): _api_only,
    ("AccountHistory", "OldValue"): _was("OldValue"),
    ("AccountHistory", "NewValue"): _was("NewValue"),
    ("Organization", "IsSandbox"): lambda org, sobject, record: org.sandbox,
    ("Organization", "OrganizationType"): lambda org, sobject, record: org.edition,
}
