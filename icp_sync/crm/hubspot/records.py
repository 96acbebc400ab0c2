"""Records, pages and batches as HubSpot answers them, and the reads there are of one type of records.

Everything stays raw JSON; what has another shape than the documentation gives it raises UnavailableError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from icp_sync.errors import RequestError, UnavailableError
from icp_sync.http import Reply

Json = dict[str, Any]

BATCH = 100
HISTORY_BATCH = 50
LISTS = 100
SEARCH_PAGE = 200
LIST_PAGE = 100

RAW = {"_preload_content": False}
"""Keeps the official client from parsing replies."""


class Records:
    """The reads there are of one type of records. api: the official client's module for it."""

    def __init__(self, api: Any, now: Callable[[], float]) -> None:
        self.now = now
        self._basic = api.basic_api
        self._batches = api.batch_api
        self._searches = api.search_api

    def search(self, request: Json) -> Json:
        return object_of(self._searches.do_search(request, **RAW))

    def batch_read(
        self, ids: Sequence[str], properties: Sequence[str], *, history: Sequence[str] = ()
    ) -> Json:
        """At most 100 ids, or 50 with the `history` of properties. Missing ones are among `errors`
        (HTTP 207), or absent."""
        request: Json = {"inputs": [{"id": id} for id in ids], "properties": list(properties)}
        if history:
            request["propertiesWithHistory"] = list(history)
        return object_of(self._batches.read(request, **RAW))

    def list_page(self, properties: Sequence[str], *, after: str = "", archived: bool = False) -> Json:
        """Up to 100 records in id order; `after` is an id."""
        cursor = {"after": after} if after else {}
        # One parameter with commas, as HubSpot documents it: sixty of one name take longer to spell.
        names = [",".join(properties)] if properties else []
        return object_of(
            self._basic.get_page(limit=LIST_PAGE, properties=names, archived=archived, **cursor, **RAW)
        )

    def one(self, id: str, properties: Sequence[str]) -> Json | None:
        """One record, None when there is none. A merged-away id answers with its survivor."""
        return or_none(lambda: self._basic.get_by_id(id, properties=list(properties), **RAW))


def next_after(page: Mapping[str, Any]) -> str:
    """The cursor of the next page, "" on the last."""
    paging = page.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return "" if after is None else str(after)


def results(page: Mapping[str, Any]) -> list[Json]:
    """The records of a page or batch that was read; whatever has no id is left out. Raises UnavailableError
    where there is no list of them: an error in a reply of status 200 does not say that there are none."""
    if not isinstance(page.get("results"), list):
        raise UnavailableError("HubSpot answered a page that lists no records")
    return listed(page)


def listed(reply: Mapping[str, Any]) -> list[Json]:
    """The same where whoever is not listed is asked for one by one, or was written: none without a list."""
    found = reply.get("results")
    records = found if isinstance(found, list) else []
    return [record for record in records if isinstance(record, dict) and record.get("id") is not None]


def object_of(reply: Reply) -> Json:
    """A reply that must be a JSON object."""
    if not isinstance(reply.data, dict):
        raise UnavailableError(f"HubSpot answered {type(reply.data).__name__} where an object was due")
    return reply.data


def unless_gone(call: Callable[[], object]) -> None:
    """Do what takes something away; that it is gone already (404) is fine."""
    try:
        call()
    except RequestError as error:
        if error.status != 404:
            raise


def or_none(call: Callable[[], Reply]) -> Json | None:
    """What is asked for, None when there is none (404)."""
    try:
        return object_of(call())
    except RequestError as error:
        if error.status == 404:
            return None
        raise
