"""Single companies and the list: read, create, update, archive, merge.

https://developers.hubspot.com/docs/api-reference/crm-companies-v3/guide
"""

from __future__ import annotations

from bisect import bisect_left
from urllib.parse import urlencode

from icp_sync.simulator.hubspot import writing
from icp_sync.simulator.hubspot.call import Call, values_of
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.errors import Json, Refusal, error, invalid, not_found
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

LONGEST_URL = 8_192


def list_page(call: Call) -> Reply:
    """A page in id order. `after` is an id; `archived=true` shows only archived records."""
    portal, request = call.portal, call.request
    history = request.all("propertiesWithHistory")
    limit = call.count(10, 50 if history else 100)
    ids = portal.store.archived if call.archived else portal.store.live
    start = _start(call, ids)
    shown = view(portal, request.all("properties"), history)
    records = portal.store.records
    body: Json = {"results": [document(portal, records[i], shown) for i in ids[start : start + limit]]}
    if start + limit < len(ids):
        last = ids[start + limit - 1]
        after = str(last + 1 if portal.switches.list_after_inclusive else last)
        query = [(k, v) for k, v in request.query if k not in ("after", "limit")]
        link = urlencode([("limit", str(limit)), ("after", after), *query])
        body["paging"] = {"next": {"after": after, "link": f"https://api.hubapi.com{request.path}?{link}"}}
    return Reply(body=body)


def read(call: Call) -> Reply:
    """One record; a merged-away id shows the survivor. Archived ones only with `archived=true`."""
    request = call.request
    record = _find(call, merged=True)
    if record is None and call.archived:
        record = call.portal.store.records.get(record_id(call.rest[0]))
        if record is not None and (record.archived_at is None or record.merged_into is not None):
            record = None
    if record is None:
        raise not_found()
    shown = view(call.portal, request.all("properties"), request.all("propertiesWithHistory"))
    return Reply(body=document(call.portal, record, shown))


def create(call: Call) -> Reply:
    kept = writing.checked(call, values_of(call.json().get("properties", {})), None)
    record = writing.create(call, kept)
    return Reply(status=201, body=writing.written(call.portal, record, kept))


def update(call: Call) -> Reply:
    """Write some properties of one record; a merged-away id writes to the survivor."""
    record = _find(call, merged=True)
    if record is None:
        raise not_found()
    kept = writing.checked(call, values_of(call.json().get("properties", {})), record)
    writing.update(call, record, kept)
    return Reply(body=writing.written(call.portal, record, kept))


def archive(call: Call) -> Reply:
    """204, also when it was archived before."""
    record = call.portal.store.records.get(record_id(call.rest[0]))
    if record is None:
        raise not_found()
    call.portal.archive(record)
    return Reply(status=204)


def merge(call: Call) -> Reply:
    """Merge `objectIdToMerge` into `primaryObjectId`; answers with the survivor."""
    body, store = call.json(), call.portal.store
    survivor = store.get(record_id(body.get("primaryObjectId")))
    other = store.get(record_id(body.get("objectIdToMerge")))
    if survivor is None or other is None or survivor is other:
        raise invalid("Cannot merge: both companies must exist and differ")
    call.portal.merge(survivor, other)
    return Reply(body=document(call.portal, survivor, view(call.portal, ())))


def _find(call: Call, *, merged: bool) -> Record | None:
    """The record a path names by id or, with `idProperty`, by a unique value."""
    name, key = call.request.one("idProperty"), call.rest[0]
    if name and name != "hs_object_id":
        return by_unique(call, name, {key}).get(key)
    return call.portal.store.survivor(record_id(key)) if merged else call.portal.store.get(record_id(key))


def by_unique(call: Call, name: str, values: set[str]) -> dict[str, Record]:
    """Records by the value of a unique property. Raises Refusal when the property is not unique."""
    definition = call.portal.catalogue.get(name)
    if definition is None or not definition.unique:
        raise Refusal(400, error(f"Unable to perform update/upsert by non-unique 0-2 property {name}"))
    store = call.portal.store
    found = {}
    for record in map(store.records.__getitem__, store.live):
        value = record.props.get(name, "")
        if value in values:
            found[value] = record
    return found


def record_id(value: object) -> int:
    """A record id as a number; -1, which nothing has, for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1


def _start(call: Call, ids: list[int]) -> int:
    after = call.request.one("after")
    if not after:
        return 0
    wanted = record_id(after)
    if wanted < 0:
        raise invalid(f"Invalid paging cursor: {after[:40]}")
    return bisect_left(ids, wanted if call.portal.switches.list_after_inclusive else wanted + 1)
