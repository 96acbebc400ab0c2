"""sObject Collections: up to 200 rows written, or 2,000 read, with one request.

Results come in the order of the rows, each with its own success; only what cannot be read as JSON of the
right types, or names a field there is not, refuses the request whole.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from icp_sync.simulator.salesforce import writing
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Json, Refusal, bad_json, row_error
from icp_sync.simulator.salesforce.ids import long
from icp_sync.simulator.salesforce.objects import created, document, fields_named
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.salesforce.writing import Decided, Refused, Terms
from icp_sync.simulator.server import Reply

MOST_WRITTEN = 200
MOST_READ = 2_000
MOST_CHUNKS = 10
ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using AllOrNone header"
)
Row = tuple[str, SObject, Mapping[str, str]]
"""A row of a request: the id it names ("" for none), its object, its values."""


def read(call: Call) -> Reply:
    """Up to 2,000 records by id in the order asked for, null for what the user cannot have."""
    query = call.request
    return _read(call, query.all("ids"), query.all("fields"))


def read_posted(call: Call) -> Reply:
    """The same with ids and fields in the body, where a longer list fits."""
    body = call.json()
    named = [body.get("ids"), body.get("fields")]
    if not all(isinstance(one, list) for one in named):
        raise bad_json("The ids and the fields must be lists of strings")
    ids, fields = ([str(part) for part in one] for one in named if isinstance(one, list))
    return _read(call, ids, fields)


def create(call: Call) -> Reply:
    terms = Terms.of(call)
    return _write(call, terms, lambda row: writing.decide_create(terms, row[1], row[2]))


def update(call: Call) -> Reply:
    terms = Terms.of(call)
    return _write(
        call, terms, lambda row: writing.decide_update(terms, row[1], row[0], row[2]), sets_off=True
    )


def delete(call: Call) -> Reply:
    """Up to 200 records, named in the query: `ids=001…,003…&allOrNone=false`."""
    terms = Terms.of(call)
    ids = call.request.all("ids")
    _not_too_many(len(ids), MOST_WRITTEN)
    rows: list[Row] = [(one, _object_of(call.org, one), {}) for one in ids]
    whole = call.request.one("allOrNone").lower() == "true"
    decided = _decide(rows, lambda row: writing.decide_delete(terms, row[1], row[0]))
    return Reply(body=_carry_out(terms, rows, decided, whole=whole))


def _read(call: Call, ids: Sequence[str], names: Sequence[str]) -> Reply:
    sobject = call.sobject(call.rest[0])
    if not ids or not names:
        raise Refusal(400, "MISSING_ARGUMENT", "The ids and fields parameters are required")
    _not_too_many(len(ids), MOST_READ)
    fields = fields_named(call, sobject, names)
    found: list[Json | None] = []
    for one in ids:
        record = sobject.record(one)
        visible = record is not None and call.org.visible(call.user, sobject, record)
        found.append(document(call, sobject, record, fields) if record is not None and visible else None)
    return Reply(body=found)


def _write(call: Call, terms: Terms, decide: Callable[[Row], Decided], *, sets_off: bool = False) -> Reply:
    """sets_off: whether the org's own code runs for it."""
    body = call.json()
    records = body.get("records")
    if not isinstance(records, list):
        raise bad_json("The records must be a list of objects")
    _not_too_many(len(records), MOST_WRITTEN)
    rows = [_row(call, one) for one in records]
    chunks = 1 + sum(a[1] is not b[1] for a, b in pairwise(rows))
    if chunks > MOST_CHUNKS:
        message = f"The request has {chunks} chunks of one type each; {MOST_CHUNKS} are allowed"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    decided = _decide(rows, decide)
    if sets_off:
        decided = _set_off(call.org, decided)
    return Reply(body=_carry_out(terms, rows, decided, whole=body.get("allOrNone") is True))


def _row(call: Call, given: object) -> Row:
    """One record of a request. Raises Refusal for what has no type, a wrong type or a field there is not."""
    attributes = given.get("attributes") if isinstance(given, Mapping) else None
    kind = attributes.get("type") if isinstance(attributes, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(kind, str):
        raise Refusal(400, "INVALID_INPUT", "Each record must have attributes with a type")
    sobject = call.sobject(kind)
    named = [str(value) for name, value in given.items() if name.lower() == "id"]
    if len(named) > 1:
        raise bad_json("Duplicate field 'Id' in a record at [line:1, column:1]")
    id_text = "".join(named)
    return (
        id_text,
        sobject,
        writing.values(call, sobject, {n: v for n, v in given.items() if n.lower() != "id"}),
    )


def _decide(rows: Sequence[Row], decide: Callable[[Row], Decided]) -> list[Decided | Refused]:
    """Look at every row. Of rows that name one record, only the first may be written."""
    seen: set[str] = set()
    taken: set[tuple[str, str, str]] = set()
    decided: list[Decided | Refused] = []
    for row in rows:
        record_id = long(row[0])
        try:
            if record_id in seen:
                raise Refused(row_error("DUPLICATE_VALUE", f"duplicate id specified: {record_id}", "Id"))
            decided.append(_alone(decide(row), taken))
        except Refused as refused:
            decided.append(refused)
        if record_id:
            seen.add(record_id)
    return decided


def _set_off(org: Org, decided: Sequence[Decided | Refused]) -> list[Decided | Refused]:
    """What the org's own code leaves of it: it is run once for all rows of an object."""
    rows = Counter(one.sobject.key for one in decided if isinstance(one, Decided))
    felled: dict[str, Refused] = {}
    for key in rows:
        try:
            writing.set_off(org, org.objects[key], rows[key])
        except Refused as refused:
            felled[key] = refused
    return [felled.get(one.sobject.key, one) if isinstance(one, Decided) else one for one in decided]


def _alone(decided: Decided, taken: set[tuple[str, str, str]]) -> Decided:
    """A row whose unique values no row before it takes; `taken`: object, field, value. Raises Refused."""
    sobject = decided.sobject
    unique = {
        name: value for name, value in decided.kept.items() if value and sobject.fields[name.lower()].unique
    }
    wanted = {(sobject.key, name, value.lower()): name for name, value in unique.items()}
    for place, name in wanted.items():
        if place in taken:
            message = f"duplicate value found: {name} duplicates value on another record of the request"
            raise Refused(row_error("DUPLICATE_VALUE", message, name))
    taken.update(wanted)
    return decided


def _carry_out(
    terms: Terms, rows: Iterable[Row], decided: Sequence[Decided | Refused], *, whole: bool
) -> list[Json]:
    """The results in the order of the rows. whole: nothing is written unless everything can be."""
    stopped = whole and any(isinstance(one, Refused) for one in decided)
    results = []
    for row, one in zip(rows, decided, strict=True):
        if isinstance(one, Refused):
            results.append(_failed(terms.org, row[0], one.errors))
        elif stopped:
            error = row_error("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)
            results.append(_failed(terms.org, row[0], [error]))
        else:
            results.append(created(writing.carry_out(terms, one)))
    return results


def _failed(org: Org, id_text: str, errors: list[Json]) -> Json:
    body: Json = {"success": False, "errors": errors}
    return {"id": id_text, **body} if org.switches.failed_row_has_id and id_text else body


def _not_too_many(number: int, most: int) -> None:
    if number > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", message)


def _object_of(org: Org, id_text: str) -> SObject:
    """The object an id's prefix means; accounts, whose look-up then fails, for what is no id."""
    known = (sobject for sobject in org.objects.values() if sobject.prefix == id_text[:3])
    return next(known, org.accounts)


ROUTES = (
    Route(method="POST", pattern="composite/sobjects", run=create),
    Route(method="PATCH", pattern="composite/sobjects", run=update),
    Route(method="DELETE", pattern="composite/sobjects", run=delete),
    Route(method="GET", pattern="composite/sobjects/*", run=read),
    Route(method="POST", pattern="composite/sobjects/*", run=read_posted),
)
