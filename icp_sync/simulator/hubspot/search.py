"""The search endpoint: matched and sorted on what the index shows, answered with the records as they are.

So a hit can carry a stamp outside the window that was asked for, and a change too young is not found.
https://developers.hubspot.com/docs/api-reference/search/guide
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from icp_sync.simulator.hubspot.call import Call
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.errors import Json, invalid
from icp_sync.simulator.hubspot.filters import Group, Test, sort_key, words
from icp_sync.simulator.hubspot.portal import Portal
from icp_sync.simulator.hubspot.query import Query, parse
from icp_sync.simulator.index import Version
from icp_sync.simulator.server import Reply

LONGEST_BODY = 3_000
FURTHEST = 10_000


def search(call: Call) -> Reply:
    """One page of matches and their total. Beyond the ten thousandth match it refuses."""
    portal = call.portal
    if len(call.request.body.decode("utf-8", errors="replace")) > LONGEST_BODY:
        raise invalid(f"The request body exceeds the maximum of {LONGEST_BODY} characters")
    query = parse(call.json(), portal.catalogue)
    if query.after + query.limit > FURTHEST:
        raise invalid(f"Paging through more than {FURTHEST:,} search results is not supported")
    ids = _matches(portal, query)
    page = ids[query.after : query.after + query.limit]
    shown = view(portal, query.properties)
    fresh = (portal.store.get(i) for i in page)
    body: Json = {
        "total": len(ids),
        "results": [document(portal, record, shown) for record in fresh if record is not None],
    }
    end = query.after + query.limit
    if end < len(ids):
        body["paging"] = {"next": {"after": str(end)}}
    return Reply(body=body)


def _matches(portal: Portal, query: Query) -> list[int]:
    groups = query.groups or (Group(),)
    found = _in_group(portal, groups[0], query.text)
    if len(groups) > 1:
        found = sorted({i for group in groups for i in _in_group(portal, group, query.text)})
    return _sorted(portal, found, query)


def _in_group(portal: Portal, group: Group, text: str) -> list[int]:
    """Ids that match one group, ascending."""
    index, memo = portal.index, portal.memo
    if not group.tests and group.stamps is None and not text:
        ids = index.ids
    else:
        key = (group.stamps, group.key, text)
        if memo.generation != index.generation or memo.key != key:
            candidates = _candidates(portal, group)
            if group.tests or text:
                candidates = (v for v in candidates if _fits(v, group.tests, text))
            memo.ids = sorted(v.id for v in candidates)
            memo.generation, memo.key = index.generation, key
        ids = memo.ids
    if group.ids is None:
        return ids
    lower, upper = group.ids
    return ids[bisect_left(ids, lower) : bisect_right(ids, upper)]


def _candidates(portal: Portal, group: Group) -> Iterable[Version]:
    if group.stamps is None:
        return portal.index.visible.values()
    return portal.index.between(*group.stamps)


def _fits(version: Version, tests: Iterable[Test], text: str) -> bool:
    return all(test(version) for test in tests) and (not text or _says(version, text))


def _says(version: Version, text: str) -> bool:
    said = words(" ".join(version.props.get(name, "") for name in ("name", "domain", "website", "phone")))
    return all(any(word.startswith(part) for word in said) for part in words(text))


def _sorted(portal: Portal, ids: list[int], query: Query) -> list[int]:
    visible = portal.index.visible
    if query.sort == "hs_object_id":
        return ids[::-1] if query.descending else ids
    by = sort_key(query.sort, portal.catalogue.get(query.sort))
    keyed = [(by(visible[i]), i) for i in ids]
    valued = sorted(((key, i) for key, i in keyed if key is not None), reverse=query.descending)
    return [i for _, i in valued] + [i for key, i in keyed if key is None]
