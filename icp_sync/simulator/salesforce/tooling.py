"""As much of the Tooling API as simple clients need: single custom fields and record types, and queries.

Custom fields are an object here that the data API does not have.
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_recordtype.htm
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from urllib.parse import quote

from icp_sync.simulator.salesforce import dependents, formulas, ids, layouts, query, tooling_layouts
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal, not_found
from icp_sync.simulator.salesforce.metadata import components
from icp_sync.simulator.salesforce.metadata.deploy import check_right
from icp_sync.simulator.salesforce.metadata.package import Item
from icp_sync.simulator.salesforce.metadata.shapes import body_from_json
from icp_sync.simulator.salesforce.metadata.shown_fields import metadata_of
from icp_sync.simulator.salesforce.metadata.stage import Stage, field_id
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.org import Org, RecordType
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record, Source

Json = dict[str, object]
_COLUMNS = (
    FieldDef(name="Id", label="Custom Field ID", type="id", length=18),
    FieldDef(name="DeveloperName", label="Developer Name", type="string", length=80),
    FieldDef(name="TableEnumOrId", label="Entity", type="picklist", length=40),
    FieldDef(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
    FieldDef(name="Length", label="Length", type="int", precision=8),
    FieldDef(name="Precision", label="Precision", type="int", precision=8),
    FieldDef(name="Scale", label="Scale", type="int", precision=8),
)
_ROOT = Source("PLATFORM")


def run_query(call: Call) -> Reply:
    """SOQL over CustomField, what depends on one, and what metadata the data API has too."""
    check_right(call.org, call.user)
    asked = query.read(call.request.one("q")) if call.request.one("q").strip() else None
    if asked is not None and asked.sobject.lower() == dependents.NAME.lower():
        dependents.check(asked)
    return query.query(replace(call, org=_tooling(call.org)))


def create_field(call: Call) -> Reply:
    """201. The body: `{"FullName": "Account.X__c", "Metadata": {…}}`; whom it is shown to is another step."""
    check_right(call.org, call.user)
    body = call.json()
    name = body.get("FullName")
    if not isinstance(name, str) or "." not in name:
        raise Refusal(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName]", ["FullName"])
    stage = Stage(call.org)
    given = body.get("Metadata")
    own = name.partition(".")[2]
    try:
        if stage.fields.get(name.partition(".")[0].lower(), {}).get(own.lower()) is not None:
            message = f"There is already a field named {own} on {name.partition('.')[0]}."
            raise Refusal(400, "DUPLICATE_DEVELOPER_NAME", message, ["FullName"])
        known = {**given, "fullName": own} if isinstance(given, dict) else given
        item = Item(
            type="CustomField",
            name=name,
            file="",
            line=1,
            column=1,
            body=body_from_json(known, "CustomField"),
        )
        components.apply(stage, item)
    except Problem as wrong:
        raise Refusal(400, "FIELD_INTEGRITY_EXCEPTION", wrong.message, ["Metadata"]) from None
    stage.commit()
    return Reply(
        status=201,
        body={"id": field_id(name), "success": True, "errors": [], "warnings": [], "infos": []},
    )


def read_field(call: Call) -> Reply:
    check_right(call.org, call.user)
    sobject, field = _found(call)
    name = f"{sobject.name}.{field.name}"
    where = f"{call.root}/tooling/sobjects/CustomField/{field_id(name)}"
    return Reply(
        body={
            "attributes": {"type": "CustomField", "url": where},
            "Id": field_id(name),
            "DeveloperName": field.name.removesuffix("__c"),
            "TableEnumOrId": sobject.name,
            "FullName": name,
            "Metadata": metadata_of(field),
        }
    )


def delete_field(call: Call) -> Reply:
    check_right(call.org, call.user)
    sobject, field = _found(call)
    stage = Stage(call.org)
    try:
        components.delete(stage, "CustomField", f"{sobject.name}.{field.name}")
    except Problem as wrong:
        raise Refusal(400, "DEPENDENCY_EXISTS", wrong.message) from None
    stage.commit()
    return Reply(status=204)


def read_record_type(call: Call) -> Reply:
    """A record type with its metadata: every picklist with the values it offers, written as in a URL."""
    check_right(call.org, call.user)
    kind = next((one for one in call.org.record_types.values() if one.id == ids.long(call.rest[0])), None)
    if kind is None:
        raise not_found()
    accounts = call.org.accounts
    listed = [
        {"picklist": field.name, "values": [_value(one, field, kind) for one in _offered(field, kind)]}
        for field in accounts.fields.values()
        if field.type in ("picklist", "multipicklist")
    ]
    return Reply(
        body={
            "attributes": {"type": "RecordType", "url": f"{call.root}/tooling/sobjects/RecordType/{kind.id}"},
            "Id": kind.id,
            "Name": kind.label,
            "SobjectType": accounts.name,
            "IsActive": kind.active,
            "FullName": f"{'PersonAccount' if kind.person else accounts.name}.{kind.name}",
            "Metadata": {
                "active": kind.active,
                "businessProcess": None,
                "compactLayoutAssignment": None,
                "description": kind.record.props.get("Description") or None,
                "label": kind.label,
                "picklistValues": listed,
                "urls": None,
            },
        }
    )


def _offered(field: FieldDef, kind: RecordType) -> list[str]:
    offered = kind.picklists.get(field.key)
    active = (choice.value for choice in field.choices if choice.active)
    return [value for value in active if offered is None or value in offered]


def _value(value: str, field: FieldDef, kind: RecordType) -> Json:
    default = kind.defaults.get(field.key) == value
    return {"valueName": quote(value, safe=" "), "default": default, "isActive": None, "description": None}


def _tooling(org: Org) -> Org:
    """The same org with the objects of the Tooling API in place of its own."""
    view = copy.copy(org)
    fields = SObject(view, "CustomField", "Custom Field", "00N", _COLUMNS)
    for number, sobject, field in _custom(org):
        values = {
            "DeveloperName": field.name.removesuffix("__c"),
            "TableEnumOrId": sobject.name,
            "Length": str(field.length or ""),
            "Precision": str(field.precision or ""),
            "Scale": str(field.scale) if field.precision else "",
        }
        fields.store.place(Record(number, sobject.changed_at, values, _ROOT))
    fields.index.catch_up(org.clock.now_ms())
    view.objects = {"customfield": fields}
    view.objects |= tooling_layouts.objects(org, view)
    if org.switches.dependency_api:
        view.objects[dependents.NAME.lower()] = _dependencies(org, view)
    shared = ("recordtype", "permissionset", "listview", "user", "profile", "organization")
    view.objects |= {key: org.objects[key] for key in shared}
    return view


def _dependencies(org: Org, view: Org) -> SObject:
    """What uses the custom fields there are, as far as the dependency API tells."""
    found = SObject(view, dependents.NAME, "Metadata Component Dependency", "", dependents.COLUMNS)
    told = (
        one
        for one in org.dependents
        if one.type != dependents.UNTOLD and org.objects[one.object].field(one.field)
    )
    for number, one in enumerate(islice(told, dependents.MOST_ROWS), 1):
        values = one.values(number, field_id(f"{one.object}.{one.field}"))
        found.store.place(Record(number, org.accounts.changed_at, values, _ROOT))
    for number, values in enumerate(_built_in(org), dependents.MOST_ROWS):
        found.store.place(Record(number, org.accounts.changed_at, values, _ROOT))
    found.index.catch_up(org.clock.now_ms())
    return found


def _built_in(org: Org) -> Iterator[dict[str, str]]:
    """What uses custom fields by what it is: formulas, and the layouts they stand on."""
    known = {key: sobject.fields for key, sobject in org.objects.items()}
    for _, sobject, field in _custom(org):
        used = field_id(f"{sobject.name}.{field.name}")
        for holder, formula in formulas.mentions(known, sobject.key, field.key):
            own = field_id(f"{org.objects[holder].name}.{formula.name}")
            yield dependents.row(own, "CustomField", formula.name.removesuffix("__c"), used, field.name)
        if sobject is org.accounts:
            for layout in org.layouts:
                if field.key in layouts.uses(layout):
                    yield dependents.row(layout.id, "Layout", layout.name, used, field.name)


def _custom(org: Org) -> Iterator[tuple[int, SObject, FieldDef]]:
    for sobject in org.objects.values():
        for field in sobject.fields.values():
            number = ids.number(field_id(f"{sobject.name}.{field.name}"))
            if field.custom and number is not None:
                yield number, sobject, field


def _found(call: Call) -> tuple[SObject, FieldDef]:
    wanted = ids.number(call.rest[0]) if call.rest[0].startswith("00N") else None
    for number, sobject, field in _custom(call.org):
        if number == wanted:
            return sobject, field
    raise not_found()


ROUTES = (
    Route(method="GET", pattern="tooling/query", run=run_query),
    Route(method="POST", pattern="tooling/sobjects/CustomField", run=create_field),
    Route(method="GET", pattern="tooling/sobjects/CustomField/*", run=read_field),
    Route(method="DELETE", pattern="tooling/sobjects/CustomField/*", run=delete_field),
    Route(method="GET", pattern="tooling/sobjects/RecordType/*", run=read_record_type),
    *tooling_layouts.ROUTES,
)
