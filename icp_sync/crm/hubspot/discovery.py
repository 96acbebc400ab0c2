"""Which records there are to read: ids and stamps from search, whole records from the list endpoint.

Search is discovery only: it lags behind, shows at most 10,000 results by offset, and may answer with a
record whose stamp has moved out of the window since (HubSpot's search documentation; Airbyte #43317,
Estuary connectors #2210). So it is walked by `hs_object_id > last` inside fixed bounds, never by offset:
no cap is reached, no tie is cut, and nothing can loop. Reads no record in full and settles nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Protocol

from icp_sync.crm.ahead import ahead
from icp_sync.crm.canonical import instant
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import SEARCH_PAGE, Json, next_after, results
from icp_sync.crm.hubspot.values import MERGED, STAMP, merged_ids, stamp_of
from icp_sync.crm.paging import Found
from icp_sync.crm.windows import Window, Windows, id_order
from icp_sync.errors import UnavailableError
from icp_sync.lean_json import dump_bytes
from icp_sync.observe import log
from icp_sync.ports import Position, Stream

AHEAD = 5
JUMP_SECONDS = 2.0
URL_BYTES = 5 * 1024
"""Of property names in one list request; beyond it HubSpot's front answers 414."""

_log = log("hubspot")

Filter = dict[str, object]


class Findable(Protocol):
    """A type of records that can be searched and listed."""

    def now(self) -> float: ...
    def search(self, request: Json) -> Json: ...
    def list_page(self, properties: Sequence[str], *, after: str = "", archived: bool = False) -> Json: ...


def search(
    client: Findable, filters: Sequence[Filter], last: str, properties: Sequence[str]
) -> Iterator[Found]:
    """Every record the index matches, by ascending id after `last`; raises when it makes no progress."""
    while True:
        after: Filter = {"propertyName": "hs_object_id", "operator": "GT", "value": last or "0"}
        read_at = round(client.now() * 1000)
        page = client.search(
            {
                "filterGroups": [{"filters": [*filters, after]}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                "properties": list(properties),
                "limit": SEARCH_PAGE,
            }
        )
        hits = results(page)
        found = in_order(hits, last, read_at)
        if hits and not found.stamps:
            raise UnavailableError("HubSpot's search answered a page without a new id")
        yield found
        if len(hits) < SEARCH_PAGE and not next_after(page):
            return
        if not hits:
            raise UnavailableError("HubSpot's search announced more and brought nothing")
        last = found.last(last)


def between(lower: int, upper: int) -> Filter:
    """Stamps in `[lower, upper]` ms, both included."""
    return {"propertyName": STAMP, "operator": "BETWEEN", "value": str(lower), "highValue": str(upper)}


def window(
    client: Client, windows: Windows, stream: Stream, position: Position
) -> tuple[Window, Iterator[Found]]:
    """The window to read from `position`, and what search finds in it, read ahead.

    HubSpot's clock is known from its last reply. When the first reply shows that it has moved otherwise
    than ours since (we were suspended, say), a window not yet begun is opened again by the new reading.
    """
    for _ in range(2):
        before, ours = client.now(), time.monotonic()
        opened = windows.open(stream, position, before)
        found = ahead(search(client, [between(opened.lower, opened.upper)], opened.last_id, [STAMP]), AHEAD)
        first = next(found)
        moved = (client.now() - before) - (time.monotonic() - ours)
        if position.upper or abs(moved) < JUMP_SECONDS:
            break
        _log.info("the server's clock moved, opening the window again", seconds=round(moved, 1))
    return opened, chain([first], found)


def listing(
    client: Findable, properties: Sequence[str], last: str, *, archived: bool = False
) -> Iterator[Found]:
    """Every record by ascending id after `last`, with its properties."""
    after = last
    while True:
        read_at = round(client.now() * 1000)
        page = client.list_page(properties, after=after, archived=archived)
        found = in_order(results(page), last, read_at)
        yield found
        after = next_after(page)
        if not after:
            return
        if not found.stamps:
            raise UnavailableError("HubSpot's list answered a page without a new id")
        last = found.last(last)


def packed(found: Found) -> Found:
    """The same with its records as JSON text, a fifth of the memory: thousands wait for their turn."""
    return replace(found, records={id: dump_bytes(record) for id, record in found.records.items()})


def short_enough(properties: Sequence[str]) -> bool:
    """Whether a list request may name these properties (each costs `&properties=` in the URL)."""
    return sum(len(name) + 12 for name in properties) <= URL_BYTES


def departed(client: Client, since: int) -> dict[str, str]:
    """Companies archived, or merged into one that was modified, since (ms): id → survivor or ""."""
    gone: dict[str, str] = {}
    for found in listing(client, [STAMP], "", archived=True):
        for id, record in found.records.items():
            archived_at = instant(str(record.get("archivedAt") or ""))
            if archived_at is None or archived_at * 1000 >= since:
                gone[id] = ""
    # Whether search can filter on the merged ids is documented nowhere; a merge stamps its survivor.
    changed: Filter = {"propertyName": STAMP, "operator": "GTE", "value": str(max(since, 1000))}
    for found in search(client, [changed], "", [STAMP, MERGED]):
        for id, record in found.records.items():
            gone.update(dict.fromkeys(merged_ids(record), id))
    return gone


def in_order(records: Sequence[Json], last: str, read_at: int) -> Found:
    before = id_order(last)
    fresh = {id: record for record in records if id_order(id := str(record["id"])) > before}
    ordered = {id: fresh[id] for id in sorted(fresh, key=id_order)}
    stamps = {id: stamp_of(record) for id, record in ordered.items()}
    return Found(stamps=stamps, records=ordered, read_at=read_at)
