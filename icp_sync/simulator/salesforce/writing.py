"""The act of writing one row: found, allowed, checked, then done. Every API that writes comes through here.

Deciding and doing are two steps, so that a request which stands or falls as a whole can decide first.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.simulator.clock import iso
from icp_sync.simulator.salesforce import activities, assignment, recycling
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.duplicates import MATCHED, DuplicateRule
from icp_sync.simulator.salesforce.errors import Json, Refusal, bad_json, row_error
from icp_sync.simulator.salesforce.ids import number as number_of
from icp_sync.simulator.salesforce.metadata.access import assignment_problem
from icp_sync.simulator.salesforce.org import Org, User
from icp_sync.simulator.salesforce.powers import CREATE, DELETE
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.salesforce.typed import from_json
from icp_sync.simulator.salesforce.validation import check
from icp_sync.simulator.store import Record, Source

DELETABLE = frozenset(
    {
        *("account", "contact", "opportunity", "task"),
        *("permissionset", "permissionsetassignment", "fieldpermissions"),
    }
)
_STATUS = {"ENTITY_IS_DELETED": 404, "NOT_FOUND": 404, "INSUFFICIENT_ACCESS_OR_READONLY": 403}


class Refused(Exception):
    """One row that cannot be written, with its errors as a collection reports them."""

    def __init__(self, *errors: Json) -> None:
        super().__init__(errors)
        self.errors = list(errors)

    @property
    def code(self) -> str:
        return str(self.errors[0]["statusCode"])

    def alone(self) -> Refusal:
        """The same as the refusal of a request about this row only."""
        first = self.errors[0]
        named = first["fields"] if isinstance(first["fields"], list) else []
        refusal = Refusal(_STATUS.get(self.code, 400), self.code, str(first["message"]), map(str, named))
        refusal.reply.body = [
            {"message": one["message"], "errorCode": one["statusCode"], "fields": one["fields"]}
            for one in self.errors
        ]
        return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who writes, and what the request says about rules. assigns: whether assignment rules run."""

    org: Org
    user: User
    source: Source
    assigns: bool
    duplicates: DuplicateRule

    @classmethod
    def of(cls, call: Call) -> Terms:
        """The terms a request states in its headers."""
        waved = call.option("Sforce-Duplicate-Rule-Header", "allowSave").lower() == "true"
        return cls(
            org=call.org,
            user=call.user,
            source=call.source,
            assigns=not assignment.forbids(call.header("Sforce-Auto-Assign")),
            duplicates=DuplicateRule(org=call.org, waved=waved, always=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A write that may be done. `record`: None for a new one. deletes: whether it is a deletion."""

    sobject: SObject
    record: Record | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    deletes: bool = False


def values(call: Call, sobject: SObject, given: Mapping[str, object]) -> dict[str, str]:
    """A row's JSON as texts by API name, without `attributes`. Raises Refusal, which spoils the request."""
    found = {}
    for name, value in given.items():
        if name == "attributes":
            continue
        known = sobject.field(name)
        if known is None:
            message = f"No such column '{name}' on sobject of type {sobject.name}"
            raise Refusal(400, "INVALID_FIELD", message)
        if known.name in found:
            raise bad_json(f"Duplicate field '{name}' in a record at [line:1, column:1]")
        found[known.name] = from_json(known, value)
    return found


def decide_update(terms: Terms, sobject: SObject, id_text: str, given: Mapping[str, str]) -> Decided:
    """Look at an update of one row. Raises Refused."""
    record = editable(terms, sobject, id_text)
    return _decided(terms, sobject, given, record)


def decide_create(terms: Terms, sobject: SObject, given: Mapping[str, str]) -> Decided:
    """Look at a new row. Raises Refused."""
    if not any(one.createable for one in sobject.fields.values()):
        message = f"entity type {sobject.name} does not support create"
        raise Refused(row_error("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message))
    if not terms.org.rights.may_do(terms.user, sobject, CREATE):
        message = f"entity type cannot be inserted: {sobject.name}"
        raise Refused(row_error("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message))
    if sobject.key == "permissionsetassignment":
        _may_assign(terms)
    defaults = {}
    if sobject.field("OwnerId") is not None:
        defaults["OwnerId"] = terms.user.id
    active = next((kind for kind in terms.org.record_types.values() if kind.active and not kind.person), None)
    if active is not None and sobject.field("RecordTypeId") is not None:
        defaults["RecordTypeId"] = active.id
    decided = _decided(terms, sobject, {**defaults, **{n: v for n, v in given.items() if v}}, None)
    if sobject.key == "permissionsetassignment":
        problem = assignment_problem(terms.org, decided.kept)
        if problem is not None:
            code, message, fields = problem
            raise Refused(row_error(code, message, *fields))
    return decided


def _may_assign(terms: Terms) -> None:
    """Handing out permission sets takes Assign Permission Sets. Raises Refused."""
    rights = terms.org.rights
    if terms.org.switches.object_rights and not rights.may_set_up(terms.user, "AssignPermissionSets"):
        raise Refused(row_error("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))


def decide_delete(terms: Terms, sobject: SObject, id_text: str) -> Decided:
    """Look at the deletion of one row. Raises Refused."""
    if sobject.key not in DELETABLE:
        raise Refused(row_error("INSUFFICIENT_ACCESS_OR_READONLY", "entity type cannot be deleted"))
    record = editable(terms, sobject, id_text)
    if not terms.org.rights.may_do(terms.user, sobject, DELETE):
        raise Refused(row_error("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
    return Decided(sobject=sobject, record=record, deletes=True)


def carry_out(terms: Terms, decided: Decided) -> str:
    """Do what was decided; the record's id."""
    sobject, record, kept = decided.sobject, decided.record, decided.kept
    if decided.deletes and record is not None:
        recycling.delete(sobject, record, terms.source)
        return sobject.id_of(record)
    kept = _with_effects(terms.org, sobject, record, kept)
    if record is None:
        record = sobject.create(kept, terms.source)
    else:
        sobject.write(record, kept, terms.source)
        if not kept:
            sobject.bump(record, terms.org.clock.now_ms())  # an update of nothing is an update
    if sobject is terms.org.accounts:
        if MATCHED in kept:
            terms.duplicates.websites = None
        if terms.assigns:
            assignment.run(terms.org, record, terms.source)
    elif sobject.key == "task":
        activities.follow(terms.org, record)
    return sobject.id_of(record)


def editable(terms: Terms, sobject: SObject, id_text: str) -> Record:
    """The record itself, not what others see of it while a transaction holds it. Raises Refused."""
    org, number = terms.org, sobject.number(id_text)
    if number is None:
        message = f"{sobject.label} ID: id value of incorrect type: {id_text[:40]}"
        raise Refused(row_error("MALFORMED_ID", message, "Id"))
    seen = sobject.committed(number, deleted=True)
    if seen is None:
        raise Refused(row_error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
    if seen.archived_at is not None:
        raise Refused(row_error("ENTITY_IS_DELETED", "entity is deleted"))
    if not org.visible(terms.user, sobject, seen):
        message = f"insufficient access rights on cross-reference id: {sobject.id_of(seen)}"
        raise Refused(row_error("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message))
    if not org.may_edit(terms.user, seen, sobject):
        raise Refused(row_error("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
    if (sobject.key, number) in org.in_approval and not terms.user.modify_all:
        raise Refused(row_error("ENTITY_IS_LOCKED", "the entity is locked for editing"))
    if sobject.locked(number) or _parent_locked(org, sobject, seen):
        raise locked()
    return sobject.store.records[number]


def set_off(org: Org, sobject: SObject, rows: int) -> None:
    """The org's own code runs for an update of so many rows together. Raises Refused, for each of them."""
    for one in org.triggers:
        if one.object == sobject.key and rows > one.most:
            message = f"{one.name}: execution of BeforeUpdate\n\ncaused by: {one.message}"
            raise Refused(row_error("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message))


def locked() -> Refused:
    """Somebody else's transaction holds the row."""
    message = "unable to obtain exclusive access to this record or 1 records"
    return Refused(row_error("UNABLE_TO_LOCK_ROW", message))


def _parent_locked(org: Org, sobject: SObject, record: Record) -> bool:
    if not org.switches.lock_accounts_by_parent or sobject is not org.accounts:
        return False
    parent = number_of(record.props.get("ParentId", ""))
    return parent is not None and sobject.locked(parent)


def _decided(terms: Terms, sobject: SObject, given: Mapping[str, str], record: Record | None) -> Decided:
    kept, errors = check(terms.org, terms.user, sobject, given, record)
    if not errors and sobject is terms.org.accounts:
        refusal = terms.duplicates.refusal(kept, record)
        errors += [refusal] if refusal is not None else []
    if errors:
        raise Refused(*errors)
    return Decided(sobject=sobject, record=record, kept=kept)


def _with_effects(
    org: Org, sobject: SObject, record: Record | None, kept: Mapping[str, str]
) -> Mapping[str, str]:
    """A new stage brings its own probability and the instant of its change along."""
    stage = kept.get("StageName")
    held = record.props.get("StageName", "") if record is not None else ""
    if sobject.key != "opportunity" or stage is None or stage == held:
        return kept
    return {"Probability": "", **kept, "LastStageChangeDate": iso(org.clock.now_ms())}
