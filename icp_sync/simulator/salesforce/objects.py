"""Single records: read, create, update, delete, by id or by an external id.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_basic_info.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_upsert.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from icp_sync.simulator.salesforce import conditional, writing
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Json, Refusal, not_found
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.salesforce.writing import Refused, Terms
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record


def fields_named(call: Call, sobject: SObject, names: Iterable[str]) -> list[FieldDef]:
    """The fields a reading names, each once, the id always. Raises Refusal INVALID_FIELD."""
    found = {}
    for name in names:
        field = sobject.field(name.strip())
        if field is None or not call.org.readable(call.user, sobject, field):
            message = f"No such column '{name.strip()}' on sobject of type {sobject.name}"
            raise Refusal(400, "INVALID_FIELD", message)
        found[field.key] = field
    if "id" not in sobject.fields:
        raise Refusal(400, "INVALID_TYPE", f"{sobject.name} supports describe and query only")
    found.setdefault("id", sobject.fields["id"])
    return list(found.values())


def document(call: Call, sobject: SObject, record: Record, fields: Iterable[FieldDef]) -> Json:
    """A record as the REST API shows it."""
    url = f"{call.root}/sobjects/{sobject.name}/{sobject.id_of(record)}"
    body: Json = {"attributes": {"type": sobject.name, "url": url}}
    return body | {field.name: sobject.value(record, field) for field in fields}


def created(record_id: str) -> Json:
    return {"id": record_id, "success": True, "errors": []}


def read(call: Call) -> Reply:
    """One record, with `fields` or everything the user may read."""
    sobject = call.sobject(call.rest[0])
    return _shown(call, sobject, _seen(call, sobject, call.rest[1]))


def create(call: Call) -> Reply:
    sobject = call.sobject(call.rest[0])
    return Reply(status=201, body=created(_create(call, sobject, call.json())))


def update(call: Call) -> Reply:
    """Write some fields of one record, if it is as the conditions of the request want it."""
    sobject, record_id = call.sobject(call.rest[0]), call.rest[1]
    given = call.json()
    if any(name.lower() == "id" for name in given):
        raise Refusal(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    _update(call, sobject, record_id, given)
    return Reply(status=204)


def delete(call: Call) -> Reply:
    sobject = call.sobject(call.rest[0])
    _delete(call, sobject, call.rest[1])
    return Reply(status=204)


def read_external(call: Call) -> Reply:
    sobject, record_id = _external(call)
    if record_id is None:
        raise not_found()
    return _shown(call, sobject, _seen(call, sobject, record_id))


def upsert_external(call: Call) -> Reply:
    """Update the one record with that external id, or make it."""
    sobject, record_id = _external(call)
    given = call.json()
    if record_id is not None:
        _update(call, sobject, record_id, given)
        return Reply(body=created(record_id) | {"created": False})
    record_id = _create(call, sobject, {**given, call.rest[1]: call.rest[2]})
    return Reply(status=201, body=created(record_id) | {"created": True})


def delete_external(call: Call) -> Reply:
    sobject, record_id = _external(call)
    if record_id is None:
        raise not_found()
    _delete(call, sobject, record_id)
    return Reply(status=204)


def _shown(call: Call, sobject: SObject, record: Record) -> Reply:
    conditional.hold(call, sobject, record)
    names = call.request.all("fields")
    if names:
        fields = fields_named(call, sobject, names)
    else:
        fields = [f for f in sobject.fields.values() if call.org.readable(call.user, sobject, f)]
    return Reply(body=document(call, sobject, record, fields), headers=conditional.headers(sobject, record))


def _seen(call: Call, sobject: SObject, record_id: str) -> Record:
    """The committed record with an id, when the user may see it. Raises Refusal."""
    record = sobject.anything(record_id)
    if record is None:
        if sobject.number(record_id) is None:
            message = "Provided external ID field does not exist or is not accessible: "
            raise not_found(message + record_id[:40])
        raise not_found()
    if record.archived_at is not None:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
    if not call.org.visible(call.user, sobject, record):
        raise not_found()
    return record


def _create(call: Call, sobject: SObject, given: Mapping[str, object]) -> str:
    terms = Terms.of(call)
    values = writing.values(call, sobject, given)
    try:
        return writing.carry_out(terms, writing.decide_create(terms, sobject, values))
    except Refused as refused:
        raise refused.alone() from None


def _update(call: Call, sobject: SObject, record_id: str, given: Mapping[str, object]) -> None:
    terms = Terms.of(call)
    values = writing.values(call, sobject, given)
    try:
        record = writing.editable(terms, sobject, record_id)
        conditional.hold(call, sobject, record)
        decided = writing.decide_update(terms, sobject, record_id, values)
        writing.set_off(terms.org, sobject, 1)
        writing.carry_out(terms, decided)
    except Refused as refused:
        if (
            refused.code in ("MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY")
            and sobject.record(record_id) is None
        ):
            raise not_found() from None
        raise refused.alone() from None


def _delete(call: Call, sobject: SObject, record_id: str) -> None:
    terms = Terms.of(call)
    try:
        writing.carry_out(terms, writing.decide_delete(terms, sobject, record_id))
    except Refused as refused:
        if refused.code in ("MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY"):
            raise not_found() from None
        raise refused.alone() from None


def _external(call: Call) -> tuple[SObject, str | None]:
    """The object of a path and the id of the one record with its external id; None when there is none.

    Raises Refusal: no such external id, or several records have the value (300, with their addresses).
    """
    sobject = call.sobject(call.rest[0])
    name, value = call.rest[1], call.rest[2]
    field = sobject.field(name)
    if field is None or not (field.unique or field.name == "Id"):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    if field.name == "Id":
        record = sobject.record(value)
        return sobject, None if record is None else sobject.id_of(record)
    found = [
        sobject.id_of(record)
        for record in sobject.rows(call.user)
        if record.props.get(field.name, "").lower() == value.lower()
    ]
    if len(found) > 1:
        refusal = Refusal(300, "", "")
        refusal.reply.body = [f"{call.root}/sobjects/{sobject.name}/{one}" for one in found]
        raise refusal
    return sobject, found[0] if found else None


ROUTES = (
    Route(method="POST", pattern="sobjects/*", run=create),
    Route(method="GET", pattern="sobjects/*/*", run=read),
    Route(method="PATCH", pattern="sobjects/*/*", run=update),
    Route(method="DELETE", pattern="sobjects/*/*", run=delete),
    Route(method="GET", pattern="sobjects/*/*/*", run=read_external),
    Route(method="PATCH", pattern="sobjects/*/*/*", run=upsert_external),
    Route(method="DELETE", pattern="sobjects/*/*/*", run=delete_external),
)
