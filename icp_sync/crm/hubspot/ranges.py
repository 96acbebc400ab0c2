"""The list endpoint read whole: in ranges of ids, several at once, delivered in id order.

How many calls that may cost is bounded however the ids lie; see `everything`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.ahead import abreast
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.discovery import Filter, in_order, packed
from icp_sync.crm.hubspot.records import LIST_PAGE, Json, next_after, results
from icp_sync.crm.paging import Found
from icp_sync.crm.windows import id_order
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.observe import log

RANGES = 6
"""Ranges of ids read at once: 24 calls a second at 0.25 s each, about what the largest plan allows."""

RANGE = 40
"""Calls a range is meant to take. The last one of each brings half a page on average for nothing."""

FEWEST = 30
"""Calls for which one range may be begun, however the ids are spread: what bounds the cost of cutting."""

HELD = 100
"""List pages read ahead of their turn at most (10,000 companies)."""

ENOUGH = 20
"""List pages in turn that are enough: who is slower than that needs nothing read further ahead."""

_MEASURED = 4  # pages after which a range knows better than the average how dense its ids are

_log = log("hubspot")


def everything(
    client: Client,
    properties: Sequence[str],
    last: str,
    *,
    ranges: int,
    up_to: str = "",
    length: int = RANGE,
    fewest: int = FEWEST,
) -> Iterator[Found]:
    """What `listing` brings up to and with an id, in the same order, by up to `ranges` ranges of ids at once.

    Takes at most ⌈n / 100⌉ list calls and two for each range begun, and one search when there is more than
    one page. Ranges begun: one, and one more for each `fewest` calls, however the ids are spread. A cut is
    any number between two ids; should the list not take that for a cursor, the rest is read in one range.
    """
    whole = _Whole(client=client, properties=properties, up_to=up_to, calls=length, fewest=fewest)
    first = _Range(whole, last, up_to or None)
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
        rest = _Range(replace(whole, highest=0), last, up_to or None)
        yield from abreast(rest, chains=1, held=HELD, enough=ENOUGH)


class _NoCursorError(UnavailableError):
    """The list answered something else than what comes after a cut."""


@dataclass(slots=True, kw_only=True)
class _Whole:
    """What the ranges of one reading share. `highest` is 0 until search has told it: nothing is cut then."""

    client: Client
    properties: Sequence[str]
    up_to: str
    calls: int
    fewest: int
    highest: int = 0
    spread: float = 0.0  # ids a page of the list covers on average
    total: int = 0
    read: int = 0
    begun: int = 1

    def count(self, last: str) -> None:
        """Ask search how many companies there are after `last` that are to be read, and the highest id.

        Search may lag or be down. What it does not know of comes after the highest id it names, and is
        read all the same.
        """
        filters: list[Filter] = [{"propertyName": "hs_object_id", "operator": "GT", "value": last or "0"}]
        if self.up_to:
            filters.append({"propertyName": "hs_object_id", "operator": "LTE", "value": self.up_to})
        try:
            page = self.client.search(
                {
                    "filterGroups": [{"filters": filters}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
                    "properties": ["hs_object_id"],
                    "limit": 1,
                }
            )
            ids = [_number(record["id"]) for record in results(page)]
        except (UnavailableError, RequestError) as error:
            _log.info("search does not tell the highest id, reading in one range", error=str(error))
            return
        total, start = page.get("total"), _number(last)
        if ids and isinstance(total, int) and total > 0 and ids[0] > start >= 0:
            self.highest, self.total = ids[0], total
            self.spread = max(1.0, (ids[0] - start) * LIST_PAGE / total)

    def length(self) -> float:
        """Calls the next range is to take, 0.0 when none may be begun. The first are shorter, so that
        those after them do not end all at once."""
        if not self.highest or self.begun > max(self.total / LIST_PAGE, self.read) / self.fewest:
            return 0.0
        return self.calls * min(1.0, self.begun / RANGES)


class _Range:
    """List pages in a chain: those with ids in `(last, upper]`, without `upper` to the end of the list."""

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
        found = in_order(results(page), self._last, read_at)
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
        return packed(replace(found, records={id: found.records[id] for id in found.stamps}))

    def fork(self) -> _Range | None:
        """The upper part of what is left here, once it is known to be worth a range of its own."""
        whole = self._whole
        length, last = whole.length(), _number(self._last)
        if not length or last < 0:
            return None
        spread = whole.spread if self._pages < _MEASURED else max(1.0, (last - self._start) / self._pages)
        end, slack = (whole.highest, 1.0) if self._upper is None else (int(self._upper), 1.25)
        left = (end - last) / spread
        if left < slack * length:
            return None
        kept = min(max(length - self._pages, length / 2), left / 2)
        cut = str(last + int(spread * kept))
        whole.begun += 1
        latter = _Range(whole, cut, self._upper, cut=True)
        self._upper = cut
        return latter


def _number(id: object) -> int:
    """An id as a number, 0 for none, -1 for what is no number."""
    text = str(id or "0")
    return int(text) if text.isdecimal() else -1
