"""An org's metadata as a deployment would leave it: changed here first, brought to the org whole or not."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from icp_sync.simulator.salesforce import layouts
from icp_sync.simulator.salesforce.history import AccountHistory
from icp_sync.simulator.salesforce.ids import shown
from icp_sync.simulator.salesforce.metadata import access
from icp_sync.simulator.salesforce.metadata.access import PLATFORM, live
from icp_sync.simulator.salesforce.metadata.shapes import Body
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.shared_views import SHARED_TO
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record

METADATA = "Metadata"
"""Where a row keeps what was deployed, as JSON; no field of the API's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A record type. picklists: field (lower case) to the values it offers; a field that is absent, all.

    defaults: field (lower case) to the value it proposes. person: of person accounts.
    """

    name: str
    label: str
    active: bool
    description: str
    picklists: Mapping[str, frozenset[str]]
    defaults: Mapping[str, str]
    person: bool = False


class Stage:
    """What there is while a deployment runs. Keys are lower-case names; `views` by (object, name)."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.entities = {key: sobject.name for key, sobject in org.objects.items()}
        self.fields = {key: dict(sobject.fields) for key, sobject in org.objects.items()}
        self.record_types = {
            kind.name.lower(): Offer(
                name=kind.name,
                label=kind.label,
                active=kind.active,
                description=kind.record.props.get("Description", ""),
                picklists=dict(kind.picklists),
                defaults=dict(kind.defaults),
                person=kind.person,
            )
            for kind in org.record_types.values()
        }
        self.sets = {
            row.props.get("Name", "").lower(): _kept(row, "Name")
            for row in live(org.objects["permissionset"])
        }
        self.views = {
            (row.props["SobjectType"].lower(), row.props["DeveloperName"].lower()): _kept(
                row, "DeveloperName"
            )
            for row in live(org.objects["listview"])
        }
        self._was = (
            {key: dict(known) for key, known in self.fields.items()},
            dict(self.record_types),
            dict(self.sets),
            dict(self.views),
        )

    def commit(self) -> None:
        """Bring the org in line with what was staged."""
        fields, record_types, sets, views = self._was
        for key, known in self.fields.items():
            self._commit_fields(self.org.objects[key], fields[key], known)
        for name, offer in self.record_types.items():
            if record_types.get(name) != offer:
                self._commit_record_type(offer)
        access.show_rights(self.org)
        for name in (*sets, *(name for name in self.sets if name not in sets)):
            if sets.get(name) != self.sets.get(name):
                self._commit_set(name, self.sets.get(name))
        for place in (*views, *(place for place in self.views if place not in views)):
            if views.get(place) != self.views.get(place):
                self._commit_view(place, self.views.get(place))
        self.org.rights.forget()

    def id_of(self, kind: str, name: str) -> str:
        """The id of a component of the org, "" for one it has not."""
        entity, _, own = name.partition(".")
        if kind == "CustomField":
            return field_id(name)
        if kind == "RecordType":
            known = next((t for t in self.org.record_types.values() if t.name.lower() == own.lower()), None)
            return known.id if known is not None else ""
        key, wanted = (
            ("permissionset", ("", entity)) if kind == "PermissionSet" else ("listview", (entity, own))
        )
        row = _row(self.org.objects[key], *wanted)
        return self.org.objects[key].id_of(row) if row is not None else ""

    def _commit_fields(
        self, sobject: SObject, was: Mapping[str, FieldDef], now: Mapping[str, FieldDef]
    ) -> None:
        for field in now.values():
            if was.get(field.key) != field:
                sobject.add_field(field)
        for gone in [field for key, field in was.items() if key not in now]:
            sobject.drop_field(gone.name)
            access.forget_field(self.org, f"{sobject.name}.{gone.name}")
            _blank(sobject, gone.name)
            if sobject is self.org.accounts:
                layouts.forget_field(self.org.layouts, gone.name)
            history = self.org.objects["accounthistory"]
            if sobject is self.org.accounts and isinstance(history, AccountHistory):
                history.forget(gone.name)

    def _commit_record_type(self, offer: Offer) -> None:
        picklists, defaults = dict(offer.picklists), dict(offer.defaults)
        kind = self.org.add_record_type(offer.name, offer.label, picklists, defaults=defaults)
        kind.label, kind.active = offer.label, offer.active
        values = {
            "Name": offer.label,
            "IsActive": str(offer.active).lower(),
            "Description": offer.description,
        }
        self.org.objects["recordtype"].write(kind.record, values, PLATFORM)

    def _commit_set(self, name: str, body: Body | None) -> None:
        sets = self.org.objects["permissionset"]
        row = _row(sets, "", name)
        if body is None:
            if row is not None:
                access.forget_set(self.org, sets.id_of(row))
                sets.archive(row)
            return
        values = access.row_of(body, str(body["fullName"])) | {METADATA: json.dumps(body)}
        row = _put(sets, row, values)
        access.grant_fields(self.org, sets.id_of(row), body)
        access.grant_objects(self.org, sets.id_of(row), body)

    def _commit_view(self, place: tuple[str, str], body: Body | None) -> None:
        views = self.org.objects["listview"]
        row = _row(views, *place)
        if body is None:
            if row is not None:
                views.archive(row)
            return
        values = {
            "Name": str(body["label"]),
            "DeveloperName": str(body["fullName"]),
            "SobjectType": self.entities[place[0]],
            METADATA: json.dumps(body),
            SHARED_TO: json.dumps(body.get("sharedTo") or {}),
        }
        _put(views, row, values)


def field_id(name: str) -> str:
    """A custom field's id, from its name: "Account.ICP_Tier__c"."""
    return shown("00N", zlib.crc32(name.lower().encode()))


def _kept(row: Record, name: str) -> Body:
    """What was deployed as this row; one that was made otherwise has a name only."""
    body = json.loads(row.props.get(METADATA, "{}"))
    return body if isinstance(body, dict) and body else {"fullName": row.props.get(name, "")}


def _row(sobject: SObject, entity: str, name: str) -> Record | None:
    """A permission set by name, a list view by object and name."""
    column = "DeveloperName" if entity else "Name"
    for row in live(sobject):
        same = row.props.get(column, "").lower() == name.lower()
        if same and row.props.get("SobjectType", "").lower() == entity.lower():
            return row
    return None


def _put(sobject: SObject, row: Record | None, values: Mapping[str, str]) -> Record:
    if row is None:
        return sobject.create(values, PLATFORM)
    rights = {name: "" for name in row.props if name.startswith("Permissions")}
    sobject.write(row, rights | dict(values), PLATFORM)
    return row


def _blank(sobject: SObject, name: str) -> None:
    """A deleted field takes its values with it; no stamp moves."""
    for record in list(live(sobject)):
        if name in record.props:
            record.props = {key: value for key, value in record.props.items() if key != name}
            sobject.store.publish(record)
    sobject.index.catch_up(sobject.org.clock.now_ms())


def longest_value(org: Org, entity: str, field: str) -> int:
    """The length of the longest value records hold in a field, 0 where none does."""
    return max((len(record.props.get(field, "")) for record in live(org.objects[entity.lower()])), default=0)


def renewed(offer: Offer, picklists: Mapping[str, frozenset[str]]) -> Offer:
    """The record type with other values; a default it no longer offers is none."""
    left = {
        key: value for key, value in offer.defaults.items() if key in picklists and value in picklists[key]
    }
    return replace(offer, picklists=picklists, defaults=left)
