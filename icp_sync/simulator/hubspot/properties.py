"""Property definitions and groups: list, read, create, update, archive.

https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from icp_sync.simulator.hubspot.call import Call, Json, text_of, token_of
from icp_sync.simulator.hubspot.catalogue import FIELD_TYPES, Group, Property
from icp_sync.simulator.hubspot.errors import Refusal, batch_error, error, invalid, not_found, wrong_type
from icp_sync.simulator.hubspot.portal import TYPE_IDS, Portal
from icp_sync.simulator.hubspot.uses import refuse_used
from icp_sync.simulator.server import Reply

MOST_CUSTOM = 1_000
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_RESERVED = "hs_"


def list_all(call: Call) -> Reply:
    """Every definition, unpaged."""
    found = call.portal.catalogue.readable(archived=call.archived)
    return Reply(body={"results": [definition.as_json() for definition in found]})


def read(call: Call) -> Reply:
    found = call.portal.catalogue.read(call.rest[0])
    if found is None or (found.archived_at is not None) != call.archived:
        raise not_found(f"Property {call.rest[0]} does not exist")
    return Reply(body=found.as_json())


def create(call: Call) -> Reply:
    """201; a name that was archived comes back with the definition posted and its old creation date."""
    made = _create(call, call.json())
    where = {"Location": f"{call.request.path}/{made.name}"}
    return Reply(status=201, body=made.as_json(), headers=where)


def update(call: Call) -> Reply:
    """Change a definition. `options` replaces the whole list; name and type stay."""
    catalogue, body = call.portal.catalogue, call.json()
    found = catalogue.get(call.rest[0])
    if found is None:
        raise not_found(f"Property {call.rest[0]} does not exist")
    if not found.custom and not set(body) <= {"options", "label"}:
        raise invalid(f"Property {found.name} is defined by HubSpot and cannot be changed")
    field_type = text_of(body.get("fieldType")) or found.field_type
    _check_type(found.type, field_type)
    group = text_of(body.get("groupName")) or found.group
    _check_group(call, group)
    changed = replace(
        found,
        label=text_of(body.get("label")) or found.label,
        field_type=field_type,
        group=group,
        description=text_of(body["description"]) if "description" in body else found.description,
        options=_options(body["options"]) if body.get("options") is not None else found.options,
        hidden=bool(body.get("hidden", found.hidden)),
        form_field=bool(body.get("formField", found.form_field)),
    )
    if changed != found:
        changed = replace(changed, updated=call.portal.clock.now_ms())
        changed = catalogue.put(changed, call.portal.switches.property_lag)
    return Reply(body=changed.as_json())


def archive(call: Call) -> Reply:
    found = call.portal.catalogue.get(call.rest[0])
    if found is None:
        raise not_found(f"Property {call.rest[0]} does not exist")
    _archive(call, found)
    return Reply(status=204)


def batch_read(call: Call) -> Reply:
    results, errors = [], []
    for name in _batch_names(call):
        found = call.portal.catalogue.read(name)
        if found is None or found.archived_at is not None:
            errors.append(batch_error("OBJECT_NOT_FOUND", f"{name} does not exist", {"name": [name]}))
        else:
            results.append(found.as_json())
    return _batch(results, errors, 200)


def batch_create(call: Call) -> Reply:
    """Each definition by itself: those that fail are named, the rest is made."""
    results, errors = [], []
    for item in _batch_inputs(call):
        try:
            results.append(_create(call, item).as_json())
        except Refusal as refusal:
            body = refusal.reply.body
            said = body if isinstance(body, dict) else {}
            name = str(item.get("name", ""))
            category = str(said.get("category", "VALIDATION_ERROR"))
            errors.append(batch_error(category, str(said.get("message", "")), {"name": [name]}))
    return _batch(results, errors, 201)


def batch_archive(call: Call) -> Reply:
    for name in _batch_names(call):
        found = call.portal.catalogue.get(name)
        if found is not None:
            _archive(call, found)
    return Reply(status=204)


def list_groups(call: Call) -> Reply:
    found = call.portal.catalogue.groups.values()
    return Reply(body={"results": [g.as_json() for g in found if not g.archived]})


def read_group(call: Call) -> Reply:
    return Reply(body=_group(call, call.rest[0]).as_json())


def create_group(call: Call) -> Reply:
    groups, body = call.portal.catalogue.groups, call.json()
    name = text_of(body.get("name"))
    if not NAME.fullmatch(name) or not text_of(body.get("label")):
        raise invalid(f"Property group needs a name and a label, was {name!r}")
    if name in groups and not groups[name].archived:
        raise _exists(
            "PropertyGroups.PROPERTY_GROUP_WITH_NAME_EXISTS", f"A group named '{name}' already exists."
        )
    groups[name] = Group(name=name, label=text_of(body["label"]), display_order=len(groups) + 5)
    return Reply(status=201, body=groups[name].as_json())


def update_group(call: Call) -> Reply:
    found, body = _group(call, call.rest[0]), call.json()
    changed = replace(found, label=text_of(body.get("label")) or found.label)
    call.portal.catalogue.groups[found.name] = changed
    return Reply(body=changed.as_json())


def archive_group(call: Call) -> Reply:
    """204, unless active properties are left in it: then the reason is JSON inside the message."""
    found, catalogue = _group(call, call.rest[0]), call.portal.catalogue
    if any(p.group == found.name and p.archived_at is None for p in catalogue.all.values()):
        nested = error(
            "Cannot delete a group with active properties",
            category="VALIDATION_ERROR",
            subCategory="PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
        )
        raise Refusal(400, error(json.dumps(nested), category="VALIDATION_ERROR"))
    catalogue.groups[found.name] = replace(found, archived=True)
    return Reply(status=204)


def limits(call: Call) -> Reply:
    """How many custom properties there are and may be."""
    companies = _usage(call.portal.companies, "Company", "Companies")
    deals = _usage(call.portal.deals, "Deal", "Deals")
    used = call.portal.companies.catalogue.custom_count + call.portal.deals.catalogue.custom_count
    body = {
        "overallLimit": 10_000,
        "overallUsage": used,
        "overallPercentage": round(used / 100, 2),
        "byObjectType": [companies, deals],
    }
    return Reply(body=body)


def _usage(portal: Portal, singular: str, plural: str) -> Json:
    used = portal.catalogue.custom_count
    return {
        "objectTypeId": TYPE_IDS[portal.kind],
        "singularLabel": singular,
        "pluralLabel": plural,
        "limit": MOST_CUSTOM,
        "usage": used,
        "percentage": round(100 * used / MOST_CUSTOM, 2),
    }


def _create(call: Call, body: Json) -> Property:
    catalogue, now = call.portal.catalogue, call.portal.clock.now_ms()
    lacking = [k for k in ("name", "label", "type", "fieldType", "groupName") if not text_of(body.get(k))]
    if lacking:
        raise invalid(f"Some required fields were not set: [{', '.join(lacking)}]")
    name, kind, field_type = (text_of(body[k]) for k in ("name", "type", "fieldType"))
    if not NAME.fullmatch(name) or name.startswith(_RESERVED):
        raise invalid(f"Property name '{name}' is not valid")
    before = catalogue.all.get(name)
    if before is not None and before.archived_at is None:
        message = f"A property named '{name}' already exists."
        raise _exists("Properties.PROPERTY_WITH_NAME_EXISTS", message)
    _check_type(kind, field_type)
    _check_group(call, text_of(body["groupName"]))
    options = _options(body.get("options") or [])
    if kind == "bool" and {str(o["value"]) for o in options} != {"true", "false"}:
        raise invalid("Boolean properties must have exactly the options true and false")
    if catalogue.custom_count >= MOST_CUSTOM:
        raise invalid(f"You have reached the limit of {MOST_CUSTOM} custom properties", subCategory="LIMIT")
    made = Property(
        name=name,
        label=text_of(body["label"]),
        type=kind,
        field_type=field_type,
        group=text_of(body["groupName"]),
        description=text_of(body.get("description")),
        options=options,
        custom=True,
        external_options=bool(body.get("externalOptions", False)),
        referenced=text_of(body.get("referencedObjectType")),
        unique=bool(body.get("hasUniqueValue", False)),
        hidden=bool(body.get("hidden", False)),
        form_field=bool(body.get("formField", False)),
        created=before.created if before is not None else now,
        updated=now,
    )
    return catalogue.put(made, call.portal.switches.property_lag)


def _archive(call: Call, found: Property) -> None:
    if not found.custom:
        raise invalid(f"Property {found.name} is defined by HubSpot and cannot be archived")
    refuse_used(call.portal, found.name)
    archived = replace(found, archived_at=call.portal.clock.now_ms())
    call.portal.catalogue.put(archived, call.portal.switches.property_lag)


def _check_type(kind: str, field_type: str) -> None:
    allowed = FIELD_TYPES.get(kind)
    if allowed is None:
        raise invalid(f"{kind} is not a valid property type")
    if field_type not in allowed:
        raise invalid(f"Property type {kind} does not go with field type {field_type}")


def _check_group(call: Call, name: str) -> None:
    group = call.portal.catalogue.groups.get(name)
    if group is None or group.archived:
        raise invalid(f"Property group {name} does not exist")


def _options(given: object) -> tuple[Json, ...]:
    if not isinstance(given, list):
        raise wrong_type("java.util.ArrayList<com.hubspot.properties.Option>", token_of(given))
    found: list[Json] = []
    for order, option in enumerate(given):
        if not isinstance(option, dict) or not text_of(option.get("value")) or not option.get("label"):
            raise invalid("Every option needs a label and a value")
        found.append(
            {
                "label": text_of(option["label"]),
                "value": text_of(option["value"]),
                "description": text_of(option.get("description")),
                "displayOrder": option.get("displayOrder", order),
                "hidden": bool(option.get("hidden", False)),
            }
        )
    if len({o["value"] for o in found}) < len(found) or len({o["label"] for o in found}) < len(found):
        raise invalid("Option values and labels must be unique")
    return tuple(found)


def _exists(sub_category: str, message: str) -> Refusal:
    return Refusal(409, error(message, category="OBJECT_ALREADY_EXISTS", subCategory=sub_category))


def _group(call: Call, name: str) -> Group:
    found = call.portal.catalogue.groups.get(name)
    if found is None or found.archived:
        raise not_found(f"Property group {name} does not exist")
    return found


def _batch_inputs(call: Call) -> list[Json]:
    inputs = call.json().get("inputs")
    if not isinstance(inputs, list):
        raise wrong_type("java.util.ArrayList<com.hubspot.BatchInput$Json>", token_of(inputs))
    if len(inputs) > 100:
        raise invalid("The maximum number of inputs supported in a batch is 100.")
    return [item if isinstance(item, dict) else {} for item in inputs]


def _batch_names(call: Call) -> list[str]:
    return [text_of(item.get("name")) for item in _batch_inputs(call)]


def _batch(results: list[Json], errors: list[Json], status: int) -> Reply:
    body: Json = {"status": "COMPLETE", "results": results}
    if errors:
        return Reply(status=207, body=body | {"numErrors": len(errors), "errors": errors})
    return Reply(status=status, body=body)
