"""What an org says of its objects and their fields: only what the caller may see.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime

from icp_sync.simulator.salesforce.call import Call, Json
from icp_sync.simulator.salesforce.errors import not_found
from icp_sync.simulator.salesforce.field_description import described
from icp_sync.simulator.salesforce.org import SObject
from icp_sync.simulator.salesforce.powers import CREATE, DELETE, EDIT, READ
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.server import Reply

_MASTER = "012000000000000AAA"
_BUSINESS = frozenset({"account", "contact", "opportunity", "task"})
_SETUP = frozenset({"permissionset", "permissionsetassignment", "fieldpermissions"})


def list_objects(call: Call) -> Reply:
    """Every object, without its fields."""
    rights = call.org.rights
    seen = [one for one in call.org.objects.values() if rights.may_do(call.user, one, READ)]
    objects = [_summary(call, sobject) for sobject in seen]
    return Reply(body={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def about(call: Call) -> Reply:
    """An object in brief, and what the caller looked at last, which is nothing for an integration."""
    return Reply(body={"objectDescribe": _summary(call, _object(call)), "recentItems": []})


def describe(call: Call) -> Reply:
    """An object whole. 304 when nothing changed since `If-Modified-Since`, fields' rights included."""
    sobject = _object(call)
    changed = max(sobject.changed_at, call.org.rights.changed_at) // 1000
    headers = {"Last-Modified": formatdate(changed, usegmt=True)}
    since = call.header("If-Modified-Since")
    if since and changed <= _seconds(since):
        return Reply(status=304, headers=headers)
    body = _summary(call, sobject) | {
        "actionOverrides": [],
        "childRelationships": [],
        "compactLayoutable": True,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": _fields(call, sobject),
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": _record_types(call, sobject),
        "searchLayoutable": sobject.key in _BUSINESS,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {_plural(sobject)}", "name": "everything"}],
    }
    return Reply(body=body, headers=headers)


def _object(call: Call) -> SObject:
    found = call.org.objects.get(call.rest[0].lower())
    if found is None or not call.org.rights.may_do(call.user, found, READ):
        raise not_found()
    return found


def _seconds(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return -1.0


def _fields(call: Call, sobject: SObject) -> list[Json]:
    org, user = call.org, call.user
    return [
        described(field, writable=org.editable(user, sobject, field))
        for field in sobject.fields.values()
        if org.readable(user, sobject, field)
    ]


def _record_types(call: Call, sobject: SObject) -> list[Json]:
    """The master record type, which every object has, and on accounts whatever an admin made."""
    made = list(call.org.record_types.values()) if sobject.key == "account" else []
    infos = [("Master", "Master", _MASTER, True)]
    infos += [(one.name, one.label, one.id, one.active) for one in made]
    return [
        {
            "active": active,
            "available": active and (name != "Master" or not made),
            "defaultRecordTypeMapping": name == (made[0].name if made else "Master"),
            "developerName": name,
            "master": name == "Master",
            "name": label,
            "recordTypeId": record_id,
            "urls": {"layout": f"{call.root}/sobjects/{sobject.name}/describe/layouts/{record_id}"},
        }
        for name, label, record_id, active in infos
    ]


def _plural(sobject: SObject) -> str:
    label = sobject.label
    return f"{label[:-1]}ies" if label.endswith("y") else label if label.endswith("s") else f"{label}s"


def _summary(call: Call, sobject: SObject) -> Json:
    root = f"{call.root}/sobjects/{sobject.name}"
    business = sobject.key in _BUSINESS
    creates, edits, deletes = (
        call.org.rights.may_do(call.user, sobject, right) for right in (CREATE, EDIT, DELETE)
    )
    writable = business or sobject.key in _SETUP
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": writable and creates,
        "custom": False,
        "customSetting": False,
        "deepCloneable": False,
        "defaultImplementation": None,
        "deletable": writable and deletes,
        "deprecatedAndHidden": False,
        "feedEnabled": business,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix or None,
        "label": sobject.label,
        "labelPlural": _plural(sobject),
        "layoutable": business,
        "mergeable": sobject.key in ("account", "contact"),
        "mruEnabled": business,
        "name": sobject.name,
        "queryable": True,
        "replicateable": business,
        "retrieveable": True,
        "searchable": business,
        "triggerable": business,
        "undeletable": business,
        "updateable": (writable and edits) or sobject.key == "user",
        "urls": {
            "sobject": root,
            "describe": f"{root}/describe",
            "rowTemplate": f"{root}/{{ID}}",
        },
    }


ROUTES = (
    Route(method="GET", pattern="sobjects", run=list_objects),
    Route(method="GET", pattern="sobjects/*", run=about),
    Route(method="GET", pattern="sobjects/*/describe", run=describe, label="sobjects/describe"),
)
