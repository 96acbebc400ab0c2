"""List views over REST: which there are, what one is, what it shows.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_listviews.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_listviewresults.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal, not_found
from icp_sync.simulator.salesforce.metadata.access import live
from icp_sync.simulator.salesforce.metadata.list_views import PATHS, Column, View, view_of
from icp_sync.simulator.salesforce.metadata.stage import METADATA
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import FieldDef, Value
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

Json = dict[str, object]
_LONGEST_PAGE = 2_000
_ALWAYS = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp")


def list_all(call: Call) -> Reply:
    sobject = call.sobject(call.rest[0])
    views = [_entry(call, sobject, row) for row in _rows(call, sobject)]
    return Reply(
        body={
            "done": True,
            "listviews": views,
            "nextRecordsUrl": None,
            "size": len(views),
            "sobjectType": sobject.name,
        }
    )


def one(call: Call) -> Reply:
    sobject, row = _found(call)
    return Reply(body=_entry(call, sobject, row))


def describe(call: Call) -> Reply:
    """A view's columns, and what it asks, as SOQL."""
    sobject, row = _found(call)
    view = _understood(call, sobject, row)
    return Reply(
        body={
            "columns": [_column(call, sobject, column) for column in _readable(call, sobject, view)],
            "id": call.org.objects["listview"].id_of(row),
            "orderBy": [{"fieldNameOrPath": "Name", "nullsPosition": "first", "sortDirection": "ascending"}],
            "query": _soql(call, sobject, view),
            "scope": None if view.scope == "Everything" else view.scope.lower(),
            "sobjectType": sobject.name,
            "whereCondition": _where_condition(view),
        }
    )


def results(call: Call) -> Reply:
    """The records a view shows, by name. `limit` (25 unless told) and `offset` page through them."""
    sobject, row = _found(call)
    view = _understood(call, sobject, row)
    limit, offset = _count(call, "limit", 25), _count(call, "offset", 0)
    columns = _readable(call, sobject, view)
    name = sobject.fields["name"]
    shown = sorted(
        _matching(call, sobject, view), key=lambda record: str(sobject.value(record, name) or "").lower()
    )
    page = shown[offset : offset + limit]
    return Reply(
        body={
            "columns": [_column(call, sobject, column) for column in columns],
            "developerName": view.name,
            "done": offset + limit >= len(shown),
            "id": call.org.objects["listview"].id_of(row),
            "label": view.label,
            "records": [{"columns": _cells(call, sobject, columns, record)} for record in page],
            "size": len(page),
        }
    )


def _rows(call: Call, sobject: SObject) -> Iterator[Record]:
    views = call.org.objects["listview"]
    rows = (row for row in live(views) if row.props.get("SobjectType") == sobject.name)
    return (row for row in rows if call.org.visible(call.user, views, row))


def _found(call: Call) -> tuple[SObject, Record]:
    sobject = call.sobject(call.rest[0])
    views = call.org.objects["listview"]
    for row in _rows(call, sobject):
        if views.id_of(row) == ids.long(call.rest[1]):
            return sobject, row
    raise not_found()


def _understood(call: Call, sobject: SObject, row: Record) -> View:
    """The view as the caller may use it: a filter by a field hidden from somebody hides the view."""
    fields = {key: known.fields for key, known in call.org.objects.items()}
    try:
        view = view_of(sobject.name, json.loads(row.props[METADATA]), fields)
    except Problem as wrong:
        raise Refusal(400, "INVALID_FIELD", wrong.message) from None
    for one in view.conditions:
        if not call.org.readable(call.user, sobject, one.field):
            raise Refusal(
                403, "INSUFFICIENT_ACCESS", f"You cannot see {one.field.name}, which the view filters by"
            )
    return view


def _readable(call: Call, sobject: SObject, view: View) -> list[Column]:
    return [column for column in view.columns if call.org.readable(call.user, sobject, column.field)]


def _matching(call: Call, sobject: SObject, view: View) -> Iterator[Record]:
    today = datetime.fromtimestamp(call.org.clock.now(), UTC).date()
    for record in sobject.rows(call.user):
        if view.scope == "Mine" and record.props.get("OwnerId") != call.user.id:
            continue
        passed = [
            one.passes(_value(call, sobject, one.name, one.field, record), today) for one in view.conditions
        ]
        if view.logic.passes(passed):
            yield record


def _count(call: Call, name: str, default: int) -> int:
    text = call.request.one(name)
    if not text:
        return default
    least = 1 if name == "limit" else 0
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text):
        raise Refusal(400, "INVALID_QUERY_PARAMETER", f"{name}: a whole number from {least}, was {text[:20]}")
    if name == "limit" and int(text) > _LONGEST_PAGE:
        raise Refusal(400, "INVALID_QUERY_PARAMETER", f"limit: at most {_LONGEST_PAGE}, was {text}")
    return int(text)


def _cells(call: Call, sobject: SObject, columns: list[Column], record: Record) -> list[Json]:
    """A record's values as a view shows them, and those it always adds."""
    cells: list[Json] = [
        {"fieldNameOrPath": one.path, "value": _printed(call, sobject, one, record)} for one in columns
    ]
    for name in _ALWAYS:
        value = sobject.value(record, sobject.fields[name.lower()])
        cells.append({"fieldNameOrPath": name, "value": _text(value)})
    return cells


def _printed(call: Call, sobject: SObject, column: Column, record: Record) -> str | None:
    return _text(_value(call, sobject, column.path, column.field, record))


def _value(call: Call, sobject: SObject, path: str, field: FieldDef, record: Record) -> Value:
    """A record's own value, or that of the parent a path goes to."""
    relation, _, _ = path.rpartition(".")
    if not relation:
        return sobject.value(record, field)
    reference, holder = PATHS[relation]
    parents, through = call.org.objects[holder], sobject.field(reference)
    parent = parents.record(str(sobject.value(record, through))) if through is not None else None
    return parents.value(parent, field) if parent is not None else None


def _text(value: Value) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _soql(call: Call, sobject: SObject, view: View) -> str:
    paths = [column.path for column in _readable(call, sobject, view)]
    names = dict.fromkeys((*paths, *_ALWAYS))
    scope = "" if view.scope == "Everything" else f" USING SCOPE {view.scope.lower()}"
    where = f" WHERE {_where(view)}" if view.conditions else ""
    order = " ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST"
    return f"SELECT {', '.join(names)} FROM {sobject.name}{scope}{where}{order}"  # noqa: S608 - only shown


def _where_condition(view: View) -> Json | None:
    """The same conditions as an object, without one where they are joined by a logic of their own."""
    parts: list[Json] = [one.document() for one in view.conditions]
    if len(parts) < 2 or view.logic.text:
        return parts[0] if len(parts) == 1 else None
    return {"conditions": parts, "conjunction": "and"}


def _where(view: View) -> str:
    clauses = [one.soql() for one in view.conditions]
    if not view.logic.text:
        return " AND ".join(clauses)
    words = view.logic.text.replace("(", " ( ").replace(")", " ) ").split()
    return " ".join(clauses[int(word) - 1] if word.isdigit() else word for word in words)


def _entry(call: Call, sobject: SObject, row: Record) -> Json:
    view_id = call.org.objects["listview"].id_of(row)
    where = f"{call.root}/sobjects/{sobject.name}/listviews/{view_id}"
    return {
        "describeUrl": f"{where}/describe",
        "developerName": row.props["DeveloperName"],
        "id": view_id,
        "label": row.props["Name"],
        "resultsUrl": f"{where}/results",
        "soqlCompatible": True,
        "url": where,
    }


def _column(call: Call, sobject: SObject, column: Column) -> Json:
    label = (
        column.field.label if "." not in column.path else f"{sobject.label} {column.path.replace('.', ' ')}"
    )
    picked = column.field.type in ("picklist", "multipicklist")
    return {
        "ascendingLabel": None,
        "descendingLabel": None,
        "fieldNameOrPath": column.path,
        "hidden": False,
        "label": label,
        "searchable": column.field.type in ("string", "phone", "url", "email"),
        "selectListItem": f"toLabel({column.path})" if picked else column.path,
        "sortDirection": "ascending" if column.path == "Name" else None,
        "sortIndex": 0 if column.path == "Name" else None,
        "sortable": column.field.filterable and column.field.type != "multipicklist",
        "type": column.field.type,
    }


ROUTES = (
    Route(method="GET", pattern="sobjects/*/listviews", run=list_all),
    Route(method="GET", pattern="sobjects/*/listviews/*", run=one),
    Route(method="GET", pattern="sobjects/*/listviews/*/describe", run=describe),
    Route(method="GET", pattern="sobjects/*/listviews/*/results", run=results),
)
