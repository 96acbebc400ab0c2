"""Which companies there are to read: ids and stamps from search, whole records from the list endpoint.

Search is discovery only: it lags behind, shows at most 10,000 results by offset, and may answer with a
record whose stamp has moved out of the window since (HubSpot's search documentation; Airbyte #43317,
Estuary connectors #2210). So it is walked by `hs_object_id > last` inside fixed bounds, never by offset:
no cap is reached, no tie is cut, and nothing can loop. Reads no record in full and settles nothing.

The list endpoint is read whole in ranges of ids, several at once, and delivered in id order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from icp_sync.crm.canonical import instant
from icp_sync.crm.hubspot.ahead import abreast, ahead
from icp_sync.crm.hubspot.client import LIST_PAGE, SEARCH_PAGE, Client, Json, next_after, results
from icp_sync.crm.hubspot.values import MERGED, STAMP, merged_ids, stamp_of
from icp_sync.crm.windows import Window, Windows, id_order
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.observe import log
from icp_sync.ports import Position, Stream

AHEAD = 5
JUMP_SECONDS = 2.0
URL_BYTES = 5 * 1024
"""Of property names in one list request; beyond it HubSpot's front answers 414."""

RANGES = 6
"""Ranges of ids read at once: 24 calls a second at 0.25 s each, about what the largest plan allows."""

RANGE = 40
"""Calls a range is meant to take. The last one of each brings half a page on average for nothing."""

FEWEST = 25
"""Calls for which one range may be begun, however the ids are spread: what bounds the cost of cutting."""

HELD = 120
"""List pages read ahead of their turn at most (12,000 companies)."""

ENOUGH = 20
"""List pages in turn that are enough: who is slower than that needs nothing read further ahead."""

_MEASURED = 4  # pages after which a range knows better than the average how dense its ids are

_log = log("hubspot")

Filter = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids in order with their stamps (ms, 0 unknown), and their records where the call brought them whole.

    read_at: HubSpot's clock when it was asked, ms.
    """

    stamps: Mapping[str, int]
    records: Mapping[str, Json] = field(default_factory=dict)
    read_at: int = 0

    def last(self, otherwise: str) -> str:
        """The highest id, `otherwise` where nothing was found."""
        return next(reversed(tuple(self.stamps)), otherwise)


def search(
    client: Client, filters: Sequence[Filter], last: str, properties: Sequence[str]
) -> Iterator[Found]:
    """Every company the index matches, by ascending id after `last`; raises when it makes no progress."""
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
        found = _in_order(hits, last, read_at)
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
    client: Client, properties: Sequence[str], last: str, *, archived: bool = False
) -> Iterator[Found]:
    """Every company by ascending id after `last`, with its properties."""
    after = last
    while True:
        read_at = round(client.now() * 1000)
        page = client.list_page(properties, after=after, archived=archived)
        found = _in_order(results(page), last, read_at)
        yield found
        after = next_after(page)
        if not after:
            return
        if not found.stamps:
            raise UnavailableError("HubSpot's list of companies answered a page without a new id")
        last = found.last(last)


def everything(client: Client, properties: Sequence[str], last: str, *, ranges: int) -> Iterator[Found]:
    """What `listing` brings, in the same order, by up to `ranges` ranges of ids at once.

    Takes at most ⌈n / 100⌉ list calls, two for each range begun, and one search, which is spared when all
    fit one page. Ranges begun: at most one, and one for each `FEWEST` calls. A cut is any number between
    two ids; should the list not take it for a cursor, the rest is read in one range.
    """
    whole = _Whole(client=client, properties=properties)
    first = _Range(whole, last)
    found = first.take(first.ask())
    yield found
    if first.ended:
        return
    last = found.last(last)
    whole.count(last)
    try:
        for found in abreast(first, chains=min(ranges, RANGES), held=HELD, enough=ENOUGH):
            yield found
            last = found.last(last)
    except _NoCursorError as error:
        _log.warning("the list takes no cursor of ours, reading the rest in one range", error=str(error))
        rest = _Range(_Whole(client=client, properties=properties), last)
        yield from abreast(rest, chains=1, held=HELD, enough=ENOUGH)


class _NoCursorError(UnavailableError):
    """The list answered something else than what comes after a cut."""


@dataclass(slots=True, kw_only=True)
class _Whole:
    """What the ranges of one reading share. `highest` is 0 until search has told it: nothing is cut then."""

    client: Client
    properties: Sequence[str]
    highest: int = 0
    spread: float = 0.0  # ids a page of the list covers on average
    total: int = 0
    read: int = 0
    begun: int = 1

    def count(self, last: str) -> None:
        """Ask search how many companies there are after `last`, and which has the highest id.

        Search may lag or be down. What it does not know of comes after the highest id it names, and is
        read all the same.
        """
        after: Filter = {"propertyName": "hs_object_id", "operator": "GT", "value": last or "0"}
        try:
            page = self.client.search(
                {
                    "filterGroups": [{"filters": [after]}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
                    "properties": ["hs_object_id"],
                    "limit": 1,
                }
            )
        except (UnavailableError, RequestError) as error:
            _log.info("search does not tell the highest id, reading in one range", error=str(error))
            return
        ids = [_number(record["id"]) for record in results(page)]
        total, start = page.get("total"), _number(last)
        if ids and isinstance(total, int) and total > 0 and ids[0] > start >= 0:
            self.highest, self.total = ids[0], total
            self.spread = max(1.0, (ids[0] - start) * LIST_PAGE / total)

    def length(self) -> float:
        """Calls the next range is to take, 0.0 when none may be begun. The first are shorter, so that
        those after them do not end all at once."""
        if not self.highest or self.begun > max(self.total / LIST_PAGE, self.read) / FEWEST:
            return 0.0
        return RANGE * min(1.0, self.begun / RANGES)


class _Range:
    """A chain of list pages: companies with ids in `(last, upper]`, to the end of the list without `upper`."""

    def __init__(self, whole: _Whole, last: str, upper: str | None = None, *, cut: bool = False) -> None:
        self.ended = False
        self._whole = whole
        self._start = _number(last)
        self._after = self._last = last
        self._upper = upper
        self._cut = cut
        self._pages = 0

    def ask(self) -> tuple[Json, int]:
        whole = self._whole
        read_at = round(whole.client.now() * 1000)
        try:
            return whole.client.list_page(whole.properties, after=self._after), read_at
        except RequestError as error:
            if self._cut and not self._pages:
                raise _NoCursorError(str(error)) from error
            raise

    def take(self, reply: tuple[Json, int]) -> Found:
        page, read_at = reply
        found = _in_order(results(page), self._last, read_at)
        self._after = next_after(page)
        if self._after and not found.stamps:
            if self._cut and not self._pages:
                raise _NoCursorError("a page after a cut without an id after it")
            raise UnavailableError("HubSpot's list of companies answered a page without a new id")
        self._pages += 1
        self._whole.read += 1
        self._last = found.last(self._last)
        self.ended = not self._after
        upper = self._upper
        if upper is not None and id_order(self._last) >= id_order(upper):
            self.ended = True
            found = replace(
                found, stamps={id: s for id, s in found.stamps.items() if id_order(id) <= id_order(upper)}
            )
        return replace(found, records={id: _slim(found.records[id]) for id in found.stamps})

    def fork(self) -> _Range | None:
        """The upper part of what is left here, once it is known to be worth a range of its own."""
        whole = self._whole
        length, last = whole.length(), _number(self._last)
        if not length or last < 0:
            return None
        spread = whole.spread if self._pages < _MEASURED else max(1.0, (last - self._start) / self._pages)
        left = ((whole.highest if self._upper is None else int(self._upper)) - last) / spread
        if left < 1.25 * length:
            return None
        cut = str(last + int(spread * min(length, left / 2)))
        whole.begun += 1
        latter = _Range(whole, cut, self._upper, cut=True)
        self._upper = cut
        return latter


def _number(id: object) -> int:
    """An id as a number, 0 for none, -1 for what is no number."""
    text = str(id or "0")
    return int(text) if text.isdecimal() else -1


def _slim(record: Json) -> Json:
    """What an account is made of, in a third of the memory: most properties of most companies are null."""
    found = record.get("properties")
    held = (
        {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else {}
    )
    return {"id": record["id"], "updatedAt": record.get("updatedAt"), "properties": held}


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


def _in_order(records: Sequence[Json], last: str, read_at: int) -> Found:
    fresh = {id: record for record in records if id_order(id := str(record["id"])) > id_order(last)}
    ordered = dict(sorted(fresh.items(), key=lambda item: id_order(item[0])))
    stamps = {id: stamp_of(record) for id, record in ordered.items()}
    return Found(stamps=stamps, records=ordered, read_at=read_at)
