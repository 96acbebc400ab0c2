"""What each component of a deployment does to the staged metadata, or what is wrong with it.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_recordtype.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy_deleting_files.htm
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import cast
from urllib.parse import unquote

from icp_sync.simulator.salesforce import formulas
from icp_sync.simulator.salesforce.history import MOST_TRACKED
from icp_sync.simulator.salesforce.metadata import access, fields, list_views
from icp_sync.simulator.salesforce.metadata.package import Item
from icp_sync.simulator.salesforce.metadata.shapes import Body
from icp_sync.simulator.salesforce.metadata.stage import Offer, Stage, longest_value, renewed
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import FieldDef

_PICKLISTS = ("picklist", "multipicklist")
UNCHANGED, CHANGED, CREATED = "unchanged", "changed", "created"


def apply(stage: Stage, item: Item) -> str:
    """Stage one component; whether it was created, changed or unchanged. Raises Problem."""
    return _APPLY[item.type](stage, item.name, item.body)


def delete(stage: Stage, kind: str, name: str) -> bool:
    """Stage the deletion of a component; False when there is none of that name. Raises Problem."""
    run = _DELETE.get(kind)
    if run is None:
        raise Problem(f"Components of type {kind} cannot be deleted in this simulator")
    return run(stage, name)


def _object(stage: Stage, name: str, body: Body) -> str:
    if name.lower() not in stage.fields:
        raise Problem(f"Objects of one's own are not part of this simulator: {name}")
    return UNCHANGED


def _field(stage: Stage, name: str, body: Body) -> str:
    entity = _entity(stage, name)
    known = stage.fields[entity]
    held = known.get(name.partition(".")[2].lower())
    replaces = stage.org.switches.picklist_replaces
    new = fields.made(body, held, stage.entities, replaces=replaces)
    if held is not None:
        fields.check_change(held, new, partial(longest_value, stage.org, entity, held.name))
        new = replace(new, name=held.name)
    if new.formula and (wrong := formulas.problem(new.formula, new.type, entity, stage.fields)):
        raise Problem(wrong)
    fields.check_relationship(new, (one for each in stage.fields.values() for one in each.values()))
    known[new.key] = new
    if new.tracked and sum(field.tracked for field in known.values()) > MOST_TRACKED:
        raise Problem(f"You can track the history of {MOST_TRACKED} fields of an object at most")
    if new.type in _PICKLISTS and new.choices != (held.choices if held is not None else ()):
        _withhold(stage, entity, held, new)
    return CREATED if held is None else UNCHANGED if held == new else CHANGED


def _withhold(stage: Stage, entity: str, held: FieldDef | None, new: FieldDef) -> None:
    """Values that a field gains are offered by no record type until one lists them."""
    if entity != "account":
        return
    before = held.choices if held is not None and held.type in _PICKLISTS else ()
    offered = frozenset(choice.value for choice in before if choice.active)
    active = frozenset(choice.value for choice in new.choices if choice.active)
    for name, offer in stage.record_types.items():
        had = offer.picklists.get(new.key, offered)
        stage.record_types[name] = renewed(offer, {**offer.picklists, new.key: had & active})


def _record_type(stage: Stage, name: str, body: Body) -> str:
    entity, own = _entity(stage, name), name.partition(".")[2]
    if entity != "account":
        raise Problem("Record types of other objects than Account are not part of this simulator")
    if not fields.is_name(own, 80):
        raise Problem(fields.BAD_NAME.format("Record Type Name"))
    if "businessProcess" in body:
        raise Problem("Cannot specify businessProcess for a record type of Account")
    held = stage.record_types.get(own.lower())
    known = stage.fields[entity]
    if held is not None and held.person:
        raise Problem(f"duplicate value found: {own} is a record type of person accounts")
    picklists = dict(held.picklists) if held is not None else _nothing_own(known)
    defaults = dict(held.defaults) if held is not None else {}
    for listed in cast("list[Body]", body["picklistValues"]):
        field = known.get(str(listed["picklist"]).lower())
        if field is None or field.type not in _PICKLISTS:
            raise Problem(f"Picklist {listed['picklist']} not found on {stage.entities[entity]}")
        values = cast("list[Body]", listed["values"])
        picklists[field.key] = _offered(field, values)
        defaults[field.key] = _default(field, values)
    new = Offer(
        name=held.name if held is not None else own,
        label=str(body["label"]),
        active=body["active"] is True,
        description=str(body.get("description", "")),
        picklists=picklists,
        defaults={key: value for key, value in defaults.items() if value},
    )
    stage.record_types[own.lower()] = new
    return CREATED if held is None else UNCHANGED if held == new else CHANGED


def _nothing_own(known: Mapping[str, FieldDef]) -> dict[str, frozenset[str]]:
    """A new record type offers the standard values, and of custom picklists only what it lists."""
    return {key: frozenset() for key, field in known.items() if field.custom and field.type in _PICKLISTS}


def _offered(field: FieldDef, values: list[Body]) -> frozenset[str]:
    """The values a record type lists, written as in a URL where they hold special characters."""
    active = {choice.value.lower(): choice.value for choice in field.choices if choice.active}
    found = []
    for value in values:
        written = str(value["fullName"])
        kept = active.get(unquote(written).lower())
        if kept is None:
            raise Problem(f"Picklist value: {written} in picklist: {field.name} not found")
        found.append(kept)
    if len(set(found)) < len(found):
        raise Problem(f"Duplicate values of picklist {field.name}")
    return frozenset(found)


def _default(field: FieldDef, values: list[Body]) -> str:
    """The value a record type proposes, "" for none; of a picklist it is one at most."""
    chosen = [unquote(str(value["fullName"])).lower() for value in values if value["default"] is True]
    if len(chosen) > 1:
        raise Problem(f"Only one default value is allowed: {field.name}")
    return next((choice.value for choice in field.choices if choice.value.lower() in chosen), "")


def _permission_set(stage: Stage, name: str, body: Body) -> str:
    if not fields.is_name(name, 80):
        raise Problem(fields.BAD_NAME.format("Permission Set API Name"))
    access.check(body, stage.fields, [f"Account.{offer.name}" for offer in stage.record_types.values()])
    held = stage.sets.get(name.lower())
    new = body | {"fullName": held["fullName"] if held is not None else name}
    stage.sets[name.lower()] = new
    return CREATED if held is None else UNCHANGED if _sorted(held) == _sorted(new) else CHANGED


def _list_view(stage: Stage, name: str, body: Body) -> str:
    entity = _entity(stage, name)
    prefixed = stage.org.switches.list_view_prefix
    list_views.view_of(stage.entities[entity], body, stage.fields, prefixed=prefixed)
    place = entity, name.partition(".")[2].lower()
    held = stage.views.get(place)
    stage.views[place] = body
    return CREATED if held is None else UNCHANGED if held == body else CHANGED


def _entity(stage: Stage, name: str) -> str:
    """The lower-case object of "Account.X"."""
    entity = name.partition(".")[0].lower()
    if entity not in stage.fields:
        raise Problem(f"Entity of type 'CustomObject' named '{name.partition('.')[0]}' cannot be found")
    return entity


def _sorted(body: Body) -> Body:
    """A permission set says the same in any order."""
    return {
        key: sorted(value, key=str) if isinstance(value, list) else value
        for key, value in body.items()
        if value != []
    }


def _delete_field(stage: Stage, name: str) -> bool:
    entity, _, own = name.lower().partition(".")
    held = stage.fields.get(entity, {}).get(own)
    if held is None:
        return False
    if not held.custom:
        raise Problem(f"Cannot delete standard field: {name}")
    views = {place: body for place, body in stage.views.items() if place[0] == entity and "label" in body}
    used = [str(body["label"]) for body in views.values() if "filters" in list_views.mentions(body, own)]
    if used:
        raise Problem(f"This custom field is referenced elsewhere in salesforce.com. : List View - {used[0]}")
    # As the org is: a formula that goes in the same deployment still stands in the way.
    org = {key: sobject.fields for key, sobject in stage.org.objects.items()}
    for holder, formula in formulas.mentions(org, entity, own):
        where = f"Custom Formula Field - {stage.entities[holder]}.{formula.name.removesuffix('__c')}"
        raise Problem(f"This custom field is referenced elsewhere in salesforce.com. : {where}")
    uses = [one for one in stage.org.dependents if (one.object, one.field) == (entity, own) and one.refuses]
    if uses:
        named = f"{uses[0].type} - {uses[0].name}"
        raise Problem(f"This custom field is referenced elsewhere in salesforce.com. : {named}")
    del stage.fields[entity][own]
    for place, body in views.items():
        if "columns" in list_views.mentions(body, own):
            stage.views[place] = list_views.without(body, own)
    for key, body in stage.sets.items():
        stage.sets[key] = _ungranted(body, f"{entity}.{own}")
    for key, offer in stage.record_types.items():
        stage.record_types[key] = renewed(offer, {k: v for k, v in offer.picklists.items() if k != own})
    return True


def _ungranted(body: Body, field: str) -> Body:
    grants = cast("list[Body]", body.get("fieldPermissions", []))
    kept = [grant for grant in grants if str(grant["field"]).lower() != field]
    return body | {"fieldPermissions": kept} if len(kept) < len(grants) else body


def _delete_set(stage: Stage, name: str) -> bool:
    held = access.holders(stage.org, name)
    if held and stage.org.switches.assigned_sets_stay:
        raise Problem(f"This permission set is assigned to {held} user(s) and cannot be deleted: {name}")
    return stage.sets.pop(name.lower(), None) is not None


def _delete_view(stage: Stage, name: str) -> bool:
    entity, _, own = name.lower().partition(".")
    return stage.views.pop((entity, own), None) is not None


_APPLY: Mapping[str, Callable[[Stage, str, Body], str]] = {
    "CustomObject": _object,
    "CustomField": _field,
    "RecordType": _record_type,
    "PermissionSet": _permission_set,
    "ListView": _list_view,
}
_DELETE: Mapping[str, Callable[[Stage, str], bool]] = {
    "CustomField": _delete_field,
    "PermissionSet": _delete_set,
    "ListView": _delete_view,
}
