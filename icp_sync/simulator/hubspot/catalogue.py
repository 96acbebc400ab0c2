"""Property definitions and groups of one object type, as HubSpot describes them.

Which standard properties exist is `standard`'s business, serving and changing them is `properties`'.
https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from icp_sync.simulator.clock import iso

Json = dict[str, object]
SYSTEM = ("createdate", "hs_lastmodifieddate", "hs_object_id")
DEFAULTS = ("name", "domain", *SYSTEM)

STANDARD_SINCE = 1_565_059_306_048  # ms; a portal's standard properties carry dates of their own

FIELD_TYPES: Mapping[str, frozenset[str]] = {
    "bool": frozenset({"booleancheckbox", "calculation_equation"}),
    "enumeration": frozenset({"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
    "string": frozenset({"file", "text", "textarea", "calculation_equation", "html", "phonenumber"}),
    "number": frozenset({"number", "calculation_equation"}),
    "phone_number": frozenset({"phonenumber"}),
}


@dataclass(frozen=True, kw_only=True)
class Property:
    """One definition. `options`: dicts of label, value, displayOrder, hidden. Instants are ms."""

    name: str
    label: str
    type: str
    field_type: str
    group: str = "companyinformation"
    description: str = ""
    options: tuple[Json, ...] = ()
    display_order: int = -1
    custom: bool = False
    calculated: bool = False
    read_only: bool = False
    external_options: bool = False
    referenced: str = ""
    unique: bool = False
    hidden: bool = False
    form_field: bool = False
    created: int = STANDARD_SINCE
    updated: int = STANDARD_SINCE
    archived_at: int | None = None
    readable_at: float = 0.0  # real monotonic instant from which reads show this definition
    extra: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def allowed(self) -> frozenset[str]:
        return frozenset(str(option["value"]) for option in self.options)

    @property
    def multiple(self) -> bool:
        return self.type == "enumeration" and self.field_type == "checkbox"

    def as_json(self) -> Json:
        body: Json = {
            "updatedAt": iso(self.updated),
            "createdAt": iso(self.created),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": list(self.options),
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": self.archived_at is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "modificationMetadata": self._metadata(),
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
        }
        if self.custom:
            body |= {"createdUserId": "73074756", "updatedUserId": "73074756"}
        else:
            body["hubspotDefined"] = True
        if self.referenced:
            body["referencedObjectType"] = self.referenced
        if self.archived_at is not None:
            body["archivedAt"] = iso(self.archived_at)
        return body | dict(self.extra)

    def _metadata(self) -> Json:
        metadata: Json = {
            "archivable": self.custom,
            "readOnlyDefinition": not self.custom,
            "readOnlyValue": self.read_only,
        }
        if not self.custom:
            metadata["readOnlyOptions"] = self.read_only
        return metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    label: str
    display_order: int = -1
    archived: bool = False

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
        }


class Catalogue:
    """The property definitions and groups of one object type. Not locked: its owner serialises access.

    system: shown always. defaults: shown where nothing was asked for.
    A write of records sees a change at once; reads of definitions may lag behind (`readable_at`).
    """

    def __init__(
        self,
        properties: Iterable[Property],
        groups: Iterable[Group],
        *,
        system: tuple[str, ...] = SYSTEM,
        defaults: tuple[str, ...] = DEFAULTS,
    ) -> None:
        self.system, self.defaults = system, defaults
        self.all: dict[str, Property] = {p.name: p for p in properties}
        self.groups: dict[str, Group] = {g.name: g for g in groups}
        self.generation = 0
        self._older: dict[str, Property | None] = {}

    def get(self, name: str) -> Property | None:
        """A definition that is not archived, as writes see it."""
        found = self.all.get(name)
        return found if found is not None and found.archived_at is None else None

    def put(self, definition: Property, lag: float = 0.0) -> Property:
        """Store a definition; for `lag` real seconds reads still show what was there before."""
        self._older[definition.name] = self.read(definition.name)
        stored = replace(definition, readable_at=time.monotonic() + lag)
        self.all[definition.name] = stored
        self.generation += 1
        return stored

    def read(self, name: str) -> Property | None:
        """A definition as reads show it, archived or not."""
        found = self.all.get(name)
        if found is not None and found.readable_at > time.monotonic():
            return self._older.get(name)
        return found

    def readable(self, *, archived: bool) -> list[Property]:
        found = (self.read(name) for name in self.all)
        return [p for p in found if p is not None and (p.archived_at is not None) == archived]

    @property
    def custom_count(self) -> int:
        return sum(p.custom and p.archived_at is None for p in self.all.values())


def options(pairs: Iterable[tuple[str, str]]) -> tuple[Json, ...]:
    """(value, label) pairs as HubSpot lists options."""
    return tuple(
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(pairs)
    )
