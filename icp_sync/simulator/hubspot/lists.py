"""The endpoints of lists: made, found by id, name or search, changed, deleted, restored; who is in one.

https://developers.hubspot.com/docs/api-reference/crm-lists-v3/guide
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot import segments
from icp_sync.simulator.hubspot.call import Call, Json, strings, text_of
from icp_sync.simulator.hubspot.errors import Refusal, error, invalid, not_found
from icp_sync.simulator.hubspot.list_filters import TYPE_IDS
from icp_sync.simulator.hubspot.segments import Segment
from icp_sync.simulator.server import Reply

_KINDS = {id: kind for kind, id in TYPE_IDS.items()}
MOST = 250


def create(call: Call) -> Reply:
    """A new list; its filter is processed in the background."""
    body = call.json()
    lacking = [name for name in ("name", "objectTypeId", "processingType") if not body.get(name)]
    if lacking:
        raise invalid(f"Invalid input: {', '.join(lacking)} must be given.")
    processing = str(body["processingType"])
    if processing not in segments.TYPES:
        raise invalid(f"{processing} is not a processingType: {', '.join(segments.TYPES)}.")
    seen = call.portal.seen[_kind(str(body["objectTypeId"]))]
    if processing == "DYNAMIC" and body.get("filterBranch") is None:
        raise invalid("An active list needs a filterBranch.")
    made = segments.make(seen, text_of(body["name"]), processing, body.get("filterBranch"))
    return Reply(body={"list": segments.shown(call.portal, made, filters=True)})


def read(call: Call) -> Reply:
    """One list by its id."""
    return _one(call, _named(call))


def read_by_name(call: Call) -> Reply:
    """One list by the kind of its records and its name."""
    found = call.portal.lists.named(call.rest[1], _kind(call.rest[0]))
    if found is None:
        raise not_found(f"List does not exist with name {call.rest[1]} and object type ID {call.rest[0]}.")
    return _one(call, found)


def read_many(call: Call) -> Reply:
    """The lists named by `listIds`; those that are not there are left out without a word."""
    wanted = dict.fromkeys(call.request.all("listIds"))
    found = [one for id in wanted if (one := call.portal.lists.get(id)) is not None]
    shown = [segments.shown(call.portal, one, filters=_filters(call)) for one in found]
    return Reply(body={"lists": sorted(shown, key=lambda one: int(str(one["listId"])))})


def search(call: Call) -> Reply:
    """Lists a page at a time, without what they filter by."""
    body = call.json()
    offset, count = _whole(body, "offset", 0, 1_000_000), _whole(body, "count", 20, 500)
    words, kind = text_of(body.get("query")).lower().split(), body.get("objectTypeId")
    types, ids = strings(body, "processingTypes"), strings(body, "listIds")
    found = [
        one
        for one in call.portal.lists.live()
        if all(word in one.name.lower() for word in words)
        and (not types or one.processing in types)
        and (not ids or one.id in ids)
        and (kind is None or one.type_id == str(kind))
    ]
    page = [_found(call, one) for one in found[offset : offset + count]]
    more = offset + count < len(found)
    return Reply(
        body={"offset": offset + len(page), "hasMore": more, "total": len(found), "lists": page},
    )


def update_filters(call: Call) -> Reply:
    """Another filter in place of the one a list has."""
    found = _named(call)
    segments.refilter(call.portal, found, call.json().get("filterBranch"))
    return Reply(body={"updatedList": segments.shown(call.portal, found, filters=True)})


def update_name(call: Call) -> Reply:
    """Another name, which must be free."""
    found = _named(call)
    segments.rename(call.portal, found, call.request.one("listName"))
    return Reply(body={"updatedList": segments.shown(call.portal, found, filters=_filters(call))})


def delete(call: Call) -> Reply:
    """Gone until somebody restores it."""
    _named(call).deleted_at = call.portal.clock.now_ms()
    return Reply(status=204)


def restore(call: Call) -> Reply:
    """Back as it was. Its name may be another's by now."""
    found = call.portal.lists.all.get(call.rest[0])
    if found is None:
        raise _absent(call.rest[0])
    if found.deleted_at is not None:
        segments.free_name(call.portal, found.name)
        found.deleted_at = None
    return Reply(status=204)


def memberships(call: Call) -> Reply:
    """Who is in it by ascending record id, a page at a time."""
    found = _named(call)
    ids = segments.members(call.portal, found)
    after = call.request.one("after")
    start = bisect_right(ids, _cursor(after)) if after else 0
    page = ids[start : start + call.count(100, MOST)]
    store = call.portal.seen[found.kind].store.records
    body: Json = {
        "results": [
            {"recordId": str(id), "membershipTimestamp": iso(max(found.created, store[id].modified))}
            for id in page
        ]
    }
    if page and start + len(page) < len(ids):
        cursor = b64encode(str(page[-1]).encode()).decode()
        body["paging"] = {"next": {"after": cursor, "link": f"?after={cursor}"}}
    return Reply(body=body)


def _one(call: Call, found: Segment) -> Reply:
    return Reply(body={"list": segments.shown(call.portal, found, filters=_filters(call))})


def _named(call: Call) -> Segment:
    found = call.portal.lists.get(call.rest[0])
    if found is None:
        raise _absent(call.rest[0])
    return found


def _absent(id: str) -> Refusal:
    return Refusal(404, error(f"List does not exist with ID {id}.", category="OBJECT_NOT_FOUND"))


def _found(call: Call, segment: Segment) -> Json:
    size = len(segments.members(call.portal, segment))
    more = {"hs_list_size": str(size), "hs_list_reference_count": "0"}
    return {**segments.shown(call.portal, segment), "additionalProperties": more}


def _filters(call: Call) -> bool:
    return call.request.one("includeFilters").lower() == "true"


def _kind(type_id: str) -> str:
    kind = _KINDS.get(type_id)
    if kind is None:
        raise invalid(f"Unknown object type ID: {type_id}.")
    return kind


def _cursor(text: str) -> int:
    try:
        return int(b64decode(text, validate=True))
    except ValueError:
        raise invalid(f"Invalid paging cursor: {text[:40]}") from None


def _whole(body: Json, name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise invalid(f"{name} must be between 0 and {most}, was {value!r}")
    return value
