"""Which values a record type offers, as the User Interface API tells.

https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_resources_picklist_values_collection.htm
"""

from __future__ import annotations

import zlib

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.org import RecordType
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.server import Reply

Json = dict[str, object]
MASTER = "012000000000000AAA"
"""The record type of every object that has no others: it offers every active value."""


def all_fields(call: Call) -> Reply:
    """Every picklist the caller may read, with the values one record type offers."""
    sobject, kind = _asked(call)
    found = {
        field.name: _values(call, sobject, field, kind)
        for field in sobject.fields.values()
        if _is_picklist(field) and call.org.readable(call.user, sobject, field)
    }
    return Reply(body={"eTag": _tag(found), "picklistFieldValues": found})


def one_field(call: Call) -> Reply:
    sobject, kind = _asked(call)
    field = sobject.field(call.rest[2])
    if field is None or not _is_picklist(field) or not call.org.readable(call.user, sobject, field):
        raise Refusal(404, "NOT_FOUND", f"Field {call.rest[2][:80]} is no picklist of {sobject.name}")
    return Reply(body=_values(call, sobject, field, kind))


def _asked(call: Call) -> tuple[SObject, RecordType | None]:
    """The object and the record type of a path; None is the master."""
    sobject = call.sobject(call.rest[0])
    wanted = ids.long(call.rest[1])
    if wanted == MASTER:
        return sobject, None
    kinds = call.org.record_types.values() if sobject is call.org.accounts else ()
    kind = next((kind for kind in kinds if kind.id == wanted), None)
    if kind is None:
        raise Refusal(400, "INVALID_ID", f"Record type {call.rest[1][:40]} is none of {sobject.name}")
    return sobject, kind


def _values(call: Call, sobject: SObject, field: FieldDef, kind: RecordType | None) -> Json:
    offered = kind.picklists.get(field.key) if kind is not None else None
    values: list[Json] = [
        {"attributes": None, "label": choice.label, "validFor": [], "value": choice.value}
        for choice in field.choices
        if choice.active and (offered is None or choice.value in offered)
    ]
    proposed = _proposed(field, kind)
    where = f"{call.root}/ui-api/object-info/{sobject.name}/picklist-values"
    return {
        "controllerValues": {},
        "defaultValue": next((value for value in values if value["value"] == proposed), None),
        "eTag": _tag(values),
        "url": f"{where}/{MASTER if kind is None else kind.id}/{field.name}",
        "values": values,
    }


def _proposed(field: FieldDef, kind: RecordType | None) -> str | None:
    """The value a new record starts with: the record type's own, else the field's."""
    if kind is not None and field.key in kind.picklists:
        return kind.defaults.get(field.key)
    return next((choice.value for choice in field.choices if choice.default), None)


def _is_picklist(field: FieldDef) -> bool:
    return field.type in ("picklist", "multipicklist")


def _tag(found: object) -> str:
    return f"{zlib.crc32(repr(found).encode()):032x}"


ROUTES = (
    Route(method="GET", pattern="ui-api/object-info/*/picklist-values/*", run=all_fields),
    Route(method="GET", pattern="ui-api/object-info/*/picklist-values/*/*", run=one_field),
)
